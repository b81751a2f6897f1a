#include "fhir/search_param.h"

#include "fhir/tables.h"

/* Counts up when extract.c would give other cells from the same tables. */
#define EXTRACTION 1

uint16_t search_param_find(enum release release, uint16_t type, struct str code)
{
    const struct release_tables *t = &release_tables[release];
    if (type >= t->type_count)
        return PARAM_NONE;
    const struct type_row *row = &t->types[type];
    for (unsigned i = 0; i < row->row_count; i++)
        if (str_eq(t->params[row->first_row + i].code, code))
            return (uint16_t)(row->first_row + i);
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
