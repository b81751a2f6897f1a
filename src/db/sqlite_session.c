#include "db/sqlite_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 10000

enum err sqlite_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_UNIQUE ||
                       code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                       code == SQLITE_CONSTRAINT_ROWID
                   ? ERR_EXISTS
                   : ERR_INVALID;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    default:
        return ERR_IO;
    }
}

enum err sqlite_exec(struct db_session *s, const char *sql)
{
    return sqlite_err(sqlite3_exec(s->handle, sql, NULL, NULL, NULL));
}

/* page_size and secure_delete must stand before the first page is written. */
static enum err configure(struct db_session *s, bool is_writer,
                          int64_t cache_bytes)
{
    char cache[64];
    sqlite3_snprintf(sizeof cache, cache, "PRAGMA cache_size=-%lld",
                     (long long)(cache_bytes / 1024));
    enum err err = OK;
    if (is_writer)
        err = sqlite_exec(s, "PRAGMA page_size=8192;"
                             "PRAGMA journal_mode=WAL;"
                             "PRAGMA wal_autocheckpoint=0;");
    if (err == OK)
        err = sqlite_exec(s, "PRAGMA synchronous=FULL;"
                             "PRAGMA secure_delete=ON;"
                             "PRAGMA foreign_keys=ON;"
                             "PRAGMA temp_store=MEMORY;");
    if (err == OK && !is_writer)
        err = sqlite_exec(s, "PRAGMA query_only=ON;"
                             "PRAGMA mmap_size=1073741824;");
    if (err == OK)
        err = sqlite_exec(s, cache);
    return err;
}

enum err sqlite_session_open(struct db_session *s, const char *path,
                             bool is_writer, int64_t cache_bytes, struct why *w)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    mode_t before = umask(0077); /* the files are ours alone */
    int code = sqlite3_open_v2(
        path, &s->handle, is_writer ? flags | SQLITE_OPEN_CREATE : flags, NULL);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(s->handle, 1);
        sqlite3_busy_timeout(s->handle, BUSY_MS);
        enum err err = configure(s, is_writer, cache_bytes);
        umask(before);
        if (err == OK)
            return OK;
    }
    umask(before);
    return why_of(
        w, ERR_IO, STR("database "), str_of(path), STR(": "),
        str_of(s->handle == NULL ? "no memory" : sqlite3_errmsg(s->handle)));
}

void sqlite_session_close(struct db_session *s)
{
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(s->prepared[i].stmt);
    sqlite3_close(s->handle);
    memset(s, 0, sizeof *s);
}

/* The prepared statement; made at its first use in this session. */
static enum err prepare(struct db_session *s,
                        const struct db_statement *statement,
                        struct prepared **out)
{
    size_t mask = STATEMENTS_MAX - 1;
    size_t i = ((uintptr_t)statement >> 3) * 31 & mask;
    for (size_t tries = 0; tries < STATEMENTS_MAX; tries++) {
        struct prepared *p = &s->prepared[i];
        if (p->statement == statement && !p->is_busy) {
            *out = p;
            return OK;
        }
        if (p->statement == NULL) {
            int code =
                sqlite3_prepare_v3(s->handle, statement->sql, -1,
                                   SQLITE_PREPARE_PERSISTENT, &p->stmt, NULL);
            if (code != SQLITE_OK)
                return sqlite_err(code);
            p->statement = statement;
            *out = p;
            return OK;
        }
        i = (i + 1) & mask;
    }
    return ERR_LIMIT;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_value *v)
{
    switch (v->kind) {
    case DB_KIND_I64:
        return sqlite3_bind_int64(stmt, at, v->i64);
    case DB_KIND_F64:
        return sqlite3_bind_double(stmt, at, v->f64);
    case DB_KIND_TEXT:
        return sqlite3_bind_text64(stmt, at, v->text.p == NULL ? "" : v->text.p,
                                   v->text.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_KIND_BLOB:
        return sqlite3_bind_blob64(stmt, at, v->text.p == NULL ? "" : v->text.p,
                                   v->text.n, SQLITE_STATIC);
    case DB_KIND_NULL:
    default:
        return sqlite3_bind_null(stmt, at);
    }
}

static enum err bind(sqlite3_stmt *stmt, const struct db_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int code = bind_one(stmt, (int)i + 1, &args[i]);
        if (code != SQLITE_OK)
            return sqlite_err(code);
    }
    return OK;
}

enum err db_run_n(struct db_session *s, const struct db_statement *statement,
                  const struct db_value *args, size_t n, int64_t *changed)
{
    struct prepared *p;
    enum err err = prepare(s, statement, &p);
    if (err == OK)
        err = bind(p->stmt, args, n);
    if (err != OK)
        return err;
    int code = sqlite3_step(p->stmt);
    while (code == SQLITE_ROW)
        code = sqlite3_step(p->stmt);
    err = sqlite_err(code);
    if (err == OK && changed != NULL)
        *changed = sqlite3_changes64(s->handle);
    sqlite3_reset(p->stmt);
    sqlite3_clear_bindings(p->stmt);
    return err;
}

enum err db_query_n(struct db_session *s, const struct db_statement *statement,
                    const struct db_value *args, size_t n, struct db_rows *out)
{
    struct prepared *p;
    enum err err = prepare(s, statement, &p);
    if (err == OK)
        err = bind(p->stmt, args, n);
    if (err != OK)
        return err;
    p->is_busy = true;
    *out = (struct db_rows){ s, p };
    return OK;
}

enum err db_next(struct db_rows *rows)
{
    struct prepared *p = rows->at;
    int code = sqlite3_step(p->stmt);
    if (code == SQLITE_ROW)
        return OK;
    return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

void db_rows_fini(struct db_rows *rows)
{
    struct prepared *p = rows->at;
    if (p == NULL)
        return;
    sqlite3_reset(p->stmt);
    sqlite3_clear_bindings(p->stmt);
    p->is_busy = false;
    rows->at = NULL;
}

static sqlite3_stmt *stmt_of(const struct db_rows *rows)
{
    return ((struct prepared *)rows->at)->stmt;
}

bool db_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(stmt_of(rows), column) == SQLITE_NULL;
}

int64_t db_i64(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(stmt_of(rows), column);
}

double db_f64(const struct db_rows *rows, int column)
{
    return sqlite3_column_double(stmt_of(rows), column);
}

struct str db_text(const struct db_rows *rows, int column)
{
    const void *p = sqlite3_column_text(stmt_of(rows), column);
    int n = sqlite3_column_bytes(stmt_of(rows), column);
    return (struct str){ p, (size_t)n };
}

struct str db_blob(const struct db_rows *rows, int column)
{
    const void *p = sqlite3_column_blob(stmt_of(rows), column);
    int n = sqlite3_column_bytes(stmt_of(rows), column);
    return (struct str){ p, (size_t)n };
}
