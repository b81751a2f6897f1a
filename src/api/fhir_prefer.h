/* fhir_prefer.h - what a request says about its answer: Prefer, Accept,
 * _format, _pretty.  FHIR R4 sections 3.1.0.1.7, 3.1.0.1.11. */
#ifndef API_FHIR_PREFER_H
#define API_FHIR_PREFER_H

#include "http/request.h"

enum prefer_return { PREFER_REPRESENTATION, PREFER_MINIMAL, PREFER_OUTCOME };

/* Prefer: return=...; what is not known counts as representation. */
enum prefer_return prefer_return(const struct http_request *r);
/* Prefer: handling=strict. */
bool prefer_is_strict(const struct http_request *r);
/* Prefer: respond-async. */
bool prefer_is_async(const struct http_request *r);
/* ERR_INVALID, with why, for a handling= or return= that there is not. */
MUST_CHECK enum err prefer_check(struct http_request *r);

/* The media type of the answer can be JSON: _format first, then Accept.
 * ERR_NOT_ACCEPTABLE with why. */
MUST_CHECK enum err prefer_check_format(struct http_request *r);
/* The body, when it is sent as something else than JSON.
 * ERR_MEDIA_TYPE with why. */
MUST_CHECK enum err prefer_check_body(struct http_request *r);

#endif
