/* token.h - our own OAuth2 tokens and codes (decisions 13, 14): only hashes
 * stored, refresh tokens rotate with 60 s of grace. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

#define TOKEN_ACCESS_SECONDS  7200
#define TOKEN_REFRESH_SECONDS (90 * 86400)
/* What another process revoked is good for so long at most. */
#define TOKEN_FRESH_MS 1000

/* Who asks, once a token was checked. */
struct principal {
    int64_t app_id;
    int64_t user_id;  /* 0: the app itself (client_credentials) */
    struct str scope; /* as granted */
    int64_t expires_ms;
};

struct tokens;
MUST_CHECK enum err tokens_new(struct db *db, struct tokens **out);
void tokens_free(struct tokens *t);

struct token_pair {
    struct str access, refresh; /* refresh: p NULL when none */
    int64_t expires_in;
    struct str scope;
};
/* A code of the User Management API: TOKEN_CODE_SECONDS, single use. */
#define TOKEN_CODE_SECONDS 7200
MUST_CHECK enum err token_code_create(struct tokens *t, int64_t app_id,
                                      int64_t user_id, struct str scope,
                                      struct arena *a, struct str *out);
/* ERR_INVALID: unknown, used (then what came of it is revoked), or expired. */
MUST_CHECK enum err token_code_redeem(struct tokens *t, int64_t app_id,
                                      struct str code, struct arena *a,
                                      struct token_pair *out);
/* scope "": as before; else the access token gets no more than that.
 * ERR_PRECONDITION: it asks for more than was granted. */
MUST_CHECK enum err token_refresh(struct tokens *t, int64_t app_id,
                                  struct str refresh, struct str scope,
                                  struct arena *a, struct token_pair *out);
/* RFC 7009: an access or refresh token of this app, and all that came of the
 * same code, end now.  One that is not there is OK too. */
MUST_CHECK enum err token_revoke(struct tokens *t, int64_t app_id,
                                 struct str token, struct arena *a);
MUST_CHECK enum err token_for_app(struct tokens *t, int64_t app_id,
                                  struct arena *a, struct token_pair *out);
/* The hot path of every request: cached, one hash.  ERR_UNAUTHENTICATED. */
MUST_CHECK enum err token_check(struct tokens *t, struct str access,
                                struct principal *out);
/* All of a user's tokens end now, in caches too. */
MUST_CHECK enum err token_revoke_user(struct tokens *t, int64_t user_id);
/* The next check of this user's tokens looks into the database: after the user
 * changed. */
void tokens_forget_user(struct tokens *t, int64_t user_id);
/* What any app may ask for, and what is granted where nothing is asked. */
#define TOKEN_USER_SCOPE "user/*.*"
#define TOKEN_APP_SCOPE  "system/*.*"

#endif
