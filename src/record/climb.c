/* :above and :below of references: which resources are part of one, or it of
 * them, level by level through the record (R4 3.1.1.4.14). */
#include <string.h>

#include "base/map.h"
#include "record/evaluate_int.h"

#define CLIMBED_MAX 100000
#define LEVELS_MAX  100

struct climb {
    const struct scan *s;
    struct scan other; /* of the hierarchy's type */
    uint16_t type, row;
    struct map seen;
    struct query_value *at; /* the resources, the asked one first */
    size_t n, room;
};

static void add(struct climb *c, struct str id)
{
    void **slot = map_slot(&c->seen, id);
    if (slot == NULL || *slot != NULL || c->n == CLIMBED_MAX)
        return;
    *slot = c;
    if (c->n == c->room) {
        size_t room = c->room == 0 ? 16 : c->room * 2;
        struct query_value *at =
            arena_grow(c->s->a, c->at, c->room * sizeof *at, room * sizeof *at);
        if (at == NULL)
            return;
        c->at = at;
        c->room = room;
    }
    c->at[c->n++] =
        (struct query_value){ .text = id, .id = id, .target_type = c->type };
}

/* Those that say that they are part of one of [from, n). */
static enum err go_down(struct climb *c, size_t from)
{
    struct query_clause clause = { .kind = CLAUSE_PARAM,
                                   .row = c->row,
                                   .type = TYPE_NONE,
                                   .values = c->at + from,
                                   .value_count = c->n - from };
    struct query q = { .clauses = &clause, .clause_count = 1 };
    uint64_t *set, total;
    enum err err = evaluate(&c->other, &q, &set, &total);
    for (uint32_t i = 0; err == OK && i < c->other.span_count; i++) {
        const struct span *p = &c->other.spans[i];
        if (p->words == 0)
            continue;
        for (uint32_t e = span_next(p, set, p->first); e < p->last;
             e = span_next(p, set, e + 1))
            add(c, segment_string(p->s, p->s->entry_id[e]));
    }
    return err;
}

/* What the cells of the chosen entries point to. */
static void add_targets(struct climb *c, const struct span *p,
                        const uint64_t *set)
{
    const struct column *end,
        *at = segment_columns(p->s, c->row, c->s->a, &end);
    for (; at < end && at->row == c->row; at++)
        for (uint32_t i = 0; at->kind == CELL_REFERENCE && i < at->n; i++) {
            uint32_t id = at32(at->str[S_KEY], i);
            uint16_t type = at->type == NULL ? 0 : at->type[i];
            if (id != 0 && (type == c->type || type == TYPE_NONE) &&
                span_has(p, set, at->entry[i]))
                add(c, segment_string(p->s, id));
        }
}

/* Those that one of [from, n) says it is part of. */
static enum err go_up(struct climb *c, size_t from)
{
    uint64_t *set = scan_set(&c->other);
    if (set == NULL)
        return arena_err(c->s->a);
    for (size_t i = from; i < c->n; i++) {
        uint32_t segment, entry;
        if (record_place(c->s->r, c->type, c->at[i].id, &segment, &entry) &&
            bit_get(c->s->r->live[segment], entry))
            span_put(&c->other.spans[segment], set, entry);
    }
    for (uint32_t i = 0; i < c->other.span_count; i++)
        if (c->other.spans[i].words > 0)
            add_targets(c, &c->other.spans[i], set);
    return arena_err(c->s->a);
}

static enum err climb(const struct scan *s, uint16_t type, struct str id,
                      bool is_above, struct climb *out)
{
    struct climb c = { .s = s,
                       .type = type,
                       .row = search_param_hierarchy(s->r->release, type),
                       .seen = MAP_IN(s->a) };
    enum err err = scan_begin(s->r, type, s->a, s->w, s->depth + 1, &c.other);
    add(&c, id);
    bool has_row = c.row != PARAM_NONE && c.other.words > 0;
    size_t from = 0, levels = 0;
    for (; err == OK && has_row && from < c.n && levels < LEVELS_MAX;
         levels++) {
        size_t level = c.n;
        err = is_above ? go_up(&c, from) : go_down(&c, from);
        from = level;
    }
    if (err == OK && (c.n == CLIMBED_MAX || levels == LEVELS_MAX))
        err = why(s->w, ERR_LIMIT, "too many resources are above or below");
    *out = c;
    return err != OK ? err : arena_err(s->a);
}

struct list {
    struct arena *a;
    struct query_value *at;
    size_t n;
};

static void append(struct list *l, const struct climb *c)
{
    struct query_value *at =
        arena_grow(l->a, l->at, l->n * sizeof *at, (l->n + c->n) * sizeof *at);
    if (at == NULL)
        return;
    memcpy(at + l->n, c->at, c->n * sizeof *at);
    l->at = at;
    l->n += c->n;
}

enum err climb_references(const struct scan *s, const struct query_clause *c,
                          uint16_t row, struct query_clause *out)
{
    const struct search_param *param = search_param_row(s->r->release, row);
    bool is_above = c->modifier == MODIFIER_ABOVE;
    struct list all = { .a = s->a };
    for (size_t i = 0; i < c->value_count; i++) {
        const struct query_value *v = &c->values[i];
        bool is_said = v->target_type != TYPE_NONE;
        uint16_t types = is_said ? 1 : param->target_count;
        for (uint16_t k = 0; !v->is_absolute && k < types; k++) {
            struct climb one;
            enum err err =
                climb(s, is_said ? v->target_type : param->targets[k], v->id,
                      is_above, &one);
            if (err != OK)
                return err;
            append(&all, &one);
        }
    }
    *out = *c;
    out->modifier = MODIFIER_NONE;
    out->values = all.at;
    out->value_count = all.n;
    return arena_err(s->a);
}
