/* Design notes: one writer, group commit.
 *
 *   queue     any thread appends a task under `lock` and waits on `committed`;
 *   batch     the writer takes all that is queued, runs each in a savepoint of
 *             one transaction, commits once, then wakes all who wait;
 *   failure   a task's error rolls back its own savepoint only; if the commit
 *             fails, every task of the batch gets that error;
 *   idle      when nothing is queued the writer checkpoints the WAL, so that no
 *             request ever waits for a checkpoint.
 */
#include "db/sqlite_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/guard.h"

#define BATCH_MAX     1000
#define QUEUE_MAX     20000
#define CHECKPOINT_MS 200 /* idle time before a checkpoint */

static const struct db_statement savepoint = { "SAVEPOINT task" };
static const struct db_statement release_point = { "RELEASE task" };
static const struct db_statement roll_back = { "ROLLBACK TO task" };
static const struct db_statement begin = { "BEGIN IMMEDIATE" };
static const struct db_statement commit = { "COMMIT" };
static const struct db_statement abort_all = { "ROLLBACK" };

static enum err run(struct db_session *s, const struct db_statement *statement)
{
    return db_run_n(s, statement, NULL, 0, NULL);
}

static void run_task(struct db_session *s, struct db_task *task)
{
    task->err = run(s, &savepoint);
    if (task->err != OK)
        return;
    task->err = task->work(s, task->context);
    if (task->err != OK && run(s, &roll_back) != OK)
        task->err = ERR_IO;
    enum err released = run(s, &release_point);
    if (task->err == OK)
        task->err = released;
}

/* Runs a list of tasks in one transaction. */
static void run_batch(struct db *db, struct db_task *tasks)
{
    struct db_session *s = &db->writer;
    enum err err = run(s, &begin);
    for (struct db_task *t = tasks; err == OK && t != NULL; t = t->next)
        run_task(s, t);
    if (err == OK)
        err = run(s, &commit);
    if (err == OK)
        return;
    if (sqlite3_get_autocommit(s->handle) == 0 && run(s, &abort_all) != OK)
        err = ERR_IO;
    for (struct db_task *t = tasks; t != NULL; t = t->next)
        t->err = err;
}

/* Takes what is queued; waits for it. NULL: stopping and nothing left. */
static struct db_task *take_batch(struct db *db, bool *is_idle)
{
    GUARD(&db->lock);
    *is_idle = false;
    while (db->first == NULL && !db->is_stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += CHECKPOINT_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&db->queued, &db->lock, &until) ==
                ETIMEDOUT &&
            db->first == NULL) {
            *is_idle = true;
            return NULL;
        }
    }
    struct db_task *first = db->first, *last = first;
    for (size_t n = 1; last != NULL && last->next != NULL && n < BATCH_MAX; n++)
        last = last->next;
    if (first == NULL)
        return NULL;
    db->first = last->next;
    if (db->first == NULL)
        db->last = &db->first;
    last->next = NULL;
    return first;
}

static void finish_batch(struct db *db, struct db_task *tasks)
{
    struct db_task *orphans = NULL;
    {
        GUARD(&db->lock);
        db->commits++;
        for (struct db_task *t = tasks, *next; t != NULL; t = next) {
            next = t->next;
            db->writes++;
            db->queue_length--;
            if (t->done != NULL) {
                t->next = orphans;
                orphans = t;
            } else {
                t->is_done = true; /* its waiter may free it from here on */
            }
        }
        pthread_cond_broadcast(&db->committed);
    }
    for (struct db_task *t = orphans, *next; t != NULL; t = next) {
        next = t->next;
        t->done(t->context);
        free(t);
    }
}

static void checkpoint(struct db *db, int mode)
{
    sqlite3_wal_checkpoint_v2(db->writer.handle, NULL, mode, NULL, NULL);
}

void *sqlite_writer_main(void *context)
{
    struct db *db = context;
    bool is_clean = true;
    for (;;) {
        bool is_idle;
        struct db_task *tasks = take_batch(db, &is_idle);
        if (tasks != NULL) {
            run_batch(db, tasks);
            finish_batch(db, tasks);
            is_clean = false;
            if (db->commits % 4096 == 0)
                checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
        } else if (is_idle && !is_clean) {
            checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
            is_clean = true;
        } else if (!is_idle) {
            return NULL;
        }
    }
}

static enum err append(struct db *db, struct db_task *task)
{
    if (db->is_stopping)
        return ERR_STOPPING;
    if (db->queue_length >= QUEUE_MAX)
        return ERR_BUSY;
    task->next = NULL;
    *db->last = task;
    db->last = &task->next;
    db->queue_length++;
    pthread_cond_signal(&db->queued);
    return OK;
}

enum err db_write(struct db *db, db_work *work, void *context)
{
    struct db_task task = { .work = work, .context = context };
    assert(!pthread_equal(pthread_self(), db->thread));
    GUARD(&db->lock);
    enum err err = append(db, &task);
    if (err != OK)
        return err;
    while (!task.is_done)
        pthread_cond_wait(&db->committed, &db->lock);
    return task.err;
}

enum err db_write_later(struct db *db, db_work *work, void *context,
                        void (*done)(void *context))
{
    struct db_task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return ERR_NOMEM;
    task->work = work;
    task->context = context;
    task->done = done;
    enum err err;
    {
        GUARD(&db->lock);
        err = append(db, task);
    }
    if (err != OK)
        free(task);
    return err;
}
