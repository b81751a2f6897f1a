/* auth_int.h - what the files of auth/ share. */
#ifndef AUTH_AUTH_INT_H
#define AUTH_AUTH_INT_H

#include "auth/app.h"
#include "auth/token.h"
#include "crypto/digest.h"

/* app.c: an app and the hash of its secret. */
MUST_CHECK enum err auth_app_with_hash(struct db *db, struct str client_id,
                                       struct arena *a, struct app *out,
                                       struct digest *out_hash);
/* app_cache.c: after an app changed. */
void auth_app_cache_clear(void);

/* token_cache.c: what token_check() found, by the token's hash. */
struct token_cache;
struct token_entry {
    struct digest hash;
    struct principal who;
    int64_t family;
    int64_t fresh_until_ms; /* then the database is asked again */
};
MUST_CHECK enum err token_cache_new(struct token_cache **out);
void token_cache_free(struct token_cache *c);
bool token_cache_get(struct token_cache *c, const struct digest *hash,
                     int64_t now_ms, struct principal *out);
/* Read before the database is; an entry put with an older number is dropped,
 * because something was revoked in between. */
uint64_t token_cache_epoch(struct token_cache *c);
/* Puts a copy that lives as long as the cache in place of *scope; false when it
 * is too long or there are too many different ones. */
bool token_cache_keep_scope(struct token_cache *c, struct str *scope);
/* The scope is one that token_cache_keep_scope() gave. */
void token_cache_put(struct token_cache *c, const struct token_entry *e,
                     uint64_t epoch);
/* Drops what fits: a user's, or a family's (the other 0). */
void token_cache_drop(struct token_cache *c, int64_t user_id, int64_t family);

/* token_rows.c: tokens in the database, inside a transaction. */
struct token_row {
    int64_t app_id, user_id, family, expires_ms, used_ms;
    struct str scope; /* in the caller's arena */
    struct str nonce; /* of a refresh token */
};
enum token_table { TOKEN_CODE, TOKEN_ACCESS, TOKEN_REFRESH };
MUST_CHECK enum err token_row_get(struct db_session *s, enum token_table table,
                                  const struct digest *hash, struct arena *a,
                                  struct token_row *out);
MUST_CHECK enum err token_row_put(struct db_session *s, enum token_table table,
                                  const struct digest *hash,
                                  const struct token_row *row);
/* Codes and refresh tokens.  *out false: it was used already. */
MUST_CHECK enum err token_row_use(struct db_session *s, enum token_table table,
                                  const struct digest *hash, int64_t now_ms,
                                  bool *out);
MUST_CHECK enum err token_rows_revoke_family(struct db_session *s,
                                             int64_t family);
MUST_CHECK enum err token_rows_revoke_user(struct db_session *s,
                                           int64_t user_id);
/* Removes what expired; a refresh token that was used stays until then, so
 * that its reuse is seen. */
MUST_CHECK enum err token_rows_purge(struct db_session *s, int64_t now_ms);
/* ERR_NOT_FOUND unless the app is enabled and the user (0: none) active. */
MUST_CHECK enum err token_row_holder(struct db_session *s, int64_t app_id,
                                     int64_t user_id);

#endif
