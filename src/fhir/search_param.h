/* search_param.h - the search parameters of each release, one row for each
 * (type, code).  A row's number is what the index stores; numbers may change
 * with the definitions, and then search_param_format() changes too.
 */
#ifndef FHIR_SEARCH_PARAM_H
#define FHIR_SEARCH_PARAM_H

#include "fhir/release.h"

enum param_kind {
    PARAM_NUMBER,
    PARAM_DATE,
    PARAM_STRING,
    PARAM_TOKEN,
    PARAM_REFERENCE,
    PARAM_COMPOSITE,
    PARAM_QUANTITY,
    PARAM_URI,
    PARAM_SPECIAL,
};

/* Codes of every type (Resource, DomainResource); in every release, also
 * where its definitions forget them.  They head each type's rows. */
struct search_param {
    struct str code;
    enum param_kind kind;
    uint16_t type;
    const uint16_t *targets; /* types a reference may point to */
    uint16_t target_count;
    const uint16_t *components; /* rows of a composite's parts */
    uint16_t component_count;
    struct str definition; /* canonical URL, for /metadata */
    struct str description;
};

#define PARAM_NONE UINT16_MAX

/* PARAM_NONE when the type has no such parameter. */
uint16_t search_param_find(enum release release, uint16_t type,
                           struct str code);
const struct search_param *search_param_row(enum release release, uint16_t row);
/* The rows of a type are [*first, *first + count). */
uint16_t search_param_rows(enum release release, uint16_t type,
                           uint16_t *first);
/* The parameters by which a resource of a type belongs to somebody's
 * compartment (CompartmentDefinition): for Patient as its definition says, for
 * Encounter, Practitioner, RelatedPerson and Device every reference that may
 * point there.  is_member_row has room for search_param_count(); false when
 * there is no such compartment. */
bool search_param_compartment(enum release release, uint16_t owner,
                              bool *is_member_row);
/* The parameter by which a resource is part of another of its type (Location:
 * partof); PARAM_NONE when none does. */
uint16_t search_param_hierarchy(enum release release, uint16_t type);
unsigned search_param_count(enum release release);
/* The parameter that says when what the resource tells of happened; PARAM_NONE
 * when none does. */
uint16_t search_param_clinical_date(enum release release, uint16_t type);
/* Changes whenever extraction would give other cells: the index's format. */
uint64_t search_param_format(enum release release);

#endif
