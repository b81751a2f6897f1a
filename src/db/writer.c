/* Design notes
 * The thread takes the whole queue, runs each work in a savepoint of one
 * transaction, commits once, then wakes all: while it waits for the disk the
 * next batch gathers.  A waiter sleeps on a semaphore of its own, so that
 * waking one does not wake the others.
 *
 * What is in the write-ahead log is moved into the database when nothing was
 * written for IDLE_MS, and between two batches when it has grown past the
 * limits below; never inside a commit.  After QUIET_MS the log is emptied, so
 * that what was deleted long ago is not in it; not sooner, because a log that
 * has to grow again makes the next commits slower.
 *
 * An item's life: queued -> run (err is set) -> committed -> told.  The item of
 * a waiter stands on the waiter's stack and is not touched after sem_post(). */
#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "base/guard.h"
#include "db/db_int.h"

#define QUEUE_MAX    4096
#define IDLE_MS      100
#define QUIET_MS     10000
#define PENDING_MUCH 32000  /* pages of 8 KiB: checkpoint between batches */
#define PENDING_MOST 128000 /* ... and wait for the readers too */

struct item {
    struct item *next;
    db_work *work;
    void *context;
    void (*done)(void *context);
    enum err err;
    bool is_later; /* on the heap, nobody waits */
    bool is_scrub; /* no work: empty the log */
    sem_t told;
};

struct db_writer {
    struct db_session *session;
    struct db_failures *failures;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct item *first, **last;
    int64_t queued, writes, commits;
    bool is_stopping;
};

static enum err push(struct db_writer *w, struct item *item)
{
    GUARD(&w->lock);
    if (w->is_stopping)
        return ERR_STOPPING;
    if (w->queued >= QUEUE_MAX)
        return ERR_BUSY;
    item->next = NULL;
    *w->last = item;
    w->last = &item->next;
    w->queued++;
    pthread_cond_signal(&w->wake);
    return OK;
}

static enum err wait_for(struct db_writer *w, struct item *item)
{
    /* A work that writes would wait for itself. */
    assert(!pthread_equal(pthread_self(), w->thread));
    if (sem_init(&item->told, 0, 0) != 0)
        return ERR_NOMEM;
    enum err err = push(w, item);
    if (err == OK) {
        while (sem_wait(&item->told) != 0)
            ; /* EINTR */
        err = item->err;
    }
    sem_destroy(&item->told);
    return err;
}

enum err db_writer_do(struct db_writer *w, db_work *work, void *context)
{
    struct item item = { .work = work, .context = context };
    return wait_for(w, &item);
}

enum err db_writer_scrub(struct db_writer *w)
{
    struct item item = { .is_scrub = true };
    return wait_for(w, &item);
}

enum err db_writer_later(struct db_writer *w, db_work *work, void *context,
                         void (*done)(void *context))
{
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL)
        return ERR_NOMEM;
    *item = (struct item){
        .work = work, .context = context, .done = done, .is_later = true
    };
    enum err err = push(w, item);
    if (err != OK)
        free(item);
    return err;
}

static void tell(struct item *item)
{
    if (!item->is_later) {
        sem_post(&item->told); /* the item may be gone now */
        return;
    }
    if (item->done != NULL)
        item->done(item->context);
    free(item);
}

static void tell_all(struct item *item)
{
    while (item != NULL) {
        struct item *next = item->next;
        tell(item);
        item = next;
    }
}

static void fail_all(struct item *item, enum err err)
{
    for (; item != NULL; item = item->next)
        if (item->err == OK)
            item->err = err;
}

/* Runs one work in a savepoint; false when the whole transaction is lost. */
static bool run_in_savepoint(struct db_session *s, struct item *item)
{
    const struct db_maker *maker = s->maker;
    item->err = maker->step(s, DB_SAVEPOINT);
    if (item->err == OK)
        item->err = item->work(s, item->context);
    if (!maker->is_in_transaction(s)) {
        if (item->err == OK)
            item->err = ERR_IO;
        return false;
    }
    if (item->err == OK) /* a late failure is met here, and undone */
        item->err = maker->step(s, DB_RELEASE);
    return item->err == OK || maker->step(s, DB_UNDO) == OK;
}

/* Runs all works of a batch in one transaction, and commits. */
static enum err run_batch(struct db_session *s, struct item *first)
{
    const struct db_maker *maker = s->maker;
    enum err err = maker->step(s, DB_BEGIN_WRITE);
    if (err != OK)
        return err;
    for (struct item *i = first; i != NULL && err == OK; i = i->next)
        if (!i->is_scrub && !run_in_savepoint(s, i))
            err = i->err != OK ? i->err : ERR_IO;
    if (err == OK)
        err = maker->step(s, DB_COMMIT);
    if (err != OK && maker->is_in_transaction(s))
        (void)maker->step(s, DB_ROLLBACK);
    return err;
}

/* One work alone needs no savepoint. */
static enum err run_single(struct db_session *s, struct item *item)
{
    const struct db_maker *maker = s->maker;
    enum err err = maker->step(s, DB_BEGIN_WRITE);
    if (err != OK)
        return err;
    err = item->work(s, item->context);
    if (err == OK)
        err = maker->step(s, DB_COMMIT);
    if (err != OK && maker->is_in_transaction(s))
        (void)maker->step(s, DB_ROLLBACK);
    return err;
}

static void scrub_if_asked(struct db_session *s, struct item *item)
{
    for (; item != NULL; item = item->next)
        if (item->is_scrub)
            item->err = s->maker->tidy(s, DB_TIDY_SCRUB);
}

static bool has_work(const struct item *item)
{
    while (item != NULL && item->is_scrub)
        item = item->next;
    return item != NULL;
}

static void work_off(struct db_writer *w, struct item *first, int64_t n)
{
    enum err err = OK;
    if (has_work(first)) {
        err = first->next == NULL ? run_single(w->session, first)
                                  : run_batch(w->session, first);
        fail_all(first, err);
        for (const struct item *i = first; i != NULL; i = i->next)
            db_note_failure(w->failures, w->session, i->err);
    }
    scrub_if_asked(w->session, first);
    pthread_mutex_lock(&w->lock);
    w->queued -= n;
    w->writes += n;
    w->commits += err == OK;
    pthread_mutex_unlock(&w->lock);
    tell_all(first);
}

/* How far the house-keeping has come since the last write. */
enum rest {
    REST_NONE,  /* there may be something to move: wait IDLE_MS */
    REST_MOVED, /* wait QUIET_MS */
    REST_EMPTY, /* nothing to do */
};

static enum rest keep_tidy(struct db_session *s, enum rest rest)
{
    if (rest == REST_NONE) {
        if (s->maker->pending(s) > 0)
            (void)s->maker->tidy(s, DB_TIDY_SOME); /* readers: the rest later */
        return REST_MOVED;
    }
    return s->maker->tidy(s, DB_TIDY_IF_QUIET) == OK ? REST_EMPTY : REST_MOVED;
}

/* Between two batches. */
static void keep_small(struct db_session *s)
{
    int64_t pending = s->maker->pending(s);
    if (pending > PENDING_MOST)
        (void)s->maker->tidy(s, DB_TIDY_ALL);
    else if (pending > PENDING_MUCH)
        (void)s->maker->tidy(s, DB_TIDY_SOME);
}

static struct timespec after(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000 * 1000000);
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

/* Waits for work.  NULL: time to rest, or the end when *is_end. */
static struct item *take(struct db_writer *w, enum rest rest, int64_t *n,
                         bool *is_end)
{
    struct timespec until = after(rest == REST_NONE ? IDLE_MS : QUIET_MS);
    GUARD(&w->lock);
    while (w->first == NULL && !w->is_stopping) {
        if (rest == REST_EMPTY)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (pthread_cond_timedwait(&w->wake, &w->lock, &until) ==
                 ETIMEDOUT)
            return NULL;
    }
    struct item *first = w->first;
    *is_end = first == NULL;
    *n = 0;
    for (struct item *i = first; i != NULL; i = i->next)
        ++*n;
    w->first = NULL;
    w->last = &w->first;
    return first;
}

static void *write_on(void *context)
{
    struct db_writer *w = context;
    bool is_end = false;
    enum rest rest = REST_NONE; /* what opening left may be moved */
    while (!is_end) {
        int64_t n = 0;
        struct item *first = take(w, rest, &n, &is_end);
        if (first != NULL) {
            work_off(w, first, n);
            keep_small(w->session);
            rest = REST_NONE;
        } else if (!is_end) {
            rest = keep_tidy(w->session, rest);
        }
    }
    (void)w->session->maker->tidy(w->session, DB_TIDY_ALL);
    return NULL;
}

enum err db_writer_start(struct db_session *s, struct db_failures *failures,
                         struct db_writer **out)
{
    struct db_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return ERR_NOMEM;
    w->session = s;
    w->failures = failures;
    w->last = &w->first;
    pthread_condattr_t attr;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&w->thread, NULL, write_on, w) != 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return ERR_NOMEM;
    }
    *out = w;
    return OK;
}

static void ask_to_stop(struct db_writer *w)
{
    GUARD(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->wake);
}

void db_writer_stop(struct db_writer *w)
{
    if (w == NULL)
        return;
    ask_to_stop(w);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

struct db_stats db_writer_stats(struct db_writer *w)
{
    GUARD(&w->lock);
    return (struct db_stats){ w->queued, w->writes, w->commits };
}
