/* release.h - DSTU2, STU3 and R4: their names, types, search parameters and
 * manners, as tables compiled from definitions/.
 */
#ifndef FHIR_RELEASE_H
#define FHIR_RELEASE_H

#include <stdint.h>

#include "base/str.h"

/* The numbers are stored; never change them. */
enum release { DSTU2 = 0, STU3 = 1, R4 = 2, RELEASE_COUNT = 3 };

#define TYPE_NONE UINT16_MAX /* no type, or any type */

struct release_info {
    struct str name;    /* "R4": fhirVersion of the contract, upper case */
    struct str version; /* "4.0.1": CapabilityStatement.fhirVersion */
    struct str path;    /* "r4": first part of the path */
    /* Manners, decision 4. */
    bool is_case_sensitive; /* type names in paths */
    bool always_links_self;
    bool keeps_ids_on_post;
    bool takes_form_creates;    /* form-encoded creates */
    bool empty_for_other_types; /* a type of another release: empty set */
    bool warns_of_ignored; /* unknown search parameters: an outcome entry */
    unsigned count_max;    /* largest page */
};
const struct release_info *release_info(enum release release);

/* "R4", "r4", "4.0.1", "4.0" ...; false for what we do not serve. */
bool release_find(struct str name, enum release *out);

/* Resource types of a release are numbered in alphabetical order. */
unsigned release_type_count(enum release release);
struct str release_type_name(enum release release, uint16_t type);
/* TYPE_NONE when the release has no such type. */
uint16_t release_type_find(enum release release, struct str name,
                           bool ignore_case);

/* Whether the patient compartment holds type. */
bool release_in_patient_compartment(enum release release, uint16_t type);

#endif
