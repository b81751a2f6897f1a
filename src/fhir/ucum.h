/* ucum.h - the common units of UCUM that are one thing in different sizes, so
 * that 5.4 g finds 5400 mg (R4 section 3.1.1.4.10). */
#ifndef FHIR_UCUM_H
#define FHIR_UCUM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define UCUM_SYSTEM STR("http://unitsofmeasure.org")

/* How a number of one unit becomes one of another: number * factor + offset. */
struct ucum_step {
    struct str unit;
    double factor, offset;
};
/* The i-th other unit that code can be told in; false past the last, and for a
 * code that we have no table for. */
bool ucum_other(struct str code, size_t i, struct ucum_step *out);

#endif
