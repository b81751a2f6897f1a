#include "base/json.h"
#include "subscription/subscription_int.h"

#define KEY_MAX 256

static const struct db_statement insert_change = {
    "INSERT INTO subscription_change (user_id, kind, from_slot, to_slot) "
    "VALUES ($1, $2, $3, $4)"
};
static const struct db_statement select_change = {
    "SELECT from_slot, to_slot FROM subscription_change "
    "WHERE user_id = $1 AND kind = $2 ORDER BY from_slot LIMIT 1"
};
static const struct db_statement delete_change = {
    "DELETE FROM subscription_change "
    "WHERE user_id = $1 AND kind = $2 AND from_slot = $3"
};
static const struct db_statement insert_notice = {
    "INSERT INTO subscription_notice (user_id, kind, subscription_id, place, "
    "event, name) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (user_id, kind, subscription_id, place) DO NOTHING"
};
static const struct db_statement select_notice = {
    "SELECT place, event, name FROM subscription_notice WHERE user_id = $1 "
    "AND kind = $2 AND subscription_id = $3 ORDER BY place LIMIT 1"
};
static const struct db_statement delete_notice = {
    "DELETE FROM subscription_notice WHERE user_id = $1 AND kind = $2 "
    "AND subscription_id = $3 AND place = $4"
};
static const struct db_statement delete_notices = {
    "DELETE FROM subscription_notice WHERE user_id = $1 AND kind = $2 "
    "AND subscription_id = $3"
};
static const struct db_statement delete_user_changes = {
    "DELETE FROM subscription_change WHERE user_id = $1"
};
static const struct db_statement delete_user_notices = {
    "DELETE FROM subscription_notice WHERE user_id = $1"
};

/* --- jobs ----------------------------------------------------------------- */

enum err hook_add_job(struct db_session *s, struct str job,
                      const struct hook_name *name, bool *added)
{
    AUTO_BUF key = BUF(KEY_MAX);
    AUTO_BUF payload = BUF(KEY_MAX);
    struct str key_text, payload_text;
    buf_add_i64(&key, name->user_id);
    buf_add_char(&key, '/');
    buf_add_i64(&key, (int64_t)name->kind);
    buf_add_char(&key, '/');
    buf_add(&key, name->id);
    json_object(&payload);
    json_member_i64(&payload, STR("kind"), (int64_t)name->kind);
    json_member(&payload, STR("id"), name->id);
    json_object_end(&payload);
    enum err err = buf_view(&key, &key_text);
    if (err == OK)
        err = buf_view(&payload, &payload_text);
    return err == OK ? jobs_add(s, job, key_text, name->user_id, payload_text,
                                0, added)
                     : err;
}

enum err hook_job_name(const struct job *job, struct arena *a,
                       struct hook_name *out)
{
    struct yyjson_val *root;
    int64_t kind = 0;
    enum err err = json_parse(a, job->payload, &root, NULL);
    if (err != OK)
        return err;
    if (!json_get_i64(root, STR("kind"), &kind) || kind < 0 || kind > RECORD_R4)
        return ERR_FORMAT;
    *out = (struct hook_name){ job->user_id, (enum record_kind)kind,
                               json_get_text(root, STR("id")) };
    return OK;
}

/* --- changes -------------------------------------------------------------- */

struct reading {
    const struct hook_name *name;
    struct arena *a;
    struct store_note *note;
    struct notice *notice;
};

static enum err read_change(struct db_session *s, void *context)
{
    struct reading *r = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_change, &rows, DB_I64(r->name->user_id),
                            DB_I64(r->name->kind));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK && r->note != NULL)
        *r->note = (struct store_note){ r->name->user_id, r->name->kind,
                                        (uint32_t)db_i64(&rows, 0),
                                        (uint32_t)db_i64(&rows, 1) };
    return err;
}

enum err rows_next_change(struct db *db, const struct hook_name *name,
                          struct store_note *out)
{
    struct reading r = { .name = name, .note = out };
    return db_read(db, read_change, &r);
}

enum err rows_has_change(struct db_session *s, const struct hook_name *name,
                         bool *out)
{
    struct reading r = { .name = name };
    enum err err = read_change(s, &r);
    *out = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err rows_add_change(struct db_session *s, const struct store_note *note)
{
    return db_run(s, &insert_change, NULL, DB_I64(note->user_id),
                  DB_I64(note->kind), DB_I64(note->from_slot),
                  DB_I64(note->to_slot));
}

enum err rows_end_change(struct db_session *s, const struct store_note *note)
{
    return db_run(s, &delete_change, NULL, DB_I64(note->user_id),
                  DB_I64(note->kind), DB_I64(note->from_slot));
}

/* --- notices -------------------------------------------------------------- */

static enum err read_notice(struct db_session *s, void *context)
{
    struct reading *r = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_notice, &rows, DB_I64(r->name->user_id),
                            DB_I64(r->name->kind), DB_TEXT(r->name->id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK || r->notice == NULL)
        return err;
    *r->notice =
        (struct notice){ db_i64(&rows, 0), arena_str(r->a, db_text(&rows, 1)),
                         arena_str(r->a, db_text(&rows, 2)) };
    return arena_err(r->a);
}

enum err rows_next_notice(struct db *db, const struct hook_name *name,
                          struct arena *a, struct notice *out)
{
    struct reading r = { .name = name, .a = a, .notice = out };
    return db_read(db, read_notice, &r);
}

enum err rows_has_notice(struct db_session *s, const struct hook_name *name,
                         bool *out)
{
    struct reading r = { .name = name };
    enum err err = read_notice(s, &r);
    *out = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err rows_add_notice(struct db_session *s, const struct hook_name *name,
                         const struct notice *n)
{
    return db_run(s, &insert_notice, NULL, DB_I64(name->user_id),
                  DB_I64(name->kind), DB_TEXT(name->id), DB_I64(n->place),
                  DB_TEXT(n->event), DB_TEXT(n->name));
}

enum err rows_end_notice(struct db_session *s, const struct hook_name *name,
                         int64_t place)
{
    return db_run(s, &delete_notice, NULL, DB_I64(name->user_id),
                  DB_I64(name->kind), DB_TEXT(name->id), DB_I64(place));
}

enum err rows_drop_notices(struct db_session *s, const struct hook_name *name)
{
    return db_run(s, &delete_notices, NULL, DB_I64(name->user_id),
                  DB_I64(name->kind), DB_TEXT(name->id));
}

enum err subscription_erase(struct db_session *s, int64_t user_id)
{
    enum err err = db_run(s, &delete_user_changes, NULL, DB_I64(user_id));
    return err == OK ? db_run(s, &delete_user_notices, NULL, DB_I64(user_id))
                     : err;
}
