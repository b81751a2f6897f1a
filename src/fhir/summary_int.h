/* summary_int.h - the shape of the tables that tools/compile-summary.py makes.
 */
#ifndef FHIR_SUMMARY_INT_H
#define FHIR_SUMMARY_INT_H

#include "fhir/release.h"

enum {
    SUMMARY_IN = 1,        /* in the summary */
    SUMMARY_MANDATORY = 2, /* at least one */
    SUMMARY_MODIFIER = 4,
    SUMMARY_BACKBONE = 8, /* its members have rows of their own */
};
struct summary_row {
    struct str path; /* "Patient.contact.name" */
    unsigned flags;
};
struct summary_table {
    const struct summary_row *rows; /* by path, bytewise */
    unsigned n;
};
extern const struct summary_table summary_tables[RELEASE_COUNT];

#endif
