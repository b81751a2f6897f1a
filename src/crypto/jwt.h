/* jwt.h - JSON Web Signature (RFC 7515) for client assertions, behind cjose.
 * The algorithm is the caller's, never the token's.
 */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Signs claims (JSON) with a private JWK; alg "RS384" or "ES384". */
MUST_CHECK enum err jwt_sign(struct arena *a, struct str jwk, struct str alg,
                             struct str claims, struct str *out, struct why *w);
/* Checks the signature with a public JWK (or the one of a JWKS whose kid and
 * key type fit) and alg; the claims' text in *out.  Does not look at exp, iss
 * or aud.  ERR_CRYPTO when it does not hold. */
MUST_CHECK enum err jwt_verify(struct arena *a, struct str jwk_or_jwks,
                               struct str alg, struct str token,
                               struct str *out, struct why *w);
/* The claims without any check: for hints from an id_token that came over TLS
 * from the token endpoint itself (OpenID Connect Core 3.1.3.7, point 6). */
MUST_CHECK enum err jwt_peek(struct arena *a, struct str token,
                             struct str *out);

/* A new key pair: private JWK in *out_private, public in *out_public; with a
 * random kid. alg as above. */
MUST_CHECK enum err jwt_new_key(struct arena *a, struct str alg,
                                struct str *out_private,
                                struct str *out_public);

#endif
