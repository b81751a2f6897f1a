/* sqlite_int.h - what the two files of the SQLite maker share. */
#ifndef DB_SQLITE_INT_H
#define DB_SQLITE_INT_H

#include <sqlite3.h>

#include "db/db_int.h"

/* A prepared statement, and the rows it is giving. */
struct cursor {
    const struct db_statement *key;
    sqlite3_stmt *stmt;
    int *order;     /* place of $k in SQLite's count, order[k - 1] */
    int count;      /* of the $k */
    bool is_used;   /* rows of it are being read */
    bool is_single; /* made beside a used one: freed at its end */
};

struct sqlite_session {
    struct db_session base; /* first */
    sqlite3 *handle;
    struct cursor **cursors; /* open addressing by key */
    size_t room, n;
    int64_t pending_pages;
    struct db_statement steps[DB_STEP_COUNT_];
};

static inline struct sqlite_session *sqlite_of(struct db_session *s)
{
    return (struct sqlite_session *)s;
}

/* The err of a result code; the sentence goes to s->base.why. */
enum err sqlite_err(struct sqlite_session *s, int code);

/* sqlite.c: statements. */
enum err sqlite_query(struct db_session *s, const struct db_statement *st,
                      const struct db_value *args, size_t n, bool is_brief,
                      void **at);
enum err sqlite_next(struct db_session *s, void *at);
void sqlite_end(struct db_session *s, void *at);
void sqlite_cursors_free(struct sqlite_session *s);

bool sqlite_is_null(void *at, int column);
int64_t sqlite_i64(void *at, int column);
double sqlite_f64(void *at, int column);
struct str sqlite_text(void *at, int column);
struct str sqlite_blob(void *at, int column);

#endif
