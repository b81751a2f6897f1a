/* Statements of the PostgreSQL maker, in libpq's pipeline mode.
 *
 * Design notes
 * What gives nothing back that somebody waits for (BEGIN, SAVEPOINT, an INSERT
 * whose count is not asked) is only sent.  Whoever wants an answer reads those
 * of all before, so a read is one round trip: BEGIN, SELECT, and the answer;
 * the ROLLBACK behind it is read by the session's next user.  The failure of
 * what was only sent is met by the next one that waits, RELEASE or COMMIT at
 * the latest; until the transaction is undone each call gets it again
 * (`spoiled`), as the server would do no work any more.
 *
 * A statement is prepared once a session, with the types of the first values
 * that are bound.  Results are binary, and whole: what is large (bodies) is
 * read by the chunk. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres_int.h"

#define ROOM_FIRST 64
#define PARAMS_MAX 99
#define SENT_MAX   512 /* commands without reading their answers */

enum { TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_TEXT = 25, TYPE_FLOAT8 = 701 };

/* --- failures ------------------------------------------------------------ */

static enum err err_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum err err;
    } rows[] = {
        { "23505", ERR_EXISTS }, { "23", ERR_INVALID }, { "22", ERR_INVALID },
        { "40", ERR_BUSY },      { "55P03", ERR_BUSY }, { "53300", ERR_BUSY },
        { "57P03", ERR_BUSY },   { "57014", ERR_BUSY }, { "54", ERR_TOO_LARGE },
        { "53200", ERR_NOMEM },
    };
    if (state == NULL)
        return ERR_IO;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].err;
    return ERR_IO;
}

/* Only the first line, "the database: ...": the lines below (DETAIL) have
 * values of the row in them. */
enum err postgres_err(struct postgres_session *s, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (text == NULL || PQstatus(s->conn) == CONNECTION_BAD)
        return postgres_lost(s);
    return why_of(&s->base.why, err_of(state), STR("PostgreSQL: "),
                  str_of(text), STR(" ("), str_of(state == NULL ? "" : state),
                  STR(")"));
}

enum err postgres_lost(struct postgres_session *s)
{
    struct str said = str_trim(str_of(PQerrorMessage(s->conn)));
    s->is_in_transaction = false;
    return why_of(&s->base.why, ERR_IO,
                  STR("the connection to PostgreSQL is lost: "), said,
                  STR("; it is made again with the next call"));
}

/* --- prepared statements ------------------------------------------------- */

static size_t place(const struct postgres_session *s,
                    const struct db_statement *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(h >> 32) & (s->room - 1);
    while (s->prepared[i].key != NULL && s->prepared[i].key != key)
        i = (i + 1) & (s->room - 1);
    return i;
}

static enum err grow(struct postgres_session *s)
{
    size_t old_room = s->room;
    struct prepared *old = s->prepared;
    size_t room = old_room == 0 ? ROOM_FIRST : old_room * 2;
    struct prepared *fresh = calloc(room, sizeof *fresh);
    if (fresh == NULL)
        return ERR_NOMEM;
    s->prepared = fresh;
    s->room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].key != NULL)
            s->prepared[place(s, old[i].key)] = old[i];
    free(old);
    return OK;
}

void postgres_forget(struct postgres_session *s)
{
    free(s->prepared);
    s->prepared = NULL;
    s->room = s->n = 0;
    s->next = s->sure = 0;
}

static void name_of(unsigned number, char out[16])
{
    char digits[12];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    *out++ = 's';
    while (n > 0)
        *out++ = digits[--n];
    *out = '\0';
}

static Oid type_of(enum db_kind kind)
{
    static const Oid types[] = {
        [DB_KIND_NULL] = 0, /* the server knows by the column */
        [DB_KIND_I64] = TYPE_INT8,  [DB_KIND_F64] = TYPE_FLOAT8,
        [DB_KIND_TEXT] = TYPE_TEXT, [DB_KIND_BLOB] = TYPE_BYTEA,
    };
    return types[kind];
}

/* See DB_EITHER. */
static const char *text_of(const struct db_statement *st)
{
    struct str mark = STR(DB_EITHER_MARK);
    if (strncmp(st->sql, mark.p, mark.n) != 0)
        return st->sql;
    return st->sql + strlen(st->sql) + 1;
}

static enum err prepare(struct postgres_session *s,
                        const struct db_statement *st,
                        const struct db_value *args, size_t n, char name[16])
{
    if (s->n * 2 >= s->room) {
        enum err err = grow(s);
        if (err != OK)
            return err;
    }
    struct prepared *p = &s->prepared[place(s, st)];
    if (p->key != NULL) {
        name_of(p->number, name);
        return OK;
    }
    Oid types[PARAMS_MAX];
    for (size_t i = 0; i < n; i++)
        types[i] = type_of(args[i].kind);
    name_of(s->next, name);
    if (PQsendPrepare(s->conn, name, text_of(st), (int)n, types) != 1)
        return postgres_lost(s);
    *p = (struct prepared){ st, s->next++ };
    s->n++;
    s->commands++;
    return OK;
}

/* --- the pipeline -------------------------------------------------------- */

struct bound {
    uint64_t numbers[PARAMS_MAX];
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
};

static void bind_one(struct bound *b, size_t i, const struct db_value *v)
{
    b->formats[i] = 1;
    b->values[i] = NULL;
    b->lengths[i] = 0;
    if (v->kind == DB_KIND_NULL)
        return;
    if (v->kind == DB_KIND_TEXT || v->kind == DB_KIND_BLOB) {
        b->values[i] = v->text.p == NULL ? "" : v->text.p;
        b->lengths[i] = (int)v->text.n;
        return;
    }
    if (v->kind == DB_KIND_F64)
        memcpy(&b->numbers[i], &v->f64, sizeof v->f64);
    else
        memcpy(&b->numbers[i], &v->i64, sizeof v->i64);
    b->numbers[i] = htobe64(b->numbers[i]);
    b->values[i] = (const char *)&b->numbers[i];
    b->lengths[i] = (int)sizeof b->numbers[i];
}

static enum err check_args(struct postgres_session *s,
                           const struct db_value *args, size_t n)
{
    if (n > PARAMS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++)
        if (args[i].text.n > INT32_MAX / 2)
            return why(&s->base.why, ERR_TOO_LARGE,
                       "a value is too large for PostgreSQL");
    return OK;
}

enum err postgres_send(struct postgres_session *s,
                       const struct db_statement *st,
                       const struct db_value *args, size_t n)
{
    struct bound b;
    char name[16];
    if (s->spoiled != OK)
        return s->spoiled;
    enum err err = check_args(s, args, n);
    if (err == OK && s->commands >= SENT_MAX)
        err = postgres_settle(s);
    if (err == OK)
        err = prepare(s, st, args, n, name);
    if (err != OK)
        return err;
    for (size_t i = 0; i < n; i++)
        bind_one(&b, i, &args[i]);
    if (PQsendQueryPrepared(s->conn, name, (int)n, b.values, b.lengths,
                            b.formats, 1) != 1)
        return postgres_lost(s);
    s->commands++;
    return OK;
}

enum err postgres_push(struct postgres_session *s)
{
    if (s->commands == 0)
        return OK;
    if (PQpipelineSync(s->conn) != 1)
        return postgres_lost(s);
    s->syncs++;
    return OK;
}

/* Takes one answer in; `first` keeps the first failure. */
static void take(struct postgres_session *s, PGresult *r, enum err *first)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_PIPELINE_SYNC) {
        s->syncs--;
        PQclear(r);
        return;
    }
    if (s->commands > 0)
        s->commands--;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
        status != PGRES_PIPELINE_ABORTED && *first == OK)
        *first = postgres_err(s, r);
    else if (status == PGRES_PIPELINE_ABORTED && *first == OK)
        *first = ERR_IO;
    PQclear(s->last);
    s->last = r;
}

/* What was prepared since all was well may not be: it gets another name. */
static void forget_unsure(struct postgres_session *s)
{
    struct prepared *old = s->prepared;
    s->prepared = calloc(s->room == 0 ? 1 : s->room, sizeof *old);
    s->n = 0;
    if (s->prepared == NULL)
        s->room = 0;
    for (size_t i = 0; i < s->room; i++)
        if (old[i].key != NULL && old[i].number < s->sure) {
            s->prepared[place(s, old[i].key)] = old[i];
            s->n++;
        }
    free(old);
}

enum err postgres_settle(struct postgres_session *s)
{
    enum err first = OK;
    enum err err = postgres_push(s);
    PQclear(s->last);
    s->last = NULL;
    unsigned silent = 0;
    while (err == OK && s->syncs > 0) {
        PGresult *r = PQgetResult(s->conn);
        silent = r == NULL ? silent + 1 : 0;
        if (r != NULL)
            take(s, r, &first);
        if (PQstatus(s->conn) == CONNECTION_BAD || silent > 2)
            err = postgres_lost(s);
    }
    if (err != OK)
        first = err;
    if (first != OK) {
        forget_unsure(s);
        s->commands = 0;
        s->spoiled = s->is_in_transaction ? first : OK;
    }
    s->sure = s->next;
    return first;
}

/* --- rows ---------------------------------------------------------------- */

enum err postgres_query(struct db_session *base, const struct db_statement *st,
                        const struct db_value *args, size_t n, bool is_brief,
                        void **at)
{
    (void)is_brief;
    struct postgres_session *s = postgres_of(base);
    struct postgres_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    enum err err = postgres_send(s, st, args, n);
    if (err == OK)
        err = postgres_settle(s);
    if (err != OK) {
        free(rows);
        return err;
    }
    *rows = (struct postgres_rows){ s->last, -1 };
    s->last = NULL;
    *at = rows;
    return OK;
}

enum err postgres_run(struct db_session *base, const struct db_statement *st,
                      const struct db_value *args, size_t n, int64_t *changed)
{
    struct postgres_session *s = postgres_of(base);
    enum err err = postgres_send(s, st, args, n);
    if (err != OK || (changed == NULL && s->is_in_transaction && s->is_writer))
        return err;
    err = postgres_settle(s);
    if (err == OK && changed != NULL &&
        !str_to_i64(str_of(PQcmdTuples(s->last)), changed))
        *changed = 0;
    return err;
}

enum err postgres_next(struct db_session *s, void *at)
{
    (void)s;
    struct postgres_rows *rows = at;
    return ++rows->at < PQntuples(rows->result) ? OK : ERR_NOT_FOUND;
}

void postgres_end(struct db_session *s, void *at)
{
    (void)s;
    struct postgres_rows *rows = at;
    PQclear(rows->result);
    free(rows);
}
