#include "record/record.h"

#include "record/evaluate_int.h"

static void drop(const struct span *p, uint64_t *set, uint32_t e)
{
    set[p->at + e / 64 - p->word] &= ~(UINT64_C(1) << (e % 64));
}

static void start_from(const struct scan *s, uint64_t *set)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        for (uint32_t w = 0; w < p->words; w++)
            set[p->at + w] = p->live[w];
    }
}

static bool is_wanted(const struct record_everything *ask,
                      const struct segment *s, uint32_t e)
{
    bool is_type = ask->type_count == 0;
    for (size_t i = 0; i < ask->type_count && !is_type; i++)
        is_type = ask->types[i] == s->entry_type[e];
    return is_type && s->entry_updated[e] >= ask->since_ms;
}

/* A clinical date that lies outside takes a resource out; of several dates one
 * inside is enough. */
static enum err keep_dates(const struct scan *s,
                           const struct record_everything *ask, uint64_t *set)
{
    int64_t start = ask->has_start ? ask->start_ms : INT64_MIN;
    int64_t end = ask->has_end ? ask->end_ms : INT64_MAX;
    uint64_t *dated = scan_set(s), *inside = scan_set(s);
    if (dated == NULL || inside == NULL)
        return arena_err(s->a);
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        for (uint32_t k = 0; k < p->s->column_count; k++) {
            const struct column *c = &p->s->columns[k];
            if (c->kind != CELL_DATE || c->part != 0 ||
                c->row != search_param_clinical_date(s->r->release, c->of))
                continue;
            column_open(p->s, c, s->a);
            for (uint32_t x = 0; x < c->n; x++) {
                span_put(p, dated, c->entry[x]);
                if (c->low[x] < end && c->high[x] > start)
                    span_put(p, inside, c->entry[x]);
            }
        }
    }
    for (size_t w = 0; w < s->words; w++)
        set[w] &= ~dated[w] | inside[w];
    return OK;
}

static uint64_t choose(const struct scan *s,
                       const struct record_everything *ask, uint64_t *set)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct span *p = &s->spans[i];
        for (uint32_t e = span_next(p, set, p->first);
             p->words > 0 && e < p->last; e = span_next(p, set, e + 1)) {
            if (is_wanted(ask, p->s, e))
                total++;
            else
                drop(p, set, e);
        }
    }
    return total;
}

static enum err choose_all(const struct scan *s,
                           const struct record_everything *ask,
                           uint16_t patient, uint64_t *set, uint64_t *total)
{
    enum err err = OK;
    start_from(s, set);
    if (ask->patient_id.n > 0 && record_count(s->r, patient) > 1)
        err = compartment_everything(s, patient, ask->patient_id, ask->only_own,
                                     set);
    if (err == OK && (ask->has_start || ask->has_end))
        err = keep_dates(s, ask, set);
    if (err == OK)
        *total = choose(s, ask, set);
    return err;
}

/* Takes the patient out of the set; false when it is not in it. */
static bool take_patient(const struct scan *s,
                         const struct record_everything *ask, uint16_t type,
                         uint64_t *set, struct place *out)
{
    if (ask->patient_id.n == 0 ||
        !record_place(s->r, type, ask->patient_id, &out->segment, &out->entry))
        return false;
    const struct span *p = &s->spans[out->segment];
    if (!span_has(p, set, out->entry))
        return false;
    drop(p, set, out->entry);
    return true;
}

/* One page of the set, the patient before all others. */
static enum err take_page(const struct scan *s,
                          const struct record_everything *ask, uint16_t type,
                          uint64_t *set, struct record_hits *hits)
{
    struct place first;
    bool has_patient = take_patient(s, ask, type, set, &first);
    struct str after = ask->after_id;
    uint64_t count = ask->count == 0 ? UINT64_MAX : ask->count;
    bool leads = after.p == NULL && has_patient;
    if (after.p != NULL && type == ask->after_type &&
        str_eq(after, ask->patient_id))
        after = STR_NONE; /* the patient was the last: all others follow */
    struct page page;
    enum err err =
        page_by_id(s, set, ask->after_type, after, 0, count - leads, &page);
    if (err != OK)
        return err;
    struct place *at = arena_alloc(s->a, (page.n + 1) * sizeof *at);
    if (at == NULL)
        return arena_err(s->a);
    if (leads)
        at[0] = first;
    for (size_t i = 0; i < page.n; i++)
        at[i + leads] = page.at[i];
    hits->match_count = page.n + leads;
    hits->has_next = page.has_next;
    return fill_hits(s->r, s->a, at, page.n + leads, hits);
}

enum err record_everything(const struct record *r,
                           const struct record_everything *ask, struct arena *a,
                           struct record_hits *out)
{
    struct scan s;
    struct record_hits hits = { 0 };
    uint16_t patient = release_type_find(r->release, STR("Patient"), false);
    enum err err = scan_begin(r, TYPE_NONE, a, NULL, 0, &s);
    uint64_t *set = err == OK ? scan_set(&s) : NULL;
    if (set == NULL)
        return err == OK ? arena_err(a) : err;
    err = choose_all(&s, ask, patient, set, &hits.total);
    if (err == OK)
        err = take_page(&s, ask, patient, set, &hits);
    if (err == OK)
        *out = hits;
    return err;
}
