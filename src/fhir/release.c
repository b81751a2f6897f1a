#include "fhir/release.h"

#include "fhir/tables.h"

/* clang-format off */
static const struct release_info infos[RELEASE_COUNT] = {
    [DSTU2] = {
        .name = STR_INIT("DSTU2"), .version = STR_INIT("1.0.2"),
        .path = STR_INIT("dstu2"), .keeps_ids_on_post = true,
        .takes_form_creates = true, .empty_for_other_types = true,
        .count_max = 100,
    },
    [STU3] = {
        .name = STR_INIT("STU3"), .version = STR_INIT("3.0.2"),
        .path = STR_INIT("stu3"), .keeps_ids_on_post = true,
        .takes_form_creates = true, .empty_for_other_types = true,
        .count_max = 100,
    },
    [R4] = {
        .name = STR_INIT("R4"), .version = STR_INIT("4.0.1"),
        .path = STR_INIT("r4"), .is_case_sensitive = true,
        .always_links_self = true, .warns_of_ignored = true,
        .count_max = 1000,
    },
};
/* clang-format on */

const struct release_info *release_info(enum release release)
{
    return &infos[release];
}

bool release_find(struct str name, enum release *out)
{
    static const struct {
        struct str name;
        enum release release;
    } others[] = {
        { STR_INIT("1.0"), DSTU2 },  { STR_INIT("1.0.1"), DSTU2 },
        { STR_INIT("3.0"), STU3 },   { STR_INIT("3.0.0"), STU3 },
        { STR_INIT("3.0.1"), STU3 }, { STR_INIT("4.0"), R4 },
        { STR_INIT("4.0.0"), R4 },
    };
    for (unsigned i = 0; i < RELEASE_COUNT; i++) {
        if (str_eq_nocase(name, infos[i].name) ||
            str_eq(name, infos[i].version)) {
            *out = (enum release)i;
            return true;
        }
    }
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (str_eq(name, others[i].name)) {
            *out = others[i].release;
            return true;
        }
    }
    return false;
}

unsigned release_type_count(enum release release)
{
    return release_tables[release].type_count;
}

struct str release_type_name(enum release release, uint16_t type)
{
    const struct release_tables *t = &release_tables[release];
    return type < t->type_count ? t->types[type].name : STR("");
}

static uint16_t scan_types(const struct release_tables *t, struct str name)
{
    for (unsigned i = 0; i < t->type_count; i++)
        if (str_eq_nocase(t->types[i].name, name))
            return (uint16_t)i;
    return TYPE_NONE;
}

uint16_t release_type_find(enum release release, struct str name,
                           bool ignore_case)
{
    const struct release_tables *t = &release_tables[release];
    unsigned low = 0, high = t->type_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = str_cmp(t->types[middle].name, name);
        if (order == 0)
            return (uint16_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ignore_case ? scan_types(t, name) : TYPE_NONE;
}

bool release_in_patient_compartment(enum release release, uint16_t type)
{
    const struct release_tables *t = &release_tables[release];
    return type < t->type_count &&
           (t->types[type].flags & TYPE_IN_COMPARTMENT) != 0;
}
