/* The steps of a search, for those who ask how it was understood. */
#include "record/record.h"

#include <string.h>

#include "base/clock.h"
#include "record/evaluate_int.h"

static uint64_t count_cells(const struct scan *s, const struct query_clause *c)
{
    uint16_t row =
        c->kind == CLAUSE_HAS || c->rows == NULL ? c->row : c->rows[s->type];
    uint64_t n = 0;
    if (row == PARAM_NONE)
        return 0;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct segment *g = s->spans[i].s;
        const struct column *end, *at = segment_columns(g, row, s->a, &end);
        for (; at < end && at->row == row; at++)
            n += at->n;
    }
    return n;
}

static enum err explain_type(const struct scan *s, const struct query *q,
                             struct record_step *steps)
{
    uint64_t *all = scan_set(s), *one = scan_set(s);
    if (all == NULL || one == NULL)
        return arena_err(s->a);
    memset(all, 0xff, s->words * sizeof *all);
    for (size_t i = 0; i < q->clause_count; i++) {
        int64_t before = clock_monotonic_ns();
        memset(one, 0, s->words * sizeof *one);
        enum err err = evaluate_clause(s, &q->clauses[i], one);
        if (err != OK)
            return err;
        steps[i].ns += clock_monotonic_ns() - before;
        steps[i].matches += scan_keep_live(s, one);
        for (size_t w = 0; w < s->words; w++)
            all[w] &= one[w];
        steps[i].left += scan_keep_live(s, all);
        steps[i].cells += count_cells(s, &q->clauses[i]);
    }
    return OK;
}

enum err record_explain(const struct record *r, const struct query *q,
                        struct arena *a, struct record_step *steps,
                        struct why *w)
{
    bool is_root = q->type == TYPE_NONE;
    bool is_some = is_root && q->type_count != 0;
    size_t first = is_root ? 0 : q->type;
    size_t end = is_some   ? q->type_count
                 : is_root ? release_type_count(r->release)
                           : first + 1;
    memset(steps, 0, q->clause_count * sizeof *steps);
    for (size_t i = first; i < end; i++) {
        struct scan s;
        uint16_t type = is_some ? q->types[i] : (uint16_t)i;
        enum err err = scan_begin(r, type, a, w, 0, &s);
        if (err == OK && s.words == 0)
            continue;
        if (err == OK)
            err = explain_type(&s, q, steps);
        if (err != OK)
            return err;
    }
    return OK;
}
