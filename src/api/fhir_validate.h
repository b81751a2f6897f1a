/* fhir_validate.h - a resource held against its definitions, as an answer. */
#ifndef API_FHIR_VALIDATE_H
#define API_FHIR_VALIDATE_H

#include "api/fhir.h"

struct yyjson_val;

/* Strict handling of a write: *is_answered when there are errors; out is then
 * 400 with all of them. */
MUST_CHECK enum err fhir_validate_write(const struct fhir *f,
                                        struct yyjson_val *root,
                                        struct http_response *out,
                                        bool *is_answered);

#endif
