/* db.h - statements and transactions; one interface, two makers (decision 7).
 *
 *   reading  db_read() lends a reader's session, inside one snapshot;
 *   writing  db_write() runs a function on the writer, inside a savepoint, and
 *            returns when what it wrote is durable: many callers share one
 *            commit (group commit);
 *   SQL      constant text with $1, $2 ... bound; one static struct
 * db_statement each, prepared once a session.  Only what SQLite and PostgreSQL
 *            both understand.
 *
 * Any thread may read and write; a session belongs to the function it was lent
 * to.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct db;
struct db_session;

struct db_statement {
    const char *sql;
};
/* Where the two differ: static const struct db_statement take = {
 * DB_EITHER("SQLite's text", "PostgreSQL's text") }; the same parameters. */
#define DB_EITHER_MARK                "/*2*/"
#define DB_EITHER(sqlite_, postgres_) DB_EITHER_MARK sqlite_ "\0" postgres_

enum db_kind {
    DB_KIND_NULL,
    DB_KIND_I64,
    DB_KIND_F64,
    DB_KIND_TEXT,
    DB_KIND_BLOB
};
struct db_value {
    enum db_kind kind;
    int64_t i64;
    double f64;
    struct str text; /* TEXT and BLOB; stays alive during the call */
};
#define DB_NULL     ((struct db_value){ .kind = DB_KIND_NULL })
#define DB_I64(i_)  ((struct db_value){ .kind = DB_KIND_I64, .i64 = (i_) })
#define DB_F64(f_)  ((struct db_value){ .kind = DB_KIND_F64, .f64 = (f_) })
#define DB_TEXT(s_) ((struct db_value){ .kind = DB_KIND_TEXT, .text = (s_) })
#define DB_BLOB(s_) ((struct db_value){ .kind = DB_KIND_BLOB, .text = (s_) })
/* Text, or NULL when its p is NULL. */
#define DB_MAYBE(s_) ((s_).p == NULL ? DB_NULL : DB_TEXT(s_))

struct db_options {
    const char *path; /* SQLite file; made, with its folder, when absent; or
                       * postgres://user@host/database */
    unsigned readers; /* sessions for reading; 0: max(4, cores) */
    unsigned sessions_max; /* PostgreSQL: at once; 0: 40 */
    int64_t cache_bytes;   /* SQLite: page cache of a session; 0: 2 MiB */
    int64_t bytes_max;     /* SQLite: not to grow past this; 0: no limit */
};

/* Opens and migrates (migrations/NNNN_*.sql, each once, in order). */
MUST_CHECK enum err db_open(const struct db_options *options, struct db **out,
                            struct why *w);
/* Another number for each db_open(): for caches that outlive a db. */
uint64_t db_number(const struct db *db);
/* True for a path that names a PostgreSQL database. */
bool db_is_postgres(struct str path);
/* This process among those that share the database, 1 .. 2^31 - 1: random;
 * DB_LIVE(number) in PostgreSQL's text is true while that process lives. */
int64_t db_member(const struct db *db);
/* True when other servers may work on the same database (PostgreSQL). */
bool db_is_shared(const struct db *db);
#define DB_LIVE(number_)                                                       \
    "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND"           \
    " classid = 1953655138 AND objid = (" number_ ")::oid AND granted AND"     \
    " database = (SELECT oid FROM pg_database WHERE datname ="                 \
    " current_database()))"
/* Finishes what is queued, checkpoints, closes.  NULL is fine. */
void db_close(struct db *db);

typedef enum err db_work(struct db_session *s, void *context);

/* Runs work in one read snapshot. */
MUST_CHECK enum err db_read(struct db *db, db_work *work, void *context);
/* The same without a snapshot over several statements, for one statement alone:
 * cheaper. */
MUST_CHECK enum err db_peek(struct db *db, db_work *work, void *context);
/* Runs work on the writer; its error undoes all it wrote and is returned.
 * ERR_STOPPING once db_close() began, ERR_BUSY when the queue is full. */
MUST_CHECK enum err db_write(struct db *db, db_work *work, void *context);
/* Queues work and returns at once; done(context) is called after the commit,
 * or after the failure, on the writer's thread.  For audit rows and caches,
 * whose loss in a crash is allowed. */
MUST_CHECK enum err db_write_later(struct db *db, db_work *work, void *context,
                                   void (*done)(void *context));

/* A reader's session kept over several calls (streams); give it back soon. */
MUST_CHECK enum err db_take_reader(struct db *db, struct db_session **out);
void db_give_reader(struct db *db, struct db_session *s);

/* Runs a statement for its effect; *changed (may be NULL) counts its rows.
 * ERR_EXISTS for a broken UNIQUE, ERR_IO for what the database could not. */
MUST_CHECK enum err db_run_n(struct db_session *s,
                             const struct db_statement *statement,
                             const struct db_value *args, size_t n,
                             int64_t *changed);
#define DB_ARGS(...)                                                           \
    (const struct db_value[]){ __VA_ARGS__ },                                  \
        sizeof((const struct db_value[]){ __VA_ARGS__ }) /                     \
            sizeof(struct db_value)
/* db_run(s, &insert_app, &changed, DB_TEXT(name), DB_I64(now)) */
#define db_run(s_, statement_, changed_, ...)                                  \
    db_run_n((s_), (statement_), DB_ARGS(__VA_ARGS__), (changed_))

/* Rows of a query, by scope: AUTO_ROWS rows = { 0 }. */
struct db_rows {
    struct db_session *session;
    void *at;
};
void db_rows_fini(struct db_rows *rows);
#define AUTO_ROWS __attribute__((cleanup(db_rows_fini))) struct db_rows

MUST_CHECK enum err db_query_n(struct db_session *s,
                               const struct db_statement *statement,
                               const struct db_value *args, size_t n,
                               struct db_rows *out);
#define db_query(s_, statement_, rows_, ...)                                   \
    db_query_n((s_), (statement_), DB_ARGS(__VA_ARGS__), (rows_))

/* The next row: OK, ERR_NOT_FOUND after the last one, or a failure. */
MUST_CHECK enum err db_next(struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_i64(const struct db_rows *rows, int column);
double db_f64(const struct db_rows *rows, int column);
/* Views until the next db_next(); p NULL for NULL. */
struct str db_text(const struct db_rows *rows, int column);
struct str db_blob(const struct db_rows *rows, int column);

/* What the database said at this session's last failure, for logs. */
const char *db_why(const struct db_session *s);
/* The same of the last db_read() or db_write() that ended in ERR_IO or
 * ERR_BUSY; "" when none did.  No values are in it. */
void db_last_failure(struct db *db, struct why *out);

/* Empties the write-ahead log, so that what was deleted is in no file any more
 * (decision 11); PostgreSQL: VACUUM, see docs/operations.md.  Waits for
 * readers; ERR_BUSY when they do not end in time. */
MUST_CHECK enum err db_scrub(struct db *db);

/* True when one answer may be had in time: for /ready. */
bool db_is_ready(struct db *db);
/* How long the queue of writes is now, and writes and commits so far. */
struct db_stats {
    int64_t queued, writes, commits;
};
struct db_stats db_stats(struct db *db);

#endif
