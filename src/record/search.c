#include "record/record.h"

#include "record/evaluate_int.h"

/* Ors a type's set into the set of the whole record. */
static void merge_set(const struct scan *from, const uint64_t *set,
                      const struct scan *whole, uint64_t *to)
{
    for (uint32_t i = 0; i < from->span_count; i++) {
        const struct span *p = &from->spans[i], *all = &whole->spans[i];
        for (uint32_t w = 0; w < p->words; w++)
            to[all->at + p->word + w] |= set[p->at + w];
    }
}

/* A root search: every type by itself, together one set.  No _type: all. */
static enum err evaluate_root(const struct scan *whole, const struct query *q,
                              uint64_t **out, uint64_t *total)
{
    uint64_t *all = scan_set(whole);
    if (all == NULL)
        return arena_err(whole->a);
    *total = 0;
    size_t types = q->type_count != 0 ? q->type_count
                                      : release_type_count(whole->r->release);
    for (size_t i = 0; i < types; i++) {
        struct scan s;
        uint64_t *set, n;
        uint16_t type = q->type_count != 0 ? q->types[i] : (uint16_t)i;
        enum err err = scan_begin(whole->r, type, whole->a, whole->w, 0, &s);
        if (err == OK && s.words == 0)
            continue;
        if (err == OK)
            err = evaluate(&s, q, &set, &n);
        if (err != OK)
            return err;
        merge_set(&s, set, whole, all);
        *total += n;
    }
    *out = all;
    return OK;
}

/* "Type/id" of a root search, "id" of a type's. */
static void read_cursor(const struct record *r, const struct query *q,
                        uint16_t *type, struct str *id)
{
    *type = q->type;
    *id = q->after_id;
    if (q->type != TYPE_NONE || id->p == NULL)
        return;
    size_t slash = str_find(*id, '/');
    *type = release_type_find(r->release, str_slice(*id, 0, slash), false);
    *id = str_from(*id, slash + 1);
    if (*type == TYPE_NONE)
        *id = STR_NONE;
}

enum err fill_hits(const struct record *r, struct arena *a,
                   const struct place *at, size_t n, struct record_hits *out)
{
    out->at = arena_alloc(a, (n + 1) * sizeof *out->at);
    if (out->at == NULL)
        return arena_err(a);
    for (size_t i = 0; i < n; i++)
        out->at[i] = segment_entry(r->segments[at[i].segment], at[i].entry);
    out->n = n;
    return OK;
}

static enum err take_page(const struct scan *s, const struct query *q,
                          const struct record *now, uint64_t *set,
                          uint64_t total, struct page *page)
{
    struct pivot from = { .now = now };
    read_cursor(s->r, q, &from.type, &from.id);
    if (q->sort_count > 0)
        return page_sorted(s, q, &from, set, total, page);
    return page_by_id(s, set, from.type, from.id, q->skip, q->count, page);
}

/* Of what was included, what is deleted now is left out as well. */
static size_t keep_alive(const struct record *now, struct record_hits *hits)
{
    size_t n = hits->match_count;
    for (size_t i = n; i < hits->n; i++) {
        struct record_entry e;
        if (record_find(now, hits->at[i].type, hits->at[i].id, &e) &&
            !e.is_deleted)
            hits->at[n++] = hits->at[i];
    }
    return n;
}

enum err record_search(const struct record *r, const struct query *q,
                       struct arena *a, struct record_hits *out, struct why *w)
{
    return record_search_past(r, NULL, q, a, out, w);
}

enum err record_search_past(const struct record *r, const struct record *now,
                            const struct query *q, struct arena *a,
                            struct record_hits *out, struct why *w)
{
    struct scan s;
    uint64_t *set = NULL;
    struct record_hits hits = { 0 };
    enum err err = scan_begin(r, q->type, a, w, 0, &s);
    if (err == OK && q->type == TYPE_NONE)
        err = evaluate_root(&s, q, &set, &hits.total);
    else if (err == OK)
        err = evaluate(&s, q, &set, &hits.total);
    if (err == OK && q->compartment_id.p != NULL)
        err = compartment_keep(&s, q->compartment, q->compartment_id, set,
                               &hits.total);
    struct page page = { 0 };
    if (err == OK)
        err = take_page(&s, q, now, set, hits.total, &page);
    if (err != OK)
        return err;
    hits.match_count = page.n;
    hits.has_next = page.has_next;
    struct place *all = page.at;
    size_t n = page.n;
    if (q->include_count > 0 && n > 0)
        err = include_all(r, q, a, &page, &all, &n);
    if (err == OK)
        err = fill_hits(r, a, all, n, &hits);
    if (err == OK && now != NULL && now != r)
        hits.n = keep_alive(now, &hits);
    if (err == OK)
        *out = hits;
    return err;
}
