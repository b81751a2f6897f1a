/* The writer's part of a commit: nothing is decided here, it is only checked
 * that the record is still what the decision was made upon. */
#include "store/store_int.h"

static const struct db_statement insert_record = {
    "INSERT INTO record (user_id, kind, seq, stamp, born, next_slot) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, kind) DO NOTHING"
};
static const struct db_statement update_record = {
    "UPDATE record SET seq = $3, stamp = $4, next_slot = $5 "
    "WHERE user_id = $1 AND kind = $2 AND seq = $6 AND stamp = $7"
};
static const struct db_statement delete_segments = { OF_KEYS(
    "DELETE FROM segment", "") };
static const struct db_statement insert_segment = { DB_EITHER(
    "INSERT INTO segment (key, format, data) VALUES ($1, $2, $3)",
    "INSERT INTO segment (user_id, key, format, data) "
    "VALUES ($1 >> 32, $1, $2, $3)") };
#define BODY_COLUMNS "key, version, updated_ms, prev_slot, dictionary, data"
static const struct db_statement insert_body = { DB_EITHER(
    "INSERT INTO body (" BODY_COLUMNS ") "
    "VALUES ($1, $2, $3, $4, $5, $6)",
    "INSERT INTO body (user_id, " BODY_COLUMNS ") "
    "VALUES ($1 >> 32, $1, $2, $3, $4, $5, $6)") };

static enum err claim(struct db_session *s, const struct transaction *t)
{
    int64_t changed = 0;
    enum err err;
    if (t->before.born == 0)
        err = db_run(s, &insert_record, &changed, DB_I64(t->user_id),
                     DB_I64(t->kind), DB_I64(t->after.seq),
                     DB_I64(t->after.stamp), DB_I64(t->after.born),
                     DB_I64(t->after.next_slot));
    else
        err = db_run(s, &update_record, &changed, DB_I64(t->user_id),
                     DB_I64(t->kind), DB_I64(t->after.seq),
                     DB_I64(t->after.stamp), DB_I64(t->after.next_slot),
                     DB_I64(t->before.seq), DB_I64(t->before.stamp));
    return err == OK && changed != 1 ? ERR_CONFLICT : err;
}

static enum err write_segment(struct db_session *s, const struct transaction *t)
{
    int64_t key = record_key(t->user_id, t->kind, (uint32_t)t->after.seq);
    enum err err = OK;
    if (t->merged_from <= t->before.seq)
        err = db_run(
            s, &delete_segments, NULL,
            DB_I64(record_key(t->user_id, t->kind, (uint32_t)t->merged_from)),
            DB_I64(record_key(t->user_id, t->kind, SEQ_MAX - 1)));
    if (err == OK)
        err = db_run(s, &insert_segment, NULL, DB_I64(key),
                     DB_I64(segment_format(t->kind)), DB_BLOB(t->segment));
    return err;
}

static enum err write_bodies(struct db_session *s, const struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct prepared *p = &t->items[i];
        if (!p->writes)
            continue;
        enum err err = db_run(
            s, &insert_body, NULL,
            DB_I64(record_key(t->user_id, t->kind, p->slot)),
            DB_I64(p->version), DB_I64(p->op->last_updated_ms),
            DB_I64(p->prev_slot), DB_I64(p->dictionary), DB_BLOB(p->data));
        if (err != OK)
            return err;
    }
    return OK;
}

enum err transaction_run(struct db_session *s, void *context)
{
    const struct transaction *t = context;
    enum err err = claim(s, t);
    if (err == OK)
        err = write_bodies(s, t);
    if (err == OK)
        err = write_segment(s, t);
    struct store_note note = { t->user_id, t->kind,
                               (uint32_t)t->before.next_slot,
                               (uint32_t)t->after.next_slot };
    if (err == OK && t->is_watched)
        err = t->store->watch(s, t->store->watch_context, &note);
    if (err == OK && t->also != NULL)
        err = t->also(s, t->also_context);
    return err;
}
