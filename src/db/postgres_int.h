/* postgres_int.h - what the files of the PostgreSQL maker share. */
#ifndef DB_POSTGRES_INT_H
#define DB_POSTGRES_INT_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "db/db_int.h"

/* The first half of the advisory locks that are ours; the second is WRITER, or
 * a process's number. */
#define POSTGRES_LOCKS  0x74726962
#define POSTGRES_WRITER 0

/* A statement that the server knows by name. */
struct prepared {
    const struct db_statement *key;
    unsigned number; /* its name is s<number> */
};

struct postgres_session {
    struct db_session base; /* first */
    PGconn *conn;
    char *url;
    bool is_writer;
    int64_t member; /* the writer's: the process's number */

    struct prepared *prepared; /* open addressing by key */
    size_t room, n;
    unsigned next; /* number to give */
    unsigned sure; /* those below are known to the server */

    /* The pipeline: what was sent and not read yet. */
    unsigned commands, syncs;
    PGresult *last; /* of the last command, after postgres_settle() */

    bool is_in_transaction;
    enum err spoiled; /* the transaction can only be undone: why */
};

static inline struct postgres_session *postgres_of(struct db_session *s)
{
    return (struct postgres_session *)s;
}

/* Rows of one query, all of them in memory. */
struct postgres_rows {
    PGresult *result;
    int at; /* -1 before the first */
};

/* postgres.c: the pipeline.  Sends a statement, waits for nothing. */
enum err postgres_send(struct postgres_session *s,
                       const struct db_statement *st,
                       const struct db_value *args, size_t n);
/* Marks the pipeline's end and sends all, waits for nothing. */
enum err postgres_push(struct postgres_session *s);
/* Waits for all that was sent; the first failure among it. */
enum err postgres_settle(struct postgres_session *s);
void postgres_forget(struct postgres_session *s);
enum err postgres_err(struct postgres_session *s, const PGresult *result);
enum err postgres_lost(struct postgres_session *s);

enum err postgres_query(struct db_session *s, const struct db_statement *st,
                        const struct db_value *args, size_t n, bool is_brief,
                        void **at);
enum err postgres_run(struct db_session *s, const struct db_statement *st,
                      const struct db_value *args, size_t n, int64_t *changed);
enum err postgres_next(struct db_session *s, void *at);
void postgres_end(struct db_session *s, void *at);

/* postgres_value.c: the columns of a row. */
bool postgres_is_null(void *at, int column);
int64_t postgres_i64(void *at, int column);
double postgres_f64(void *at, int column);
struct str postgres_text(void *at, int column);
struct str postgres_blob(void *at, int column);

/* postgres_script.c: our scripts in PostgreSQL's words. */
void postgres_translate(struct buf *out, struct str script);

#endif
