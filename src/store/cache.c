/* Design notes
 * A hot record holds a view (the index as of one commit) and chunks of packed
 * bodies.  A view is found by what the record's row says, so another process's
 * commit makes it useless but never wrong; stamp and born are random, since two
 * processes may give the same seq to different commits.  A commit under way
 * puts its view up as `coming` before the writer runs, so that whoever sees
 * the new row finds it.  Bodies never change, so chunks outlive views.
 *
 * A hot record is counted: one for being listed, one for each holder. */
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "store/store_int.h"

#define BUCKETS    16384
#define CHUNKS_MAX (SLOT_MAX / CHUNK_SLOTS)

/* --- views and chunks ----------------------------------------------------- */

struct view *view_new(const struct record_row *row, struct record *record)
{
    struct view *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->row = *row;
    v->record = record_ref(record);
    return v;
}

void view_free(struct view *v)
{
    if (v != NULL)
        record_unref(v->record);
    free(v);
}

struct chunk *chunk_new(size_t bytes)
{
    struct chunk *c = malloc(sizeof *c + bytes);
    if (c != NULL) {
        atomic_init(&c->refs, 1);
        c->n = 0;
        c->at[0] = 0;
    }
    return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void chunk_unref(struct chunk *c)
{
    if (c != NULL &&
        atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        free(c);
}

static size_t chunk_bytes(const struct chunk *c)
{
    return c == NULL ? 0 : sizeof *c + c->at[c->n];
}

static size_t view_bytes(const struct view *v)
{
    return v == NULL ? 0 : sizeof *v + record_bytes(v->record);
}

/* --- the cache ------------------------------------------------------------ */

enum err cache_init(struct cache *c, size_t bytes_max)
{
    c->bytes_max = bytes_max;
    c->buckets = calloc(BUCKETS, sizeof(struct hot *));
    if (c->buckets == NULL || pthread_mutex_init(&c->lock, NULL) != 0)
        return ERR_NOMEM;
    return OK;
}

static void hot_free(struct hot *h)
{
    view_free(h->now);
    view_free(h->coming);
    for (size_t i = 0; i < h->chunk_room; i++)
        chunk_unref(h->chunks[i]);
    free(h->chunks);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static struct hot **place_of(struct cache *c, int64_t user_id,
                             enum record_kind kind)
{
    uint64_t key =
        ((uint64_t)user_id << 2 | kind) * UINT64_C(0x9E3779B97F4A7C15);
    return &c->buckets[key >> 32 & (BUCKETS - 1)];
}

static void unlink_use(struct cache *c, struct hot *h)
{
    *(h->newer != NULL ? &h->newer->older : &c->newest) = h->older;
    *(h->older != NULL ? &h->older->newer : &c->oldest) = h->newer;
    h->newer = h->older = NULL;
}

static void link_newest(struct cache *c, struct hot *h)
{
    h->older = c->newest;
    *(c->newest != NULL ? &c->newest->newer : &c->oldest) = h;
    c->newest = h;
}

/* Takes h off the lists; true when nobody holds it any more. */
static bool unlist(struct cache *c, struct hot *h)
{
    struct hot **at = place_of(c, h->user_id, h->kind);
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    h->next = NULL;
    unlink_use(c, h);
    c->bytes -= h->bytes;
    c->count--;
    h->is_listed = false;
    return --h->refs == 0;
}

/* Takes off what is too much, oldest first, and never the newest; the list of
 * those to free is handed back. */
static struct hot *shrink(struct cache *c)
{
    struct hot *dead = NULL;
    while (c->bytes > c->bytes_max && c->oldest != c->newest) {
        struct hot *h = c->oldest;
        if (unlist(c, h)) {
            h->next = dead;
            dead = h;
        }
    }
    return dead;
}

static void free_all(struct hot *dead)
{
    while (dead != NULL) {
        struct hot *next = dead->next;
        hot_free(dead);
        dead = next;
    }
}

void cache_fini(struct cache *c)
{
    while (c->newest != NULL) {
        struct hot *h = c->newest;
        if (unlist(c, h))
            hot_free(h);
    }
    free(c->buckets);
    pthread_mutex_destroy(&c->lock);
}

static struct hot *find(struct cache *c, int64_t user_id, enum record_kind kind)
{
    struct hot *h = *place_of(c, user_id, kind);
    while (h != NULL && (h->user_id != user_id || h->kind != kind))
        h = h->next;
    return h;
}

struct hot *cache_get(struct cache *c, int64_t user_id, enum record_kind kind)
{
    GUARD(&c->lock);
    struct hot *h = find(c, user_id, kind);
    if (h != NULL) {
        h->refs++;
        if (c->newest != h) {
            unlink_use(c, h);
            link_newest(c, h);
        }
        return h;
    }
    h = calloc(1, sizeof *h);
    if (h == NULL || pthread_mutex_init(&h->lock, NULL) != 0) {
        free(h);
        return NULL;
    }
    h->user_id = user_id;
    h->kind = kind;
    h->refs = 2;
    h->is_listed = true;
    h->bytes = sizeof *h;
    struct hot **at = place_of(c, user_id, kind);
    h->next = *at;
    *at = h;
    link_newest(c, h);
    c->bytes += h->bytes;
    c->count++;
    return h;
}

void cache_put(struct cache *c, struct hot *h)
{
    if (h == NULL)
        return;
    bool is_last;
    {
        GUARD(&c->lock);
        is_last = --h->refs == 0;
    }
    if (is_last)
        hot_free(h);
}

void cache_drop(struct cache *c, int64_t user_id, enum record_kind kind)
{
    struct hot *h;
    bool is_last = false;
    {
        GUARD(&c->lock);
        h = find(c, user_id, kind);
        if (h != NULL)
            is_last = unlist(c, h);
    }
    if (is_last)
        hot_free(h);
}

/* Counts bytes that h has more, or less, and makes room. */
static void charge(struct cache *c, struct hot *h, size_t more, size_t less)
{
    struct hot *dead;
    {
        GUARD(&c->lock);
        h->bytes += more;
        h->bytes -= less;
        if (h->is_listed) {
            c->bytes += more;
            c->bytes -= less;
        }
        dead = shrink(c);
    }
    free_all(dead);
}

/* --- a hot record --------------------------------------------------------- */

static bool is_same_row(const struct record_row *a, const struct record_row *b)
{
    return a->seq == b->seq && a->stamp == b->stamp && a->born == b->born;
}

static const struct view *find_view(const struct hot *h,
                                    const struct record_row *row)
{
    if (h->now != NULL && is_same_row(&h->now->row, row))
        return h->now;
    if (h->coming != NULL && is_same_row(&h->coming->row, row))
        return h->coming;
    return NULL;
}

struct record *hot_find_view(struct hot *h, const struct record_row *row)
{
    GUARD(&h->lock);
    const struct view *v = find_view(h, row);
    return v == NULL ? NULL : record_ref(v->record);
}

bool hot_numbers(struct hot *h, const struct record_row *row,
                 int64_t numbers[SEGMENTS_MAX])
{
    GUARD(&h->lock);
    const struct view *v = find_view(h, row);
    if (v != NULL)
        memcpy(numbers, v->numbers, sizeof v->numbers);
    return v != NULL;
}

struct record *hot_latest(struct hot *h, int64_t born,
                          int64_t numbers[SEGMENTS_MAX])
{
    GUARD(&h->lock);
    if (h->now == NULL || h->now->row.born != born)
        return NULL;
    memcpy(numbers, h->now->numbers, sizeof h->now->numbers);
    return record_ref(h->now->record);
}

void hot_set_view(struct cache *c, struct hot *h, struct view *v)
{
    struct view *old;
    {
        GUARD(&h->lock);
        bool is_older = h->now != NULL && h->now->row.born == v->row.born &&
                        h->now->row.seq > v->row.seq;
        old = is_older ? v : h->now;
        if (!is_older)
            h->now = v;
    }
    if (old != v)
        charge(c, h, view_bytes(v), view_bytes(old));
    view_free(old);
}

void hot_set_coming(struct hot *h, struct view *v)
{
    struct view *old;
    {
        GUARD(&h->lock);
        old = h->coming;
        h->coming = v;
    }
    view_free(old);
}

void hot_end_coming(struct cache *c, struct hot *h, bool is_done)
{
    struct view *v;
    {
        GUARD(&h->lock);
        v = h->coming;
        if (!is_done)
            h->coming = NULL;
    }
    if (!is_done) {
        view_free(v);
        return;
    }
    /* Stays to be found until it is `now`. */
    struct view *now = view_new(&v->row, v->record);
    if (now != NULL) {
        memcpy(now->numbers, v->numbers, sizeof now->numbers);
        hot_set_view(c, h, now);
    }
    hot_set_coming(h, NULL);
}

struct chunk *hot_find_chunk(struct hot *h, int64_t born, uint32_t slot)
{
    GUARD(&h->lock);
    uint32_t number = slot / CHUNK_SLOTS;
    if (h->chunks_born != born || number >= h->chunk_room)
        return NULL;
    struct chunk *c = h->chunks[number];
    return c == NULL || c->n <= slot % CHUNK_SLOTS ? NULL : chunk_ref(c);
}

static bool make_room(struct hot *h, uint32_t number)
{
    if (number < h->chunk_room)
        return true;
    size_t room = h->chunk_room == 0 ? 4 : h->chunk_room * 2;
    while (room <= number)
        room *= 2;
    struct chunk **chunks =
        number < CHUNKS_MAX ? realloc(h->chunks, room * sizeof(struct chunk *))
                            : NULL;
    if (chunks == NULL)
        return false;
    memset(chunks + h->chunk_room, 0, (room - h->chunk_room) * sizeof *chunks);
    h->chunks = chunks;
    h->chunk_room = room;
    return true;
}

void hot_set_chunk(struct cache *c, struct hot *h, int64_t born,
                   uint32_t number, struct chunk *chunk)
{
    size_t less = 0, more = 0;
    {
        GUARD(&h->lock);
        if (h->chunks_born != born) {
            for (size_t i = 0; i < h->chunk_room; i++) {
                less += chunk_bytes(h->chunks[i]);
                chunk_unref(h->chunks[i]);
                h->chunks[i] = NULL;
            }
            h->chunks_born = born;
        }
        if (make_room(h, number) &&
            (h->chunks[number] == NULL || h->chunks[number]->n < chunk->n)) {
            less += chunk_bytes(h->chunks[number]);
            chunk_unref(h->chunks[number]);
            h->chunks[number] = chunk_ref(chunk);
            more = chunk_bytes(chunk);
        }
    }
    charge(c, h, more, less);
}
