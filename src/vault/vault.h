/* vault.h - secrets of others at rest: upstream tokens by connection, client
 * credentials by vendor and system.  Sealed with AAD (table, row, app).
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "db/db.h"

struct vault;
MUST_CHECK enum err vault_new(struct db *db, const struct seal *seal,
                              struct vault **out);
void vault_free(struct vault *v);

struct vault_tokens {
    struct secret access, refresh, id_token;
    int64_t access_expires_ms; /* wall; 0: unknown */
    int64_t generation;        /* counts refreshes */
};
void vault_tokens_fini(struct vault_tokens *t);
#define AUTO_TOKENS                                                            \
    __attribute__((cleanup(vault_tokens_fini))) struct vault_tokens

MUST_CHECK enum err vault_get(struct vault *v, int64_t user_id,
                              int64_t connection_id, struct vault_tokens *out);
/* In the caller's transaction. */
MUST_CHECK enum err vault_put(struct vault *v, struct db_session *s,
                              int64_t user_id, int64_t connection_id,
                              const struct vault_tokens *t);
MUST_CHECK enum err vault_erase(struct db_session *s, int64_t user_id,
                                int64_t connection_id /* 0: all of the user */);

/* Client credentials; the system's row wins over the vendor's. */
struct vault_client {
    struct str client_id;
    struct secret client_secret; /* empty: public, or a key */
    struct secret private_jwk;   /* for private_key_jwt */
    struct str auth; /* "public","basic","post","jwt"; "": vendor's */
};
void vault_client_fini(struct vault_client *c);
#define AUTO_CLIENT                                                            \
    __attribute__((cleanup(vault_client_fini))) struct vault_client
MUST_CHECK enum err vault_client_get(struct vault *v, struct str vendor,
                                     int64_t system_id, struct arena *a,
                                     struct vault_client *out);
/* system_id 0: the vendor's. */
MUST_CHECK enum err vault_client_put(struct vault *v, struct str vendor,
                                     int64_t system_id,
                                     const struct vault_client *c);

#endif
