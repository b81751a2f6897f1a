/* access.h - who asks: the Bearer token (or the query's access_token on the
 * contract's paths) into a principal, once a request. */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "api/services.h"
#include "auth/policy.h"
#include "http/request.h"

static inline struct services *services_of(const struct http_request *r)
{
    return r->server_context;
}

/* Checks the Bearer token; ERR_UNAUTHENTICATED with why. */
MUST_CHECK enum err access_check(struct http_request *r, struct principal *out);
/* The same, and ?access_token= counts too (contract's connect and systems). */
MUST_CHECK enum err access_check_query(struct http_request *r,
                                       struct principal *out);
/* The user a FHIR request is about: the token's, or x-oneup-user-id of an
 * app's client_credentials token.  user_id 0 and *is_app_wide for "client". */
MUST_CHECK enum err access_user(struct http_request *r,
                                const struct principal *p, int64_t *user_id,
                                bool *is_app_wide);

#endif
