/* pool_int.h - worker threads for handlers that wait, made as they are needed,
 * with a bounded queue before them.
 */
#ifndef HTTP_POOL_INT_H
#define HTTP_POOL_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pool;
struct pool_job {
    struct pool_job *next;
    /* Once for each job that was put; is_stopping: answer quickly. */
    void (*run)(struct pool_job *job, bool is_stopping);
};

#define POOL_QUEUE_PER_WORKER 8

MUST_CHECK enum err pool_new(unsigned workers, struct pool **out);
/* false: the queue is full or the pool stops; the job is then not run. */
bool pool_put(struct pool *p, struct pool_job *job);
/* Jobs that wait or are being run. */
size_t pool_depth(struct pool *p);
/* Runs what is queued with is_stopping, waits for the workers, frees. */
void pool_free(struct pool *p);
/* The first part of that: every job put later is refused. */
void pool_drain(struct pool *p);

#endif
