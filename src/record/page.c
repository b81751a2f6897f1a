/* One page of a set: by id, the cursor's order, or by sort keys. */
#include <stdlib.h>
#include <string.h>

#include "record/evaluate_int.h"

/* --- by id ---------------------------------------------------------------- */

struct head {
    uint32_t segment, entry;
    uint16_t type;
    struct str id;
};

static bool head_is_before(const struct head *a, const struct head *b)
{
    return a->type != b->type ? a->type < b->type : str_cmp(a->id, b->id) < 0;
}

/* Segments are few: the smallest head is found by looking at all. */
static size_t first_head(const struct head *heads, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (head_is_before(&heads[i], &heads[best]))
            best = i;
    return best;
}

static bool head_set(const struct scan *s, const uint64_t *set, uint32_t from,
                     struct head *h)
{
    const struct span *p = &s->spans[h->segment];
    h->entry = span_next(p, set, from);
    if (h->entry == p->last)
        return false;
    h->type = p->s->entry_type[h->entry];
    h->id = segment_string(p->s, p->s->entry_id[h->entry]);
    return true;
}

/* The first entry behind the cursor. */
static uint32_t behind(const struct span *p, uint16_t type, struct str id)
{
    uint32_t first, last;
    segment_type_range(p->s, type, &first, &last);
    first = segment_id_bound(p->s, first, last, id);
    return first + (first < last &&
                    str_eq(segment_string(p->s, p->s->entry_id[first]), id));
}

static size_t begin_heads(const struct scan *s, const uint64_t *set,
                          uint16_t type, struct str after, struct head *heads)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        if (p->words == 0)
            continue;
        uint32_t from = after.p == NULL ? p->first : behind(p, type, after);
        heads[n].segment = i;
        n += head_set(s, set, from, &heads[n]);
    }
    return n;
}

enum err page_by_id(const struct scan *s, const uint64_t *set, uint16_t type,
                    struct str after, uint64_t skip, uint64_t count,
                    struct page *out)
{
    size_t most = count < s->words * 64 ? (size_t)count : s->words * 64;
    struct head *heads = arena_alloc(s->a, (s->span_count + 1) * sizeof *heads);
    struct place *at = arena_alloc(s->a, (most + 1) * sizeof *at);
    if (heads == NULL || at == NULL)
        return arena_err(s->a);
    size_t left = begin_heads(s, set, type, after, heads), n = 0;
    while (left > 0 && n < most) {
        struct head *h = &heads[first_head(heads, left)];
        if (skip > 0)
            skip--;
        else
            at[n++] = (struct place){ h->segment, h->entry };
        if (!head_set(s, set, h->entry + 1, h))
            *h = heads[--left];
    }
    *out = (struct page){ .at = at, .n = n, .has_next = left > 0 };
    return OK;
}

/* --- sorted --------------------------------------------------------------- */

/* A resource's value of one sort key: compared as a number, then as text. */
struct value {
    uint64_t number;
    struct str text;
    bool is_missing;
};

struct item {
    struct place place;
    uint16_t type;
    struct str id;
    struct value *values; /* one a key */
};

struct sorter {
    const struct scan *s;
    const struct query *q;
    const struct record *now; /* struct pivot */
    struct place pivot;       /* where has_pivot */
    bool has_pivot;
    struct item *items;
    size_t n;
    uint32_t **item_of; /* per segment: entry - first -> item, from 1 on */
};

static int compare_values(const struct value *a, const struct value *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return str_cmp(a->text, b->text);
}

static int compare(const struct sorter *t, const struct item *a,
                   const struct item *b)
{
    for (size_t i = 0; i < t->q->sort_count; i++) {
        const struct value *x = &a->values[i], *y = &b->values[i];
        if (x->is_missing != y->is_missing)
            return x->is_missing ? 1 : -1; /* last, both ways */
        int order = x->is_missing ? 0 : compare_values(x, y);
        if (order != 0)
            return t->q->sorts[i].is_descending ? -order : order;
    }
    /* By type and id, as entries are. */
    if (a->place.segment == b->place.segment)
        return (a->place.entry > b->place.entry) -
               (a->place.entry < b->place.entry);
    return a->type != b->type ? (a->type < b->type ? -1 : 1)
                              : str_cmp(a->id, b->id);
}

static uint64_t head_of(struct str s)
{
    unsigned char bytes[8] = { 0 };
    if (s.n > 0)
        memcpy(bytes, s.p, s.n < 8 ? s.n : 8);
    uint64_t head;
    memcpy(&head, bytes, 8);
    return __builtin_bswap64(head);
}

static struct value value_of(const struct segment *s, const struct column *c,
                             uint32_t i)
{
    struct value v = { .text = STR("") };
    if (c->kind == CELL_DATE || c->kind == CELL_NUMBER ||
        c->kind == CELL_QUANTITY) {
        v.number = column_key(c, i);
        return v;
    }
    uint32_t key = at32(c->str[S_KEY], i);
    v.text = segment_string(s, key != 0 ? key : at32(c->str[S_TEXT], i));
    v.number = head_of(v.text);
    return v;
}

/* Of several values the smallest counts, or descending the largest: the
 * column is sorted, so it is the first met from that end. */
static void take_column(const struct sorter *t, size_t key, uint32_t segment,
                        const struct column *c)
{
    const struct span *p = &t->s->spans[segment];
    const uint32_t *item_of = t->item_of[segment];
    for (uint32_t k = 0; k < c->n; k++) {
        uint32_t i = t->q->sorts[key].is_descending ? c->n - 1 - k : k;
        uint32_t item = item_of[c->entry[i] - p->first];
        if (item == 0)
            continue;
        struct value *v = &t->items[item - 1].values[key];
        if (v->is_missing)
            *v = value_of(p->s, c, i);
    }
}

static void take_values(const struct sorter *t, size_t key)
{
    const struct query_sort *sort = &t->q->sorts[key];
    if (sort->key == SORT_PARAM) {
        for (uint32_t i = 0; i < t->s->span_count; i++) {
            const struct span *p = &t->s->spans[i];
            const struct column *end,
                *c = segment_columns(p->s, sort->row, t->s->a, &end);
            for (; p->words > 0 && c < end && c->row == sort->row; c++)
                if (c->part != PART_OF_TYPE &&
                    (t->s->type == TYPE_NONE || scan_fits(t->s, c)))
                    take_column(t, key, i, c);
        }
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        struct item *item = &t->items[i];
        const struct segment *s = t->s->spans[item->place.segment].s;
        struct value *v = &item->values[key];
        *v = (struct value){ .text = STR("") };
        if (sort->key == SORT_LAST_UPDATED)
            v->number = (uint64_t)s->entry_updated[item->place.entry] ^
                        UINT64_C(1) << 63;
        else
            v->text = item->id;
    }
}

/* What was changed since the past stands in its topmost segment. */
static bool is_gone(const struct sorter *t, uint32_t segment, uint32_t entry)
{
    const struct segment *s = t->s->spans[segment].s;
    struct record_entry e;
    if (t->now == NULL || segment + 1 < t->s->span_count ||
        (segment == t->pivot.segment && entry == t->pivot.entry))
        return false;
    return !record_find(t->now, s->entry_type[entry],
                        segment_string(s, s->entry_id[entry]), &e) ||
           e.is_deleted;
}

static enum err take_items(struct sorter *t, const uint64_t *set,
                           uint64_t total)
{
    struct arena *a = t->s->a;
    size_t keys = t->q->sort_count;
    t->items = arena_alloc(a, (size_t)(total + 1) * sizeof *t->items);
    t->item_of = arena_zalloc(a, t->s->span_count + 1, sizeof *t->item_of);
    struct value *values =
        arena_alloc(a, ((size_t)total * keys + 1) * sizeof *values);
    if (t->items == NULL || t->item_of == NULL || values == NULL)
        return arena_err(a);
    for (uint32_t i = 0; i < t->s->span_count; i++) {
        const struct span *p = &t->s->spans[i];
        t->item_of[i] =
            arena_zalloc(a, p->last - p->first + 1, sizeof(uint32_t));
        if (t->item_of[i] == NULL)
            return arena_err(a);
        for (uint32_t e = span_next(p, set, p->first); e < p->last;
             e = span_next(p, set, e + 1)) {
            if (is_gone(t, i, e))
                continue;
            struct item *item = &t->items[t->n];
            *item = (struct item){
                .place = { i, e },
                .type = p->s->entry_type[e],
                .id = segment_string(p->s, p->s->entry_id[e]),
                .values = values + t->n * keys,
            };
            for (size_t k = 0; k < keys; k++)
                item->values[k].is_missing = true;
            t->item_of[i][e - p->first] = (uint32_t)++t->n;
        }
    }
    return OK;
}

static void swap(struct item *a, struct item *b)
{
    struct item c = *a;
    *a = *b;
    *b = c;
}

/* A heap whose top is the last in order. */
static void sift_down(const struct sorter *t, struct item *heap, size_t n,
                      size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare(t, &heap[child], &heap[child + 1]) < 0)
            child++;
        if (compare(t, &heap[i], &heap[child]) >= 0)
            return;
        swap(&heap[i], &heap[child]);
        i = child;
    }
}

/* Brings the first `want` of all to the front, in order. */
static void select_first(const struct sorter *t, size_t want)
{
    struct item *heap = t->items;
    for (size_t i = want / 2 + 1; i-- > 0;)
        sift_down(t, heap, want, i);
    for (size_t i = want; i < t->n; i++)
        if (want > 0 && compare(t, &heap[i], &heap[0]) < 0) {
            swap(&heap[i], &heap[0]);
            sift_down(t, heap, want, 0);
        }
    for (size_t n = want; n > 1; n--) {
        swap(&heap[0], &heap[n - 1]);
        sift_down(t, heap, n - 1, 0);
    }
}

/* The pivot is an item for as long as it takes to compare with it. */
static enum err find_pivot(struct sorter *t, const struct pivot *from,
                           uint64_t *set, uint64_t *total)
{
    const struct scan *s = t->s;
    t->now = from->now == s->r ? NULL : from->now;
    t->pivot = (struct place){ UINT32_MAX, 0 };
    t->has_pivot = from->id.p != NULL;
    if (!t->has_pivot)
        return OK;
    if (!record_place(s->r, from->type, from->id, &t->pivot.segment,
                      &t->pivot.entry))
        return why(s->w, ERR_INVALID,
                   "this page follows what is not there any more: begin anew");
    const struct span *p = &s->spans[t->pivot.segment];
    if (t->pivot.entry < p->first || t->pivot.entry >= p->last)
        return why(s->w, ERR_INVALID, "this page follows another type");
    *total += !span_has(p, set, t->pivot.entry);
    span_put(p, set, t->pivot.entry);
    return OK;
}

/* Keeps the items behind the pivot. */
static void cut_at_pivot(struct sorter *t)
{
    const struct span *p = &t->s->spans[t->pivot.segment];
    uint32_t at = t->item_of[t->pivot.segment][t->pivot.entry - p->first];
    struct item pivot = t->items[at - 1];
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (compare(t, &t->items[i], &pivot) > 0)
            t->items[n++] = t->items[i];
    t->n = n;
}

enum err page_sorted(const struct scan *s, const struct query *q,
                     const struct pivot *from, uint64_t *set, uint64_t total,
                     struct page *out)
{
    struct sorter t = { .s = s, .q = q };
    enum err err = find_pivot(&t, from, set, &total);
    if (err == OK)
        err = take_items(&t, set, total);
    if (err != OK)
        return err;
    for (size_t i = 0; i < q->sort_count; i++)
        take_values(&t, i);
    if (t.has_pivot)
        cut_at_pivot(&t);
    uint64_t end = (uint64_t)q->skip + q->count;
    size_t want = end < t.n ? (size_t)end : t.n;
    select_first(&t, want);
    size_t n = want > q->skip ? want - q->skip : 0;
    struct place *at = arena_alloc(s->a, (n + 1) * sizeof *at);
    if (at == NULL)
        return arena_err(s->a);
    for (size_t i = 0; i < n; i++)
        at[i] = t.items[q->skip + i].place;
    *out = (struct page){ .at = at, .n = n, .has_next = end < t.n };
    return OK;
}
