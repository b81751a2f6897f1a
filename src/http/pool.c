#include "http/pool_int.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/guard.h"

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t has_job;
    struct pool_job *first, **end;
    size_t queued, busy;
    unsigned idle; /* workers waiting for a job */
    unsigned threads, threads_max;
    bool is_stopping;
    pthread_t at[];
};

/* The next job, waiting for one; NULL when there will be none. */
static struct pool_job *take(struct pool *p, bool *is_stopping)
{
    GUARD(&p->mutex);
    while (p->first == NULL && !p->is_stopping) {
        p->idle++;
        pthread_cond_wait(&p->has_job, &p->mutex);
        p->idle--;
    }
    struct pool_job *job = p->first;
    *is_stopping = p->is_stopping;
    if (job == NULL)
        return NULL;
    p->first = job->next;
    if (p->first == NULL)
        p->end = &p->first;
    p->queued--;
    p->busy++;
    return job;
}

static void *work(void *pool)
{
    struct pool *p = pool;
    struct pool_job *job;
    bool is_stopping;
    while ((job = take(p, &is_stopping)) != NULL) {
        job->run(job, is_stopping);
        GUARD(&p->mutex);
        p->busy--;
    }
    return NULL;
}

enum err pool_new(unsigned workers, struct pool **out)
{
    struct pool *p = calloc(1, sizeof *p + workers * sizeof p->at[0]);
    if (p == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->has_job, NULL);
    p->threads_max = workers;
    p->end = &p->first;
    *out = p;
    return OK;
}

bool pool_put(struct pool *p, struct pool_job *job)
{
    GUARD(&p->mutex);
    if (p->is_stopping ||
        p->queued >= (size_t)p->threads_max * POOL_QUEUE_PER_WORKER)
        return false;
    if (p->queued >= p->idle && p->threads < p->threads_max &&
        pthread_create(&p->at[p->threads], NULL, work, p) == 0)
        p->threads++;
    if (p->threads == 0)
        return false;
    job->next = NULL;
    *p->end = job;
    p->end = &job->next;
    p->queued++;
    pthread_cond_signal(&p->has_job);
    return true;
}

size_t pool_depth(struct pool *p)
{
    GUARD(&p->mutex);
    return p->queued + p->busy;
}

void pool_drain(struct pool *p)
{
    unsigned threads;
    {
        GUARD(&p->mutex);
        p->is_stopping = true;
        threads = p->threads;
        p->threads = 0; /* joined below, once */
        pthread_cond_broadcast(&p->has_job);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(p->at[i], NULL);
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    pool_drain(p);
    pthread_cond_destroy(&p->has_job);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
