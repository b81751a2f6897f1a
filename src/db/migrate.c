#include "base/clock.h"
#include "db/db_int.h"

static const char make_table[] =
    "CREATE TABLE IF NOT EXISTS migration ("
    " name TEXT PRIMARY KEY, applied_ms BIGINT NOT NULL)";

static const struct db_statement select_names = {
    "SELECT name FROM migration ORDER BY name"
};
static const struct db_statement select_name = {
    "SELECT 1 FROM migration WHERE name = $1"
};
static const struct db_statement insert_name = {
    "INSERT INTO migration (name, applied_ms) VALUES ($1, $2)"
};

static bool is_known(const struct embedded *files, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_of(files[i].name), name))
            return true;
    return false;
}

/* A name that the binary does not have was written by a newer one. */
static enum err refuse_newer(struct db_session *s, const struct embedded *files,
                             size_t n, struct why *w)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_names, NULL, 0, &rows);
    while (err == OK && (err = db_next(&rows)) == OK)
        if (!is_known(files, n, db_text(&rows, 0)))
            return why_of(w, ERR_UNSUPPORTED,
                          STR("the database was written by a newer version of "
                              "tributary (it has "),
                          db_text(&rows, 0),
                          STR("); use that version, or an older copy"));
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err is_applied(struct db_session *s, struct str name)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_name, &rows, DB_TEXT(name));
    return err == OK ? db_next(&rows) : err;
}

static enum err apply_one(struct db_session *s, const struct embedded *file)
{
    struct str name = str_of(file->name);
    enum err err = is_applied(s, name);
    if (err != ERR_NOT_FOUND)
        return err;
    err = s->maker->script(s, (const char *)file->bytes);
    if (err == OK)
        err = db_run(s, &insert_name, NULL, DB_TEXT(name),
                     DB_I64(clock_now_ms()));
    return err;
}

/* In a transaction of its own, so that two processes that start at once do not
 * apply it twice. */
static enum err apply(struct db_session *s, const struct embedded *file,
                      struct why *w)
{
    enum err err = s->maker->step(s, DB_BEGIN_WRITE);
    if (err == OK)
        err = apply_one(s, file);
    if (err == OK)
        err = s->maker->step(s, DB_COMMIT);
    if (err == OK)
        return OK;
    (void)why_of(w, err, STR("migration "), str_of(file->name), STR(": "),
                 str_of(s->why.text));
    if (s->maker->is_in_transaction(s))
        (void)s->maker->step(s, DB_ROLLBACK);
    return err;
}

static enum err begin(struct db_session *s, struct why *w)
{
    enum err err = s->maker->step(s, DB_BEGIN_WRITE);
    if (err == OK)
        err = s->maker->script(s, make_table);
    if (err == OK)
        return s->maker->step(s, DB_COMMIT);
    (void)why_of(w, err, STR("the database: "), str_of(s->why.text));
    if (s->maker->is_in_transaction(s))
        (void)s->maker->step(s, DB_ROLLBACK);
    return err;
}

enum err db_migrate_files(struct db_session *s, const struct embedded *files,
                          size_t n, struct why *w)
{
    enum err err = begin(s, w);
    if (err == OK)
        err = refuse_newer(s, files, n, w);
    for (size_t i = 0; i < n && err == OK; i++)
        if (is_applied(s, str_of(files[i].name)) != OK)
            err = apply(s, &files[i], w);
    return err;
}

enum err db_migrate(struct db_session *s, struct why *w)
{
    return db_migrate_files(s, db_migrations, db_migrations_count, w);
}
