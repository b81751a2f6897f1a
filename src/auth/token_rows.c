#include "auth/auth_int.h"

static const struct db_statement get[] = {
    [TOKEN_CODE] = { "SELECT app_id, user_id, scope, family, expires_ms,"
                     " used_ms FROM auth_code WHERE hash = $1" },
    [TOKEN_ACCESS] = { "SELECT app_id, user_id, scope, family, expires_ms, 0"
                       " FROM access_token WHERE hash = $1" },
    [TOKEN_REFRESH] = { "SELECT app_id, user_id, scope, family, expires_ms,"
                        " used_ms, nonce FROM refresh_token WHERE hash = $1" },
};
static const struct db_statement put_code = {
    "INSERT INTO auth_code (hash, app_id, user_id, scope, family, expires_ms,"
    " used_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)"
};
static const struct db_statement put_access = {
    "INSERT INTO access_token (hash, app_id, user_id, scope, family,"
    " expires_ms) VALUES ($1, $2, $3, $4, $5, $6)"
};
static const struct db_statement put_refresh = {
    "INSERT INTO refresh_token (hash, app_id, user_id, scope, family,"
    " expires_ms, used_ms, nonce) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)"
};
static const struct db_statement use_code = {
    "UPDATE auth_code SET used_ms = $2 WHERE hash = $1 AND used_ms = 0"
};
static const struct db_statement use_refresh = {
    "UPDATE refresh_token SET used_ms = $2 WHERE hash = $1 AND used_ms = 0"
};
static const struct db_statement revoke_family[] = {
    { "DELETE FROM access_token WHERE family = $1" },
    { "DELETE FROM refresh_token WHERE family = $1" },
};
static const struct db_statement revoke_user[] = {
    { "DELETE FROM auth_code WHERE user_id = $1" },
    { "DELETE FROM access_token WHERE user_id = $1" },
    { "DELETE FROM refresh_token WHERE user_id = $1" },
};
static const struct db_statement purge[] = {
    { "DELETE FROM auth_code WHERE expires_ms < $1" },
    { "DELETE FROM access_token WHERE expires_ms < $1" },
    { "DELETE FROM refresh_token WHERE expires_ms < $1" },
};
static const struct db_statement holder_app = {
    "SELECT 1 FROM app WHERE id = $1 AND is_disabled = 0"
};
static const struct db_statement holder_user = {
    "SELECT 1 FROM app_user WHERE id = $2 AND app_id = $1 AND is_active = 1"
};

#define COUNT(array_) (sizeof(array_) / sizeof((array_)[0]))

static enum err run_all(struct db_session *s,
                        const struct db_statement *statements, size_t n,
                        int64_t arg)
{
    enum err err = OK;
    for (size_t i = 0; i < n && err == OK; i++)
        err = db_run(s, &statements[i], NULL, DB_I64(arg));
    return err;
}

enum err token_row_get(struct db_session *s, enum token_table table,
                       const struct digest *hash, struct arena *a,
                       struct token_row *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &get[table], &rows, DB_BLOB(digest_str(hash)));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    struct token_row row = {
        .app_id = db_i64(&rows, 0),
        .user_id = db_i64(&rows, 1),
        .scope = arena_str(a, db_text(&rows, 2)),
        .family = db_i64(&rows, 3),
        .expires_ms = db_i64(&rows, 4),
        .used_ms = db_i64(&rows, 5),
    };
    if (table == TOKEN_REFRESH)
        row.nonce = arena_str(a, db_blob(&rows, 6));
    *out = row;
    return arena_err(a);
}

enum err token_row_put(struct db_session *s, enum token_table table,
                       const struct digest *hash, const struct token_row *row)
{
    const struct db_value args[] = {
        DB_BLOB(digest_str(hash)), DB_I64(row->app_id), DB_I64(row->user_id),
        DB_TEXT(row->scope),       DB_I64(row->family), DB_I64(row->expires_ms),
        DB_BLOB(row->nonce),
    };
    switch (table) {
    case TOKEN_CODE:
        return db_run_n(s, &put_code, args, 6, NULL);
    case TOKEN_ACCESS:
        return db_run_n(s, &put_access, args, 6, NULL);
    case TOKEN_REFRESH:
        break;
    }
    return db_run_n(s, &put_refresh, args, 7, NULL);
}

enum err token_row_use(struct db_session *s, enum token_table table,
                       const struct digest *hash, int64_t now_ms, bool *out)
{
    int64_t changed = 0;
    enum err err = db_run(s, table == TOKEN_CODE ? &use_code : &use_refresh,
                          &changed, DB_BLOB(digest_str(hash)), DB_I64(now_ms));
    if (err == OK)
        *out = changed > 0;
    return err;
}

enum err token_rows_revoke_family(struct db_session *s, int64_t family)
{
    return run_all(s, revoke_family, COUNT(revoke_family), family);
}

enum err token_rows_revoke_user(struct db_session *s, int64_t user_id)
{
    return run_all(s, revoke_user, COUNT(revoke_user), user_id);
}

enum err token_rows_purge(struct db_session *s, int64_t now_ms)
{
    return run_all(s, purge, COUNT(purge), now_ms);
}

enum err token_row_holder(struct db_session *s, int64_t app_id, int64_t user_id)
{
    {
        AUTO_ROWS rows = { 0 };
        enum err err = db_query(s, &holder_app, &rows, DB_I64(app_id));
        if (err == OK)
            err = db_next(&rows);
        if (err != OK || user_id == 0)
            return err;
    }
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &holder_user, &rows, DB_I64(app_id), DB_I64(user_id));
    return err == OK ? db_next(&rows) : err;
}
