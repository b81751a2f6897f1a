/* fhir_parameters.h - what an operation was asked: the query, and of a POST a
 * Parameters resource (or a form).  FHIR R4 section 3.2.0. */
#ifndef API_FHIR_PARAMETERS_H
#define API_FHIR_PARAMETERS_H

#include "api/fhir.h"

/* Query and body together: each parameter with its value as text; one with a
 * resource or parts is left out.  ERR_INVALID for a body that is none of
 * Parameters, a form, empty. */
MUST_CHECK enum err fhir_parameters(struct http_request *r,
                                    struct url_params *out);

#endif
