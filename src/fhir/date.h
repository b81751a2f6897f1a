/* date.h - FHIR dates of any precision as half-open ranges in UTC. */
#ifndef FHIR_DATE_H
#define FHIR_DATE_H

#include "base/err.h"
#include "base/str.h"

/* "2020", "2020-02", "2020-02-29", "2020-02-29T10:00[:00[.000]][Z|+01:00]";
 * without a zone UTC is taken.  Sloppy forms that real systems send (a blank
 * instead of T, missing seconds) are read too.  ERR_FORMAT otherwise. */
MUST_CHECK enum err date_range(struct str s, int64_t *out_low,
                               int64_t *out_high);

#endif
