/* _include and _revinclude: what a page's resources point to and what points
 * to them, inside the record. */
#include "record/evaluate_int.h"

struct walk {
    const struct record *r;
    struct arena *a;
    struct scan all;  /* of the whole record */
    uint64_t *taken;  /* matches and what was included */
    struct place *at; /* in the order found */
    size_t n, room;
};

static void add(struct walk *w, uint32_t segment, uint32_t entry)
{
    const struct span *p = &w->all.spans[segment];
    if (!bit_get(p->live, entry) || span_has(p, w->taken, entry))
        return;
    if (w->n == w->room) {
        size_t room = w->room * 2;
        struct place *at =
            arena_grow(w->a, w->at, w->room * sizeof *at, room * sizeof *at);
        if (at == NULL)
            return;
        w->at = at;
        w->room = room;
    }
    span_put(p, w->taken, entry);
    w->at[w->n++] = (struct place){ segment, entry };
}

static bool is_source(const struct query_include *inc, const struct segment *s,
                      uint32_t e)
{
    return inc->source_type == TYPE_NONE ||
           inc->source_type == s->entry_type[e];
}

/* The columns that an include looks at: one row's, or all references. */
static const struct column *include_columns(const struct query_include *inc,
                                            const struct segment *s,
                                            struct arena *a,
                                            const struct column **end)
{
    if (inc->row != PARAM_NONE) {
        const struct column *first = segment_columns(s, inc->row, a, end), *c;
        for (c = first; c < *end && c->row == inc->row; c++)
            ;
        *end = c;
        return first;
    }
    *end = s->columns + s->column_count;
    for (const struct column *c = s->columns; c < *end; c++)
        if (c->kind == CELL_REFERENCE)
            column_open(s, c, a);
    return s->columns;
}

static void follow(struct walk *w, const struct query_include *inc,
                   const struct span *p, const struct column *c,
                   const uint64_t *from)
{
    for (uint32_t i = 0; i < c->n; i++) {
        uint16_t type = c->type == NULL ? 0 : c->type[i];
        uint32_t e = c->entry[i], segment, entry;
        uint32_t id = at32(c->str[S_KEY], i);
        if (!span_has(p, from, e) || id == 0 || type == TYPE_NONE ||
            (inc->target_type != TYPE_NONE && inc->target_type != type) ||
            !is_source(inc, p->s, e))
            continue;
        if (record_place(w->r, type, segment_string(p->s, id), &segment,
                         &entry))
            add(w, segment, entry);
    }
}

static void forward(struct walk *w, const struct query_include *inc,
                    const uint64_t *from)
{
    for (uint32_t i = 0; i < w->all.span_count; i++) {
        const struct span *p = &w->all.spans[i];
        const struct column *end, *c = include_columns(inc, p->s, w->a, &end);
        for (; c < end; c++)
            if (c->kind == CELL_REFERENCE)
                follow(w, inc, p, c, from);
    }
}

static void reverse_column(struct walk *w, const struct query_include *inc,
                           uint32_t segment, const struct column *c,
                           uint16_t type, uint32_t id)
{
    const struct segment *s = w->r->segments[segment];
    uint32_t i = column_bound(c, 0, (uint64_t)id << 32 | type);
    for (; i < c->n && at32(c->str[S_KEY], i) == id &&
           (c->type == NULL ? 0 : c->type[i]) == type;
         i++)
        if (is_source(inc, s, c->entry[i]))
            add(w, segment, c->entry[i]);
}

static void reverse(struct walk *w, const struct query_include *inc,
                    struct place of)
{
    const struct segment *home = w->r->segments[of.segment];
    uint16_t type = home->entry_type[of.entry];
    struct str text = segment_string(home, home->entry_id[of.entry]);
    if (inc->target_type != TYPE_NONE && inc->target_type != type)
        return;
    for (uint32_t i = 0; i < w->all.span_count; i++) {
        const struct segment *s = w->r->segments[i];
        uint32_t id;
        if (!segment_string_find(s, text, &id))
            continue;
        const struct column *end, *c = include_columns(inc, s, w->a, &end);
        for (; c < end; c++)
            if (c->kind == CELL_REFERENCE)
                reverse_column(w, inc, i, c, type, id);
    }
}

/* Applies the includes to the places [from, to). */
static enum err apply(struct walk *w, const struct query *q, size_t from,
                      size_t to, bool only_iterate)
{
    uint64_t *set = scan_set(&w->all);
    if (set == NULL)
        return arena_err(w->a);
    for (size_t i = from; i < to; i++)
        span_put(&w->all.spans[w->at[i].segment], set, w->at[i].entry);
    for (size_t k = 0; k < q->include_count; k++) {
        const struct query_include *inc = &q->includes[k];
        if (only_iterate && !inc->is_iterate)
            continue;
        if (!inc->is_reverse) {
            forward(w, inc, set);
            continue;
        }
        for (size_t i = from; i < to; i++)
            reverse(w, inc, w->at[i]);
    }
    return arena_err(w->a);
}

static bool has_iterate(const struct query *q)
{
    for (size_t i = 0; i < q->include_count; i++)
        if (q->includes[i].is_iterate)
            return true;
    return false;
}

enum err include_all(const struct record *r, const struct query *q,
                     struct arena *a, const struct page *matches,
                     struct place **out, size_t *n)
{
    struct walk w = { .r = r, .a = a, .room = matches->n * 2 + 8 };
    enum err err = scan_begin(r, TYPE_NONE, a, NULL, 0, &w.all);
    if (err != OK)
        return err;
    w.taken = scan_set(&w.all);
    w.at = arena_alloc(a, w.room * sizeof *w.at);
    if (w.taken == NULL || w.at == NULL)
        return arena_err(a);
    for (size_t i = 0; i < matches->n; i++)
        add(&w, matches->at[i].segment, matches->at[i].entry);
    size_t from = 0, to = w.n;
    err = apply(&w, q, from, to, false);
    while (err == OK && has_iterate(q) && w.n > to) {
        from = to;
        to = w.n;
        err = apply(&w, q, from, to, true);
    }
    if (err != OK)
        return err;
    *out = w.at;
    *n = w.n;
    return OK;
}
