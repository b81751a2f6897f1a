/* Design notes
 * A session is lent from a stack, so that the warmest goes out first.  The
 * stack grows past `readers` when streams hold sessions, up to SESSIONS_MAX;
 * those too many are closed when they come back.
 * Lock order: none; pool.lock is never held while SQL runs. */
#include "db/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "db/db_int.h"

#define READERS_MIN  4
#define SESSIONS_MAX 256
#define SHARED_MAX   40 /* two servers' fit in PostgreSQL's 100 */
#define LEND_WAIT_S  5
#define QUEUE_STUCK  4000 /* of the writer's 4096 */

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct db_session *idle;
    unsigned idle_count, lent, keep, most;
};

struct db_failures {
    pthread_mutex_t lock;
    struct why last;
};

struct db {
    uint64_t number;
    struct db_failures failures;
    const struct db_maker *maker;
    struct db_options options;
    char *path;
    struct db_session *write_session;
    struct db_writer *writer;
    struct pool pool;
};

/* Sessions of a server of its own cost a process each: few, and kept. */
static enum err pool_init(struct pool *p, const struct db_options *o,
                          bool is_shared)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned readers = o->readers;
    p->most = SESSIONS_MAX;
    if (is_shared)
        p->most = o->sessions_max > 0 ? o->sessions_max : SHARED_MAX;
    if (readers == 0)
        readers = cores > READERS_MIN ? (unsigned)cores : READERS_MIN;
    p->keep = readers > p->most || is_shared ? p->most : readers;
    pthread_condattr_t attr;
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return ERR_NOMEM;
    if (pthread_condattr_init(&attr) != 0)
        return ERR_NOMEM;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&p->returned, &attr);
    pthread_condattr_destroy(&attr);
    return failed == 0 ? OK : ERR_NOMEM;
}

static void note_words(struct db_failures *f, const struct why *w, enum err err)
{
    if (err != ERR_IO && err != ERR_BUSY)
        return;
    GUARD(&f->lock);
    f->last = *w;
}

void db_note_failure(struct db_failures *f, const struct db_session *s,
                     enum err err)
{
    note_words(f, &s->why, err);
}

void db_last_failure(struct db *db, struct why *out)
{
    GUARD(&db->failures.lock);
    *out = db->failures.last;
}

/* The writer's session, migrated, and its thread. */
static enum err start(struct db *db, struct why *w)
{
    enum err err = db->maker->open(&db->options, true, &db->write_session, w);
    if (err == OK)
        err = db_migrate(db->write_session, w);
    if (err == OK)
        err = db_writer_start(db->write_session, &db->failures, &db->writer);
    return err;
}

enum err db_open(const struct db_options *options, struct db **out,
                 struct why *w)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return ERR_NOMEM;
    static _Atomic uint64_t opened;
    db->number = ++opened;
    db->maker =
        db_is_postgres(str_of(options->path)) ? &db_postgres : &db_sqlite;
    db->options = *options;
    db->path = strdup(options->path);
    db->options.path = db->path;
    pthread_mutex_init(&db->failures.lock, NULL);
    enum err err = pool_init(&db->pool, options, db_is_shared(db));
    if (err == OK && db->path == NULL)
        err = ERR_NOMEM;
    if (err == OK)
        err = start(db, w);
    if (err != OK) {
        db_close(db);
        return err;
    }
    *out = db;
    return OK;
}

bool db_is_postgres(struct str path)
{
    return str_starts(path, STR("postgres://")) ||
           str_starts(path, STR("postgresql://"));
}

int64_t db_member(const struct db *db)
{
    return db->maker->member == NULL ? 1 : db->maker->member(db->write_session);
}

bool db_is_shared(const struct db *db)
{
    return db->maker->member != NULL;
}

uint64_t db_number(const struct db *db)
{
    return db->number;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_writer_stop(db->writer);
    while (db->pool.idle != NULL) {
        struct db_session *s = db->pool.idle;
        db->pool.idle = s->next;
        db->maker->close(s);
    }
    if (db->write_session != NULL)
        db->maker->close(db->write_session);
    pthread_cond_destroy(&db->pool.returned);
    pthread_mutex_destroy(&db->pool.lock);
    pthread_mutex_destroy(&db->failures.lock);
    free(db->path);
    free(db);
}

/* A session off the stack; NULL and OK: open one (it is counted already). */
static enum err pool_lend(struct pool *p, struct db_session **out)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEND_WAIT_S;
    GUARD(&p->lock);
    while (p->idle == NULL && p->lent >= p->most)
        if (pthread_cond_timedwait(&p->returned, &p->lock, &until) == ETIMEDOUT)
            return ERR_BUSY;
    *out = p->idle;
    if (p->idle != NULL) {
        p->idle = p->idle->next;
        p->idle_count--;
    }
    p->lent++;
    return OK;
}

/* True when the session stays in the pool. */
static bool pool_return(struct pool *p, struct db_session *s)
{
    GUARD(&p->lock);
    p->lent--;
    bool is_kept = s != NULL && p->idle_count < p->keep;
    if (is_kept) {
        s->next = p->idle;
        p->idle = s;
        p->idle_count++;
    }
    pthread_cond_signal(&p->returned);
    return is_kept;
}

static enum err take_session(struct db *db, enum db_step begin,
                             struct db_session **out)
{
    struct db_session *s = NULL;
    enum err err = pool_lend(&db->pool, &s);
    if (err != OK)
        return err;
    struct why w = { 0 };
    if (s == NULL)
        err = db->maker->open(&db->options, false, &s, &w);
    if (err == OK)
        err = db->maker->step(s, begin);
    if (err != OK) {
        note_words(&db->failures, s == NULL ? &w : &s->why, err);
        if (s != NULL)
            db->maker->close(s);
        (void)pool_return(&db->pool, NULL);
        return err;
    }
    *out = s;
    return OK;
}

enum err db_take_reader(struct db *db, struct db_session **out)
{
    return take_session(db, DB_BEGIN_READ, out);
}

void db_give_reader(struct db *db, struct db_session *s)
{
    if (s == NULL)
        return;
    bool is_good = !db->maker->is_in_transaction(s) ||
                   db->maker->step(s, DB_ROLLBACK) == OK;
    if (!pool_return(&db->pool, is_good ? s : NULL))
        db->maker->close(s);
}

static enum err read_with(struct db *db, enum db_step begin, db_work *work,
                          void *context)
{
    struct db_session *s;
    enum err err = take_session(db, begin, &s);
    if (err != OK)
        return err;
    err = work(s, context);
    db_note_failure(&db->failures, s, err);
    db_give_reader(db, s);
    return err;
}

enum err db_read(struct db *db, db_work *work, void *context)
{
    return read_with(db, DB_BEGIN_READ, work, context);
}

enum err db_peek(struct db *db, db_work *work, void *context)
{
    return read_with(db, DB_BEGIN_PEEK, work, context);
}

enum err db_write(struct db *db, db_work *work, void *context)
{
    return db_writer_do(db->writer, work, context);
}

enum err db_write_later(struct db *db, db_work *work, void *context,
                        void (*done)(void *context))
{
    return db_writer_later(db->writer, work, context, done);
}

enum err db_scrub(struct db *db)
{
    return db_writer_scrub(db->writer);
}

const char *db_why(const struct db_session *s)
{
    return s->why.text;
}

struct db_stats db_stats(struct db *db)
{
    return db_writer_stats(db->writer);
}

static enum err answer(struct db_session *s, void *context)
{
    (void)context;
    static const struct db_statement one = { "SELECT 1" };
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &one, NULL, 0, &rows);
    return err == OK ? db_next(&rows) : err;
}

bool db_is_ready(struct db *db)
{
    return db_stats(db).queued < QUEUE_STUCK && db_read(db, answer, NULL) == OK;
}

/* --- statements ---------------------------------------------------------- */

enum err db_run_n(struct db_session *s, const struct db_statement *statement,
                  const struct db_value *args, size_t n, int64_t *changed)
{
    void *at;
    if (s->maker->run != NULL)
        return s->maker->run(s, statement, args, n, changed);
    enum err err = s->maker->query(s, statement, args, n, true, &at);
    if (err != OK)
        return err;
    do
        err = s->maker->next(s, at);
    while (err == OK);
    if (err == ERR_NOT_FOUND) { /* after the last row */
        err = OK;
        if (changed != NULL)
            *changed = s->maker->changes(s);
    }
    s->maker->end(s, at);
    return err;
}

enum err db_query_n(struct db_session *s, const struct db_statement *statement,
                    const struct db_value *args, size_t n, struct db_rows *out)
{
    void *at;
    enum err err = s->maker->query(s, statement, args, n, false, &at);
    if (err == OK)
        *out = (struct db_rows){ .session = s, .at = at };
    return err;
}

void db_rows_fini(struct db_rows *rows)
{
    if (rows->at != NULL)
        rows->session->maker->end(rows->session, rows->at);
    *rows = (struct db_rows){ 0 };
}

enum err db_next(struct db_rows *rows)
{
    return rows->session->maker->next(rows->session, rows->at);
}

bool db_is_null(const struct db_rows *rows, int column)
{
    return rows->session->maker->is_null(rows->at, column);
}

int64_t db_i64(const struct db_rows *rows, int column)
{
    return rows->session->maker->i64(rows->at, column);
}

double db_f64(const struct db_rows *rows, int column)
{
    return rows->session->maker->f64(rows->at, column);
}

struct str db_text(const struct db_rows *rows, int column)
{
    return rows->session->maker->text(rows->at, column);
}

struct str db_blob(const struct db_rows *rows, int column)
{
    return rows->session->maker->blob(rows->at, column);
}
