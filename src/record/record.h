/* record.h - one person's index in memory: immutable, counted, searched whole.
 *
 * A record is a stack of segments, oldest first; in a newer segment a resource
 * supersedes the same (type, id) below.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "fhir/query.h"

struct record;

struct record_entry {
    uint16_t type;
    struct str id;    /* view into the record */
    uint32_t slot;    /* of the body; store.h */
    uint32_t version; /* 1, 2, ... */
    int64_t last_updated_ms;
    struct hash128 content;
    bool is_deleted;
};
/* False when it never was; a deleted one is found and says so. */
bool record_find(const struct record *r, uint16_t type, struct str id,
                 struct record_entry *out);

struct record_hits {
    struct record_entry *at; /* of one page, in order; in the arena */
    size_t n;
    size_t match_count; /* the first so many matched; the rest were
                           included */
    uint64_t total;     /* all that match, exact */
    bool has_next;
};
/* Evaluates the whole query and gives one page of it: behind
 * q->after_id, when that is said.  Sorted, ERR_INVALID when the record never
 * had what it is to go on behind. */
MUST_CHECK enum err record_search(const struct record *r, const struct query *q,
                                  struct arena *a, struct record_hits *out,
                                  struct why *w);
/* The same in a record of the past: what is deleted in `now` is left out of
 * the page, though not of the total.  now NULL: nothing is. */
MUST_CHECK enum err record_search_past(const struct record *r,
                                       const struct record *now,
                                       const struct query *q, struct arena *a,
                                       struct record_hits *out, struct why *w);

/* How a search comes to its answer, clause by clause. */
struct record_step {
    uint64_t matches; /* living entries that match the clause by itself */
    uint64_t left;    /* that match it and all before it */
    uint64_t cells;   /* of the index that belong to its parameter */
    int64_t ns;       /* that it took */
};
/* Fills one step a clause. */
MUST_CHECK enum err record_explain(const struct record *r,
                                   const struct query *q, struct arena *a,
                                   struct record_step *steps, struct why *w);

/* Patient/$everything: the patient first, then by type and id, from the cursor
 * on.  A record with one patient is all of it that patient's; with several it
 * is the patient's compartment and what that refers to, and what nothing
 * refers to. */
struct record_everything {
    struct str patient_id; /* "": whole record */
    const uint16_t *types; /* _type; n 0: all */
    size_t type_count;
    int64_t since_ms; /* _since; 0: all */
    bool only_own;    /* without what other patients' resources refer to, too */
    bool has_start, has_end;
    int64_t start_ms, end_ms; /* happened in [start, end); what has no date
                                 of its own stays */
    size_t count;             /* page; 0: no limit */
    uint16_t after_type;      /* cursor: the last of the page before */
    struct str after_id;      /* p NULL: from the start */
};
MUST_CHECK enum err record_everything(const struct record *r,
                                      const struct record_everything *ask,
                                      struct arena *a, struct record_hits *out);

/* How many live resources of a type (TYPE_NONE: of all). */
uint64_t record_count(const struct record *r, uint16_t type);

#endif
