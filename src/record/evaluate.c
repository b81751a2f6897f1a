#include <string.h>

#include "record/evaluate_int.h"

enum err scan_begin(const struct record *r, uint16_t type, struct arena *a,
                    struct why *w, unsigned depth, struct scan *out)
{
    struct scan s = { .r = r, .a = a, .w = w, .type = type, .depth = depth };
    s.spans = arena_alloc(a, (r->segment_count + 1) * sizeof *s.spans);
    if (s.spans == NULL)
        return arena_err(a);
    for (uint32_t i = 0; i < r->segment_count; i++) {
        struct span *p = &s.spans[i];
        *p = (struct span){ .s = r->segments[i], .live = r->live[i] };
        p->last = p->s->entry_count;
        if (type != TYPE_NONE)
            segment_type_range(p->s, type, &p->first, &p->last);
        p->word = p->first / 64;
        p->words = p->first == p->last ? 0 : (p->last - 1) / 64 + 1 - p->word;
        p->at = s.words;
        s.words += p->words;
    }
    s.span_count = r->segment_count;
    *out = s;
    return OK;
}

uint64_t *scan_set(const struct scan *s)
{
    return arena_zalloc(s->a, s->words + 1, sizeof(uint64_t));
}

uint32_t span_next(const struct span *p, const uint64_t *set, uint32_t e)
{
    if (e >= p->last)
        return p->last;
    uint32_t w = e / 64 - p->word;
    uint64_t bits = set[p->at + w] >> (e % 64) << (e % 64);
    while (bits == 0) {
        if (++w >= p->words)
            return p->last;
        bits = set[p->at + w];
    }
    return (w + p->word) * 64 + (uint32_t)__builtin_ctzll(bits);
}

static void invert(const struct scan *s, uint64_t *set)
{
    for (size_t i = 0; i < s->words; i++)
        set[i] = ~set[i]; /* what is outside, evaluate() takes off */
}

/* --- clauses -------------------------------------------------------------- */

static void mark_present(const struct column *c, const struct target *to)
{
    for (uint32_t i = 0; i < c->n; i++)
        mark(to, c, i);
}

static enum err evaluate_param(const struct scan *s,
                               const struct query_clause *c, uint16_t row,
                               uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        const struct column *end, *at = segment_columns(p->s, row, s->a, &end);
        for (; p->words > 0 && at < end && at->row == row; at++) {
            struct match m = { .s = p->s,
                               .c = at,
                               .modifier = c->modifier,
                               .a = s->a,
                               .to = span_target(p, set) };
            if (!scan_fits(s, at) ||
                (at->part == PART_OF_TYPE) != (c->modifier == MODIFIER_OF_TYPE))
                continue;
            if (c->modifier == MODIFIER_MISSING) {
                mark_present(at, &m.to);
                continue;
            }
            bool is_place =
                search_param_row(s->r->release, row)->kind == PARAM_SPECIAL;
            for (size_t v = 0; v < c->value_count; v++)
                if (is_place)
                    match_near(&m, &c->values[v]);
                else
                    match_value(&m, &c->values[v]);
        }
    }
    return arena_err(s->a);
}

static void evaluate_id(const struct scan *s, const struct query_clause *c,
                        uint64_t *set)
{
    for (size_t v = 0; v < c->value_count; v++)
        for (uint32_t i = 0; i < s->span_count; i++) {
            uint32_t e;
            if (segment_find(s->spans[i].s, s->type, c->values[v].code, &e))
                span_put(&s->spans[i], set, e);
        }
}

static void evaluate_updated(const struct scan *s, const struct query_clause *c,
                             uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        for (uint32_t e = p->first; e < p->last; e++)
            for (size_t v = 0; v < c->value_count; v++) {
                int64_t at = p->s->entry_updated[e];
                if (date_matches(&c->values[v], at, at + 1))
                    span_put(p, set, e);
            }
    }
}

/* What the hierarchy of the record has, and URLs by their paths. */
static enum err evaluate_hierarchy(const struct scan *s,
                                   const struct query_clause *c, uint16_t row,
                                   uint64_t *set)
{
    struct query_clause resources, url = *c;
    enum err err = climb_references(s, c, row, &resources);
    if (err == OK)
        err = evaluate_param(s, &resources, row, set);
    url.value_count = 1;
    for (size_t i = 0; err == OK && i < c->value_count; i++) {
        url.values = &c->values[i];
        if (c->values[i].is_absolute)
            err = evaluate_param(s, &url, row, set);
    }
    return err;
}

static enum err evaluate_row(const struct scan *s, const struct query_clause *c,
                             uint16_t row, uint64_t *set)
{
    enum err err = OK;
    bool is_composite = row != PARAM_NONE && c->modifier == MODIFIER_NONE &&
                        c->value_count > 0 && c->values[0].part_count > 0;
    if (row == PARAM_NONE)
        return OK; /* a type without the parameter */
    if (c->modifier == MODIFIER_IN || c->modifier == MODIFIER_NOT_IN)
        return why_of(s->w, ERR_UNSUPPORTED, c->name,
                      STR(": this value set is not known here"));
    bool is_hierarchy =
        (c->modifier == MODIFIER_ABOVE || c->modifier == MODIFIER_BELOW) &&
        search_param_row(s->r->release, row)->kind == PARAM_REFERENCE;
    if (is_composite)
        err = evaluate_composite(s, c, row, set);
    else if (is_hierarchy)
        err = evaluate_hierarchy(s, c, row, set);
    else
        err = evaluate_param(s, c, row, set);
    if (c->modifier == MODIFIER_NOT ||
        (c->modifier == MODIFIER_MISSING && c->is_missing))
        invert(s, set);
    return err;
}

/* Parts together: the sets and-ed or or-ed. */
static enum err evaluate_parts(const struct scan *s,
                               const struct query_clause *c, uint64_t *set)
{
    uint64_t *one = scan_set(s);
    if (one == NULL)
        return arena_err(s->a);
    if (c->kind == CLAUSE_ALL_OF)
        invert(s, set);
    for (size_t i = 0; i < c->part_count; i++) {
        memset(one, 0, s->words * sizeof *one);
        enum err err = evaluate_clause(s, &c->parts[i], one);
        if (err != OK)
            return err;
        for (size_t w = 0; w < s->words; w++)
            set[w] =
                c->kind == CLAUSE_ALL_OF ? set[w] & one[w] : set[w] | one[w];
    }
    if (c->kind == CLAUSE_NONE_OF)
        invert(s, set);
    return OK;
}

enum err evaluate_clause(const struct scan *s, const struct query_clause *c,
                         uint64_t *set)
{
    uint16_t row = c->rows == NULL ? c->row : c->rows[s->type];
    switch (c->kind) {
    case CLAUSE_PARAM:
        return evaluate_row(s, c, row, set);
    case CLAUSE_ID:
        evaluate_id(s, c, set);
        break;
    case CLAUSE_LAST_UPDATED:
        evaluate_updated(s, c, set);
        break;
    case CLAUSE_CHAIN:
        return row == PARAM_NONE ? OK : evaluate_chain(s, c, row, set);
    case CLAUSE_HAS:
        return evaluate_has(s, c, set);
    case CLAUSE_NOTHING:
        return OK;
    case CLAUSE_ALL_OF:
    case CLAUSE_ANY_OF:
    case CLAUSE_NONE_OF:
        return evaluate_parts(s, c, set);
    }
    if (c->modifier == MODIFIER_NOT ||
        (c->modifier == MODIFIER_MISSING && !c->is_missing))
        invert(s, set);
    return OK;
}

/* --- all of a query ------------------------------------------------------- */

uint64_t scan_keep_live(const struct scan *s, uint64_t *set)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        uint64_t *w = set + p->at;
        for (uint32_t k = 0; k < p->words; k++)
            w[k] &= p->live[p->word + k];
        if (p->words == 0)
            continue;
        w[0] &= UINT64_MAX << (p->first % 64);
        if (p->last % 64 != 0)
            w[p->words - 1] &= (UINT64_C(1) << (p->last % 64)) - 1;
        for (uint32_t k = 0; k < p->words; k++)
            total += (uint64_t)__builtin_popcountll(w[k]);
    }
    return total;
}

enum err evaluate(const struct scan *s, const struct query *q, uint64_t **out,
                  uint64_t *total)
{
    uint64_t *all = scan_set(s), *one = scan_set(s);
    if (all == NULL || one == NULL)
        return arena_err(s->a);
    invert(s, all);
    for (size_t i = 0; i < q->clause_count; i++) {
        memset(one, 0, s->words * sizeof *one);
        enum err err = evaluate_clause(s, &q->clauses[i], one);
        if (err != OK)
            return err;
        for (size_t w = 0; w < s->words; w++)
            all[w] &= one[w];
    }
    *total = scan_keep_live(s, all);
    *out = all;
    return OK;
}
