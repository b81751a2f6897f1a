#include "record/segment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "record/segment_int.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* Hands out parts of one block; with base NULL it only measures. */
struct slab {
    char *base;
    size_t at;
};

static void *take(struct slab *s, size_t n, size_t size)
{
    size_t from = (s->at + 7) / 8 * 8;
    s->at = from + n * size;
    return s->base == NULL ? NULL : s->base + from;
}

static void take_column(struct slab *s, const struct column_plan *p,
                        struct column *c)
{
    *c = (struct column){
        .row = p->row, .kind = p->kind, .part = p->part, .n = p->n
    };
    c->entry = take(s, p->n, sizeof *c->entry);
    for (unsigned i = 0; i < S_COUNT; i++)
        if (p->parts >> i & HAS_STR)
            c->str[i] = take(s, p->n, sizeof **c->str);
    if (p->parts & HAS_SPAN) {
        c->low = take(s, p->n, sizeof *c->low);
        c->high = take(s, p->n, sizeof *c->high);
    }
    for (unsigned i = 0; (p->parts & HAS_NUMBER) && i < N_COUNT; i++)
        c->number[i] = take(s, p->n, sizeof **c->number);
    if (p->parts & HAS_FLAGS)
        c->flags = take(s, p->n, sizeof *c->flags);
    if (p->parts & HAS_TYPE)
        c->type = take(s, p->n, sizeof *c->type);
    if (p->parts & HAS_GROUP)
        c->group = take(s, p->n, sizeof *c->group);
}

static void lay_out(struct slab *s, const struct segment_plan *p,
                    struct segment *seg)
{
    struct column spare;
    size_t n = p->entry_count;
    (void)take(s, 1, sizeof *seg);
    seg->string_at = take(s, (size_t)p->string_count + 1, sizeof(uint32_t));
    seg->string_bytes = take(s, p->string_bytes, 1);
    seg->entry_type = take(s, n, sizeof *seg->entry_type);
    seg->entry_id = take(s, n, sizeof *seg->entry_id);
    seg->entry_slot = take(s, n, sizeof *seg->entry_slot);
    seg->entry_version = take(s, n, sizeof *seg->entry_version);
    seg->entry_updated = take(s, n, sizeof *seg->entry_updated);
    seg->entry_content = take(s, n, sizeof *seg->entry_content);
    seg->entry_deleted = take(s, n / 64 + 1, sizeof *seg->entry_deleted);
    seg->types = take(s, p->type_count, sizeof *seg->types);
    seg->type_first =
        take(s, (size_t)p->type_count + 1, sizeof *seg->type_first);
    seg->columns = take(s, p->column_count, sizeof *seg->columns);
    if (p->is_closed) {
        seg->closed = take(s, p->column_count, sizeof *seg->closed);
        seg->packed = take(s, p->packed_bytes, 1);
        return;
    }
    for (uint32_t i = 0; i < p->column_count; i++)
        take_column(s, &p->columns[i],
                    s->base == NULL ? &spare : &seg->columns[i]);
}

static size_t column_bytes(const struct column_plan *p)
{
    struct slab slab = { NULL, 0 };
    struct column spare;
    take_column(&slab, p, &spare);
    return slab.at;
}

enum err column_alloc(const struct column_plan *plan, void **room,
                      struct column *out)
{
    void *p = calloc(1, column_bytes(plan) + 1);
    if (p == NULL)
        return ERR_NOMEM;
    struct slab slab = { p, 0 };
    take_column(&slab, plan, out);
    *room = p;
    return OK;
}

static void lay_out_closed(const struct segment_plan *p, struct segment *s)
{
    size_t at = 0;
    for (uint32_t i = 0; i < p->column_count; i++) {
        const struct column_plan *c = &p->columns[i];
        s->columns[i] = (struct column){
            .row = c->row, .kind = c->kind, .part = c->part, .of = c->of
        };
        s->closed[i].plan = *c;
        s->closed[i].at = at;
        at += c->packed;
    }
}

void segment_expect(void *p, size_t n)
{
    uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)p + n) & ~(HUGE_PAGE - 1);
    if (from < to)
        (void)madvise((char *)p + (from - (uintptr_t)p), to - from,
                      MADV_HUGEPAGE);
}

enum err segment_alloc(const struct segment_plan *plan, struct segment **out)
{
    struct segment measured = { 0 };
    struct slab slab = { NULL, 0 };
    lay_out(&slab, plan, &measured);
    size_t whole = slab.at; /* once everything is open */
    for (uint32_t i = 0; plan->is_closed && i < plan->column_count; i++)
        whole += column_bytes(&plan->columns[i]);
    if (whole > SEGMENT_BYTES_MAX)
        return ERR_LIMIT;
    struct segment *s = calloc(1, slab.at);
    if (s == NULL)
        return ERR_NOMEM;
    segment_expect(s, slab.at);
    s->bytes = whole;
    slab = (struct slab){ (char *)s, 0 };
    lay_out(&slab, plan, s);
    if (plan->is_closed) {
        lay_out_closed(plan, s);
        (void)pthread_mutex_init(&s->lock, NULL);
    }
    atomic_init(&s->refs, 1);
    s->string_count = plan->string_count;
    s->entry_count = plan->entry_count;
    s->column_count = plan->column_count;
    s->type_count = plan->type_count;
    *out = s;
    return OK;
}

uint32_t segment_count_types(const uint16_t *types, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        count += i == 0 || types[i] != types[i - 1];
    return count;
}

bool column_seal(const struct segment *s, struct column *c)
{
    c->is_strict = true;
    c->of = c->n == 0 ? TYPE_NONE : s->entry_type[c->entry[0]];
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->low != NULL && c->high[i] > c->low[i] &&
            (uint64_t)c->high[i] - (uint64_t)c->low[i] > (uint64_t)c->span_max)
            c->span_max = (uint64_t)c->high[i] - (uint64_t)c->low[i] > INT64_MAX
                              ? INT64_MAX
                              : c->high[i] - c->low[i];
        if (s->entry_type[c->entry[i]] != c->of)
            return false;
        if (i > 0 && c->entry[i] <= c->entry[i - 1] &&
            column_key(c, i) == column_key(c, i - 1))
            c->is_strict = false;
    }
    return true;
}

enum err segment_seal(struct segment *s)
{
    uint32_t t = 0;
    for (uint32_t e = 0; e < s->entry_count; e++)
        if (e == 0 || s->entry_type[e] != s->entry_type[e - 1]) {
            assert(t < s->type_count);
            s->types[t] = s->entry_type[e];
            s->type_first[t++] = e;
        }
    s->type_first[t] = s->entry_count;
    for (uint32_t i = 0; s->closed == NULL && i < s->column_count; i++)
        if (!column_seal(s, &s->columns[i]))
            return ERR_FORMAT;
    return OK;
}

struct segment *segment_ref(struct segment *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void segment_unref(struct segment *s)
{
    if (s == NULL ||
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (s->closed != NULL) {
        for (uint32_t i = 0; i < s->column_count; i++)
            free(s->closed[i].room);
        (void)pthread_mutex_destroy(&s->lock);
    }
    free(s);
}

size_t segment_count(const struct segment *s)
{
    return s->entry_count;
}

size_t segment_bytes(const struct segment *s)
{
    return s->bytes;
}

uint32_t segment_string_bound(const struct segment *s, struct str text,
                              bool *is_same)
{
    uint32_t from = 0, to = s->string_count;
    *is_same = false;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        int order = str_cmp(segment_string(s, mid), text);
        if (order == 0) {
            *is_same = true;
            return mid;
        }
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

bool segment_string_find(const struct segment *s, struct str text,
                         uint32_t *out)
{
    bool is_same;
    *out = segment_string_bound(s, text, &is_same);
    return is_same;
}

void segment_type_range(const struct segment *s, uint16_t type, uint32_t *first,
                        uint32_t *last)
{
    uint32_t from = 0, to = s->type_count;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (s->types[mid] < type)
            from = mid + 1;
        else
            to = mid;
    }
    bool is_there = from < s->type_count && s->types[from] == type;
    *first = s->type_first[from];
    *last = is_there ? s->type_first[from + 1] : *first;
}

uint32_t segment_id_bound(const struct segment *s, uint32_t first,
                          uint32_t last, struct str id)
{
    while (first < last) {
        uint32_t mid = first + (last - first) / 2;
        if (str_cmp(segment_string(s, s->entry_id[mid]), id) < 0)
            first = mid + 1;
        else
            last = mid;
    }
    return first;
}

bool segment_find(const struct segment *s, uint16_t type, struct str id,
                  uint32_t *entry)
{
    uint32_t first, last;
    segment_type_range(s, type, &first, &last);
    uint32_t e = segment_id_bound(s, first, last, id);
    if (e == last || !str_eq(segment_string(s, s->entry_id[e]), id))
        return false;
    *entry = e;
    return true;
}

struct record_entry segment_entry(const struct segment *s, uint32_t e)
{
    return (struct record_entry){
        .type = s->entry_type[e],
        .id = segment_string(s, s->entry_id[e]),
        .slot = s->entry_slot[e],
        .version = s->entry_version[e],
        .last_updated_ms = s->entry_updated[e],
        .content = s->entry_content[e],
        .is_deleted = segment_is_deleted(s, e),
    };
}

const struct column *segment_columns(const struct segment *s, uint16_t row,
                                     struct arena *a, const struct column **end)
{
    uint32_t from = 0, to = s->column_count;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (s->columns[mid].row < row)
            from = mid + 1;
        else
            to = mid;
    }
    *end = s->columns + s->column_count;
    for (const struct column *c = s->columns + from; c < *end && c->row == row;
         c++)
        column_open(s, c, a);
    return s->columns + from;
}

/* Doubles as numbers that sort as they do. */
static uint64_t key_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

uint64_t column_key(const struct column *c, uint32_t i)
{
    switch (c->kind) {
    case CELL_DATE:
        return c->low == NULL ? UINT64_C(1) << 63
                              : (uint64_t)c->low[i] ^ UINT64_C(1) << 63;
    case CELL_NUMBER:
    case CELL_QUANTITY:
        return key_of_double(
            c->number[N_VALUE] == NULL ? 0.0 : c->number[N_VALUE][i] + 0.0);
    case CELL_TOKEN:
        return (uint64_t)at32(c->str[S_KEY], i) << 32 |
               at32(c->str[S_SYSTEM], i);
    case CELL_STRING:
        return (uint64_t)at32(c->str[S_KEY], i) << 32 | at32(c->str[S_TEXT], i);
    case CELL_REFERENCE:
        return (uint64_t)at32(c->str[S_KEY], i) << 32 |
               (c->type == NULL ? 0 : c->type[i]);
    default:
        return (uint64_t)at32(c->str[S_KEY], i) << 32;
    }
}
