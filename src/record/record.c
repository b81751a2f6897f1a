#include "record/record.h"

#include <stdlib.h>
#include <string.h>

#include "record/segment_int.h"

/* One block: the struct, its pointers, two bitmaps a segment. */
static struct record *alloc(enum release release, size_t n,
                            struct segment *const *segments)
{
    size_t words = 0;
    for (size_t i = 0; i < n; i++)
        words += 2 * ((size_t)segments[i]->entry_count / 64 + 1);
    size_t bytes = sizeof(struct record) + n * 3 * sizeof(void *) +
                   words * sizeof(uint64_t);
    struct record *r = calloc(1, bytes);
    if (r == NULL)
        return NULL;
    atomic_init(&r->refs, 1);
    r->release = release;
    r->segment_count = (uint32_t)n;
    r->bytes = bytes;
    r->segments = (struct segment **)(r + 1);
    r->live = (uint64_t **)(r->segments + n);
    r->newest = r->live + n;
    uint64_t *bits = (uint64_t *)(r->newest + n);
    for (size_t i = 0; i < n; i++) {
        size_t w = (size_t)segments[i]->entry_count / 64 + 1;
        r->segments[i] = segment_ref(segments[i]);
        r->live[i] = bits;
        r->newest[i] = bits + w;
        bits += 2 * w;
    }
    return r;
}

static void set_all(uint64_t *bits, uint32_t n)
{
    memset(bits, 0xff, n / 64 * sizeof *bits);
    if (n % 64 != 0)
        bits[n / 64] = (UINT64_C(1) << (n % 64)) - 1;
}

/* In segments below i, clears what i has as well.  is_history: they were
 * written in this order, so that a first version has nothing below. */
static void supersede(struct record *r, uint32_t i, bool is_history)
{
    const struct segment *s = r->segments[i];
    for (uint32_t e = 0; i > 0 && e < s->entry_count; e++) {
        if (is_history && s->entry_version[e] == 1)
            continue;
        struct str id = segment_string(s, s->entry_id[e]);
        for (uint32_t below = i; below-- > 0;) {
            uint32_t at;
            if (!segment_find(r->segments[below], s->entry_type[e], id, &at))
                continue;
            r->newest[below][at / 64] &= ~(UINT64_C(1) << (at % 64));
            r->live[below][at / 64] &= ~(UINT64_C(1) << (at % 64));
        }
    }
}

static void begin(struct record *r, uint32_t i)
{
    const struct segment *s = r->segments[i];
    set_all(r->newest[i], s->entry_count);
    for (uint32_t w = 0; w <= s->entry_count / 64; w++)
        r->live[i][w] = r->newest[i][w] & ~s->entry_deleted[w];
}

enum err record_new(enum release release, struct segment *const *oldest_first,
                    size_t n, struct record **out)
{
    struct record *r = alloc(release, n, oldest_first);
    if (r == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->segment_count; i++) {
        begin(r, i);
        supersede(r, i, true);
    }
    *out = r;
    return OK;
}

enum err record_push(const struct record *r, size_t replaced,
                     struct segment *top, struct record **out)
{
    uint32_t kept = r->segment_count - (uint32_t)replaced;
    struct segment **all = malloc((kept + 1) * sizeof *all);
    if (all == NULL)
        return ERR_NOMEM;
    memcpy(all, r->segments, kept * sizeof *all);
    all[kept] = top;
    struct record *made = alloc(r->release, (size_t)kept + 1, all);
    free(all);
    if (made == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < kept; i++) {
        size_t bytes = (r->segments[i]->entry_count / 64 + 1) * 8;
        memcpy(made->live[i], r->live[i], bytes);
        memcpy(made->newest[i], r->newest[i], bytes);
    }
    begin(made, kept);
    supersede(made, kept, false); /* a past record has old ones on top */
    *out = made;
    return OK;
}

struct record *record_ref(struct record *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void record_unref(struct record *r)
{
    if (r == NULL ||
        atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < r->segment_count; i++)
        segment_unref(r->segments[i]);
    free(r);
}

size_t record_segment_count(const struct record *r)
{
    return r->segment_count;
}

struct segment *record_segment(const struct record *r, size_t i)
{
    return r->segments[i];
}

size_t record_bytes(const struct record *r)
{
    size_t bytes = r->bytes;
    for (uint32_t i = 0; i < r->segment_count; i++)
        bytes += r->segments[i]->bytes;
    return bytes;
}

bool record_place(const struct record *r, uint16_t type, struct str id,
                  uint32_t *segment, uint32_t *entry)
{
    for (uint32_t i = r->segment_count; i-- > 0;)
        if (segment_find(r->segments[i], type, id, entry)) {
            *segment = i;
            return true;
        }
    return false;
}

bool record_find(const struct record *r, uint16_t type, struct str id,
                 struct record_entry *out)
{
    uint32_t segment, entry;
    if (!record_place(r, type, id, &segment, &entry))
        return false;
    *out = segment_entry(r->segments[segment], entry);
    return true;
}

static uint64_t count_bits(const uint64_t *bits, uint32_t first, uint32_t last)
{
    uint64_t n = 0;
    for (uint32_t e = first; e < last;) {
        uint64_t word = bits[e / 64] >> (e % 64);
        uint32_t here = 64 - e % 64;
        if (here > last - e) {
            here = last - e;
            word &= (UINT64_C(1) << here) - 1;
        }
        n += (uint64_t)__builtin_popcountll(word);
        e += here;
    }
    return n;
}

uint64_t record_count(const struct record *r, uint16_t type)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->segment_count; i++) {
        uint32_t first = 0, last = r->segments[i]->entry_count;
        if (type != TYPE_NONE)
            segment_type_range(r->segments[i], type, &first, &last);
        n += count_bits(r->live[i], first, last);
    }
    return n;
}

size_t record_each(const struct record *r, uint16_t type,
                   void (*each)(void *context, const struct record_entry *e),
                   void *context)
{
    size_t n = 0;
    for (uint32_t i = 0; i < r->segment_count; i++) {
        uint32_t first = 0, last = r->segments[i]->entry_count;
        if (type != TYPE_NONE)
            segment_type_range(r->segments[i], type, &first, &last);
        for (uint32_t e = first; e < last; e++) {
            if (!bit_get(r->newest[i], e))
                continue;
            struct record_entry entry = segment_entry(r->segments[i], e);
            each(context, &entry);
            n++;
        }
    }
    return n;
}
