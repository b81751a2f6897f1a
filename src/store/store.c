#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "fhir/release.h"
#include "fhir/search_param.h"
#include "store/store_int.h"

#define CACHE_BYTES ((size_t)256 << 20)

enum release record_kind_release(enum record_kind kind)
{
    return kind == RECORD_AUDIT ? R4 : (enum release)kind;
}

int64_t segment_format(enum record_kind kind)
{
    uint64_t format = search_param_format(record_kind_release(kind));
    return (int64_t)((format * 31 + SEGMENT_FORMAT) & INT64_MAX);
}

pthread_mutex_t *commit_lock(struct store *s, int64_t user_id,
                             enum record_kind kind)
{
    uint64_t key =
        ((uint64_t)user_id << 2 | kind) * UINT64_C(0x9E3779B97F4A7C15);
    return &s->commit_locks[key >> 32 & (COMMIT_LOCKS - 1)];
}

/* --- rows of which no cells are kept -------------------------------------- */

static enum err note_skipped(struct store *s, enum release release)
{
    uint32_t *bits = calloc((UINT16_MAX + 1) / 32, sizeof *bits);
    s->skipped[release] = bits;
    if (bits == NULL)
        return ERR_NOMEM;
    for (unsigned t = 0; t < release_type_count(release); t++) {
        uint16_t rows[] = {
            search_param_find(release, (uint16_t)t, STR("_id")),
            search_param_find(release, (uint16_t)t, STR("_lastUpdated")),
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (rows[i] != PARAM_NONE)
                bits[rows[i] / 32] |= UINT32_C(1) << (rows[i] % 32);
    }
    return OK;
}

bool is_skipped(const struct store *s, enum release release, uint16_t row)
{
    return s->skipped[release][row / 32] >> (row % 32) & 1;
}

/* --- life ----------------------------------------------------------------- */

enum err store_new(const struct store_options *o, struct store **out,
                   struct why *w)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->db = o->db;
    enum err err = cache_init(
        &s->cache, o->cache_bytes > 0 ? (size_t)o->cache_bytes : CACHE_BYTES);
    for (size_t i = 0; err == OK && i < COMMIT_LOCKS; i++)
        if (pthread_mutex_init(&s->commit_locks[i], NULL) != 0)
            err = ERR_NOMEM;
    for (unsigned r = 0; err == OK && r < RELEASE_COUNT; r++)
        err = note_skipped(s, (enum release)r);
    if (err == OK)
        err = packer_init(&s->packer, s->db, w);
    if (err != OK) {
        store_free(s);
        return err;
    }
    *out = s;
    return OK;
}

void store_free(struct store *s)
{
    if (s == NULL)
        return;
    if (s->cache.buckets != NULL)
        cache_fini(&s->cache);
    packer_fini(&s->packer);
    for (size_t i = 0; i < COMMIT_LOCKS; i++)
        pthread_mutex_destroy(&s->commit_locks[i]);
    for (unsigned r = 0; r < RELEASE_COUNT; r++)
        free(s->skipped[r]);
    free(s);
}

void store_set_watch(struct store *s, struct str type_name, store_watch *watch,
                     void *context)
{
    for (unsigned r = 0; r < RELEASE_COUNT; r++)
        s->watched[r] = release_type_find((enum release)r, type_name, false);
    s->watch = watch;
    s->watch_context = context;
}

struct store_stats store_stats(struct store *s)
{
    struct store_stats stats = { .hits = s->hits,
                                 .misses = s->misses,
                                 .commits = s->commits };
    pthread_mutex_lock(&s->cache.lock);
    stats.records_hot = s->cache.count;
    stats.bytes_hot = (int64_t)s->cache.bytes;
    pthread_mutex_unlock(&s->cache.lock);
    return stats;
}

/* --- snapshots ------------------------------------------------------------ */

struct opening {
    struct store_snapshot *snap;
    struct view *made; /* an index made anew, still to be kept */
};

/* The row alone tells that the view in memory is right; else it has to be read
 * together with what belongs to it. */
static enum err peek_in(struct db_session *session, void *context)
{
    struct store_snapshot *snap = context;
    enum err err = load_row(session, snap->user_id, snap->kind, &snap->row);
    if (err == OK)
        snap->record = hot_find_view(snap->hot, &snap->row);
    if (snap->record != NULL)
        snap->store->hits++;
    return err;
}

/* Finds the view of what the session sees, in memory or by loading it. */
static enum err open_in(struct db_session *session, void *context)
{
    struct opening *o = context;
    struct store_snapshot *snap = o->snap;
    struct store *s = snap->store;
    enum err err = load_row(session, snap->user_id, snap->kind, &snap->row);
    if (err != OK)
        return err;
    snap->record = hot_find_view(snap->hot, &snap->row);
    if (snap->record != NULL) {
        s->hits++;
        return OK;
    }
    s->misses++;
    struct view *v;
    bool is_made = false;
    err = load_record(snap, session, &v, &is_made);
    if (err != OK)
        return err;
    snap->record = record_ref(v->record);
    if (is_made)
        o->made = v;
    else
        hot_set_view(&s->cache, snap->hot, v);
    return OK;
}

enum err store_open(struct store *s, int64_t user_id, enum record_kind kind,
                    struct store_snapshot **out)
{
    if (user_id < 0 || user_id >= USER_MAX)
        return ERR_LIMIT;
    struct store_snapshot *snap = calloc(1, sizeof *snap);
    if (snap == NULL)
        return ERR_NOMEM;
    *snap =
        (struct store_snapshot){ .store = s,
                                 .user_id = user_id,
                                 .kind = kind,
                                 .hot = cache_get(&s->cache, user_id, kind) };
    struct opening o = { .snap = snap };
    enum err err =
        snap->hot == NULL ? ERR_NOMEM : db_peek(s->db, peek_in, snap);
    if (err == OK && snap->record == NULL)
        err = db_read(s->db, open_in, &o);
    if (err == OK && o.made != NULL)
        keep_rebuilt(s, snap, o.made);
    if (err != OK) {
        store_close(snap);
        return err;
    }
    *out = snap;
    return OK;
}

void store_close(struct store_snapshot *snap)
{
    if (snap == NULL)
        return;
    chunk_unref(snap->chunk);
    record_unref(snap->record);
    cache_put(&snap->store->cache, snap->hot);
    free(snap);
}

const struct record *store_record(const struct store_snapshot *snap)
{
    return snap->record;
}

int64_t store_seq(const struct store_snapshot *snap)
{
    return snap->row.seq;
}

void fill_version(const struct record_entry *e, struct store_version *out)
{
    *out = (struct store_version){
        .type = e->type,
        .id = e->id,
        .version_id = VERSION_FIRST + e->version - 1,
        .last_updated_ms = e->last_updated_ms,
        .is_deleted = e->is_deleted,
        .is_first = e->version == 1,
        .slot = e->slot,
    };
}

enum err store_read(struct store_snapshot *snap, uint16_t type, struct str id,
                    struct store_version *out)
{
    struct record_entry e;
    if (!record_find(snap->record, type, id, &e))
        return ERR_NOT_FOUND;
    fill_version(&e, out);
    return e.is_deleted ? ERR_GONE : OK;
}

/* --- ids ------------------------------------------------------------------ */

/* The contract, section 5: what many patients share has a short id. */
struct str store_new_id(struct arena *a, struct str type_name, struct str owner)
{
    static const struct str shorts[] = {
        STR_INIT("Patient"),    STR_INIT("Practitioner"),
        STR_INIT("Location"),   STR_INIT("Organization"),
        STR_INIT("Medication"), STR_INIT("Binary"),
    };
    for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++)
        if (str_eq(type_name, shorts[i]))
            return rand_hex(a, 6);
    if (owner.n != 12)
        return rand_hex(a, 24);
    return arena_cat(a, owner, rand_hex(a, 18));
}
