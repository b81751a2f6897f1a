/* shape_int.h - the tables that tools/compile-shape.py makes. */
#ifndef PATCH_SHAPE_INT_H
#define PATCH_SHAPE_INT_H

#include "fhir/release.h"

struct shape_row {
    struct str path;    /* "HumanName", "Patient.contact" */
    struct str members; /* "name*:HumanName deceased[]:boolean,dateTime" */
};
struct shape_table {
    const struct shape_row *rows; /* by path, bytewise */
    unsigned n;
};
extern const struct shape_table shape_tables[RELEASE_COUNT];

#endif
