/* params.h - parameters of every endpoint that is not FHIR, wherever the
 * caller put them (contract 3.1): query, form body, JSON body, headers.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "http/request.h"

struct params {
    const struct http_request *request;
    struct url_params body;
    struct url_params query;
};

/* Reads the body as what it says it is, or as what it looks like: JSON when it
 * begins with '{', a form otherwise.  JSON scalars become their text.  A body
 * that is neither counts as none.  ERR_LIMIT past URL_PARAMS_MAX. */
MUST_CHECK enum err params_read(const struct http_request *r,
                                struct params *out);

/* Body over query over header (only client_id, client_secret and
 * access_token may be headers); STR_NONE when absent, "" when empty.  Names on
 * the wire may start with "amp;". */
struct str params_get(const struct params *p, struct str name);

/* A whole number, when there is one. */
bool params_get_i64(const struct params *p, struct str name, int64_t *out);

#endif
