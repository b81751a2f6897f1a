/* jobs_int.h - what jobs.c (threads) and job_rows.c (SQL) share. */
#ifndef JOBS_JOBS_INT_H
#define JOBS_JOBS_INT_H

#include "jobs/jobs.h"

/* A job taken from the table, until its worker is done with it. */
struct task {
    struct task *next;
    const struct job_kind *kind;
    struct job job; /* text in the arena */
    struct arena arena;
    int64_t renewed_ns; /* monotonic: when the lease was made or renewed */
};

/* Takes at most n due jobs of a kind; *out is a list, *taken its length. */
MUST_CHECK enum err job_rows_take(struct db *db, const struct job_kind *kind,
                                  unsigned n, struct task **out,
                                  unsigned *taken);
void task_free(struct task *t);

/* Wall time of the next due job of a kind; ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err job_rows_next_due(struct db *db, struct str kind,
                                      int64_t *out_ms);

/* The three ends of an attempt; they do nothing when the lease is lost.  Where
 * the last two fail, the lease runs out and the job comes back all the same. */
MUST_CHECK enum err job_rows_remove(struct db *db, const struct job *job);
enum err job_rows_hand_back(struct db *db, const struct job *job);
enum err job_rows_again(struct db *db, const struct job *job, int64_t due_ms);

/* A longer lease; a lost one is left alone. */
enum err job_rows_renew(struct db *db, const struct job *job);
MUST_CHECK enum err job_rows_take_back_all(struct db *db);
/* PostgreSQL: the jobs of servers that died are due again.  ERR_NOT_FOUND:
 * none.
 */
enum err job_rows_take_back_dead(struct db *db);
MUST_CHECK enum err job_rows_count(struct db *db, int64_t *out);

#endif
