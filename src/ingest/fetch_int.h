/* fetch_int.h - queries of an ingest under way; shared by the files of the
 * fetch stage.
 *
 *   ask.c      a query's URL, token and start
 *   answer.c   what came: kept, followed to the next page, ended
 *   trouble.c  what did not: again, later, otherwise, or not at all
 *   fetch.c    the loop, and what is asked for in which order
 */
#ifndef INGEST_FETCH_INT_H
#define INGEST_FETCH_INT_H

#include "http/client.h"
#include "ingest/ingest_int.h"

#define TRIES_MAX 4
#define CALL_MS   120000

struct query {
    struct run_type *type;
    struct want *want; /* a read of something referred to; NULL: a search */
    struct str url, first_url;
    struct page *page;
    struct http_call call;
    unsigned tries, throttles, pages, empty;
    unsigned restarts; /* from the first page, after a cursor was refused */
    bool has_count, is_plain_accept;
    bool is_everything;     /* its total is of no one type */
    unsigned refusals;      /* 401s of this page */
    unsigned token_number;  /* of the token it was asked with */
    unsigned refused_token; /* the same, when it met the last 401 */
    int64_t start_number;   /* of run->starts */
    int64_t starts_then;    /* run->starts, when it met the last 401 */
    int64_t due_ms;
    int64_t total, entries; /* as said, as seen */
    struct map seen;        /* urls of its pages */
    struct query *next;
    struct query *older; /* in fetch.all */
};

struct fetch {
    struct run *run;
    struct query *all; /* newest first: their pages are freed at the end, those
                          of calls that were under way too */
    struct http_batch *batch;
    struct query *waiting, **last_waiting;
    size_t active, max;
    struct store_snapshot *stored; /* what the record had; NULL: not looked */
};

/* ask.c */
void ask_enqueue(struct fetch *f, struct query *q);
/* NULL: no memory */
struct query *ask_new(struct fetch *f, struct run_type *type, struct str url);
/* Starts a type's next attempt; false when there is none left. */
bool ask_attempt(struct fetch *f, struct run_type *t);
/* A token that will last a while into run->authorization. */
MUST_CHECK enum err ask_token(struct run *run, bool force);
struct str ask_accept(const struct run *run);
MUST_CHECK enum err ask_start(struct fetch *f, struct query *q);
/* Frees a page that is not kept. */
void ask_drop_page(struct query *q);

/* answer.c */
void answer_set_status(struct run_type *t, struct str status);
/* The query is over; with the last of its attempt the type is, or goes on to
 * its next attempt. */
void answer_end(struct fetch *f, struct query *q, bool ok);
/* A 2xx. */
MUST_CHECK enum err answer_take(struct fetch *f, struct query *q);

/* trouble.c */
/* Asks again after a while; false when it was tried enough. */
bool trouble_again(struct fetch *f, struct query *q, int64_t wait_ms,
                   bool is_throttled);
int64_t trouble_wait(const struct query *q);
/* Any status but a 2xx. */
MUST_CHECK enum err trouble_met(struct fetch *f, struct query *q);

#endif
