/* Whose a resource is: a Patient's compartment (R4 section 2.7) as sets over
 * the index's reference columns. */
#include "record/evaluate_int.h"

#include <string.h>

#include "fhir/search_param.h"

static bool *member_rows(const struct scan *s, uint16_t owner, enum err *err)
{
    bool *rows =
        arena_zalloc(s->a, search_param_count(s->r->release), sizeof *rows);
    *err = OK;
    if (rows == NULL)
        *err = arena_err(s->a);
    else if (!search_param_compartment(s->r->release, owner, rows))
        *err = why_of(s->w, ERR_INVALID, STR("there is no compartment of "),
                      release_type_name(s->r->release, owner));
    return rows;
}

static bool is_in_span(const struct span *p, uint32_t e)
{
    return e >= p->first && e < p->last;
}

/* Cells of a column that point to owner/id, or with id 0 to any owner. */
static void mark_column(const struct span *p, const struct column *c,
                        uint16_t owner, uint32_t id, uint64_t *set)
{
    uint32_t i = id == 0 ? 0 : column_bound(c, 0, (uint64_t)id << 32 | owner);
    for (; i < c->n; i++) {
        if (id != 0 && at32(c->str[S_KEY], i) != id)
            return;
        if ((c->type == NULL ? 0 : c->type[i]) == owner &&
            at32(c->str[S_KEY], i) != 0 && is_in_span(p, c->entry[i]))
            span_put(p, set, c->entry[i]);
    }
}

/* Adds the members of owner/id's compartment; id p NULL: of any owner's. */
static void add_members(const struct scan *s, const bool *rows, uint16_t owner,
                        struct str id, uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        uint32_t number = 0;
        if (p->words == 0 ||
            (id.p != NULL && !segment_string_find(p->s, id, &number)))
            continue;
        for (uint32_t k = 0; k < p->s->column_count; k++) {
            const struct column *c = &p->s->columns[k];
            if (c->kind != CELL_REFERENCE || !rows[c->row] ||
                (s->type != TYPE_NONE && !scan_fits(s, c)))
                continue;
            column_open(p->s, c, s->a);
            mark_column(p, c, owner, number, set);
        }
    }
}

/* The resource itself. */
static void add_owner(const struct scan *s, uint16_t owner, struct str id,
                      uint64_t *set)
{
    uint32_t segment, entry;
    if (record_place(s->r, owner, id, &segment, &entry) &&
        is_in_span(&s->spans[segment], entry))
        span_put(&s->spans[segment], set, entry);
}

enum err compartment_keep(const struct scan *s, uint16_t owner, struct str id,
                          uint64_t *set, uint64_t *total)
{
    enum err err;
    bool *rows = member_rows(s, owner, &err);
    uint64_t *members = scan_set(s);
    if (err != OK || members == NULL)
        return err != OK ? err : arena_err(s->a);
    add_members(s, rows, owner, id, members);
    add_owner(s, owner, id, members);
    *total = 0;
    for (size_t w = 0; w < s->words; w++) {
        set[w] &= members[w];
        *total += (uint64_t)__builtin_popcountll(set[w]);
    }
    return OK;
}

/* --- what is referred to -------------------------------------------------- */

struct spread {
    const struct scan *s;
    const uint64_t *fixed; /* those that are never taken in */
    uint64_t *reached;
    struct place *queue;
    size_t n, room;
};

static void reach(struct spread *t, uint32_t segment, uint32_t entry)
{
    const struct span *p = &t->s->spans[segment];
    if (!bit_get(p->live, entry) || span_has(p, t->reached, entry) ||
        span_has(p, t->fixed, entry))
        return;
    if (t->n == t->room) {
        size_t room = t->room * 2;
        struct place *queue = arena_grow(
            t->s->a, t->queue, t->room * sizeof *queue, room * sizeof *queue);
        if (queue == NULL)
            return; /* sticks in the arena */
        t->queue = queue;
        t->room = room;
    }
    span_put(p, t->reached, entry);
    t->queue[t->n++] = (struct place){ segment, entry };
}

/* Follows every reference of the entries in `from`. */
static void follow_all(struct spread *t, const uint64_t *from)
{
    for (uint32_t i = 0; i < t->s->span_count; i++) {
        const struct span *p = &t->s->spans[i];
        for (uint32_t k = 0; k < p->s->column_count; k++) {
            const struct column *c = &p->s->columns[k];
            if (c->kind != CELL_REFERENCE)
                continue;
            column_open(p->s, c, t->s->a);
            for (uint32_t x = 0; x < c->n; x++) {
                uint16_t type = c->type == NULL ? 0 : c->type[x];
                uint32_t id = at32(c->str[S_KEY], x), segment, entry;
                if (id != 0 && type != TYPE_NONE &&
                    span_has(p, from, c->entry[x]) &&
                    record_place(t->s->r, type, segment_string(p->s, id),
                                 &segment, &entry))
                    reach(t, segment, entry);
            }
        }
    }
}

/* From the seeds on; *out is all that was reached, seeds included. */
static enum err spread(const struct scan *s, const uint64_t *seeds,
                       const uint64_t *fixed, uint64_t **out)
{
    struct spread t = { .s = s, .fixed = fixed, .room = 64 };
    uint64_t *from = scan_set(s);
    t.reached = scan_set(s);
    t.queue = arena_alloc(s->a, t.room * sizeof *t.queue);
    if (from == NULL || t.reached == NULL || t.queue == NULL)
        return arena_err(s->a);
    memcpy(t.reached, seeds, s->words * sizeof *seeds);
    memcpy(from, seeds, s->words * sizeof *seeds);
    for (size_t done = 0;;) {
        follow_all(&t, from);
        if (t.n == done || arena_err(s->a) != OK)
            break;
        memset(from, 0, s->words * sizeof *from);
        for (; done < t.n; done++)
            span_put(&s->spans[t.queue[done].segment], from,
                     t.queue[done].entry);
    }
    *out = t.reached;
    return arena_err(s->a);
}

static void keep_live(const struct scan *s, uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        for (uint32_t w = 0; w < p->words; w++)
            set[p->at + w] &= p->live[p->word + w];
    }
}

static void add_patients(const struct scan *s, uint16_t patient, uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        uint32_t first, last;
        segment_type_range(p->s, patient, &first, &last);
        for (uint32_t e = first; e < last; e++)
            span_put(p, set, e);
    }
}

enum err compartment_everything(const struct scan *s, uint16_t patient,
                                struct str id, bool only_own, uint64_t *set)
{
    enum err err;
    bool *rows = member_rows(s, patient, &err);
    uint64_t *owned = scan_set(s), *mine = scan_set(s), *others = scan_set(s);
    if (err != OK || owned == NULL || mine == NULL || others == NULL)
        return err != OK ? err : arena_err(s->a);
    add_members(s, rows, patient, STR_NONE, owned);
    add_patients(s, patient, owned);
    add_members(s, rows, patient, id, mine);
    add_owner(s, patient, id, mine);
    keep_live(s, owned);
    keep_live(s, mine);
    for (size_t w = 0; w < s->words; w++)
        others[w] = owned[w] & ~mine[w];
    uint64_t *my_reach, *their_reach;
    err = spread(s, mine, owned, &my_reach);
    if (err == OK)
        err = spread(s, others, owned, &their_reach);
    if (err != OK)
        return err;
    for (size_t w = 0; w < s->words; w++) {
        set[w] = my_reach[w] | ~(owned[w] | their_reach[w]);
        if (only_own)
            set[w] &= mine[w] | ~their_reach[w];
    }
    keep_live(s, set);
    return OK;
}
