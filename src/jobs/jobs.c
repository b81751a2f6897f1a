/* Design notes
 * One keeper thread looks into the table, takes as many due jobs as there are
 * free workers and free places of their kind, and renews leases at half their
 * time.  Workers wait for what it took.  A job's life:
 *   waiting (lease 0) -> taken (lease, due_ms = its end) -> removed
 *                                  | failed: waiting again, later
 *                                  | stopping: waiting again, now
 *                                  | killed: taken by another when due_ms came
 * Lock: one, `lock`, never held while SQL or work runs. */
#include "jobs/jobs.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "jobs/jobs_int.h"

#define POLL_MS_DEFAULT 1000
#define WORKERS_MAX     256
#define BACK_OFF_FIRST  10000
#define BACK_OFF_FACTOR 3
#define BACK_OFF_MOST   3600000
#define LEASE_DEFAULT_S 60
#define RENEW_AT_ONCE   64
#define NS_PER_MS       1000000
#define DEAD_MS         INT64_C(1000)

struct kind {
    struct job_kind how;
    unsigned running;
};

struct jobs {
    struct db *db;
    struct kind *kinds;
    size_t kind_count;
    unsigned poll_ms;

    pthread_mutex_t lock;
    pthread_cond_t keeper_wake, worker_wake;
    struct task *ready;   /* taken, no worker yet */
    struct task *running; /* linked by `next` too */
    unsigned worker_count, busy;
    bool is_woken, is_done;
    atomic_bool is_stopping;
    int64_t done, failed;

    pthread_t keeper;
    pthread_t *workers;
    unsigned started;
    bool has_keeper;
};

/* --- one job ------------------------------------------------------------- */

static int64_t back_off_ms(unsigned attempt)
{
    int64_t ms = BACK_OFF_FIRST;
    for (unsigned i = 1; i < attempt && ms < BACK_OFF_MOST; i++)
        ms *= BACK_OFF_FACTOR;
    return ms < BACK_OFF_MOST ? ms : BACK_OFF_MOST;
}

/* Writes how the attempt ended; a database that cannot leaves the lease to run
 * out. */
static void end_attempt(struct jobs *j, struct task *t, enum err err,
                        const struct why *w)
{
    const struct job_kind *kind = t->kind;
    bool is_last = t->job.attempt >= kind->attempts_max;
    if (err == ERR_STOPPING) {
        job_rows_hand_back(j->db, &t->job);
    } else if (err != OK && !is_last) {
        job_rows_again(j->db, &t->job,
                       clock_now_ms() + back_off_ms(t->job.attempt));
    } else {
        enum err removed = job_rows_remove(j->db, &t->job);
        if (removed == OK && err != OK && kind->gave_up != NULL)
            kind->gave_up(kind->context, &t->job,
                          w->text[0] != '\0' ? w->text : err_name(err));
        GUARD(&j->lock);
        j->done += err == OK;
        j->failed += err != OK;
    }
}

static void unlink_running(struct jobs *j, struct task *t)
{
    struct task **at = &j->running;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

static void work_one(struct jobs *j, struct task *t)
{
    struct why w = { 0 };
    enum err err = t->kind->work(t->kind->context, j, &t->job, &t->arena, &w);
    end_attempt(j, t, err, &w);
    pthread_mutex_lock(&j->lock);
    unlink_running(j, t);
    j->busy--;
    for (size_t i = 0; i < j->kind_count; i++)
        if (&j->kinds[i].how == t->kind)
            j->kinds[i].running--;
    j->is_woken = true;
    pthread_cond_signal(&j->keeper_wake);
    pthread_mutex_unlock(&j->lock);
    task_free(t);
}

/* The next task; NULL when the worker is to end. */
static struct task *next_task(struct jobs *j)
{
    GUARD(&j->lock);
    while (j->ready == NULL && !j->is_stopping)
        pthread_cond_wait(&j->worker_wake, &j->lock);
    struct task *t = j->is_stopping ? NULL : j->ready;
    if (t != NULL) {
        j->ready = t->next;
        t->next = j->running;
        j->running = t;
    }
    return t;
}

static void *worker_main(void *context)
{
    struct jobs *j = context;
    struct task *t;
    while ((t = next_task(j)) != NULL)
        work_one(j, t);
    return NULL;
}

/* --- the keeper ---------------------------------------------------------- */

static unsigned free_places(struct jobs *j, const struct kind *k)
{
    GUARD(&j->lock);
    unsigned free = j->worker_count - j->busy;
    unsigned of_kind =
        k->how.at_once_max > k->running ? k->how.at_once_max - k->running : 0;
    return free < of_kind ? free : of_kind;
}

static void hand_over(struct jobs *j, struct kind *k, struct task *tasks,
                      unsigned n)
{
    GUARD(&j->lock);
    struct task **last = &j->ready;
    while (*last != NULL)
        last = &(*last)->next;
    *last = tasks;
    k->running += n;
    j->busy += n;
    pthread_cond_broadcast(&j->worker_wake);
}

/* Takes what is due of one kind; lowers *next_ms to when more will be. */
static void serve_kind(struct jobs *j, struct kind *k, int64_t *next_ms)
{
    unsigned n = free_places(j, k);
    int64_t due_ms;
    if (n == 0 || job_rows_next_due(j->db, str_of(k->how.name), &due_ms) != OK)
        return;
    int64_t wait_ms = due_ms - clock_now_ms();
    if (wait_ms > 0) {
        if (wait_ms < *next_ms)
            *next_ms = wait_ms;
        return;
    }
    struct task *tasks = NULL;
    unsigned taken = 0;
    if (job_rows_take(j->db, &k->how, n, &tasks, &taken) == OK && taken > 0)
        hand_over(j, k, tasks, taken);
    *next_ms = taken > 0 ? 0 : *next_ms; /* look again for the next due one */
}

/* Copies of the jobs whose lease is half over. */
static size_t find_old_leases(struct jobs *j, struct job *out, size_t max)
{
    int64_t now = clock_monotonic_ns();
    size_t n = 0;
    GUARD(&j->lock);
    for (struct task *t = j->running; t != NULL && n < max; t = t->next) {
        int64_t half = (int64_t)t->job.lease_seconds * 1000 * NS_PER_MS / 2;
        if (now - t->renewed_ns < half)
            continue;
        t->renewed_ns = now;
        out[n++] = (struct job){ .id = t->job.id,
                                 .lease = t->job.lease,
                                 .lease_seconds = t->job.lease_seconds };
    }
    return n;
}

static void renew_leases(struct jobs *j)
{
    struct job old[RENEW_AT_ONCE];
    size_t n = find_old_leases(j, old, RENEW_AT_ONCE);
    for (size_t i = 0; i < n; i++)
        job_rows_renew(j->db, &old[i]);
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * NS_PER_MS;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

/* Sleeps until somebody wakes it, or ms have gone; false at the end. */
static bool keeper_sleep(struct jobs *j, int64_t ms)
{
    struct timespec until = after_ms(ms);
    GUARD(&j->lock);
    while (!j->is_woken && !j->is_done)
        if (pthread_cond_timedwait(&j->keeper_wake, &j->lock, &until) != 0)
            break;
    j->is_woken = false;
    return !j->is_done;
}

/* Another server's: one of ours that is killed is back before its leases end,
 * too. */
static void look_for_dead(struct jobs *j, int64_t *looked_ns)
{
    int64_t now = clock_monotonic_ns();
    if (!db_is_shared(j->db) || now - *looked_ns < DEAD_MS * NS_PER_MS)
        return;
    *looked_ns = now;
    (void)job_rows_take_back_dead(j->db);
}

static void *keeper_main(void *context)
{
    struct jobs *j = context;
    int64_t wait_ms = 0;
    int64_t looked_ns = 0;
    while (keeper_sleep(j, wait_ms)) {
        look_for_dead(j, &looked_ns);
        wait_ms = j->poll_ms;
        for (size_t i = 0; i < j->kind_count && !j->is_stopping; i++)
            serve_kind(j, &j->kinds[i], &wait_ms);
        renew_leases(j);
    }
    return NULL;
}

/* --- life ---------------------------------------------------------------- */

static enum err copy_kinds(struct jobs *j, const struct jobs_options *o)
{
    j->kinds = calloc(o->kind_count + 1, sizeof *j->kinds);
    if (j->kinds == NULL)
        return ERR_NOMEM;
    j->kind_count = o->kind_count;
    for (size_t i = 0; i < o->kind_count; i++) {
        struct job_kind *how = &j->kinds[i].how;
        *how = o->kinds[i];
        if (how->at_once_max == 0)
            how->at_once_max = WORKERS_MAX;
        if (how->lease_seconds == 0)
            how->lease_seconds = LEASE_DEFAULT_S;
    }
    return OK;
}

static enum err start_threads(struct jobs *j, struct why *w)
{
    if (j->worker_count == 0)
        return OK;
    j->workers = calloc(j->worker_count, sizeof *j->workers);
    if (j->workers == NULL)
        return ERR_NOMEM;
    j->has_keeper = pthread_create(&j->keeper, NULL, keeper_main, j) == 0;
    while (j->has_keeper && j->started < j->worker_count &&
           pthread_create(&j->workers[j->started], NULL, worker_main, j) == 0)
        j->started++;
    if (j->started < j->worker_count)
        return why(w, ERR_NOMEM, "the workers' threads cannot be started");
    return OK;
}

enum err jobs_start(const struct jobs_options *o, struct jobs **out,
                    struct why *w)
{
    struct jobs *j = calloc(1, sizeof *j);
    if (j == NULL)
        return ERR_NOMEM;
    j->db = o->db;
    j->poll_ms = o->poll_ms > 0 ? o->poll_ms : POLL_MS_DEFAULT;
    j->worker_count = o->workers < WORKERS_MAX ? o->workers : WORKERS_MAX;
    pthread_condattr_t attr;
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&j->keeper_wake, &attr);
    pthread_cond_init(&j->worker_wake, NULL);
    pthread_condattr_destroy(&attr);
    enum err err = copy_kinds(j, o);
    if (err == OK && o->take_back)
        err = job_rows_take_back_all(o->db);
    if (err == OK)
        err = start_threads(j, w);
    if (err != OK) {
        jobs_stop(j);
        return err;
    }
    *out = j;
    return OK;
}

/* Workers go first: the keeper renews their leases until they are done. */
static void end_threads(struct jobs *j)
{
    {
        GUARD(&j->lock);
        j->is_stopping = true;
        pthread_cond_broadcast(&j->worker_wake);
    }
    for (unsigned i = 0; i < j->started; i++)
        pthread_join(j->workers[i], NULL);
    {
        GUARD(&j->lock);
        j->is_done = true;
        pthread_cond_signal(&j->keeper_wake);
    }
    if (j->has_keeper)
        pthread_join(j->keeper, NULL);
}

void jobs_stop(struct jobs *j)
{
    if (j == NULL)
        return;
    end_threads(j);
    while (j->ready != NULL) {
        struct task *t = j->ready;
        j->ready = t->next;
        job_rows_hand_back(j->db, &t->job);
        task_free(t);
    }
    pthread_cond_destroy(&j->keeper_wake);
    pthread_cond_destroy(&j->worker_wake);
    pthread_mutex_destroy(&j->lock);
    free(j->workers);
    free(j->kinds);
    free(j);
}

bool jobs_is_stopping(const struct jobs *j)
{
    return j->is_stopping;
}

void jobs_wake(struct jobs *j)
{
    if (j == NULL)
        return;
    GUARD(&j->lock);
    j->is_woken = true;
    pthread_cond_signal(&j->keeper_wake);
}

struct keep_call {
    const struct job *job;
    struct str state;
};

static enum err do_keep(struct db_session *s, void *context)
{
    const struct keep_call *call = context;
    return jobs_keep_in(s, call->job, call->state);
}

enum err jobs_keep(struct jobs *j, const struct job *job, struct str state)
{
    struct keep_call call = { job, state };
    return db_write(j->db, do_keep, &call);
}

struct jobs_stats jobs_stats(struct jobs *j)
{
    int64_t rows = 0;
    if (job_rows_count(j->db, &rows) != OK)
        rows = 0;
    GUARD(&j->lock);
    int64_t waiting = rows > j->busy ? rows - j->busy : 0;
    return (struct jobs_stats){ waiting, j->busy, j->done, j->failed };
}
