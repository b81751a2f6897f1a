#include "fhir/search_param.h"

#include "fhir/tables.h"

/* Counts up when extract.c would give other cells from the same tables. */
#define EXTRACTION 1

/* Names that clients use and no definition has: the progress feed is asked for
 * with recorded=ge... (contract 7.11). */
static const struct {
    enum release release;
    struct str type, code, means;
} aliases[] = {
    { R4, STR_INIT("AuditEvent"), STR_INIT("recorded"), STR_INIT("date") },
};

static uint16_t find_row(const struct release_tables *t, uint16_t type,
                         struct str code)
{
    const struct type_row *row = &t->types[type];
    for (unsigned i = 0; i < row->row_count; i++)
        if (str_eq(t->params[row->first_row + i].code, code))
            return (uint16_t)(row->first_row + i);
    return PARAM_NONE;
}

uint16_t search_param_find(enum release release, uint16_t type, struct str code)
{
    const struct release_tables *t = &release_tables[release];
    if (type >= t->type_count)
        return PARAM_NONE;
    uint16_t row = find_row(t, type, code);
    if (row != PARAM_NONE)
        return row;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (aliases[i].release == release && str_eq(aliases[i].code, code) &&
            str_eq(aliases[i].type, release_type_name(release, type)))
            return find_row(t, type, aliases[i].means);
    return PARAM_NONE;
}

const struct search_param *search_param_row(enum release release, uint16_t row)
{
    return &release_tables[release].params[row];
}

uint16_t search_param_rows(enum release release, uint16_t type, uint16_t *first)
{
    const struct release_tables *t = &release_tables[release];
    if (type >= t->type_count) {
        *first = 0;
        return 0;
    }
    *first = t->types[type].first_row;
    return t->types[type].row_count;
}

uint64_t search_param_format(enum release release)
{
    return release_tables[release].digest * 31 + EXTRACTION;
}
