/* jobs.h - the durable hand-over between stages: a row, a lease, a retry
 * (decision 22).  A killed process loses nothing: its leases run out, or are
 * taken back at start when the database has one server only.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "db/db.h"

struct jobs;

struct job {
    int64_t id;
    int64_t user_id;
    struct str kind;    /* "ingest", "refresh", ... */
    struct str payload; /* JSON; no secrets */
    struct str state; /* JSON the worker keeps between attempts; "" at first */
    unsigned attempt; /* 1, 2, ... */
    int64_t lease;    /* by which this worker is known */
    unsigned lease_seconds;
};

/* Works a job.  OK: done, the row goes.  ERR_STOPPING: handed back at once,
 * the attempt is not counted.  Else: again later (back-off 10 s, x 3, at most
 * 1 h), and given up after attempts_max. */
typedef enum err job_work(void *context, struct jobs *jobs,
                          const struct job *job, struct arena *a,
                          struct why *w);
struct job_kind {
    const char *name;
    job_work *work;
    void (*gave_up)(void *context, const struct job *job, const char *why);
    void *context;
    unsigned attempts_max;
    unsigned at_once_max;
    unsigned lease_seconds; /* renewed by jobs_keep() and by itself at half */
};

struct jobs_options {
    struct db *db;
    const struct job_kind *kinds;
    size_t kind_count;
    unsigned workers; /* threads; 0: none, only adding */
    unsigned poll_ms; /* looks for others' jobs this often; 0: 1000 */
    bool take_back;   /* at start, take back every lease (one server only;
                       * PostgreSQL: those of dead servers) */
};
MUST_CHECK enum err jobs_start(const struct jobs_options *o, struct jobs **out,
                               struct why *w);
/* Asks the workers to stop (jobs_is_stopping()), waits for them. */
void jobs_stop(struct jobs *j);
bool jobs_is_stopping(const struct jobs *j);

/* Adds a job inside the caller's transaction.  key: at most one waiting or
 * running job of a kind has a given key ("" : any number); then *added is false
 * and nothing changes.  due_ms: wall time, 0 now.  Wakes a worker at commit or
 * at the next poll; jobs_wake() makes it at once. */
MUST_CHECK enum err jobs_add(struct db_session *s, struct str kind,
                             struct str key, int64_t user_id,
                             struct str payload, int64_t due_ms, bool *added);
void jobs_wake(struct jobs *j);

/* Keeps the worker's progress and renews the lease; ERR_CONFLICT when the lease
 * is lost: stop working. */
MUST_CHECK enum err jobs_keep(struct jobs *j, const struct job *job,
                              struct str state);
/* The same inside the caller's transaction. */
MUST_CHECK enum err jobs_keep_in(struct db_session *s, const struct job *job,
                                 struct str state);
/* The job's work ends in the caller's transaction: its key is free for another
 * of that name at once, though its own row goes a moment later. */
MUST_CHECK enum err jobs_release_in(struct db_session *s,
                                    const struct job *job);
/* Removes a user's jobs, inside the caller's transaction. */
MUST_CHECK enum err jobs_erase(struct db_session *s, int64_t user_id);

struct jobs_stats {
    int64_t waiting, running, done, failed;
};
struct jobs_stats jobs_stats(struct jobs *j);

#endif
