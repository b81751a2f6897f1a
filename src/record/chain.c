/* Clauses that look at other resources or at several cells together: chains,
 * _has, composites. */
#include <stdlib.h>
#include <string.h>

#include "record/evaluate_int.h"

#define DEPTH_MAX 8

/* The living entries of type that match one clause. */
static enum err match_other(const struct scan *s, uint16_t type,
                            const struct query_clause *c, struct scan *other,
                            uint64_t **set)
{
    if (s->depth >= DEPTH_MAX)
        return why(s->w, ERR_LIMIT, "the search is chained too deep");
    enum err err = scan_begin(s->r, type, s->a, s->w, s->depth + 1, other);
    if (err != OK)
        return err;
    struct query q = { .clauses = c, .clause_count = 1 };
    uint64_t total;
    return evaluate(other, &q, set, &total);
}

/* --- chain ---------------------------------------------------------------- */

/* The number of a string of `from` in `to`, looked for at and after *at, which
 * moves on; ids come in order, so a walk over both is one pass. */
static bool translate(const struct segment *to, struct str text, uint32_t *at)
{
    uint32_t low = *at, step = 1, high = low;
    while (high < to->string_count &&
           str_cmp(segment_string(to, high), text) < 0) {
        low = high + 1;
        high = low + step;
        step *= 2;
    }
    if (high > to->string_count)
        high = to->string_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(segment_string(to, mid), text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *at = low;
    return low < to->string_count && str_eq(segment_string(to, low), text);
}

static void mark_pointing(const struct column *c, uint32_t id, uint16_t type,
                          uint32_t *at, const struct target *to)
{
    *at = column_bound(c, *at, (uint64_t)id << 32);
    for (; *at < c->n && at32(c->str[S_KEY], *at) == id; (*at)++) {
        uint16_t has = c->type == NULL ? 0 : c->type[*at];
        if (has == type || has == TYPE_NONE)
            mark(to, c, *at);
    }
}

/* Marks the cells of c, a column of p, that point to the entries of `set` in
 * the other scan's span o. */
static void join(const struct span *p, const struct column *c,
                 const struct span *o, uint16_t type, const uint64_t *set,
                 const struct target *to)
{
    uint32_t string = 0, cell = 0;
    for (uint32_t e = span_next(o, set, o->first); e < o->last && cell < c->n;
         e = span_next(o, set, e + 1)) {
        uint32_t id = o->s->entry_id[e];
        if (o->s != p->s) {
            if (!translate(p->s, segment_string(o->s, id), &string))
                continue;
            id = string;
        }
        mark_pointing(c, id, type, &cell, to);
    }
}

static enum err chain_to(const struct scan *s, const struct query_clause *c,
                         uint16_t row, uint16_t type, uint64_t *set)
{
    struct scan other;
    uint64_t *there;
    enum err err = match_other(s, type, c->chained, &other, &there);
    if (err != OK)
        return err;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        struct target to = span_target(p, set);
        const struct column *end, *at = segment_columns(p->s, row, s->a, &end);
        for (; p->words > 0 && at < end && at->row == row; at++)
            for (uint32_t k = 0; at->kind == CELL_REFERENCE &&
                                 scan_fits(s, at) && k < other.span_count;
                 k++)
                if (other.spans[k].words > 0)
                    join(p, at, &other.spans[k], type, there, &to);
    }
    return OK;
}

enum err evaluate_chain(const struct scan *s, const struct query_clause *c,
                        uint16_t row, uint64_t *set)
{
    return chain_to(s, c, row, c->type, set);
}

/* --- _has ----------------------------------------------------------------- */

/* Marks in s what the cells of a chosen source entry point to. */
static void mark_targets(const struct scan *s, const struct span *from,
                         const struct column *c, const uint64_t *chosen,
                         uint64_t *set)
{
    uint32_t before = UINT32_MAX;
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t id = at32(c->str[S_KEY], i);
        uint16_t type = c->type == NULL ? 0 : c->type[i];
        if (id == 0 || id == before || (type != s->type && type != TYPE_NONE) ||
            !span_has(from, chosen, c->entry[i]))
            continue;
        before = id;
        for (uint32_t k = 0; k < s->span_count; k++) {
            uint32_t e;
            const struct span *p = &s->spans[k];
            if (segment_find(p->s, s->type, segment_string(from->s, id), &e))
                span_put(p, set, e);
        }
    }
}

enum err evaluate_has(const struct scan *s, const struct query_clause *c,
                      uint64_t *set)
{
    struct scan other;
    uint64_t *chosen;
    enum err err = match_other(s, c->type, c->chained, &other, &chosen);
    if (err != OK)
        return err;
    for (uint32_t i = 0; i < other.span_count; i++) {
        const struct span *p = &other.spans[i];
        const struct column *end,
            *at = segment_columns(p->s, c->row, s->a, &end);
        for (; p->words > 0 && at < end && at->row == c->row; at++)
            if (at->kind == CELL_REFERENCE && scan_fits(&other, at))
                mark_targets(s, p, at, chosen, set);
    }
    return OK;
}

/* --- composite ------------------------------------------------------------ */

struct pairs { /* entry << 32 | group, of cells that match one part */
    uint64_t *at;
    size_t n;
};

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void collect(const struct column *c, const uint64_t *cells,
                    struct pairs *out)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (bit_get(cells, i) && at32(c->group, i) != 0)
            out->at[out->n++] = (uint64_t)c->entry[i] << 32 | c->group[i];
}

/* The occurrences of which a part has the asked value. */
static enum err match_part(const struct scan *s, const struct span *p,
                           uint16_t row, size_t part,
                           const struct query_value *v, struct pairs *out)
{
    const struct column *end, *first = segment_columns(p->s, row, s->a, &end);
    size_t n = 0;
    for (const struct column *c = first; c < end && c->row == row; c++)
        n += c->n;
    *out = (struct pairs){ arena_alloc(s->a, (n + 1) * sizeof *out->at), 0 };
    for (const struct column *c = first; c < end && c->row == row; c++) {
        if (c->part != part || !scan_fits(s, c))
            continue;
        uint64_t *cells = arena_zalloc(s->a, c->n / 64 + 1, sizeof(uint64_t));
        if (cells == NULL)
            return arena_err(s->a);
        struct match m = {
            .s = p->s, .c = c, .a = s->a, .to = { .cells = cells }
        };
        match_value(&m, v);
        collect(c, cells, out);
    }
    if (out->at == NULL)
        return arena_err(s->a);
    qsort(out->at, out->n, sizeof *out->at, by_value);
    return OK;
}

/* Keeps in a what b has too; both are sorted. */
static void intersect(struct pairs *a, const struct pairs *b)
{
    size_t kept = 0, j = 0;
    for (size_t i = 0; i < a->n; i++) {
        while (j < b->n && b->at[j] < a->at[i])
            j++;
        if (j < b->n && b->at[j] == a->at[i])
            a->at[kept++] = a->at[i];
    }
    a->n = kept;
}

static enum err match_whole(const struct scan *s, const struct span *p,
                            uint16_t row, const struct query_value *v,
                            uint64_t *set)
{
    struct pairs all = { NULL, 0 }, one;
    for (size_t i = 0; i < v->part_count; i++) {
        enum err err = match_part(s, p, row, i, &v->parts[i], &one);
        if (err != OK)
            return err;
        if (i == 0)
            all = one;
        else
            intersect(&all, &one);
    }
    for (size_t i = 0; i < all.n; i++)
        span_put(p, set, (uint32_t)(all.at[i] >> 32));
    return OK;
}

enum err evaluate_composite(const struct scan *s, const struct query_clause *c,
                            uint16_t row, uint64_t *set)
{
    for (size_t v = 0; v < c->value_count; v++)
        for (uint32_t i = 0; i < s->span_count; i++) {
            enum err err = OK;
            if (s->spans[i].words > 0)
                err = match_whole(s, &s->spans[i], row, &c->values[v], set);
            if (err != OK)
                return err;
        }
    return OK;
}
