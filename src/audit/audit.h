/* audit.h - who did what (decision 18), and the progress feed: AuditEvent
 * resources that the app reads (contract 7.11).
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct audit;

struct audit_options {
    struct db *db;
    struct store *store;
};
MUST_CHECK enum err audit_new(const struct audit_options *o,
                              struct audit **out);
/* Writes what is waiting. */
void audit_free(struct audit *a);

/* A step of a connection, as an AuditEvent of RECORD_AUDIT in the shape of the
 * contract's 7.11. */
struct audit_step {
    int64_t user_id;
    int64_t app_id;
    int64_t connection_id; /* 0: none yet */
    int64_t system_id;
    struct str system_name;
    struct str step;    /* the contract's code: what happened */
    struct str outcome; /* "0" success, "4", "8", "12" */
    struct str detail;  /* a sentence, no PHI */
    struct str type;    /* resource type it is about, or "" */
    int64_t count;      /* resources, or -1 */
};
MUST_CHECK enum err audit_record_step(struct audit *a,
                                      const struct audit_step *step);

/* The contract's codes for step. */
#define AUDIT_SEARCH_RESULTS   "system-search-results"
#define AUDIT_SYSTEM_SELECTED  "system-selected"
#define AUDIT_AUTHORIZATION    "member-authorization"
#define AUDIT_NOT_ESTABLISHED  "payer-connection-not-established"
#define AUDIT_TRANSFER_BEGUN   "data-transfer-initiated"
#define AUDIT_RETRIEVAL_FAILED "resource-retrieval-failure"
#define AUDIT_INGESTED         "member-data-ingestion-completed"
#define AUDIT_INGEST_TIMEOUT   "member-data-ingestion-timeout"

/* An access to a record; coalesced by (app, user, kind, type) a minute, and
 * written behind the answer. */
struct audit_access {
    int64_t user_id, app_id;
    char interaction; /* 'R'ead, 'S'earch, 'C'reate, 'U'pdate, 'D'elete, 'E'
                         everything, 'X'port */
    enum record_kind kind;
    uint16_t type;
    struct str peer;
    int status;
};
void audit_record_access(struct audit *a, const struct audit_access *access);
/* Writes what is waiting, and returns when it is durable. */
MUST_CHECK enum err audit_flush(struct audit *a);
/* Accesses that could not be kept, because the database did not keep up. */
int64_t audit_lost(struct audit *a);

MUST_CHECK enum err audit_erase(struct db_session *s, int64_t user_id);

#endif
