#include "http/server_int.h"

#include <stdlib.h>

#include "base/guard.h"

#define QUEUE_MAX 4096

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t added;
    struct exchange *first, **last;
    size_t waiting;
    unsigned idle, count, max;
    bool is_stopping;
    pthread_t *threads;
};

static struct exchange *take(struct pool *p)
{
    GUARD(&p->lock);
    p->idle++;
    while (p->first == NULL && !p->is_stopping)
        pthread_cond_wait(&p->added, &p->lock);
    p->idle--;
    struct exchange *x = p->first;
    if (x == NULL)
        return NULL;
    p->first = x->next;
    if (p->first == NULL)
        p->last = &p->first;
    p->waiting--;
    return x;
}

static void *work(void *context)
{
    struct pool *p = context;
    for (;;) {
        struct exchange *x = take(p);
        if (x == NULL)
            return NULL;
        struct MHD_Connection *connection = x->connection;
        exchange_handle(x);
        x->state = EXCHANGE_DONE;
        MHD_resume_connection(connection);
    }
}

enum err pool_new(unsigned threads_max, struct pool **out)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return ERR_NOMEM;
    p->threads = calloc(threads_max, sizeof *p->threads);
    if (p->threads == NULL) {
        free(p);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->added, NULL);
    p->max = threads_max;
    p->last = &p->first;
    *out = p;
    return OK;
}

bool pool_add(struct pool *p, struct exchange *x)
{
    GUARD(&p->lock);
    if (p->waiting >= QUEUE_MAX || p->is_stopping)
        return false;
    bool is_short = p->idle <= p->waiting;
    if (is_short && p->count < p->max &&
        pthread_create(&p->threads[p->count], NULL, work, p) == 0)
        p->count++;
    if (p->count == 0)
        return false;
    x->next = NULL;
    *p->last = x;
    p->last = &x->next;
    p->waiting++;
    pthread_cond_signal(&p->added);
    return true;
}

int64_t pool_waiting(struct pool *p)
{
    GUARD(&p->lock);
    return (int64_t)p->waiting;
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    {
        GUARD(&p->lock);
        p->is_stopping = true;
        pthread_cond_broadcast(&p->added);
    }
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->added);
    free(p->threads);
    free(p);
}
