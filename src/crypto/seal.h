/* seal.h - AES-256-GCM with bound context (decision 13).
 * A sealed value says which key made it: "key id (4) | nonce (12) | text |
 * tag".
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/secret.h"

struct seal;

/* key: 32 bytes or more from a file or the environment; separate keys for
 * sealing and for naming (seal_name()) are derived from it by HKDF. */
MUST_CHECK enum err seal_new(struct str key, struct seal **out, struct why *w);
void seal_free(struct seal *s);

/* aad: what the value is bound to, e.g. "vault|connection 7|app 3". */
MUST_CHECK enum err seal_close(const struct seal *s, struct str aad,
                               struct str plain, struct arena *a,
                               struct str *out);
/* ERR_CRYPTO when key, aad or bytes are not those of the closing. */
MUST_CHECK enum err seal_open(const struct seal *s, struct str aad,
                              struct str sealed, struct secret *out);

/* A keyed name of the parts, 32 bytes: stable, unguessable without the key. */
struct digest;
void seal_name(const struct seal *s, const struct str *parts, size_t n,
               struct digest *out);
/* HMAC-SHA-256 of data, with a key of its own; a microsecond. */
MUST_CHECK enum err seal_mac(const struct seal *s, struct str data,
                             struct digest *out);

#endif
