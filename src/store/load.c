/* A record from the database: its segments, or, when those are of another
 * format, everything from the bodies.
 *
 * Design notes
 * Another server's commit puts a segment on top, perhaps in place of the upper
 * ones, and gives it a number above all before.  So what stands at or below the
 * top of the view in memory is in it, at the same place, and is not read again
 * (`data` is NULL then); if it is not, somebody made the index anew, and all is
 * read. */
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/rand.h"
#include "store/store_int.h"

static const struct db_statement select_record = {
    "SELECT seq, stamp, born, next_slot FROM record "
    "WHERE user_id = $1 AND kind = $2"
};
static const struct db_statement select_segments = { OF_KEYS(
    "SELECT key, format, CASE WHEN key <= $3 THEN NULL ELSE data END"
    " FROM segment",
    " ORDER BY key") };
static const struct db_statement select_bodies = { OF_KEYS(
    "SELECT key, version, updated_ms, dictionary, data FROM body",
    " ORDER BY key") };

enum err load_row(struct db_session *session, int64_t user_id,
                  enum record_kind kind, struct record_row *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(session, &select_record, &rows, DB_I64(user_id), DB_I64(kind));
    if (err == OK)
        err = db_next(&rows);
    if (err == ERR_NOT_FOUND) {
        *out = (struct record_row){ 0 };
        return OK;
    }
    if (err == OK)
        *out = (struct record_row){ db_i64(&rows, 0), db_i64(&rows, 1),
                                    db_i64(&rows, 2), db_i64(&rows, 3) };
    return err;
}

struct segments {
    struct segment *at[SEGMENTS_MAX];
    int64_t numbers[SEGMENTS_MAX];
    size_t n;
    bool is_stale, is_other; /* is_other: than the older view */
    struct record *older;    /* in memory, may be NULL */
    int64_t older_numbers[SEGMENTS_MAX];
};

/* The segment that the older view has at this place. */
static bool take_older(struct segments *out, int64_t number)
{
    size_t n = out->older == NULL ? 0 : record_segment_count(out->older);
    if (out->n >= n || out->older_numbers[out->n] != number)
        return false;
    out->at[out->n] = segment_ref(record_segment(out->older, out->n));
    return true;
}

static enum err read_segment(struct db_rows *rows, int64_t format,
                             struct segments *out)
{
    AUTO_ARENA a = ARENA(ARENA_MAX);
    int64_t number = db_i64(rows, 0) & (SEQ_MAX - 1);
    if (out->n == SEGMENTS_MAX || db_i64(rows, 1) != format) {
        out->is_stale = true;
        return OK;
    }
    if (db_is_null(rows, 2)) {
        out->is_other = !take_older(out, number);
    } else {
        enum err err = segment_decode(db_blob(rows, 2), &a, &out->at[out->n]);
        out->is_stale = err == ERR_FORMAT; /* damaged: the bodies know */
        if (err != OK)
            return out->is_stale ? OK : err;
    }
    if (!out->is_other)
        out->numbers[out->n++] = number;
    return OK;
}

static enum err read_segments(struct db_session *session, int64_t user_id,
                              enum record_kind kind, struct segments *out)
{
    size_t had = out->older == NULL ? 0 : record_segment_count(out->older);
    int64_t known = had == 0 ? -1 : out->older_numbers[had - 1];
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(
        session, &select_segments, &rows, DB_I64(record_key(user_id, kind, 0)),
        DB_I64(record_key(user_id, kind, SEQ_MAX - 1)),
        DB_I64(known < 0 ? -1 : record_key(user_id, kind, (uint32_t)known)));
    while (err == OK && !out->is_stale && !out->is_other) {
        err = db_next(&rows);
        if (err == OK)
            err = read_segment(&rows, segment_format(kind), out);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static void segments_drop(struct segments *all)
{
    for (size_t i = 0; i < all->n; i++)
        segment_unref(all->at[i]);
    record_unref(all->older);
    *all = (struct segments){ .n = 0 };
}

/* With what is in memory, or, when that is of no use, without. */
static enum err read_all(struct store_snapshot *snap,
                         struct db_session *session, struct segments *all)
{
    all->older = hot_latest(snap->hot, snap->row.born, all->older_numbers);
    enum err err = read_segments(session, snap->user_id, snap->kind, all);
    if (err != OK || !all->is_other)
        return err;
    segments_drop(all);
    return read_segments(session, snap->user_id, snap->kind, all);
}

enum err load_record(struct store_snapshot *snap, struct db_session *session,
                     struct view **out, bool *is_made)
{
    const struct record_row *row = &snap->row;
    struct segments all = { .n = 0 };
    struct record *record = NULL;
    enum err err = read_all(snap, session, &all);
    *is_made =
        err == OK && (all.is_stale || (all.n == 0 && row->next_slot > 0));
    if (*is_made)
        err = rebuild_record(snap->store, session, snap->user_id, snap->kind,
                             &record);
    else if (err == OK)
        err =
            record_new(record_kind_release(snap->kind), all.at, all.n, &record);
    struct view *v = err == OK ? view_new(row, record) : NULL;
    if (v != NULL && *is_made)
        v->numbers[0] = row->seq;
    else if (v != NULL)
        memcpy(v->numbers, all.numbers, sizeof v->numbers);
    segments_drop(&all);
    record_unref(record);
    if (err == OK && v == NULL)
        err = ERR_NOMEM;
    if (err == OK)
        *out = v;
    return err;
}

/* --- made anew ------------------------------------------------------------ */

struct rebuild {
    struct store *store;
    enum release release;
    struct arena *a;
    struct map latest; /* Type/id -> struct found */
};

struct found {
    struct record_entry entry;
    int64_t dictionary;
    struct str data;
};

/* {"resourceType":"X","id":"Y",... or, of a deletion, X/Y. */
static struct str read_name(struct rebuild *r, int64_t dictionary,
                            struct str data)
{
    if (dictionary == DELETION)
        return arena_str(r->a, data);
    AUTO_BUF b = BUF(RESOURCE_BYTES_MAX * 3);
    if (body_unpack(&r->store->packer, dictionary, data, &b) != OK)
        return STR_NONE;
    struct str rest = str_from((struct str){ b.data, b.len },
                               sizeof "{\"resourceType\":\"" - 1);
    struct str type, ignored, id;
    if (!str_cut(&rest, '"', &type) || !str_cut(&rest, ':', &ignored) ||
        !str_cut(&rest, '"', &ignored) || !str_cut(&rest, '"', &id))
        return STR_NONE;
    return arena_cat(r->a, type, STR("/"), id);
}

static enum err note_row(struct rebuild *r, struct db_rows *rows)
{
    int64_t dictionary = db_i64(rows, 3);
    struct str name = read_name(r, dictionary, db_blob(rows, 4));
    size_t slash = str_find(name, '/');
    uint16_t type =
        release_type_find(r->release, str_slice(name, 0, slash), false);
    if (name.p == NULL || type == TYPE_NONE)
        return arena_err(r->a) != OK ? arena_err(r->a) : ERR_FORMAT;
    struct found *f = map_get(&r->latest, name);
    if (f == NULL) {
        f = arena_zalloc(r->a, 1, sizeof *f);
        if (f == NULL)
            return arena_err(r->a);
        map_put(&r->latest, name, f);
    }
    f->entry = (struct record_entry){
        .type = type,
        .id = str_from(name, slash + 1),
        .slot = (uint32_t)db_i64(rows, 0) & (SLOT_MAX - 1),
        .version = (uint32_t)db_i64(rows, 1),
        .last_updated_ms = db_i64(rows, 2),
        .is_deleted = dictionary == DELETION,
    };
    f->dictionary = dictionary;
    f->data = arena_str(r->a, db_blob(rows, 4));
    return arena_err(r->a);
}

static enum err add_found(struct rebuild *r, struct segment_builder *b,
                          struct found *f)
{
    struct resource resource;
    struct cell *cells = NULL;
    size_t n = 0, kept = 0;
    if (f->entry.is_deleted) {
        segment_add(b, &f->entry, NULL, 0);
        return arena_err(r->a);
    }
    struct buf text = BUF_IN(r->a, RESOURCE_BYTES_MAX * 3);
    struct str view;
    enum err err =
        body_unpack(&r->store->packer, f->dictionary, f->data, &text);
    if (err == OK)
        err = buf_view(&text, &view);
    if (err == OK)
        err = resource_parse(r->a, r->release, view, &resource, NULL);
    if (err == OK)
        err = resource_extract(r->a, &resource, &cells, &n, NULL);
    if (err != OK)
        return err;
    for (size_t i = 0; i < n; i++)
        if (!is_skipped(r->store, r->release, cells[i].param))
            cells[kept++] = cells[i];
    f->entry.content = resource_content_hash(&resource, r->a);
    segment_add(b, &f->entry, cells, kept);
    return arena_err(r->a);
}

static enum err read_bodies(struct rebuild *r, struct db_session *session,
                            int64_t user_id, enum record_kind kind)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(session, &select_bodies, &rows,
                            DB_I64(record_key(user_id, kind, 0)),
                            DB_I64(record_key(user_id, kind, SLOT_MAX - 1)));
    while (err == OK) {
        err = db_next(&rows);
        if (err == OK)
            err = note_row(r, &rows);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err rebuild_record(struct store *s, struct db_session *session,
                        int64_t user_id, enum record_kind kind,
                        struct record **out)
{
    AUTO_ARENA a = ARENA(ARENA_MAX);
    struct rebuild r = { .store = s,
                         .release = record_kind_release(kind),
                         .a = &a,
                         .latest = MAP_IN(&a) };
    enum err err = read_bodies(&r, session, user_id, kind);
    struct segment_builder *b = segment_builder_new(&a);
    for (size_t i = 0; err == OK && i < r.latest.room; i++)
        if (r.latest.slots[i].key.p != NULL)
            err = add_found(&r, b, r.latest.slots[i].value);
    struct segment *made = NULL;
    if (err == OK)
        err = segment_finish(b, &made);
    if (err == OK)
        err = record_new(r.release, &made, 1, out);
    segment_unref(made);
    return err;
}

/* --- keeping it ----------------------------------------------------------- */

/* Writes a rebuilt index in place of the old one, so that the next load is
 * quick; when somebody else wrote meanwhile, it is theirs to do. */
void keep_rebuilt(struct store *s, struct store_snapshot *snap, struct view *v)
{
    AUTO_ARENA a = ARENA(ARENA_MAX);
    AUTO_BUF data = BUF(SEGMENT_BYTES_MAX);
    struct transaction t = { .store = s,
                             .user_id = snap->user_id,
                             .kind = snap->kind,
                             .before = snap->row,
                             .after = snap->row,
                             .merged_from = 0 };
    rand_bytes(&t.after.stamp, sizeof t.after.stamp);
    t.after.stamp &= INT64_MAX;
    if (segment_encode(record_segment(v->record, 0), &a, &data) == OK &&
        buf_view(&data, &t.segment) == OK &&
        db_write(s->db, transaction_run, &t) == OK)
        v->row = snap->row = t.after;
    hot_set_view(&s->cache, snap->hot, v);
}
