/* db_int.h - what the files of db/ share: the contract between the front and
 * the makers.  A maker speaks one database's language; one const table each.
 */
#ifndef DB_DB_INT_H
#define DB_DB_INT_H

#include <pthread.h>

#include "base/embedded.h"
#include "db/db.h"

extern const struct embedded db_migrations[];
extern const size_t db_migrations_count;

/* The part of a session that every maker's begins with. */
struct db_session {
    const struct db_maker *maker;
    struct db_session *next; /* in the pool */
    struct why why;          /* of the last failure */
};

enum db_step {
    DB_BEGIN_READ,
    DB_BEGIN_PEEK,  /* no transaction: each statement is its own */
    DB_BEGIN_WRITE, /* takes the write lock at once */
    DB_COMMIT,
    DB_ROLLBACK,
    DB_SAVEPOINT,
    DB_RELEASE,
    DB_UNDO, /* back to the savepoint, which goes */
    DB_STEP_COUNT_
};

enum db_tidy {
    DB_TIDY_SOME,     /* what can be moved without waiting for readers */
    DB_TIDY_IF_QUIET, /* all, and empty the log, if nobody reads */
    DB_TIDY_ALL,      /* the same, waiting for readers a while */
    DB_TIDY_SCRUB,    /* the same, because somebody asked */
};

struct db_maker {
    /* A session; the writer's makes the database when there is none. */
    enum err (*open)(const struct db_options *o, bool is_writer,
                     struct db_session **out, struct why *w);
    /* NULL: one process alone.  Else db_member(), of the writer's session. */
    int64_t (*member)(const struct db_session *s);
    void (*close)(struct db_session *s);
    enum err (*step)(struct db_session *s, enum db_step step);
    /* False when the database has dropped the transaction by itself. */
    bool (*is_in_transaction)(struct db_session *s);
    /* Several statements without parameters: migrations. */
    enum err (*script)(struct db_session *s, const char *sql);

    /* Runs for effect, at once or when the next answer is waited for; its
     * failure may then be that call's, or the commit's.  NULL: query, next. */
    enum err (*run)(struct db_session *s, const struct db_statement *st,
                    const struct db_value *args, size_t n, int64_t *changed);
    /* Binds and makes ready; *at is the maker's.  is_brief: the args outlive
     * the rows, no copy is needed. */
    enum err (*query)(struct db_session *s, const struct db_statement *st,
                      const struct db_value *args, size_t n, bool is_brief,
                      void **at);
    enum err (*next)(struct db_session *s, void *at);
    int64_t (*changes)(struct db_session *s);
    void (*end)(struct db_session *s, void *at);
    bool (*is_null)(void *at, int column);
    int64_t (*i64)(void *at, int column);
    double (*f64)(void *at, int column);
    struct str (*text)(void *at, int column);
    struct str (*blob)(void *at, int column);

    /* House-keeping of the writer's session.  pending: how much has gathered,
     * in the maker's units (WAL pages), 0 nothing. */
    int64_t (*pending)(struct db_session *s);
    /* Moves it into the database; ERR_BUSY when readers stood in the way. */
    enum err (*tidy)(struct db_session *s, enum db_tidy how);
};

extern const struct db_maker db_sqlite, db_postgres;

/* migrate.c: brings the database to what the binary knows. */
MUST_CHECK enum err db_migrate(struct db_session *s, struct why *w);
MUST_CHECK enum err db_migrate_files(struct db_session *s,
                                     const struct embedded *files, size_t n,
                                     struct why *w);

/* writer.c: one thread, one session, group commit. */
struct db_writer;
struct db_failures;
MUST_CHECK enum err db_writer_start(struct db_session *s,
                                    struct db_failures *failures,
                                    struct db_writer **out);
void db_writer_stop(struct db_writer *w);
MUST_CHECK enum err db_writer_do(struct db_writer *w, db_work *work,
                                 void *context);
MUST_CHECK enum err db_writer_later(struct db_writer *w, db_work *work,
                                    void *context, void (*done)(void *context));
MUST_CHECK enum err db_writer_scrub(struct db_writer *w);
struct db_stats db_writer_stats(struct db_writer *w);

/* db.c: keeps the session's why when err is the database's own failure. */
void db_note_failure(struct db_failures *f, const struct db_session *s,
                     enum err err);

#endif
