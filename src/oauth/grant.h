/* grant.h - token requests and replies (RFC 6749 4.1.3, 6; SMART). */
#ifndef OAUTH_GRANT_H
#define OAUTH_GRANT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/url.h"
#include "crypto/secret.h"

enum grant_auth { GRANT_PUBLIC, GRANT_BASIC, GRANT_POST, GRANT_JWT };
struct grant_client {
    struct str client_id;
    const struct secret *client_secret; /* BASIC, POST */
    const struct secret *private_jwk;   /* JWT */
    enum grant_auth auth;
};
/* The form body, and the Authorization header ("" when none).  code or refresh
 * grant by which is set. */
struct grant_ask {
    const struct grant_client *client;
    struct str token_url; /* aud of the assertion */
    struct str code, redirect_uri, verifier;
    struct str refresh_token;
    struct str scope; /* refresh, where a vendor wants it */
};
MUST_CHECK enum err grant_request(struct arena *a, const struct grant_ask *ask,
                                  struct str *out_body,
                                  struct str *out_authorization, struct why *w);

/* What the reply of a token endpoint says; views into the arena.  Tokens: do
 * not log, seal at once. */
struct grant_reply {
    struct str access_token, refresh_token, id_token, scope, patient;
    int64_t expires_in; /* s; 0: not said */
    struct str error, error_description;
    struct str raw_keys; /* other members' names, for the log */
};
/* Tolerant of what real systems send (expires_in as text, fraction or below
 * zero, token_type in any case, 200 with an error member, any Content-Type).
 * OK: an access token.  ERR_DENIED: the server refused, error says how
 * (invalid_grant, invalid_client ...); *out is set then too.  ERR_UPSTREAM: no
 * reply of a token endpoint, or an outage. */
MUST_CHECK enum err grant_parse(struct arena *a, int status, struct str json,
                                struct grant_reply *out, struct why *w);

/* The server's side: a token request as it came in.  The client is who Basic
 * or the body names; nothing is checked. */
struct grant_asked {
    struct str grant_type, code, redirect_uri, verifier, refresh_token, scope;
    struct str client_id, client_secret, assertion;
};
/* authorization: the header's value, STR_NONE without.  ERR_FORMAT for broken
 * Basic. */
MUST_CHECK enum err grant_read(struct arena *a, const struct url_params *form,
                               struct str authorization,
                               struct grant_asked *out, struct why *w);

#endif
