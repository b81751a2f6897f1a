/* export.h - exports that take their time: a row and a job each; what is done
 * is known by its id until it expires or is cancelled.  Bulk Data Access IG
 * 2.0, bulk data status request. */
#ifndef BULK_EXPORT_H
#define BULK_EXPORT_H

#include "bulk/bulk.h"
#include "jobs/jobs.h"

#define EXPORTS_AT_ONCE 20 /* of one user, or of one app for all its users */

struct exports;
struct exports_options {
    struct db *db;
    struct store *store;
    int64_t keep_s; /* how long it may be fetched; 0: a day */
};
MUST_CHECK enum err exports_new(const struct exports_options *o,
                                struct exports **out);
void exports_free(struct exports *e); /* NULL is fine */
size_t exports_kinds(struct exports *e, struct job_kind *out, size_t room);

enum export_status { EXPORT_RUNNING, EXPORT_DONE, EXPORT_FAILED };
struct export_row {
    struct str id;
    int64_t app_id;
    int64_t user_id; /* 0: all of the app's users */
    struct str request;
    struct bulk_ask ask;
    enum export_status status;
    struct str progress; /* "17 users" */
    struct str result;   /* DONE: {"types":{"Patient":1},"deleted":0} */
    int64_t expires_ms;
};
/* Queues it; ask is asked as of now.  ERR_RATE when too many are under way. */
MUST_CHECK enum err export_start(struct exports *e, struct export_row *row,
                                 struct arena *a, struct why *w);
/* ERR_NOT_FOUND: never was, another's, cancelled, expired. */
MUST_CHECK enum err export_get(struct exports *e, int64_t app_id,
                               int64_t user_id, struct str id, struct arena *a,
                               struct export_row *out);
/* Forgets it: its files are gone at once.  ERR_NOT_FOUND. */
MUST_CHECK enum err export_cancel(struct exports *e, int64_t app_id,
                                  int64_t user_id, struct str id);
/* In the caller's transaction. */
MUST_CHECK enum err export_erase(struct db_session *s, int64_t user_id);

/* {"types":{"Patient":1},"deleted":0} of what was counted. */
void export_add_result(struct buf *b, enum release release,
                       const struct bulk_totals *totals);
/* The moment of an export that begins now: nothing that is stamped with it, or
 * before, comes after this call.  user_id 0: of no one record. */
int64_t export_moment(struct store *s, enum release release, int64_t user_id);

#endif
