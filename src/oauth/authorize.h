/* authorize.h - the authorization request (RFC 6749 4.1.1, RFC 7636 4.3, SMART
 * App Launch "aud") and what a server reads out of one. */
#ifndef OAUTH_AUTHORIZE_H
#define OAUTH_AUTHORIZE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/url.h"

struct authorize {
    struct str client_id, redirect_uri, scope, state, aud;
    struct str challenge; /* S256; "" : without PKCE */
    struct str nonce;     /* "" : none */
};
/* url with the request's parameters behind those it has already.
 * STR_NONE when the arena failed. */
struct str authorize_url(struct arena *a, struct str url,
                         const struct authorize *ask);

/* The server's side: response_type=code, S256 or no PKCE at all.  ERR_INVALID
 * with why; *out is filled as far as it was read, so that client and
 * redirect_uri can be judged first. */
MUST_CHECK enum err authorize_read(const struct url_params *params,
                                   struct authorize *out, struct why *w);

#endif
