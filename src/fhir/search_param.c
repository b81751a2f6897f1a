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

unsigned search_param_count(enum release release)
{
    return release_tables[release].param_count;
}

static void mark_targets(enum release release, uint16_t owner, bool *is_row)
{
    const struct release_tables *t = &release_tables[release];
    for (unsigned row = 0; row < t->param_count; row++)
        for (uint16_t i = 0; i < t->params[row].target_count; i++)
            if (t->params[row].targets[i] == owner)
                is_row[row] = true;
}

bool search_param_compartment(enum release release, uint16_t owner,
                              bool *is_member_row)
{
    static const struct str others[] = {
        STR_INIT("Encounter"),
        STR_INIT("Practitioner"),
        STR_INIT("RelatedPerson"),
        STR_INIT("Device"),
    };
    const struct release_tables *t = &release_tables[release];
    if (owner >= t->type_count)
        return false;
    if (str_eq(t->types[owner].name, STR("Patient"))) {
        for (unsigned i = 0; i < t->type_count; i++)
            for (uint16_t k = 0; k < t->types[i].compartment_count; k++)
                is_member_row[t->types[i].compartment[k]] = true;
        return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (str_eq(t->types[owner].name, others[i])) {
            mark_targets(release, owner, is_member_row);
            return true;
        }
    return false;
}

uint16_t search_param_clinical_date(enum release release, uint16_t type)
{
    static const struct str codes[] = {
        STR_INIT("date"),          STR_INIT("onset-date"),
        STR_INIT("onset"),         STR_INIT("occurrence"),
        STR_INIT("authoredon"),    STR_INIT("authored-on"),
        STR_INIT("authored"),      STR_INIT("effective-time"),
        STR_INIT("effectivetime"), STR_INIT("effective"),
        STR_INIT("whengiven"),     STR_INIT("whenhandedover"),
        STR_INIT("whenprepared"),  STR_INIT("start-date"),
        STR_INIT("startdate"),     STR_INIT("started"),
        STR_INIT("sent"),          STR_INIT("datetime"),
        STR_INIT("datewritten"),   STR_INIT("collected"),
        STR_INIT("created"),       STR_INIT("recorded"),
        STR_INIT("issued"),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint16_t row = search_param_find(release, type, codes[i]);
        if (row != PARAM_NONE &&
            search_param_row(release, row)->kind == PARAM_DATE)
            return row;
    }
    return PARAM_NONE;
}
