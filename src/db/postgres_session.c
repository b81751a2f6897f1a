/* Sessions of the PostgreSQL maker: connecting, transactions, migrations.
 *
 * Design notes
 * Writers of all processes take turns, as they do with SQLite: each write
 * transaction begins with one advisory lock, held until its commit.  What is
 * written for one writer alone (read, decide, write) is so right for many
 * servers, and there are no deadlocks and nothing to be tried again; group
 * commit makes the turns few.
 *
 * A process shows that it lives by another advisory lock, of its number, on
 * the writer's connection: the server drops it when the process dies. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rand.h"
#include "db/postgres_int.h"

#define VERSION_LEAST   140000 /* pipelines of libpq and server */
#define CONNECT_TRIES   20     /* while a server starts */
#define CONNECT_WAIT_NS 100000000
#define SCRIPT_MAX      ((size_t)1024 * 1024)

static void be_silent(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* The whole conversation so far, "" when it is fine. */
static enum err cannot_connect(struct postgres_session *s)
{
    struct str said = str_trim(str_of(PQerrorMessage(s->conn)));
    return why_of(&s->base.why, ERR_BUSY, STR("PostgreSQL cannot be reached: "),
                  said, STR(" - does it run, and is `database` right?"));
}

static bool is_starting(const PGconn *conn)
{
    return strstr(PQerrorMessage(conn), "starting up") != NULL;
}

static enum err exec(struct postgres_session *s, const char *sql)
{
    PGresult *r = PQexec(s->conn, sql);
    ExecStatusType status = PQresultStatus(r);
    enum err err = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
                       ? OK
                       : postgres_err(s, r);
    PQclear(r);
    return err;
}

/* Shows that this process lives. */
static enum err show_life(struct postgres_session *s)
{
    AUTO_BUF b = BUF(200);
    buf_add(&b, STR("SELECT pg_advisory_lock_shared("));
    buf_add_i64(&b, POSTGRES_LOCKS);
    buf_add(&b, STR(", "));
    buf_add_i64(&b, s->member);
    buf_add(&b, STR(")"));
    struct str sql;
    enum err err = buf_view(&b, &sql);
    return err == OK ? exec(s, sql.p) : err;
}

static enum err set_up(struct postgres_session *s)
{
    static const char all[] = "SET client_min_messages = warning;"
                              "SET jit = off; SET timezone = 'UTC';"
                              "SET plan_cache_mode = force_generic_plan;"
                              "SET standard_conforming_strings = on";
    static const char writer[] =
        "SET lock_timeout = '10s';"
        "SET idle_in_transaction_session_timeout = '60s'";
    if (PQserverVersion(s->conn) < VERSION_LEAST)
        return why(&s->base.why, ERR_UNSUPPORTED,
                   "PostgreSQL 14 or newer is needed");
    enum err err = exec(s, all);
    if (err == OK && s->is_writer)
        err = exec(s, writer);
    if (err == OK && s->is_writer)
        err = show_life(s);
    if (err == OK && PQenterPipelineMode(s->conn) != 1)
        err = postgres_lost(s);
    return err;
}

static void disconnect(struct postgres_session *s)
{
    PQclear(s->last);
    s->last = NULL;
    PQfinish(s->conn);
    s->conn = NULL;
    postgres_forget(s);
    s->commands = s->syncs = 0;
    s->is_in_transaction = false;
    s->spoiled = OK;
}

static enum err connect(struct postgres_session *s)
{
    const char *names[] = { "dbname", "fallback_application_name",
                            "client_encoding", "connect_timeout", NULL };
    const char *values[] = { s->url, "tributary", "UTF8", "5", NULL };
    for (int i = 0; i < CONNECT_TRIES; i++) {
        disconnect(s);
        s->conn = PQconnectdbParams(names, values, 1);
        if (s->conn == NULL)
            return ERR_NOMEM;
        if (PQstatus(s->conn) == CONNECTION_OK || !is_starting(s->conn))
            break;
        struct timespec nap = { .tv_nsec = CONNECT_WAIT_NS };
        nanosleep(&nap, NULL);
    }
    if (PQstatus(s->conn) != CONNECTION_OK)
        return cannot_connect(s);
    PQsetNoticeProcessor(s->conn, be_silent, NULL);
    return set_up(s);
}

/* True when the server has hung up while nobody looked. */
static bool is_hung_up(struct postgres_session *s)
{
    struct pollfd p = { .fd = PQsocket(s->conn), .events = POLLIN };
    if (s->conn == NULL || PQstatus(s->conn) != CONNECTION_OK)
        return true;
    if (poll(&p, 1, 0) == 0)
        return false;
    return PQconsumeInput(s->conn) != 1 || PQstatus(s->conn) != CONNECTION_OK;
}

/* Before a transaction: reads what the last one left (the answer to ROLLBACK),
 * and connects again when the server has been away. */
static enum err make_ready(struct postgres_session *s)
{
    s->spoiled = OK;
    if (s->commands > 0 && postgres_settle(s) != OK)
        return connect(s);
    return is_hung_up(s) ? connect(s) : OK;
}

/* --- the maker ----------------------------------------------------------- */

static void close_session(struct db_session *base)
{
    struct postgres_session *s = postgres_of(base);
    disconnect(s);
    free(s->url);
    free(s);
}

static enum err open_session(const struct db_options *o, bool is_writer,
                             struct db_session **out, struct why *w)
{
    struct postgres_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->base.maker = &db_postgres;
    s->is_writer = is_writer;
    s->member = (int64_t)(rand_u64() % INT32_MAX) + 1;
    s->url = strdup(o->path);
    enum err err = s->url == NULL ? ERR_NOMEM : connect(s);
    if (err != OK) {
        (void)why(w, err, s->base.why.text);
        close_session(&s->base);
        return err;
    }
    *out = &s->base;
    return OK;
}

static int64_t member(const struct db_session *base)
{
    return ((const struct postgres_session *)base)->member;
}

static const struct db_statement steps[DB_STEP_COUNT_] = {
    [DB_BEGIN_READ] = { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
    [DB_BEGIN_WRITE] = { "BEGIN" },
    [DB_COMMIT] = { "COMMIT" },
    [DB_ROLLBACK] = { "ROLLBACK" },
    [DB_SAVEPOINT] = { "SAVEPOINT work" },
    [DB_RELEASE] = { "RELEASE SAVEPOINT work" },
    [DB_UNDO] = { "ROLLBACK TO SAVEPOINT work" },
};
static const struct db_statement lock_writers = {
    "SELECT pg_advisory_xact_lock($1::bigint::int, $2::bigint::int)"
};

static enum err send_step(struct postgres_session *s, enum db_step which)
{
    return postgres_send(s, &steps[which], NULL, 0);
}

static enum err begin(struct postgres_session *s, enum db_step which)
{
    enum err err = make_ready(s);
    if (err == OK)
        err = send_step(s, which);
    s->is_in_transaction = err == OK;
    const struct db_value lock[] = { DB_I64(POSTGRES_LOCKS),
                                     DB_I64(POSTGRES_WRITER) };
    if (err == OK && which == DB_BEGIN_WRITE)
        err = postgres_send(s, &lock_writers, lock, 2);
    return err;
}

/* PostgreSQL answers the COMMIT of a spoiled transaction with ROLLBACK. */
static enum err commit(struct postgres_session *s)
{
    enum err err = send_step(s, DB_COMMIT);
    if (err == OK)
        err = postgres_settle(s);
    if (err != OK)
        return err;
    s->is_in_transaction = false;
    if (strcmp(PQcmdStatus(s->last), "COMMIT") != 0)
        return why(&s->base.why, ERR_IO, "PostgreSQL undid the transaction");
    return OK;
}

/* A reader's is not waited for. */
static enum err roll_back(struct postgres_session *s)
{
    bool is_late = s->spoiled == OK && !s->is_writer;
    if (!is_late)
        (void)postgres_settle(s);
    s->spoiled = OK;
    s->is_in_transaction = false;
    enum err err = send_step(s, DB_ROLLBACK);
    if (err == OK)
        err = is_late ? postgres_push(s) : postgres_settle(s);
    if (err == OK && PQflush(s->conn) < 0)
        err = postgres_lost(s);
    return err;
}

static enum err undo(struct postgres_session *s)
{
    if (s->commands > 0)
        (void)postgres_settle(s);
    if (!s->is_in_transaction)
        return ERR_IO;
    s->spoiled = OK;
    enum err err = send_step(s, DB_UNDO);
    if (err == OK)
        err = send_step(s, DB_RELEASE);
    return err == OK ? postgres_settle(s) : err;
}

static enum err step(struct db_session *base, enum db_step which)
{
    struct postgres_session *s = postgres_of(base);
    enum err err = OK;
    switch (which) {
    case DB_BEGIN_PEEK:
        return make_ready(s);
    case DB_BEGIN_READ:
    case DB_BEGIN_WRITE:
        return begin(s, which);
    case DB_COMMIT:
        return commit(s);
    case DB_ROLLBACK:
        return roll_back(s);
    case DB_UNDO:
        return undo(s);
    case DB_RELEASE:
        err = send_step(s, which);
        return err == OK ? postgres_settle(s) : err;
    case DB_SAVEPOINT:
    case DB_STEP_COUNT_:
        break;
    }
    return send_step(s, which);
}

static bool is_in_transaction(struct db_session *base)
{
    return postgres_of(base)->is_in_transaction;
}

/* Several statements go in one plain message, which pipelines do not take. */
static enum err exec_outside(struct postgres_session *s, const char *sql)
{
    enum err err = s->commands > 0 ? postgres_settle(s) : OK;
    if (err != OK)
        return err;
    if (PQexitPipelineMode(s->conn) != 1)
        return postgres_lost(s);
    err = exec(s, sql);
    if (PQenterPipelineMode(s->conn) != 1)
        return postgres_lost(s);
    s->spoiled = s->is_in_transaction ? err : OK;
    return err;
}

static enum err script(struct db_session *base, const char *sql)
{
    AUTO_BUF b = BUF(SCRIPT_MAX);
    struct str text;
    postgres_translate(&b, str_of(sql));
    enum err err = buf_view(&b, &text);
    return err == OK ? exec_outside(postgres_of(base), text.p) : err;
}

static int64_t no_changes(struct db_session *base)
{
    (void)base; /* postgres_run() tells */
    return 0;
}

static int64_t nothing_pending(struct db_session *base)
{
    (void)base;
    return 0;
}

/* The server keeps its own log; what was deleted leaves its pages here. */
static enum err tidy(struct db_session *base, enum db_tidy how)
{
    struct postgres_session *s = postgres_of(base);
    if (how != DB_TIDY_SCRUB)
        return OK;
    enum err err = make_ready(s);
    return err == OK ? exec_outside(s, "VACUUM record, segment, body") : err;
}

const struct db_maker db_postgres = {
    .open = open_session,
    .member = member,
    .close = close_session,
    .step = step,
    .is_in_transaction = is_in_transaction,
    .script = script,
    .run = postgres_run,
    .query = postgres_query,
    .next = postgres_next,
    .changes = no_changes,
    .end = postgres_end,
    .is_null = postgres_is_null,
    .i64 = postgres_i64,
    .f64 = postgres_f64,
    .text = postgres_text,
    .blob = postgres_blob,
    .pending = nothing_pending,
    .tidy = tidy,
};
