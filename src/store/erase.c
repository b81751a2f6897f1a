#include "base/guard.h"
#include "store/store_int.h"

static const struct db_statement delete_bodies = { OF_KEYS("DELETE FROM body",
                                                           "") };
static const struct db_statement delete_segments = { OF_KEYS(
    "DELETE FROM segment", "") };
static const struct db_statement delete_record = {
    "DELETE FROM record WHERE user_id = $1 AND kind = $2"
};

struct erasing {
    int64_t user_id;
    enum record_kind kind;
};

static enum err erase_rows(struct db_session *s, void *context)
{
    const struct erasing *e = context;
    int64_t first = record_key(e->user_id, e->kind, 0);
    int64_t last = record_key(e->user_id, e->kind, SLOT_MAX - 1);
    enum err err = db_run(s, &delete_bodies, NULL, DB_I64(first), DB_I64(last));
    if (err == OK)
        err = db_run(s, &delete_segments, NULL, DB_I64(first), DB_I64(last));
    if (err == OK)
        err = db_run(s, &delete_record, NULL, DB_I64(e->user_id),
                     DB_I64(e->kind));
    return err;
}

static enum err erase_record(struct store *s, struct erasing *e)
{
    GUARD(commit_lock(s, e->user_id, e->kind));
    enum err err = db_write(s->db, erase_rows, e);
    cache_drop(&s->cache, e->user_id, e->kind);
    return err;
}

enum err store_erase(struct store *s, int64_t user_id)
{
    if (user_id < 0 || user_id >= USER_MAX)
        return OK;
    for (unsigned kind = 0; kind <= RECORD_AUDIT; kind++) {
        struct erasing e = { user_id, (enum record_kind)kind };
        enum err err = erase_record(s, &e);
        if (err != OK)
            return err;
    }
    return db_scrub(s->db);
}
