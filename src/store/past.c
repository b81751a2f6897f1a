/* A record as it was: what was written since is covered by a small segment on
 * top that holds the versions before. */
#include "base/guard.h"
#include "store/store_int.h"

static const struct db_statement select_past = { OF_KEY(
    "SELECT version, updated_ms, prev_slot, dictionary, data FROM body") };

struct past {
    struct store_snapshot *snap;
    const struct store_point *point;
    struct record_entry *newer; /* than the point */
    size_t n, room;
    size_t changed; /* of them, those that were there before */
    struct segment_builder *builder;
    struct arena *a;
};

static bool is_newer(const struct store_point *p, const struct record_entry *e)
{
    return p->has_slot ? e->slot >= p->before_slot
                       : e->last_updated_ms > p->until_ms;
}

static void count_newer(void *context, const struct record_entry *e)
{
    struct past *p = context;
    bool newer = is_newer(p->point, e);
    p->room += newer;
    p->changed += newer && e->version != 1;
}

static void note_newer(void *context, const struct record_entry *e)
{
    struct past *p = context;
    if (is_newer(p->point, e) && p->n < p->room)
        p->newer[p->n++] = *e;
}

/* The values of an old version, as they stood in the index. */
static enum err add_version(struct past *p, const struct record_entry *e,
                            int64_t dictionary, struct str data)
{
    struct store *s = p->snap->store;
    enum release release = record_kind_release(p->snap->kind);
    struct resource resource;
    struct cell *cells = NULL;
    size_t n = 0, kept = 0;
    struct buf text = BUF_IN(p->a, RESOURCE_BYTES_MAX * 3);
    struct str view;
    enum err err = body_unpack(&s->packer, dictionary, data, &text);
    if (err == OK)
        err = buf_view(&text, &view);
    if (err == OK)
        err = resource_parse(p->a, release, view, &resource, NULL);
    if (err == OK)
        err = resource_extract(p->a, &resource, &cells, &n, NULL);
    for (size_t i = 0; err == OK && i < n; i++)
        if (!is_skipped(s, release, cells[i].param))
            cells[kept++] = cells[i];
    if (err == OK)
        segment_add(p->builder, e, cells, kept);
    return err == OK ? arena_err(p->a) : err;
}

/* One row of a chain; *prev is the slot before, -1 when none. */
static enum err read_version(struct db_session *session, struct past *p,
                             struct record_entry *e, bool *is_found,
                             int64_t *prev)
{
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(session, &select_past, &rows,
                 DB_I64(record_key(p->snap->user_id, p->snap->kind, e->slot)));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err == ERR_NOT_FOUND ? ERR_GONE : err;
    e->version = (uint32_t)db_i64(&rows, 0);
    e->last_updated_ms = db_i64(&rows, 1);
    e->is_deleted = db_i64(&rows, 3) == DELETION;
    *prev = db_i64(&rows, 2);
    *is_found = !is_newer(p->point, e);
    if (!*is_found)
        return OK;
    if (!e->is_deleted)
        return add_version(p, e, db_i64(&rows, 3), db_blob(&rows, 4));
    segment_add(p->builder, e, NULL, 0);
    return arena_err(p->a);
}

static enum err cover(struct db_session *session, struct past *p,
                      struct record_entry e)
{
    while (e.version != 1) {
        bool is_found;
        int64_t prev;
        enum err err = read_version(session, p, &e, &is_found, &prev);
        if (err != OK || is_found)
            return err;
        if (prev < 0)
            break;
        e.slot = (uint32_t)prev;
    }
    e.is_deleted = true; /* was not there yet */
    e.version = 0;
    e.last_updated_ms = 0;
    segment_add(p->builder, &e, NULL, 0);
    return arena_err(p->a);
}

static enum err cover_all(struct db_session *session, void *context)
{
    struct past *p = context;
    for (size_t i = 0; i < p->n; i++) {
        enum err err = cover(session, p, p->newer[i]);
        if (err != OK)
            return err;
    }
    return OK;
}

enum err store_rewind(struct store_snapshot *snap,
                      const struct store_point *point)
{
    AUTO_ARENA a = ARENA(ARENA_MAX);
    struct past p = { .snap = snap, .point = point, .a = &a };
    (void)record_each(snap->record, TYPE_NONE, count_newer, &p);
    if (p.room == 0)
        return OK;
    if (point->most != 0 && p.changed > point->most)
        return ERR_LIMIT;
    p.newer = arena_alloc(&a, p.room * sizeof *p.newer);
    p.builder = segment_builder_new(&a);
    if (p.newer == NULL || p.builder == NULL)
        return arena_err(&a);
    (void)record_each(snap->record, TYPE_NONE, note_newer, &p);
    struct segment *top = NULL;
    struct record *was = NULL;
    enum err err = db_read(snap->store->db, cover_all, &p);
    if (err == OK)
        err = segment_finish(p.builder, &top);
    if (err == OK)
        err = record_push(snap->record, 0, top, &was);
    segment_unref(top);
    if (err != OK)
        return err;
    record_unref(snap->record);
    snap->record = was;
    return OK;
}

struct store_mark store_mark(const struct store_snapshot *snap)
{
    return (struct store_mark){ .born = snap->row.born,
                                .next_slot = (uint32_t)snap->row.next_slot };
}

enum err store_rewind_to(struct store_snapshot *snap, struct store_mark mark,
                         size_t most, struct record **now)
{
    struct store_point point = { .before_slot = mark.next_slot,
                                 .has_slot = true,
                                 .most = most };
    if (mark.born != snap->row.born || mark.next_slot > snap->row.next_slot)
        return ERR_GONE;
    struct record *before = record_ref(snap->record);
    enum err err =
        mark.next_slot == snap->row.next_slot ? OK : store_rewind(snap, &point);
    if (err != OK || now == NULL)
        record_unref(before);
    else
        *now = before;
    return err;
}

void store_settle(struct store *s, int64_t user_id, enum record_kind kind)
{
    GUARD(commit_lock(s, user_id, kind));
}
