/* Design notes
 * A refresh token's successor must be given again to one who asks twice within
 * GRACE_MS, yet only hashes are stored (decision 14).  So it is derived:
 * HMAC-SHA-256 with the presented token as key over the row's random nonce.
 * Who has the database lacks the token, who has the token lacks the nonce.
 *
 * A refresh token that comes back after the grace was stolen, or its thief was
 * first: all that came of the same code (the family) is revoked.
 *
 * A work that fails is undone, so what must be written although the caller is
 * refused (burning a code, revoking) returns OK and sets call.is_refused. */
#include "auth/token.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_int.h"
#include "auth/policy.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/rand.h"

#define CODE_BYTES       16 /* 32 hex digits: the contract's form */
#define TOKEN_BYTES      20 /* 40 hex digits, 160 bits */
#define GRACE_MS         60000
#define PURGE_MS         600000
#define TOKEN_LENGTH_MAX 500
#define CHECK_ARENA      ((size_t)64 * 1024)

struct tokens {
    struct db *db;
    struct token_cache *cache;
    _Atomic int64_t purged_ms;
};

enum err tokens_new(struct db *db, struct tokens **out)
{
    struct tokens *t = calloc(1, sizeof *t);
    if (t == NULL)
        return ERR_NOMEM;
    t->db = db;
    t->purged_ms = clock_now_ms();
    enum err err = token_cache_new(&t->cache);
    if (err != OK) {
        free(t);
        return err;
    }
    *out = t;
    return OK;
}

void tokens_free(struct tokens *t)
{
    if (t == NULL)
        return;
    token_cache_free(t->cache);
    free(t);
}

static int64_t random_family(void)
{
    return (int64_t)(rand_u64() >> 1) | 1;
}

static enum err do_purge(struct db_session *s, void *context)
{
    (void)context;
    return token_rows_purge(s, clock_now_ms());
}

/* Now and then, behind whoever issues something. */
static void purge_sometimes(struct tokens *t)
{
    int64_t now = clock_now_ms();
    int64_t last = t->purged_ms;
    if (now - last < PURGE_MS ||
        !atomic_compare_exchange_strong(&t->purged_ms, &last, now))
        return;
    if (db_write_later(t->db, do_purge, NULL, NULL) != OK)
        t->purged_ms = last; /* the next one tries again */
}

/* --- codes --------------------------------------------------------------- */

struct code_call {
    struct digest hash;
    struct token_row row;
};

static enum err do_create_code(struct db_session *s, void *context)
{
    const struct code_call *call = context;
    enum err err = token_row_holder(s, call->row.app_id, call->row.user_id);
    if (err == OK)
        err = token_row_put(s, TOKEN_CODE, &call->hash, &call->row);
    return err;
}

enum err token_code_create(struct tokens *t, int64_t app_id, int64_t user_id,
                           struct str scope, struct arena *a, struct str *out)
{
    struct str code = rand_hex(a, CODE_BYTES);
    if (code.p == NULL)
        return arena_err(a);
    struct code_call call = {
        .hash = digest_sha256(code),
        .row = { .app_id = app_id,
                 .user_id = user_id,
                 .scope = scope,
                 .family = random_family(),
                 .expires_ms =
                     clock_now_ms() + (int64_t)TOKEN_CODE_SECONDS * 1000 },
    };
    enum err err = db_write(t->db, do_create_code, &call);
    if (err == OK)
        *out = code;
    purge_sometimes(t);
    return err;
}

/* --- pairs --------------------------------------------------------------- */

struct pair_call {
    int64_t app_id;
    int64_t now_ms;
    struct str presented; /* code or refresh token */
    struct str scope;     /* asked for; "": all that was granted */
    bool is_too_wide;
    struct arena *a;
    struct token_pair pair;
    int64_t revoked_family; /* 0: none */
    bool is_refused;
};

static enum err put_access(struct db_session *s, struct pair_call *call,
                           const struct token_row *from)
{
    struct token_row row = *from;
    struct digest hash = digest_sha256(call->pair.access);
    row.expires_ms = call->now_ms + (int64_t)TOKEN_ACCESS_SECONDS * 1000;
    return token_row_put(s, TOKEN_ACCESS, &hash, &row);
}

static enum err put_refresh(struct db_session *s, struct pair_call *call,
                            const struct token_row *from)
{
    char nonce[TOKEN_BYTES];
    struct token_row row = *from;
    struct digest hash = digest_sha256(call->pair.refresh);
    rand_bytes(nonce, sizeof nonce);
    row.expires_ms = call->now_ms + (int64_t)TOKEN_REFRESH_SECONDS * 1000;
    row.nonce = (struct str){ nonce, sizeof nonce };
    return token_row_put(s, TOKEN_REFRESH, &hash, &row);
}

static enum err put_pair(struct db_session *s, struct pair_call *call,
                         const struct token_row *from)
{
    struct token_row access = *from;
    if (call->scope.n > 0)
        access.scope = call->scope;
    call->pair.expires_in = TOKEN_ACCESS_SECONDS;
    call->pair.scope = access.scope;
    enum err err = arena_err(call->a);
    if (err == OK)
        err = put_access(s, call, &access);
    if (err == OK)
        err = put_refresh(s, call, from);
    return err;
}

static enum err revoke(struct db_session *s, struct pair_call *call,
                       int64_t family)
{
    call->is_refused = true;
    call->revoked_family = family;
    return token_rows_revoke_family(s, family);
}

static enum err refuse(struct pair_call *call)
{
    call->is_refused = true;
    return OK;
}

static enum err do_redeem(struct db_session *s, void *context)
{
    struct pair_call *call = context;
    struct digest hash = digest_sha256(call->presented);
    struct token_row row;
    bool is_first = false;
    enum err err = token_row_get(s, TOKEN_CODE, &hash, call->a, &row);
    if (err == ERR_NOT_FOUND)
        return refuse(call);
    if (err == OK) /* burnt, whoever presents it */
        err = token_row_use(s, TOKEN_CODE, &hash, call->now_ms, &is_first);
    if (err != OK)
        return err;
    if (!is_first)
        return revoke(s, call, row.family);
    if (row.app_id != call->app_id || row.expires_ms <= call->now_ms)
        return refuse(call);
    err = token_row_holder(s, row.app_id, row.user_id);
    if (err != OK)
        return err == ERR_NOT_FOUND ? refuse(call) : err;
    call->pair.access = rand_hex(call->a, TOKEN_BYTES);
    call->pair.refresh = rand_hex(call->a, TOKEN_BYTES);
    return put_pair(s, call, &row);
}

/* The successor that this refresh token has, or will have. */
static struct str derive(struct pair_call *call, struct str what,
                         struct str nonce)
{
    const struct str parts[] = { what, nonce };
    struct digest d = digest_hmac_parts(call->presented, parts, 2);
    return hex_encode(call->a, str_slice(digest_str(&d), 0, TOKEN_BYTES));
}

/* Within the grace: what was given the first time, while it lives. */
static enum err give_again(struct db_session *s, struct pair_call *call)
{
    struct token_row access, refresh;
    struct digest access_hash = digest_sha256(call->pair.access);
    struct digest refresh_hash = digest_sha256(call->pair.refresh);
    enum err err =
        token_row_get(s, TOKEN_ACCESS, &access_hash, call->a, &access);
    if (err == OK)
        err = token_row_get(s, TOKEN_REFRESH, &refresh_hash, call->a, &refresh);
    if (err != OK)
        return err == ERR_NOT_FOUND ? refuse(call) : err;
    call->pair.expires_in = (access.expires_ms - call->now_ms + 999) / 1000;
    call->pair.scope = access.scope;
    return OK;
}

static enum err do_refresh(struct db_session *s, void *context)
{
    struct pair_call *call = context;
    struct digest hash = digest_sha256(call->presented);
    struct token_row row;
    bool is_first = false;
    enum err err = token_row_get(s, TOKEN_REFRESH, &hash, call->a, &row);
    if (err == ERR_NOT_FOUND)
        return refuse(call);
    if (err != OK)
        return err;
    if (row.app_id != call->app_id || row.expires_ms <= call->now_ms)
        return refuse(call);
    call->is_too_wide = !policy_covers(row.scope, call->scope, false);
    if (call->is_too_wide)
        return refuse(call);
    err = token_row_holder(s, row.app_id, row.user_id);
    if (err != OK)
        return err == ERR_NOT_FOUND ? refuse(call) : err;
    call->pair.access = derive(call, STR("access"), row.nonce);
    call->pair.refresh = derive(call, STR("refresh"), row.nonce);
    err = arena_err(call->a);
    if (err == OK)
        err = token_row_use(s, TOKEN_REFRESH, &hash, call->now_ms, &is_first);
    if (err != OK)
        return err;
    if (is_first)
        return put_pair(s, call, &row);
    if (call->now_ms - row.used_ms <= GRACE_MS)
        return give_again(s, call);
    return revoke(s, call, row.family);
}

static enum err run_pair(struct tokens *t, db_work *work,
                         struct pair_call *call, struct token_pair *out)
{
    if (call->presented.n > TOKEN_LENGTH_MAX)
        return ERR_INVALID;
    call->now_ms = clock_now_ms();
    enum err err = db_write(t->db, work, call);
    if (err == OK && call->revoked_family != 0)
        token_cache_drop(t->cache, 0, call->revoked_family);
    purge_sometimes(t);
    if (err == OK && call->is_refused)
        err = call->is_too_wide ? ERR_PRECONDITION : ERR_INVALID;
    if (err == OK)
        *out = call->pair;
    return err;
}

enum err token_code_redeem(struct tokens *t, int64_t app_id, struct str code,
                           struct arena *a, struct token_pair *out)
{
    struct pair_call call = { .app_id = app_id, .presented = code, .a = a };
    return run_pair(t, do_redeem, &call, out);
}

enum err token_refresh(struct tokens *t, int64_t app_id, struct str refresh,
                       struct str scope, struct arena *a,
                       struct token_pair *out)
{
    struct pair_call call = {
        .app_id = app_id, .presented = refresh, .scope = scope, .a = a
    };
    return run_pair(t, do_refresh, &call, out);
}

static enum err do_revoke(struct db_session *s, void *context)
{
    struct pair_call *call = context;
    struct digest hash = digest_sha256(call->presented);
    struct token_row row;
    enum err err = token_row_get(s, TOKEN_ACCESS, &hash, call->a, &row);
    if (err == ERR_NOT_FOUND)
        err = token_row_get(s, TOKEN_REFRESH, &hash, call->a, &row);
    if (err == ERR_NOT_FOUND || (err == OK && row.app_id != call->app_id))
        return OK;
    return err == OK ? revoke(s, call, row.family) : err;
}

enum err token_revoke(struct tokens *t, int64_t app_id, struct str token,
                      struct arena *a)
{
    struct pair_call call = { .app_id = app_id, .presented = token, .a = a };
    struct token_pair none;
    enum err err = run_pair(t, do_revoke, &call, &none);
    return err == ERR_INVALID ? OK : err; /* revoked, or never was */
}

static enum err do_for_app(struct db_session *s, void *context)
{
    struct pair_call *call = context;
    struct token_row row = { .app_id = call->app_id,
                             .scope = call->pair.scope,
                             .family = random_family() };
    enum err err = token_row_holder(s, call->app_id, 0);
    if (err == ERR_NOT_FOUND)
        return refuse(call);
    return err == OK ? put_access(s, call, &row) : err;
}

enum err token_for_app(struct tokens *t, int64_t app_id, struct arena *a,
                       struct token_pair *out)
{
    struct pair_call call = { .app_id = app_id,
                              .a = a,
                              .pair = { .access = rand_hex(a, TOKEN_BYTES),
                                        .expires_in = TOKEN_ACCESS_SECONDS,
                                        .scope = STR(TOKEN_APP_SCOPE) } };
    if (arena_err(a) != OK)
        return arena_err(a);
    return run_pair(t, do_for_app, &call, out);
}

/* --- checking ------------------------------------------------------------ */

struct check_call {
    const struct digest *hash;
    struct arena *a;
    struct token_row row;
};

static enum err do_check(struct db_session *s, void *context)
{
    struct check_call *call = context;
    enum err err =
        token_row_get(s, TOKEN_ACCESS, call->hash, call->a, &call->row);
    if (err == OK)
        err = token_row_holder(s, call->row.app_id, call->row.user_id);
    return err;
}

/* The database's word, which the cache then keeps. */
static enum err check_row(struct tokens *t, const struct digest *hash,
                          int64_t now, struct principal *out)
{
    AUTO_ARENA a = ARENA(CHECK_ARENA);
    struct check_call call = { .hash = hash, .a = &a };
    uint64_t epoch = token_cache_epoch(t->cache);
    enum err err = db_read(t->db, do_check, &call);
    if (err == ERR_NOT_FOUND || (err == OK && call.row.expires_ms <= now))
        return ERR_UNAUTHENTICATED;
    if (err != OK)
        return err;
    if (!token_cache_keep_scope(t->cache, &call.row.scope))
        return ERR_LIMIT;
    struct token_entry e = {
        .hash = *hash,
        .who = { .app_id = call.row.app_id,
                 .user_id = call.row.user_id,
                 .scope = call.row.scope,
                 .expires_ms = call.row.expires_ms },
        .family = call.row.family,
        .fresh_until_ms = now + TOKEN_FRESH_MS,
    };
    token_cache_put(t->cache, &e, epoch);
    *out = e.who;
    return OK;
}

enum err token_check(struct tokens *t, struct str access, struct principal *out)
{
    if (access.n == 0 || access.n > TOKEN_LENGTH_MAX)
        return ERR_UNAUTHENTICATED;
    struct digest hash = digest_sha256(access);
    int64_t now = clock_now_ms();
    if (token_cache_get(t->cache, &hash, now, out))
        return OK;
    return check_row(t, &hash, now, out);
}

static enum err do_revoke_user(struct db_session *s, void *context)
{
    return token_rows_revoke_user(s, *(const int64_t *)context);
}

enum err token_revoke_user(struct tokens *t, int64_t user_id)
{
    enum err err = db_write(t->db, do_revoke_user, &user_id);
    tokens_forget_user(t, user_id);
    return err;
}

void tokens_forget_user(struct tokens *t, int64_t user_id)
{
    token_cache_drop(t->cache, user_id, 0);
}
