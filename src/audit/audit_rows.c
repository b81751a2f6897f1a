#include "audit/audit_int.h"

static const struct db_statement upsert = {
    "INSERT INTO access_audit (user_id, minute, app_id, interaction, kind,"
    " type, status, peer, calls, first_ms, last_ms)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    " ON CONFLICT (user_id, minute, app_id, interaction, kind, type, status,"
    " peer) DO UPDATE SET calls = access_audit.calls + excluded.calls,"
    " last_ms = excluded.last_ms"
};
static const struct db_statement delete_user = {
    "DELETE FROM access_audit WHERE user_id = $1"
};

enum err audit_rows_add(struct db_session *s, const struct audit_row *rows,
                        size_t n)
{
    enum err err = OK;
    for (size_t i = 0; i < n && err == OK; i++) {
        const struct audit_row *r = &rows[i];
        err = db_run(s, &upsert, NULL, DB_I64(r->user_id), DB_I64(r->minute),
                     DB_I64(r->app_id),
                     DB_TEXT(((struct str){ &r->interaction, 1 })),
                     DB_I64(r->kind), DB_I64(r->type), DB_I64(r->status),
                     DB_TEXT(str_of(r->peer)), DB_I64(r->calls),
                     DB_I64(r->first_ms), DB_I64(r->last_ms));
    }
    return err;
}

enum err audit_erase(struct db_session *s, int64_t user_id)
{
    return db_run(s, &delete_user, NULL, DB_I64(user_id));
}
