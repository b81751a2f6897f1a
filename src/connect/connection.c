#include "connect/connection.h"

#include "connect/connect_int.h"
#include "vault/vault.h"

#define COLUMNS                                                                \
    "id, user_id, app_id, system_id, fhir_version, base_url, token_url, "      \
    "patient_id, local_patient, scope, status, created_ms, last_ingest_ms, "   \
    "expires_ms, tokens_of"

static const struct db_statement select_one = {
    "SELECT " COLUMNS " FROM connection WHERE user_id = $1 AND id = $2"
};
static const struct db_statement select_all = {
    "SELECT " COLUMNS " FROM connection WHERE user_id = $1 "
    "ORDER BY created_ms, id LIMIT 1000"
};
static const struct db_statement select_same = {
    "SELECT " COLUMNS " FROM connection WHERE user_id = $1 AND system_id = $2 "
    "AND fhir_version = $3 AND patient_id = $4"
};
static const struct db_statement upsert = {
    "INSERT INTO connection(id, user_id, app_id, system_id, fhir_version, "
    "base_url, token_url, patient_id, local_patient, scope, status, "
    "created_ms, last_ingest_ms, expires_ms, tokens_of, refreshed_ms, "
    "refresh_lease_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
    "$12, $13, $14, $15, 0, 0) ON CONFLICT(user_id, id) DO UPDATE SET "
    "app_id = excluded.app_id, base_url = excluded.base_url, "
    "token_url = excluded.token_url, scope = excluded.scope, "
    "status = excluded.status, expires_ms = excluded.expires_ms, "
    "tokens_of = excluded.tokens_of, refresh_lease_ms = 0"
};
static const struct db_statement update_status = {
    "UPDATE connection SET status = $3 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement update_ingested = {
    "UPDATE connection SET last_ingest_ms = $3 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement update_patient = {
    "UPDATE connection SET local_patient = $3 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement delete_all = {
    "DELETE FROM connection WHERE user_id = $1"
};
static const struct db_statement delete_states = {
    "DELETE FROM connect_state WHERE user_id = $1"
};

static struct str column(struct arena *a, const struct db_rows *rows, int i)
{
    return arena_str(a, db_text(rows, i));
}

static enum err read_row(const struct db_rows *rows, struct arena *a,
                         struct connection *out)
{
    struct connection c = {
        .id = db_i64(rows, 0),
        .user_id = db_i64(rows, 1),
        .app_id = db_i64(rows, 2),
        .system_id = db_i64(rows, 3),
        .fhir_version = column(a, rows, 4),
        .base_url = column(a, rows, 5),
        .token_url = column(a, rows, 6),
        .patient_id = column(a, rows, 7),
        .local_patient = column(a, rows, 8),
        .scope = column(a, rows, 9),
        .status = column(a, rows, 10),
        .created_ms = db_i64(rows, 11),
        .last_ingest_ms = db_i64(rows, 12),
        .expires_ms = db_i64(rows, 13),
        .tokens_of = db_i64(rows, 14),
    };
    enum err err = arena_err(a);
    if (err == OK)
        *out = c;
    return err;
}

struct get {
    int64_t user_id, id;
    struct arena *a;
    struct connection *out;
    size_t n;
};

static enum err do_get(struct db_session *s, void *context)
{
    struct get *get = context;
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &select_one, &rows, DB_I64(get->user_id), DB_I64(get->id));
    if (err == OK)
        err = db_next(&rows);
    return err == OK ? read_row(&rows, get->a, get->out) : err;
}

enum err connection_get(struct db *db, int64_t user_id, int64_t id,
                        struct arena *a, struct connection *out)
{
    struct connection found;
    struct get get = { user_id, id, a, &found, 0 };
    enum err err = db_read(db, do_get, &get);
    if (err == OK)
        *out = found;
    return err;
}

static enum err do_list(struct db_session *s, void *context)
{
    struct get *get = context;
    AUTO_ROWS rows = { 0 };
    size_t room = 0;
    enum err err = db_query(s, &select_all, &rows, DB_I64(get->user_id));
    while (err == OK && (err = db_next(&rows)) == OK) {
        if (get->n == room) {
            size_t more = room == 0 ? 8 : room * 2;
            struct connection *grown = arena_grow(
                get->a, get->out, room * sizeof *grown, more * sizeof *grown);
            if (grown == NULL)
                return ERR_NOMEM;
            get->out = grown;
            room = more;
        }
        err = read_row(&rows, get->a, &get->out[get->n]);
        get->n += err == OK;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err connection_list(struct db *db, int64_t user_id, struct arena *a,
                         struct connection **out, size_t *n)
{
    struct get get = { user_id, 0, a, NULL, 0 };
    enum err err = db_read(db, do_list, &get);
    if (err == OK) {
        *out = get.out;
        *n = get.n;
    }
    return err;
}

enum err connection_find_same(struct db_session *s, const struct connection *c,
                              struct arena *a, struct connection *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_same, &rows, DB_I64(c->user_id),
                            DB_I64(c->system_id), DB_TEXT(c->fhir_version),
                            DB_TEXT(c->patient_id));
    if (err == OK)
        err = db_next(&rows);
    return err == OK ? read_row(&rows, a, out) : err;
}

static struct db_value text(struct str s)
{
    return DB_TEXT(s.p == NULL ? STR("") : s);
}

enum err connection_put(struct db_session *s, const struct connection *c)
{
    return db_run(
        s, &upsert, NULL, DB_I64(c->id), DB_I64(c->user_id), DB_I64(c->app_id),
        DB_I64(c->system_id), text(c->fhir_version), text(c->base_url),
        text(c->token_url), text(c->patient_id), text(c->local_patient),
        text(c->scope), text(c->status), DB_I64(c->created_ms),
        DB_I64(c->last_ingest_ms), DB_I64(c->expires_ms), DB_I64(c->tokens_of));
}

enum err connection_set_status(struct db_session *s, int64_t user_id,
                               int64_t id, struct str status)
{
    return db_run(s, &update_status, NULL, DB_I64(user_id), DB_I64(id),
                  DB_TEXT(status));
}

enum err connection_set_ingested(struct db_session *s, int64_t user_id,
                                 int64_t id, int64_t when_ms)
{
    return db_run(s, &update_ingested, NULL, DB_I64(user_id), DB_I64(id),
                  DB_I64(when_ms));
}

enum err connection_set_patient(struct db_session *s, int64_t user_id,
                                int64_t id, struct str local_patient)
{
    return db_run(s, &update_patient, NULL, DB_I64(user_id), DB_I64(id),
                  DB_TEXT(local_patient));
}

enum err connection_erase(struct db_session *s, int64_t user_id)
{
    enum err err = vault_erase(s, user_id, 0);
    if (err == OK)
        err = db_run(s, &delete_states, NULL, DB_I64(user_id));
    if (err == OK)
        err = db_run(s, &delete_all, NULL, DB_I64(user_id));
    return err;
}
