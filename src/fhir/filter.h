/* filter.h - _filter: a search as one expression (R4 section 3.1.3). */
#ifndef FHIR_FILTER_H
#define FHIR_FILTER_H

#include "fhir/query_int.h"

/* given eq "peter" and (birthdate ge 2014-10-10 or not (gender eq male)) as a
 * clause on type.  ERR_INVALID with the place; ERR_UNSUPPORTED for operators
 * that are not evaluated here (ew, ss, sb, in, re on codes). */
MUST_CHECK enum err filter_parse(struct parser *p, uint16_t type,
                                 struct str text, struct query_clause *out);

#endif
