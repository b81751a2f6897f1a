/* grant.h - token requests and replies (RFC 6749 4.1.3, 6; SMART). */
#ifndef OAUTH_GRANT_H
#define OAUTH_GRANT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
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

struct grant_reply {
    struct str access_token, refresh_token, id_token, scope, patient;
    int64_t expires_in; /* s; 0: not said */
    struct str error, error_description;
    struct str raw_keys; /* other members' names, for the log */
};
/* Tolerant of what real systems send (expires_in as text, token_type in any
 * case, 200 with an error member).  ERR_UPSTREAM when it is no reply. */
MUST_CHECK enum err grant_parse(struct arena *a, int status, struct str json,
                                struct grant_reply *out, struct why *w);

#endif
