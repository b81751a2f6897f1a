/* Old versions: each body names the slot of the one before it. */
#include <stdlib.h>
#include <string.h>

#include "store/store_int.h"

static const struct db_statement select_version = { OF_KEY(
    "SELECT version, updated_ms, prev_slot, dictionary FROM body") };

/* A place in a resource's chain. */
struct link {
    struct record_entry entry; /* of this version */
    bool is_followed;          /* the row was read, prev_slot is known */
    int64_t prev_slot;
};

static enum err read_link(struct db_session *session,
                          const struct store_snapshot *snap, uint32_t slot,
                          struct link *l)
{
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(session, &select_version, &rows,
                 DB_I64(record_key(snap->user_id, snap->kind, slot)));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    l->entry.slot = slot;
    l->entry.version = (uint32_t)db_i64(&rows, 0);
    l->entry.last_updated_ms = db_i64(&rows, 1);
    l->prev_slot = db_i64(&rows, 2);
    l->entry.is_deleted = db_i64(&rows, 3) == DELETION;
    l->is_followed = true;
    return OK;
}

/* One version back; ERR_NOT_FOUND before the first. */
static enum err step_back(struct db_session *session,
                          const struct store_snapshot *snap, struct link *l)
{
    if (l->entry.version == 1)
        return ERR_NOT_FOUND;
    if (!l->is_followed) {
        enum err err = read_link(session, snap, l->entry.slot, l);
        if (err != OK)
            return err;
    }
    if (l->prev_slot < 0)
        return ERR_NOT_FOUND;
    return read_link(session, snap, (uint32_t)l->prev_slot, l);
}

/* --- one version ---------------------------------------------------------- */

struct asked {
    const struct store_snapshot *snap;
    struct link link;
    int64_t version;
};

static enum err find_version(struct db_session *session, void *context)
{
    struct asked *ask = context;
    enum err err = OK;
    while (err == OK && ask->link.entry.version > ask->version)
        err = step_back(session, ask->snap, &ask->link);
    return err;
}

enum err store_vread(struct store_snapshot *snap, uint16_t type, struct str id,
                     int64_t version_id, struct arena *a,
                     struct store_version *out)
{
    struct asked ask = { .snap = snap };
    if (!record_find(snap->record, type, id, &ask.link.entry) ||
        version_id < VERSION_FIRST ||
        version_id - VERSION_FIRST >= ask.link.entry.version)
        return ERR_NOT_FOUND;
    ask.version = version_id - VERSION_FIRST + 1;
    enum err err = OK;
    if (ask.version != ask.link.entry.version)
        err = db_read(snap->store->db, find_version, &ask);
    if (err != OK)
        return err;
    fill_version(&ask.link.entry, out);
    out->id = arena_str(a, id);
    if (arena_err(a) != OK)
        return arena_err(a);
    return out->is_deleted ? ERR_GONE : OK;
}

/* --- many ----------------------------------------------------------------- */

struct walk {
    const struct store_snapshot *snap;
    const struct store_history_ask *ask;
    struct link *heap; /* the newest on top */
    size_t n, room;
    struct arena *a;
    struct store_version *out;
    size_t out_count, count;
    size_t passed; /* of those that are skipped */
    size_t total;
    uint64_t versions; /* of all candidates, ever */
};

static void add_candidate(void *context, const struct record_entry *e)
{
    struct walk *w = context;
    if (w->n < w->room)
        w->heap[w->n++] = (struct link){ .entry = *e };
    w->versions += e->version;
}

static void sift_down(struct link *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n &&
            heap[child + 1].entry.slot > heap[child].entry.slot)
            child++;
        if (heap[i].entry.slot >= heap[child].entry.slot)
            return;
        struct link swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
        i = child;
    }
}

static void emit(struct walk *w, const struct record_entry *e)
{
    w->total++;
    if (w->ask->has_cursor && e->slot >= w->ask->after_slot)
        return;
    if (w->passed++ < w->ask->skip || w->out_count == w->count)
        return;
    fill_version(e, &w->out[w->out_count]);
    w->out[w->out_count].id = arena_str(w->a, e->id);
    w->out_count++;
}

static bool is_filtered(const struct store_history_ask *ask)
{
    return ask->since_ms > 0 || ask->before_ms > 0 || ask->at_high_ms > 0;
}

/* Emits a version that counts; false when none before it in its chain can. */
static bool look_at(struct walk *w, const struct record_entry *e)
{
    const struct store_history_ask *ask = w->ask;
    int64_t written = e->last_updated_ms;
    if (ask->since_ms > 0 && written < ask->since_ms)
        return false;
    bool is_late = (ask->before_ms > 0 && written >= ask->before_ms) ||
                   (ask->at_high_ms > 0 && written >= ask->at_high_ms);
    if (!is_late)
        emit(w, e);
    return is_late || ask->at_high_ms == 0 || written > ask->at_low_ms;
}

/* Newest first, until the page is full; when filtered to the last that counts,
 * for the total. */
static enum err walk_back(struct db_session *session, void *context)
{
    struct walk *w = context;
    bool goes_on = is_filtered(w->ask);
    for (size_t i = w->n / 2 + 1; i-- > 0;)
        sift_down(w->heap, w->n, i);
    while (w->n > 0 && (w->out_count < w->count || goes_on)) {
        struct link *top = &w->heap[0];
        enum err err = look_at(w, &top->entry)
                           ? step_back(session, w->snap, top)
                           : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            *top = w->heap[--w->n];
        else if (err != OK)
            return err;
        sift_down(w->heap, w->n, 0);
    }
    return arena_err(w->a);
}

static enum err choose(struct walk *w)
{
    const struct record *r = w->snap->record;
    struct record_entry e;
    struct str id = w->ask->id;
    w->room = 1;
    if (id.n == 0)
        for (size_t i = 0; i < record_segment_count(r); i++)
            w->room += segment_count(record_segment(r, i));
    w->heap = arena_alloc(w->a, w->room * sizeof *w->heap);
    if (w->heap == NULL)
        return arena_err(w->a);
    if (id.n == 0)
        (void)record_each(r, w->ask->type, add_candidate, w);
    else if (record_find(r, w->ask->type, id, &e))
        add_candidate(w, &e);
    else
        return ERR_NOT_FOUND;
    return OK;
}

enum err store_history(struct store_snapshot *snap,
                       const struct store_history_ask *ask, struct arena *a,
                       struct store_version **out, size_t *n, size_t *total)
{
    struct walk w = { .snap = snap, .ask = ask, .count = ask->count, .a = a };
    enum err err = choose(&w);
    if (err != OK)
        return err;
    if (w.count > w.versions)
        w.count = (size_t)w.versions;
    w.out = arena_alloc(a, (w.count + 1) * sizeof *w.out);
    if (w.out == NULL)
        return arena_err(a);
    err = db_read(snap->store->db, walk_back, &w);
    if (err != OK)
        return err;
    *out = w.out;
    *n = w.out_count;
    *total = is_filtered(ask) ? w.total : (size_t)w.versions;
    return OK;
}
