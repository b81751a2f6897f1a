/* ingest.h - a connection's whole record into the store: plan, fetch,
 * normalise, keep, report; as jobs.  Decisions 10, 20, 22.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "audit/audit.h"
#include "connect/connect.h"
#include "jobs/jobs.h"
#include "store/store.h"

struct ingest;
struct ingest_options {
    struct db *db;
    struct store *store;
    struct http_client *client;
    struct connect *connect; /* may be set later by ingest_set_connect() */
    struct audit *audit;
    const struct seal *seal;
    struct str public_base;  /* for meta.source */
    int64_t refresh_every_s; /* nightly: 86400; 0: never */
    int64_t whole_every_s;   /* a refresh after so long asks for everything; 0:
                                each one does */
};
MUST_CHECK enum err ingest_new(const struct ingest_options *o,
                               struct ingest **out, struct why *w);
void ingest_set_connect(struct ingest *i, struct connect *c);
void ingest_free(struct ingest *i);

/* The rows for jobs_options.kinds. */
size_t ingest_kinds(struct ingest *i, struct job_kind *out, size_t room);

/* For connect_options.keep_patient; context is the struct ingest. */
enum err ingest_keep_patient(void *ingest, const struct connection *c,
                             struct str patient_json, struct arena *a,
                             struct str *out_local_id, struct why *w);

/* Queues an ingest of a connection (once at a time), in the caller's
 * transaction: of everything, or of what changed where the system can tell. */
MUST_CHECK enum err ingest_queue(struct db_session *s, int64_t user_id,
                                 int64_t connection_id, bool is_whole,
                                 bool *queued);

/* How it went, or goes: one row a type (decision 20). */
struct ingest_type_report {
    struct str type;
    struct str
        status;      /* "waiting","running","done","partial","failed","denied",
                        "unsupported" */
    int http_status; /* the last */
    int64_t asked, got, written, same, warnings;
    int64_t upstream_total; /* -1: not said */
    struct str detail;
    int64_t since_ms;    /* only changes since then were asked for; 0: all */
    int64_t complete_ms; /* nothing that the system had before this instant, by
                            its clock, is missing; 0: not known */
};
struct ingest_report {
    int64_t connection_id;
    struct str status; /* "waiting", "running", "done", "failed" */
    int64_t started_ms, ended_ms;
    int64_t whole_ms; /* the last run that asked for everything began */
    struct ingest_type_report *types;
    size_t type_count, done_count;
};
MUST_CHECK enum err ingest_report_get(struct db *db, int64_t user_id,
                                      int64_t connection_id, struct arena *a,
                                      struct ingest_report *out);

/* Local identity (decision 10), stable without a lookup: of (user, system,
 * release, type, source id), so that a person who connects again gets the same
 * ids again.  owner: the local Patient's id, "" for a Patient. */
struct str ingest_local_id(const struct ingest *i, struct arena *a,
                           const struct connection *c, struct str type,
                           struct str source_id, struct str owner);

MUST_CHECK enum err ingest_erase(struct db_session *s, int64_t user_id);

#endif
