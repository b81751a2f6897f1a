/* ingest_int.h - an ingest under way; shared by the stages. */
#ifndef INGEST_INGEST_INT_H
#define INGEST_INGEST_INT_H

#include "crypto/secret.h"
#include "directory/system.h"
#include "ingest/ingest.h"
#include "ingest/normalise.h"
#include "ingest/plan.h"

#define RUN_BYTES_MAX  ((size_t)1 << 30)
#define PAGE_BYTES_MAX ((size_t)512 << 20)
#define FLUSH_OPS      500 /* resources a commit, at most */

struct ingest {
    struct ingest_options o;
};

/* One type's row of the report, and how its queries stand. */
struct run_type {
    struct ingest_type_report report;
    const struct plan_type *plan; /* NULL: found by references */
    size_t attempt;
    size_t open;      /* queries of this attempt not yet ended */
    size_t queries;   /* of this attempt, all */
    size_t succeeded; /* of this attempt */
    size_t broken;    /* of this attempt: ended before their end */
    bool is_short;    /* of this attempt: one gave less than it counts */
    bool was_broken;  /* an earlier attempt was */
    bool is_dirty;    /* the row on disk is older */
    struct run_type *next;
};

/* A page whose resources wait for their commit. */
struct page {
    struct arena arena;
    struct page *next;
    bool is_read; /* one resource that was asked for by its id */
    bool is_lines;
};

/* A resource that this run has already. */
struct held {
    int64_t version; /* its meta.versionId; 0: not a number */
};

/* A token that was renewed; requests under way may still point at it. */
struct old_token {
    struct secret authorization;
    struct old_token *next;
};

/* The whole of one ingest; lives in its arena. */
struct run {
    struct ingest *ingest;
    struct jobs *jobs; /* NULL: outside a job */
    const struct job *job;
    struct arena arena;
    struct why *why;
    struct connection connection;
    struct system system;
    struct vendor vendor;
    enum release release;
    enum record_kind kind;
    struct normaliser normaliser;
    struct secret authorization; /* "Bearer ..." */
    struct old_token *old_tokens;
    int64_t token_taken_ms;
    unsigned token_number; /* counts the tokens of this run */
    int64_t starts;        /* requests started */
    int64_t good_start;    /* the last started of those that met a 2xx */
    struct map patients;   /* other Patients: may_see or may_not */
    struct map ids;        /* \"Type/id\" of the system -> our id */
    int64_t started_ms;
    int64_t whole_ms;    /* of the last run of everything; ours when is_whole */
    int64_t upstream_ms; /* no later than this run's begin by any clock */
    bool is_whole;       /* asks for everything, not for changes */
    bool is_incremental; /* some type asks for changes */
    struct map before;   /* type -> struct ingest_type_report of the last run */

    struct run_type *types, **last_type;
    size_t type_count;
    struct map by_type;

    struct map held;   /* "Type/id" of the system -> struct held */
    struct map wanted; /* "Type/id" -> struct want, in the order of wants */
    struct want *first_want, **last_want;
    size_t want_count;

    struct store_op *ops; /* waiting for a commit */
    struct run_type **op_types;
    size_t op_count, op_room;
    struct page *pages;
    bool state_dirty; /* a type was finished since the state was kept */
    bool is_resumed;  /* an earlier attempt finished some types */
    bool comes_again; /* report_end() queues the next refresh */
};

/* A resource that something refers to and no query gave. */
struct want {
    struct source_ref ref;
    struct str url; /* an attachment's own; "" */
    bool is_asked;
    struct want *next;
};

/* ingest.c: what an earlier attempt stored need not be read again. */
MUST_CHECK enum err mark_held(struct run *run);
/* Tomorrow's refresh; after this job's key is free. */
MUST_CHECK enum err queue_refresh(struct db_session *s, struct run *run);

/* fetch.c: every query of the plan, then what is wanted. */
MUST_CHECK enum err fetch_all(struct run *run, const struct plan *plan);
/* One GET with the token, retries and back-off; for metadata and Patient. */
MUST_CHECK enum err fetch_one(struct run *run, struct str url, struct arena *a,
                              int *status, struct str *out);

/* Whether our token may read that other Patient: a child, a proxy (F50). */
MUST_CHECK enum err fetch_may_see(struct run *run, struct str patient_id,
                                  bool *out);

/* owner.c: whether a resource, or a text that is none, is another person's;
 * then a warning is left. */
MUST_CHECK enum err owner_check(struct run *run, const struct page *page,
                                const struct resource *r,
                                struct run_type *asked, bool *drops);
MUST_CHECK enum err owner_check_text(struct run *run, struct arena *a,
                                     struct str text, struct run_type *asked,
                                     bool *drops);

/* keep.c */
/* Counts a warning; the first of a type is its detail. */
void keep_warn(struct run_type *t, struct str detail, struct arena *a);
MUST_CHECK enum err keep_page(struct run *run, struct page *page,
                              struct str text, struct run_type *type,
                              struct str *out_next, int64_t *out_total,
                              size_t *out_entries);
/* mend.c: what no JSON may hold and systems send: bare control characters and
 * halves of surrogate pairs in strings.  False when nothing was to mend. */
bool mend_text(struct str text, struct buf *out);
/* A page's tree, its minified text, and the parsed copy whose keys tell where
 * they stand; once more when it can be mended.  ERR_FORMAT with why. */
struct yyjson_val;
MUST_CHECK enum err page_parse(struct arena *a, struct str text,
                               struct yyjson_val **root, struct str *plain,
                               char **copy, bool *is_mended, struct why *w);

/* newline-delimited JSON, a resource a line */
MUST_CHECK enum err keep_lines(struct run *run, struct page *page,
                               struct str text, struct run_type *type,
                               size_t *out_entries);
MUST_CHECK enum err keep_binary(struct run *run, struct page *page,
                                const struct want *want, struct str bytes,
                                struct str content_type, struct run_type *type);
MUST_CHECK enum err keep_flush(struct run *run);
struct run_type *run_type_of(struct run *run, struct str type);

/* since.c: whether this run asks for everything, and since when by type. */
MUST_CHECK enum err since_read(struct run *run, bool is_whole);
/* The system's clock, as an answer tells it. */
void since_note_date(struct run *run, struct str http_date);
/* Since when to ask for a type of the plan. */
void since_begin(struct run *run, struct run_type *t);
/* The type is done: it is complete up to this run's begin. */
void since_done(struct run *run, struct run_type *t);
/* What the type's queries say of it; "": they ask for all. */
struct str since_param(struct arena *a, const struct run_type *t);

/* report.c */
MUST_CHECK enum err report_begin(struct run *run);
MUST_CHECK enum err report_save(struct db_session *s, struct run *run);
/* Ends the run, frees the job's key, queues what comes next: at once. */
MUST_CHECK enum err report_end(struct run *run, struct str status,
                               struct str detail);

#endif
