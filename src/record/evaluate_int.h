/* evaluate_int.h - a query as bitmaps: for one type a scan covers its entries
 * in every segment; a set is one bitmap over all of them.
 */
#ifndef RECORD_EVALUATE_INT_H
#define RECORD_EVALUATE_INT_H

#include "record/segment_int.h"

/* One segment's part of a scan: entries [first, last), whose bits begin at
 * word `at` of a set; the word of entry e is at + e / 64 - first / 64. */
struct span {
    const struct segment *s;
    const uint64_t *live;
    uint32_t first, last;
    uint32_t word; /* first / 64 */
    uint32_t words;
    size_t at;
};

struct scan {
    const struct record *r;
    struct arena *a;
    struct why *w;
    uint16_t type;
    unsigned depth; /* of chains */
    struct span *spans;
    uint32_t span_count;
    size_t words;
};

/* Where matching cells are noted: the entry's bit, or the cell's own. */
struct target {
    uint64_t *bits; /* of the span, from its first word on */
    uint32_t word;
    uint64_t *cells; /* not NULL: a bitmap over the column's cells */
};

static inline void mark(const struct target *t, const struct column *c,
                        uint32_t i)
{
    uint32_t e = t->cells == NULL ? c->entry[i] - t->word * 64 : i;
    uint64_t *bits = t->cells == NULL ? t->bits : t->cells;
    bits[e / 64] |= UINT64_C(1) << (e % 64);
}
/* All cells in [from, to). */
void mark_range(const struct target *t, const struct column *c, uint32_t from,
                uint32_t to);

/* The first cell at or after key, from `from` on. */
uint32_t column_bound(const struct column *c, uint32_t from, uint64_t key);
/* The strings that start with prefix: [*from, *to). */
void segment_prefix(const struct segment *s, struct str prefix, uint32_t *from,
                    uint32_t *to);

/* Marks the cells that match one of the clause's values. */
struct match {
    const struct segment *s;
    const struct column *c;
    enum query_modifier modifier;
    struct arena *a;
    struct target to;
};
void match_value(const struct match *m, const struct query_value *v);
void match_token(const struct match *m, const struct query_value *v);
void match_string(const struct match *m, const struct query_value *v);
void match_reference(const struct match *m, const struct query_value *v);
void match_uri(const struct match *m, const struct query_value *v);
void match_date(const struct match *m, const struct query_value *v);
void match_number(const struct match *m, const struct query_value *v);
void match_near(const struct match *m, const struct query_value *v);
/* True for the instant that a date value asks for: _lastUpdated. */
bool date_matches(const struct query_value *v, int64_t low, int64_t high);

/* type TYPE_NONE: all of them. */
MUST_CHECK enum err scan_begin(const struct record *r, uint16_t type,
                               struct arena *a, struct why *w, unsigned depth,
                               struct scan *out);
/* A set of no entries; NULL when the arena failed. */
uint64_t *scan_set(const struct scan *s);
/* Adds what matches the clause to an empty set. */
MUST_CHECK enum err evaluate_clause(const struct scan *s,
                                    const struct query_clause *c,
                                    uint64_t *set);
MUST_CHECK enum err evaluate_chain(const struct scan *s,
                                   const struct query_clause *c, uint16_t row,
                                   uint64_t *set);
MUST_CHECK enum err evaluate_has(const struct scan *s,
                                 const struct query_clause *c, uint64_t *set);
MUST_CHECK enum err evaluate_composite(const struct scan *s,
                                       const struct query_clause *c,
                                       uint16_t row, uint64_t *set);
/* :above, :below of a reference: the resources that it may mean, as a clause
 * without a modifier, of which URLs are left out. */
MUST_CHECK enum err climb_references(const struct scan *s,
                                     const struct query_clause *c, uint16_t row,
                                     struct query_clause *out);
/* Takes off what is dead and outside of the scan; counts what is left. */
uint64_t scan_keep_live(const struct scan *s, uint64_t *set);
/* All clauses and alive: the matches; *total counts them. */
MUST_CHECK enum err evaluate(const struct scan *s, const struct query *q,
                             uint64_t **out, uint64_t *total);

/* False for a damaged index only: a row is of one type. */
static inline bool scan_fits(const struct scan *s, const struct column *c)
{
    return c->of == s->type;
}
static inline struct target span_target(const struct span *p, uint64_t *set)
{
    return (struct target){ .bits = set + p->at, .word = p->word };
}
static inline bool span_has(const struct span *p, const uint64_t *set,
                            uint32_t e)
{
    return set[p->at + e / 64 - p->word] >> (e % 64) & 1;
}
static inline void span_put(const struct span *p, uint64_t *set, uint32_t e)
{
    set[p->at + e / 64 - p->word] |= UINT64_C(1) << (e % 64);
}
/* The next entry of the set at or after e; p->last when none. */
uint32_t span_next(const struct span *p, const uint64_t *set, uint32_t e);

/* A place in the record. */
struct place {
    uint32_t segment, entry;
};

/* One page of the matches: by type and id from behind the cursor on (after p
 * NULL: from the start), or sorted. */
struct page {
    struct place *at;
    size_t n;
    bool has_next;
};
MUST_CHECK enum err page_by_id(const struct scan *s, const uint64_t *set,
                               uint16_t type, struct str after, uint64_t skip,
                               uint64_t count, struct page *out);
/* What a page goes on behind; id p NULL: nothing, it is the first. */
struct pivot {
    uint16_t type;
    struct str id;
    const struct record *now; /* not NULL: what is deleted there is left out */
};
/* May add the pivot to the set. */
MUST_CHECK enum err page_sorted(const struct scan *s, const struct query *q,
                                const struct pivot *from, uint64_t *set,
                                uint64_t total, struct page *out);

/* search.c: the entries at places. */
MUST_CHECK enum err fill_hits(const struct record *r, struct arena *a,
                              const struct place *at, size_t n,
                              struct record_hits *out);

/* compartment.c: takes out of the set what is not of owner/id's compartment;
 * *total counts what stays.  ERR_INVALID: the type has no compartment. */
MUST_CHECK enum err compartment_keep(const struct scan *s, uint16_t owner,
                                     struct str id, uint64_t *set,
                                     uint64_t *total);
/* The scan is of the whole record: what is a patient's, and what that refers
 * to; and what nobody's resources refer to. */
MUST_CHECK enum err compartment_everything(const struct scan *s,
                                           uint16_t patient, struct str id,
                                           bool only_own, uint64_t *set);

/* The matches, and behind them the resources that the query includes. */
MUST_CHECK enum err include_all(const struct record *r, const struct query *q,
                                struct arena *a, const struct page *matches,
                                struct place **out, size_t *n);

#endif
