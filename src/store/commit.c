/* Design notes
 * A commit first does what needs no look at the record (values, hash, text's
 * tail), then takes the record's lock and decides, packs, makes the segment and
 * the new view, and gives the writer one transaction that only checks and
 * inserts.  The lock keeps this process's commits to one record in line; other
 * processes are seen by the record's row (ERR_CONFLICT), and then it all
 * begins again from the decision.
 *
 * Segments are merged by tiers of eightfold size, at most three to a tier: a
 * resource is written again some log8(n) times, and searches look at a dozen
 * segments at worst. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/rand.h"
#include "store/store_int.h"

#define TRIES_MAX   64 /* lost to another server of the database */
#define PER_TIER    3
#define TIER_FACTOR 8

struct commit {
    struct store *store;
    int64_t user_id;
    enum record_kind kind;
    int64_t if_seq;
    struct prepare prepare;
    struct arena *a;
    struct why *w;
    db_work *also;
    void *also_context;
};

/* --- before the lock ------------------------------------------------------ */

static enum err name_op(struct commit *c, struct prepared *p)
{
    struct store_op *op = p->op;
    p->type = op->resource != NULL ? op->resource->type : op->type;
    p->id = op->id;
    if (p->type == TYPE_NONE)
        return why(c->w, ERR_INVALID, "the resource's type is not known");
    if (op->verb != STORE_DELETE &&
        (op->resource == NULL || op->resource->release != c->prepare.release))
        return why(c->w, ERR_INVALID, "the resource is of another release");
    if (p->id.n == 0 && op->verb == STORE_CREATE)
        p->id = store_new_id(
            c->a, release_type_name(c->prepare.release, p->type), STR(""));
    if (!resource_is_id(p->id))
        return arena_err(c->a) != OK
                   ? arena_err(c->a)
                   : why(c->w, ERR_INVALID, "the id is not a FHIR id");
    op->id = p->id;
    return OK;
}

static int by_name(const void *a, const void *b)
{
    const struct prepared *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return str_cmp(x->id, y->id);
}

/* Slots are given by type and id, so that who reads in that order, as searches
 * and $everything do, goes through memory and database in theirs. */
static enum err sort_and_check_once(struct commit *c)
{
    struct prepared *items = c->prepare.items;
    qsort(items, c->prepare.n, sizeof *items, by_name);
    for (size_t i = 1; i < c->prepare.n; i++)
        if (by_name(&items[i - 1], &items[i]) == 0)
            return why_of(c->w, ERR_INVALID,
                          release_type_name(c->prepare.release, items[i].type),
                          STR("/"), items[i].id, STR(" is there twice"));
    return OK;
}

static enum err begin(struct commit *c, struct store_op *ops, size_t n)
{
    c->prepare.items = arena_zalloc(c->a, n + 1, sizeof *c->prepare.items);
    if (c->prepare.items == NULL)
        return arena_err(c->a);
    c->prepare.n = n;
    for (size_t i = 0; i < n; i++) {
        c->prepare.items[i].op = &ops[i];
        enum err err = name_op(c, &c->prepare.items[i]);
        if (err != OK)
            return err;
    }
    enum err err = sort_and_check_once(c);
    return err == OK ? prepare_all(&c->prepare, prepare_values) : err;
}

/* --- deciding ------------------------------------------------------------- */

static enum err check_version(struct commit *c, const struct prepared *p,
                              bool lives, const struct record_entry *e)
{
    int64_t want = p->op->if_version;
    if (want == 0 || (lives && want == VERSION_FIRST + e->version - 1))
        return OK;
    return why_of(c->w, ERR_PRECONDITION,
                  release_type_name(c->prepare.release, p->type), STR("/"),
                  p->id, STR(" is at another version"));
}

static void keep_as_is(struct prepared *p, const struct record_entry *e,
                       enum store_outcome outcome)
{
    p->writes = false;
    p->op->outcome = outcome;
    p->op->version_id =
        outcome == STORED_ABSENT ? 0 : VERSION_FIRST + e->version - 1;
    p->op->last_updated_ms = e->last_updated_ms;
}

static enum err decide(struct commit *c, const struct store_snapshot *snap,
                       struct prepared *p, int64_t now, uint32_t *next_slot)
{
    struct record_entry e = { 0 };
    bool was = record_find(snap->record, p->type, p->id, &e);
    bool lives = was && !e.is_deleted;
    enum err err = check_version(c, p, lives, &e);
    if (err != OK)
        return err;
    enum store_verb verb = p->op->verb;
    if (verb == STORE_CREATE && lives)
        return why_of(c->w, ERR_EXISTS,
                      release_type_name(c->prepare.release, p->type), STR("/"),
                      p->id, STR(" exists"));
    bool is_same = verb == STORE_PUT && lives && p->op->keep_same &&
                   hash128_eq(e.content, p->content);
    if (is_same || (verb == STORE_DELETE && !lives)) {
        keep_as_is(p, &e, is_same ? STORED_SAME : STORED_ABSENT);
        return OK;
    }
    if (*next_slot == SLOT_MAX || snap->row.seq >= SEQ_MAX - 1)
        return why(c->w, ERR_LIMIT, "the record is full");
    p->writes = true;
    p->version = was ? e.version + 1 : 1;
    p->prev_slot = was ? (int64_t)e.slot : -1;
    p->slot = (*next_slot)++;
    p->op->version_id = VERSION_FIRST + p->version - 1;
    p->op->last_updated_ms =
        was && e.last_updated_ms > now ? e.last_updated_ms : now;
    p->op->outcome = verb == STORE_DELETE ? STORED_DELETED
                     : lives              ? STORED_UPDATED
                                          : STORED_CREATED;
    return OK;
}

static enum err decide_all(struct commit *c, const struct store_snapshot *snap,
                           uint32_t *next_slot)
{
    int64_t now = clock_now_ms();
    *next_slot = (uint32_t)snap->row.next_slot;
    for (size_t i = 0; i < c->prepare.n; i++) {
        enum err err = decide(c, snap, &c->prepare.items[i], now, next_slot);
        if (err != OK)
            return err;
    }
    return OK;
}

/* --- the segment ---------------------------------------------------------- */

static enum err make_segment(const struct commit *c, struct arena *a,
                             struct segment **out)
{
    struct segment_builder *b = segment_builder_new(a);
    size_t cells = 0;
    if (b == NULL)
        return arena_err(a);
    for (size_t i = 0; i < c->prepare.n; i++)
        cells += c->prepare.items[i].cell_count;
    segment_reserve(b, c->prepare.n, cells);
    for (size_t i = 0; i < c->prepare.n; i++) {
        const struct prepared *p = &c->prepare.items[i];
        if (!p->writes)
            continue;
        struct record_entry e = {
            .type = p->type,
            .id = p->id,
            .slot = p->slot,
            .version = p->version,
            .last_updated_ms = p->op->last_updated_ms,
            .content = p->content,
            .is_deleted = p->op->verb == STORE_DELETE,
        };
        segment_add(b, &e, p->cells, p->cell_count);
    }
    return segment_finish(b, out);
}

static unsigned tier_of(size_t n)
{
    unsigned tier = 0;
    for (; n >= TIER_FACTOR; n /= TIER_FACTOR)
        tier++;
    return tier;
}

/* How many of the newest segments go into one with the new one. */
static size_t merge_count(const struct record *r, size_t size)
{
    size_t n = record_segment_count(r), merged = 0, more;
    do {
        size_t added = 0;
        more = 0;
        while (merged + more < n) {
            size_t one =
                segment_count(record_segment(r, n - 1 - merged - more));
            if (tier_of(one) > tier_of(size))
                break;
            added += one;
            more++;
        }
        if (more < PER_TIER)
            break;
        merged += more;
        size += added;
    } while (more > 0);
    return merged;
}

/* The segment to write, merged with its neighbours, and the record with it. */
static enum err stack(const struct record *r, struct segment *fresh,
                      struct arena *a, size_t *merged, struct segment **top,
                      struct record **out)
{
    struct segment *all[SEGMENTS_MAX + 1];
    size_t n = record_segment_count(r);
    size_t m = merge_count(r, segment_count(fresh));
    if (n - m >= SEGMENTS_MAX)
        m = n;
    for (size_t i = 0; i < m; i++)
        all[i] = record_segment(r, n - m + i);
    all[m] = fresh;
    enum err err = OK;
    if (m > 0)
        err = segment_merge(all, m + 1, a, top);
    else
        *top = segment_ref(fresh);
    if (err != OK)
        return err;
    *merged = m;
    err = record_push(r, m, *top, out);
    if (err != OK)
        segment_unref(*top);
    return err;
}

/* --- keeping bodies at hand ----------------------------------------------- */

struct filler {
    const struct commit *c;
    const struct store_snapshot *snap;
    int64_t born;
};

/* The chunk `number` with what it had and the commit's items [from, to). */
static void fill_chunk(const struct filler *f, uint32_t number, size_t from,
                       size_t to)
{
    const struct prepared *items = f->c->prepare.items;
    uint32_t first = number * CHUNK_SLOTS;
    struct chunk *old = NULL;
    if (items[from].slot > first) {
        old = hot_find_chunk(f->snap->hot, f->born, items[from].slot - 1);
        if (old == NULL)
            return; /* will be loaded when it is wanted */
    }
    uint32_t had = items[from].slot - first;
    size_t bytes = old == NULL ? 0 : old->at[had];
    for (size_t i = from; i < to; i++)
        bytes += items[i].writes ? items[i].data.n : 0;
    struct chunk *c = bytes > UINT32_MAX ? NULL : chunk_new(bytes);
    if (c != NULL && old != NULL) {
        memcpy(c->at, old->at, (had + 1) * sizeof *c->at);
        memcpy(c->dictionary, old->dictionary, had * sizeof *c->dictionary);
        memcpy(c->bytes, old->bytes, old->at[had]);
        c->n = had;
    }
    for (size_t i = from; c != NULL && i < to; i++) {
        if (!items[i].writes)
            continue;
        memcpy(c->bytes + c->at[c->n], items[i].data.p, items[i].data.n);
        c->dictionary[c->n] = (int16_t)items[i].dictionary;
        c->at[c->n + 1] = c->at[c->n] + (uint32_t)items[i].data.n;
        c->n++;
    }
    if (c != NULL)
        hot_set_chunk(&f->c->store->cache, f->snap->hot, f->born, number, c);
    chunk_unref(old);
    chunk_unref(c);
}

static void keep_bodies(const struct filler *f)
{
    const struct prepare *p = &f->c->prepare;
    for (size_t from = 0; from < p->n;) {
        if (!p->items[from].writes) {
            from++;
            continue;
        }
        uint32_t number = p->items[from].slot / CHUNK_SLOTS;
        size_t to = from;
        while (to < p->n && (!p->items[to].writes ||
                             p->items[to].slot / CHUNK_SLOTS == number))
            to++;
        fill_chunk(f, number, from, to);
        from = to;
    }
}

/* --- all together --------------------------------------------------------- */

static int64_t random_number(void)
{
    return (int64_t)(rand_u64() & INT64_MAX) | 1;
}

static enum err run_also(struct db_session *s, void *context)
{
    struct commit *c = context;
    return c->also(s, c->also_context);
}

/* Writes what was decided, with the new view up for whoever sees it first. */
static enum err write_all(struct commit *c, struct store_snapshot *snap,
                          struct transaction *t, size_t merged,
                          struct record *record)
{
    struct store *s = c->store;
    struct view *v = view_new(&t->after, record);
    if (v == NULL)
        return ERR_NOMEM;
    size_t top = record_segment_count(record) - 1;
    if (!hot_numbers(snap->hot, &snap->row, v->numbers)) {
        view_free(v); /* dropped from memory meanwhile: look again */
        return ERR_CONFLICT;
    }
    t->merged_from = merged > 0 ? v->numbers[top] : INT64_MAX;
    v->numbers[top] = t->after.seq;
    hot_set_coming(snap->hot, v);
    enum err err = db_write(s->db, transaction_run, t);
    if (err == OK) {
        struct filler f = { c, snap, t->after.born };
        keep_bodies(&f);
        s->commits++;
    }
    hot_end_coming(&s->cache, snap->hot, err == OK);
    return err;
}

static bool is_watched(const struct commit *c, const struct record *before,
                       const struct record *after)
{
    const struct store *s = c->store;
    if (s->watch == NULL || c->kind == RECORD_AUDIT)
        return false;
    uint16_t type = s->watched[c->kind];
    return type != TYPE_NONE &&
           (record_count(after, type) > 0 || record_count(before, type) > 0);
}

static enum err write_decided(struct commit *c, struct store_snapshot *snap,
                              uint32_t next_slot, struct arena *a)
{
    struct segment *fresh = NULL, *top = NULL;
    struct record *record = NULL;
    size_t merged = 0;
    AUTO_BUF data = BUF(SEGMENT_BYTES_MAX);
    struct transaction t = { .store = c->store,
                             .user_id = c->user_id,
                             .kind = c->kind,
                             .before = snap->row,
                             .items = c->prepare.items,
                             .n = c->prepare.n,
                             .also = c->also,
                             .also_context = c->also_context };
    t.after = (struct record_row){ snap->row.seq + 1, random_number(),
                                   snap->row.born, next_slot };
    if (t.after.born == 0)
        t.after.born = random_number();
    enum err err = prepare_all(&c->prepare, prepare_body);
    if (err == OK)
        err = make_segment(c, a, &fresh);
    if (err == OK)
        err = stack(snap->record, fresh, a, &merged, &top, &record);
    if (err == OK)
        err = segment_encode(top, a, &data);
    if (err == OK)
        err = buf_view(&data, &t.segment);
    if (err == OK)
        t.is_watched = is_watched(c, snap->record, record);
    if (err == OK)
        err = write_all(c, snap, &t, merged, record);
    record_unref(record);
    if (record != NULL)
        segment_unref(top);
    segment_unref(fresh);
    return err;
}

/* One try, from the record as it is now. */
static enum err try_once(struct commit *c)
{
    AUTO_ARENA a = ARENA(ARENA_MAX);
    GUARD(commit_lock(c->store, c->user_id, c->kind));
    struct store_snapshot *snap;
    enum err err = store_open(c->store, c->user_id, c->kind, &snap);
    if (err != OK)
        return err;
    uint32_t next_slot = 0;
    if (c->if_seq >= 0 && c->if_seq != snap->row.seq)
        err = ERR_CONFLICT;
    if (err == OK)
        err = decide_all(c, snap, &next_slot);
    if (err == OK && next_slot != snap->row.next_slot)
        err = write_decided(c, snap, next_slot, &a);
    else if (err == OK && c->also != NULL)
        err = db_write(c->store->db, run_also, c);
    store_close(snap);
    return err;
}

enum err store_commit(struct store *s, int64_t user_id, enum record_kind kind,
                      int64_t if_seq, struct store_op *ops, size_t n,
                      struct arena *a, db_work *also, void *also_context,
                      struct why *w)
{
    struct commit c = { .store = s,
                        .user_id = user_id,
                        .kind = kind,
                        .if_seq = if_seq,
                        .a = a,
                        .w = w,
                        .also = also,
                        .also_context = also_context };
    c.prepare.store = s;
    c.prepare.release = record_kind_release(kind);
    for (size_t i = 0; i < PREPARE_THREADS; i++)
        c.prepare.arenas[i] = ARENA(ARENA_MAX);
    enum err err = begin(&c, ops, n);
    for (int i = 0; err == OK && i < TRIES_MAX; i++) {
        err = try_once(&c);
        if (err != ERR_CONFLICT || if_seq >= 0)
            break;
        if (i + 1 < TRIES_MAX)
            err = OK;
    }
    prepare_fini(&c.prepare);
    if (err == ERR_CONFLICT)
        return why(w, err, "the record changed meanwhile");
    return err;
}
