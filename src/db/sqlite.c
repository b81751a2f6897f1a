/* Statements of the SQLite maker: prepared once a session, found by the
 * address of their struct.
 *
 * Design notes
 * SQLite numbers "$1" by its first appearance, not by the digit; order[] maps
 * ours to its.  A statement that is used while rows of it are still being read
 * (a query inside its own loop) is prepared a second time, for that once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/sqlite_int.h"

#define ROOM_FIRST 64
#define PARAMS_MAX 99

static size_t place(const struct sqlite_session *s,
                    const struct db_statement *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(h >> 32) & (s->room - 1);
    while (s->cursors[i] != NULL && s->cursors[i]->key != key)
        i = (i + 1) & (s->room - 1);
    return i;
}

static enum err grow(struct sqlite_session *s)
{
    size_t old_room = s->room;
    struct cursor **old = s->cursors;
    size_t room = old_room == 0 ? ROOM_FIRST : old_room * 2;
    struct cursor **fresh = calloc(room, sizeof(*fresh));
    if (fresh == NULL)
        return ERR_NOMEM;
    s->cursors = fresh;
    s->room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i] != NULL)
            s->cursors[place(s, old[i]->key)] = old[i];
    free(old);
    return OK;
}

static void cursor_free(struct cursor *c)
{
    if (c == NULL)
        return;
    sqlite3_finalize(c->stmt);
    free(c->order);
    free(c);
}

/* The number in "$12"; 0 for another kind of name. */
static int number_of(const char *name)
{
    int64_t number;
    if (name == NULL || name[0] != '$' ||
        !str_to_i64(str_of(name + 1), &number) || number < 1 ||
        number > PARAMS_MAX)
        return 0;
    return (int)number;
}

static enum err learn_order(struct cursor *c)
{
    int params = sqlite3_bind_parameter_count(c->stmt);
    c->order = calloc((size_t)params + 1, sizeof *c->order);
    if (c->order == NULL)
        return ERR_NOMEM;
    for (int i = 1; i <= params; i++) {
        int number = number_of(sqlite3_bind_parameter_name(c->stmt, i));
        if (number < 1 || number > params)
            return ERR_INVALID; /* a gap, or no $n: our own mistake */
        c->order[number - 1] = i;
    }
    c->count = params;
    return OK;
}

static enum err prepare(struct sqlite_session *s,
                        const struct db_statement *key, bool is_single,
                        struct cursor **out)
{
    struct cursor *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->key = key;
    c->is_single = is_single;
    unsigned flags = is_single ? 0 : SQLITE_PREPARE_PERSISTENT;
    enum err err = sqlite_err(
        s, sqlite3_prepare_v3(s->handle, key->sql, -1, flags, &c->stmt, NULL));
    if (err == OK)
        err = learn_order(c);
    if (err != OK) {
        cursor_free(c);
        return err;
    }
    *out = c;
    return OK;
}

static enum err find(struct sqlite_session *s, const struct db_statement *key,
                     struct cursor **out)
{
    if (s->n * 2 >= s->room) {
        enum err err = grow(s);
        if (err != OK)
            return err;
    }
    size_t i = place(s, key);
    struct cursor *c = s->cursors[i];
    if (c == NULL) {
        enum err err = prepare(s, key, false, &c);
        if (err != OK)
            return err;
        s->cursors[i] = c;
        s->n++;
    } else if (c->is_used) {
        return prepare(s, key, true, out);
    }
    *out = c;
    return OK;
}

static int bind_one(sqlite3_stmt *stmt, int i, const struct db_value *v,
                    bool is_brief)
{
    /* SQLITE_TRANSIENT casts an integer to a pointer: it copies. */
    sqlite3_destructor_type keep = is_brief ? SQLITE_STATIC : SQLITE_TRANSIENT;
    const char *p = v->text.p == NULL ? "" : v->text.p;
    switch (v->kind) {
    case DB_KIND_I64:
        return sqlite3_bind_int64(stmt, i, v->i64);
    case DB_KIND_F64:
        return sqlite3_bind_double(stmt, i, v->f64);
    case DB_KIND_TEXT:
        return sqlite3_bind_text64(stmt, i, p, v->text.n, keep, SQLITE_UTF8);
    case DB_KIND_BLOB:
        return sqlite3_bind_blob64(stmt, i, p, v->text.n, keep);
    case DB_KIND_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, i);
}

enum err sqlite_query(struct db_session *base, const struct db_statement *st,
                      const struct db_value *args, size_t n, bool is_brief,
                      void **at)
{
    struct sqlite_session *s = sqlite_of(base);
    struct cursor *c;
    enum err err = find(s, st, &c);
    if (err != OK)
        return err;
    assert((size_t)c->count == n);
    c->is_used = true;
    for (size_t i = 0; i < n && err == OK; i++)
        err = sqlite_err(s, bind_one(c->stmt, c->order[i], &args[i], is_brief));
    if (err != OK) {
        sqlite_end(base, c);
        return err;
    }
    *at = c;
    return OK;
}

enum err sqlite_next(struct db_session *base, void *at)
{
    struct cursor *c = at;
    int code = sqlite3_step(c->stmt);
    if (code == SQLITE_ROW)
        return OK;
    if (code == SQLITE_DONE)
        return ERR_NOT_FOUND;
    return sqlite_err(sqlite_of(base), code);
}

void sqlite_end(struct db_session *base, void *at)
{
    (void)base;
    struct cursor *c = at;
    if (c->is_single) {
        cursor_free(c);
        return;
    }
    sqlite3_reset(c->stmt);
    if (c->count > 0)
        sqlite3_clear_bindings(c->stmt); /* they point to the caller's memory */
    c->is_used = false;
}

void sqlite_cursors_free(struct sqlite_session *s)
{
    for (size_t i = 0; i < s->room; i++)
        cursor_free(s->cursors[i]);
    free(s->cursors);
    s->cursors = NULL;
    s->room = s->n = 0;
}

static sqlite3_stmt *stmt_of(void *at)
{
    return ((struct cursor *)at)->stmt;
}

bool sqlite_is_null(void *at, int column)
{
    return sqlite3_column_type(stmt_of(at), column) == SQLITE_NULL;
}

int64_t sqlite_i64(void *at, int column)
{
    return sqlite3_column_int64(stmt_of(at), column);
}

double sqlite_f64(void *at, int column)
{
    return sqlite3_column_double(stmt_of(at), column);
}

struct str sqlite_text(void *at, int column)
{
    sqlite3_stmt *stmt = stmt_of(at);
    const char *p = (const char *)sqlite3_column_text(stmt, column);
    if (p == NULL)
        return STR_NONE;
    return (struct str){ p, (size_t)sqlite3_column_bytes(stmt, column) };
}

struct str sqlite_blob(void *at, int column)
{
    sqlite3_stmt *stmt = stmt_of(at);
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return STR_NONE;
    const char *p = sqlite3_column_blob(stmt, column);
    if (p == NULL) /* SQLite gives NULL for no bytes */
        return STR("");
    return (struct str){ p, (size_t)sqlite3_column_bytes(stmt, column) };
}
