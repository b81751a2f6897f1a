/* naive_test_int.h - does a thing match a clause?  As the specification says
 * it, cell by cell, slowly.
 */
#ifndef RECORD_NAIVE_TEST_INT_H
#define RECORD_NAIVE_TEST_INT_H

#include "base/fold.h"
#include "fhir/query.h"
#include "record/world_test_int.h"

/* --- the naive evaluator ---------------------------------------------------
 */

static struct str plain(struct world *w, struct str s)
{
    struct buf b = BUF_IN(&w->a, MUCH);
    struct str out = STR("");
    fold_add(&b, s);
    return b.len == 0 || buf_view(&b, &out) != OK ? STR("") : out;
}

static bool naive_token(struct world *w, const struct cell *c,
                        const struct query_clause *q,
                        const struct query_value *v)
{
    if (q->modifier == MODIFIER_TEXT) {
        struct str text = plain(w, c->text), needle = plain(w, v->text);
        return text.n >= needle.n && str_search(text, needle) < text.n;
    }
    bool is_system =
        !v->has_system || str_eq(c->system, v->system) ||
        (v->system.n > 0 && v->has_code && (c->flags & CELL_ANY_SYSTEM) != 0);
    bool is_code =
        !v->has_code || ((c->flags & CELL_EXACT_CODE)
                             ? str_eq(c->code, v->code)
                             : str_eq(plain(w, c->code), plain(w, v->code)));
    return is_system && is_code;
}

static bool naive_string(struct world *w, const struct cell *c,
                         const struct query_clause *q,
                         const struct query_value *v)
{
    struct str has = plain(w, c->text), ask = plain(w, v->text);
    if (q->modifier == MODIFIER_EXACT)
        return str_eq(c->text, v->text);
    if (q->modifier == MODIFIER_CONTAINS)
        return has.n >= ask.n && str_search(has, ask) < has.n;
    return str_starts(has, ask);
}

static bool naive_date(const struct query_value *v, int64_t low, int64_t high)
{
    bool is_in = v->low <= low && high <= v->high;
    switch (v->prefix) {
    case PREFIX_NE:
        return !is_in;
    case PREFIX_GT:
        return high > v->high;
    case PREFIX_LT:
        return low < v->low;
    case PREFIX_GE:
        return is_in || high > v->high;
    case PREFIX_LE:
        return is_in || low < v->low;
    case PREFIX_SA:
        return low >= v->high;
    case PREFIX_EB:
        return high <= v->low;
    default:
        return is_in;
    }
}

static bool naive_quantity(const struct cell *c, const struct query_value *v)
{
    if ((v->code.n > 0 && !str_eq(c->code, v->code)) ||
        (v->system.n > 0 && !str_eq(c->system, v->system)))
        return false;
    switch (v->prefix) {
    case PREFIX_NE:
        return c->number < v->number_low || c->number >= v->number_high;
    case PREFIX_GT:
        return c->number > v->number;
    case PREFIX_LT:
        return c->number < v->number;
    case PREFIX_GE:
        return c->number >= v->number;
    case PREFIX_LE:
        return c->number <= v->number;
    case PREFIX_SA:
        return c->number_low >= v->number_high;
    case PREFIX_EB:
        return c->number_high <= v->number_low;
    default:
        return c->number >= v->number_low && c->number < v->number_high;
    }
}

static bool naive_cell(struct world *w, const struct cell *c,
                       const struct query_clause *q,
                       const struct query_value *v)
{
    switch ((enum cell_kind)c->kind) {
    case CELL_TOKEN:
        return naive_token(w, c, q, v);
    case CELL_STRING:
        return naive_string(w, c, q, v);
    case CELL_DATE:
        return naive_date(v, c->low, c->high);
    case CELL_QUANTITY:
        return naive_quantity(c, v);
    case CELL_REFERENCE:
        return str_eq(c->code, v->id) &&
               (v->target_type == TYPE_NONE || v->target_type == c->type);
    default:
        return false;
    }
}

static struct thing *thing_of(struct world *w, uint16_t type, struct str id)
{
    for (unsigned t = 0; t < 3; t++)
        for (size_t i = 0; i < IDS; i++)
            if (w->types[t] == type && str_eq(str_of(ids[i]), id))
                return &w->things[t][i];
    return NULL;
}

static bool naive_clause(struct world *w, const struct thing *t,
                         const struct query_clause *q);

static bool naive_pair(struct world *w, const struct thing *t,
                       const struct query_clause *q,
                       const struct query_value *v)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < t->n; j++) {
            const struct cell *a = &t->cells[i], *b = &t->cells[j];
            if (a->param == w->pair && b->param == w->pair && a->part == 0 &&
                b->part == 1 && a->group == b->group &&
                naive_cell(w, a, q, &v->parts[0]) &&
                naive_cell(w, b, q, &v->parts[1]))
                return true;
        }
    return false;
}

static bool naive_param(struct world *w, const struct thing *t,
                        const struct query_clause *q)
{
    bool has = false, matches = false;
    for (size_t i = 0; i < t->n; i++)
        if (t->cells[i].param == q->row) {
            has = true;
            for (size_t v = 0; v < q->value_count; v++)
                matches =
                    matches || (q->row != w->pair &&
                                naive_cell(w, &t->cells[i], q, &q->values[v]));
        }
    if (q->row == w->pair && q->value_count > 0)
        matches = naive_pair(w, t, q, &q->values[0]);
    if (q->modifier == MODIFIER_MISSING)
        return has != q->is_missing;
    return q->modifier == MODIFIER_NOT ? !matches : matches;
}

static bool is_alive(const struct thing *t)
{
    return t != NULL && t->exists && !t->entry.is_deleted;
}

static bool naive_chain(struct world *w, const struct thing *t,
                        const struct query_clause *q)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct cell *c = &t->cells[i];
        const struct thing *to = c->param == q->row && c->type == q->type
                                     ? thing_of(w, c->type, c->code)
                                     : NULL;
        if (is_alive(to) && naive_clause(w, to, q->chained))
            return true;
    }
    return false;
}

static bool points_to(const struct thing *from, uint16_t row,
                      const struct record_entry *to)
{
    for (size_t i = 0; i < from->n; i++)
        if (from->cells[i].param == row && from->cells[i].type == to->type &&
            str_eq(from->cells[i].code, to->id))
            return true;
    return false;
}

static bool naive_has(struct world *w, const struct thing *t,
                      const struct query_clause *q)
{
    for (unsigned k = 0; k < 3; k++)
        for (size_t i = 0; i < IDS; i++) {
            const struct thing *from = &w->things[k][i];
            if (w->types[k] == q->type && is_alive(from) &&
                points_to(from, q->row, &t->entry) &&
                naive_clause(w, from, q->chained))
                return true;
        }
    return false;
}

static bool naive_clause(struct world *w, const struct thing *t,
                         const struct query_clause *q)
{
    switch (q->kind) {
    case CLAUSE_ID:
        for (size_t v = 0; v < q->value_count; v++)
            if (str_eq(q->values[v].code, t->entry.id))
                return true;
        return false;
    case CLAUSE_LAST_UPDATED:
        return naive_date(&q->values[0], t->entry.last_updated_ms,
                          t->entry.last_updated_ms + 1);
    case CLAUSE_CHAIN:
        return naive_chain(w, t, q);
    case CLAUSE_HAS:
        return naive_has(w, t, q);
    default:
        return naive_param(w, t, q);
    }
}

#endif
