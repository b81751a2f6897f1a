/* Columns on their way back from encode.c.  Nothing read is trusted.
 *
 * Design notes
 * A search looks at three of three hundred columns, and most of a cold load
 * would go into memory that nobody reads: so those of a large segment stay
 * packed until they are asked for.  Who opens one fills it under the segment's
 * lock and says so last; who finds it open needs no lock. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "record/codec_int.h"

/* Columns are most of a cold load.  What is wrong is looked at once, at the
 * end; where so many numbers surely have room, they are read without looking
 * for it each time. */
static inline const unsigned char *next_u64(const unsigned char *at,
                                            struct reader *r, uint64_t *out)
{
    if (*at < 0x80) {
        *out = *at;
        return at + 1;
    }
    struct reader one = { .at = at, .end = r->end };
    *out = take_u64(&one);
    r->is_bad |= one.is_bad;
    return one.at;
}

static bool has_room(const struct reader *r, uint32_t n)
{
    return (size_t)(r->end - r->at) / VARINT_MAX >= n;
}

void take_u32s(struct reader *r, uint32_t *p, uint32_t n, uint64_t below)
{
    uint64_t now = 0, v, is_past = 0;
    bool is_roomy = has_room(r, n);
    const unsigned char *at = r->at;
    for (uint32_t i = 0; i < n; i++) {
        if (is_roomy)
            at = next_u64(at, r, &v);
        else
            v = take_u64(r);
        now += (uint64_t)unzigzag(v);
        is_past |= now >= below;
        p[i] = (uint32_t)now;
    }
    if (is_roomy)
        r->at = at;
    r->is_bad |= is_past != 0;
    if (r->is_bad && n > 0)
        memset(p, 0, n * sizeof *p); /* no place outside, even so */
}

void take_i64s(struct reader *r, int64_t *p, uint32_t n)
{
    uint64_t now = 0;
    for (uint32_t i = 0; i < n; i++) {
        now += (uint64_t)unzigzag(take_u64(r));
        p[i] = (int64_t)now;
    }
}

void take_bytes(struct reader *r, void *to, size_t n)
{
    if ((size_t)(r->end - r->at) < n) {
        r->is_bad = true;
        return;
    }
    if (n > 0)
        memcpy(to, r->at, n);
    r->at += n;
}

static void take_spans(struct reader *r, struct column *c)
{
    take_i64s(r, c->low, c->n);
    uint64_t span = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        span += (uint64_t)unzigzag(take_u64(r));
        c->high[i] = (int64_t)((uint64_t)c->low[i] + span);
    }
}

static void take_doubles(struct reader *r, double *p, uint32_t n)
{
    for (uint32_t i = 0; i < n && !r->is_bad; i++) {
        unsigned char places = 0;
        take_bytes(r, &places, 1);
        if (places < DECIMAL_SCALES)
            p[i] = (double)unzigzag(take_u64(r)) / decimal_scale[places];
        else
            take_bytes(r, &p[i], sizeof *p);
    }
}

void take_column(struct reader *r, const struct segment *s, struct column *c)
{
    take_u32s(r, c->entry, c->n, s->entry_count);
    for (unsigned i = 0; i < S_COUNT; i++)
        if (c->str[i] != NULL)
            take_u32s(r, c->str[i], c->n, s->string_count);
    if (c->low != NULL)
        take_spans(r, c);
    for (unsigned i = 0; i < N_COUNT; i++)
        if (c->number[i] != NULL)
            take_doubles(r, c->number[i], c->n);
    if (c->flags != NULL)
        take_bytes(r, c->flags, c->n);
    if (c->type != NULL)
        take_bytes(r, c->type, c->n * sizeof *c->type);
    if (c->group != NULL)
        take_u32s(r, c->group, c->n, (uint64_t)UINT32_MAX + 1);
}

/* --- opening -------------------------------------------------------------- */

static enum err fill(const struct segment *s, const struct column_plan *plan,
                     const unsigned char *plain, struct column *c)
{
    struct reader r = { .at = plain, .end = plain + plan->plain };
    take_column(&r, s, c);
    bool is_good =
        !r.is_bad && r.at == r.end && column_seal(s, c) && c->of == plan->of;
    return is_good ? OK : ERR_FORMAT;
}

static enum err unpack_and_fill(const struct segment *s, const struct closed *k,
                                struct column *c)
{
    const unsigned char *from = s->packed + k->at;
    size_t packed = k->plan.packed, n = k->plan.plain;
    if (packed == n)
        return fill(s, &k->plan, from, c);
    if (ZSTD_getFrameContentSize(from, packed) != n)
        return ERR_FORMAT;
    unsigned char *plain = malloc(n + 1);
    if (plain == NULL)
        return ERR_NOMEM;
    enum err err = ERR_FORMAT;
    if (ZSTD_decompress(plain, n, from, packed) == n)
        err = fill(s, &k->plan, plain, c);
    free(plain);
    return err;
}

static enum err open_closed(const struct segment *s, struct closed *k,
                            struct column *to)
{
    void *room;
    struct column c;
    enum err err = column_alloc(&k->plan, &room, &c);
    if (err != OK)
        return err;
    err = unpack_and_fill(s, k, &c);
    if (err != OK) {
        free(room);
        return err;
    }
    k->room = room;
    /* What comes before others may be reading. */
    const size_t from = offsetof(struct column, is_strict);
    memcpy((char *)to + from, (char *)&c + from, sizeof c - from);
    atomic_store_explicit(&k->is_open, true, memory_order_release);
    return OK;
}

void column_open(const struct segment *s, const struct column *c,
                 struct arena *a)
{
    if (s->closed == NULL)
        return;
    size_t i = (size_t)(c - s->columns);
    struct closed *k = &s->closed[i];
    if (atomic_load_explicit(&k->is_open, memory_order_acquire))
        return;
    pthread_mutex_t *lock = (pthread_mutex_t *)&s->lock;
    enum err err = OK;
    (void)pthread_mutex_lock(lock);
    if (!atomic_load_explicit(&k->is_open, memory_order_relaxed))
        err = open_closed(s, k, &s->columns[i]);
    (void)pthread_mutex_unlock(lock);
    if (err != OK && a->err == OK)
        a->err = err;
}

void segment_open(const struct segment *s, struct arena *a)
{
    for (uint32_t i = 0; s->closed != NULL && i < s->column_count; i++)
        column_open(s, &s->columns[i], a);
}
