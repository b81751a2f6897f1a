#include "db/sqlite_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/embedded.h"

extern const struct embedded db_migrations[];
extern const size_t db_migrations_count;

static const struct db_statement find = {
    "SELECT 1 FROM migration WHERE name = $1"
};
static const struct db_statement add = {
    "INSERT INTO migration(name, applied_ms) VALUES ($1, $2)"
};
static const struct db_statement last = { "SELECT max(name) FROM migration" };

static enum err is_applied(struct db_session *s, struct str name, bool *out)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &find, &rows, DB_TEXT(name));
    if (err == OK)
        err = db_next(&rows);
    *out = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

/* One migration and the note of it, or neither. */
static enum err apply(struct db_session *s, const struct embedded *m,
                      struct why *w)
{
    enum err err = sqlite_exec(s, "BEGIN IMMEDIATE");
    bool is_there = false;
    if (err == OK) /* another process may have been quicker */
        err = is_applied(s, str_of(m->name), &is_there);
    if (err == OK && !is_there)
        err = sqlite_exec(s, (const char *)m->bytes);
    if (err == OK && !is_there)
        err = db_run(s, &add, NULL, DB_TEXT(str_of(m->name)),
                     DB_I64(clock_now_ms()));
    if (err == OK)
        return sqlite_exec(s, "COMMIT");
    why_of(w, err, STR("migration "), str_of(m->name), STR(": "),
           str_of(sqlite3_errmsg(s->handle)));
    return sqlite_exec(s, "ROLLBACK") == OK ? err : ERR_IO;
}

/* A database that a newer program migrated is not ours to touch. */
static enum err refuse_newer(struct db_session *s, struct why *w)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &last, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err != OK || db_is_null(&rows, 0) || db_migrations_count == 0)
        return err;
    struct str newest = str_of(db_migrations[db_migrations_count - 1].name);
    if (str_cmp(db_text(&rows, 0), newest) > 0)
        return why_of(
            w, ERR_UNSUPPORTED,
            STR("the database was made by a newer Tributary (it has "),
            db_text(&rows, 0), STR("); use that program"));
    return OK;
}

enum err sqlite_migrate(struct db_session *s, struct why *w)
{
    enum err err = sqlite_exec(
        s, "CREATE TABLE IF NOT EXISTS migration("
           "name TEXT PRIMARY KEY, applied_ms BIGINT NOT NULL) WITHOUT ROWID");
    if (err == OK)
        err = refuse_newer(s, w);
    for (size_t i = 0; err == OK && i < db_migrations_count; i++) {
        bool is_there = false;
        err = is_applied(s, str_of(db_migrations[i].name), &is_there);
        if (err == OK && !is_there)
            err = apply(s, &db_migrations[i], w);
    }
    return err;
}
