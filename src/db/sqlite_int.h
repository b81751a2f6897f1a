/* sqlite_int.h - the SQLite maker's insides, shared by its files. */
#ifndef DB_SQLITE_INT_H
#define DB_SQLITE_INT_H

#include <pthread.h>
#include <sqlite3.h>

#include "db/db.h"

#define STATEMENTS_MAX 512 /* a power of two; prepared ones of a session */

struct prepared {
    const struct db_statement *statement;
    sqlite3_stmt *stmt;
    bool is_busy; /* its rows are being read */
};

struct db_session {
    sqlite3 *handle;
    struct prepared prepared[STATEMENTS_MAX];
    struct db_session *next_free;
};

struct db_task {
    db_work *work;
    void *context;
    void (*done)(void *context); /* set: nobody waits, the task is freed */
    enum err err;
    bool is_done;
    struct db_task *next;
};

struct db {
    char *path;
    struct db_session *readers; /* all of them, an array */
    unsigned reader_count;
    struct db_session *free_readers;
    pthread_mutex_t reader_lock;
    pthread_cond_t reader_freed;

    struct db_session writer;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t queued;
    pthread_cond_t committed;
    struct db_task *first, **last;
    size_t queue_length;
    bool is_stopping;
    int64_t writes, commits;
};

/* Opens one connection with our settings. */
MUST_CHECK enum err sqlite_session_open(struct db_session *s, const char *path,
                                        bool is_writer, int64_t cache_bytes,
                                        struct why *w);
void sqlite_session_close(struct db_session *s);
/* One statement without values or rows. */
MUST_CHECK enum err sqlite_exec(struct db_session *s, const char *sql);
enum err sqlite_err(int code);
MUST_CHECK enum err sqlite_migrate(struct db_session *s, struct why *w);
void *sqlite_writer_main(void *db);

#endif
