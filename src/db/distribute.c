#include "db/distribute.h"

#include "db/db.h"

static const struct db_statement has_citus = {
    "SELECT to_regproc('create_distributed_table') IS NOT NULL,"
    " EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'citus')"
};
/* user_id in every unique index, and in at least one; the record's table
 * first, which the others stand beside. */
static const struct db_statement select_tables = {
    "SELECT c.relname::text FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute u ON u.attrelid = c.oid AND u.attname = 'user_id'"
    " JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')"
    " GROUP BY c.relname HAVING bool_and(u.attnum = ANY (i.indkey))"
    " ORDER BY c.relname <> 'record', c.relname"
};
static const struct db_statement is_distributed = {
    "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = $1::regclass"
};
static const struct db_statement distribute = {
    "SELECT create_distributed_table($1::regclass, 'user_id',"
    " colocate_with => $2)"
};

struct call {
    struct arena *a;
    struct distributed out;
    struct why *w;
};

static enum err check(struct db_session *s, struct why *w)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &has_citus, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    if (db_i64(&rows, 0) != 0)
        return OK;
    if (db_i64(&rows, 1) != 0)
        return why(w, ERR_UNSUPPORTED,
                   "Citus is installed, but not in this database: run CREATE "
                   "EXTENSION citus in it, as its superuser");
    return why(w, ERR_UNSUPPORTED,
               "this PostgreSQL has no Citus: install its package, put citus "
               "first in shared_preload_libraries, restart, and run CREATE "
               "EXTENSION citus in the database");
}

static enum err find_tables(struct db_session *s, struct call *c)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_tables, NULL, 0, &rows);
    while (err == OK && (err = db_next(&rows)) == OK) {
        if (c->out.n == DISTRIBUTED_MAX)
            return ERR_LIMIT;
        c->out.tables[c->out.n++] = arena_str(c->a, db_text(&rows, 0));
    }
    return err == ERR_NOT_FOUND ? arena_err(c->a) : err;
}

static enum err is_done(struct db_session *s, struct str table)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &is_distributed, &rows, DB_TEXT(table));
    return err == OK ? db_next(&rows) : err;
}

static enum err distribute_one(struct db_session *s, struct call *c, size_t i)
{
    struct str table = c->out.tables[i];
    enum err err = is_done(s, table);
    if (err != ERR_NOT_FOUND)
        return err;
    AUTO_ROWS rows = { 0 };
    err = db_query(s, &distribute, &rows, DB_TEXT(table),
                   DB_TEXT(i == 0 ? STR("default") : c->out.tables[0]));
    c->out.fresh++;
    return err;
}

static enum err work(struct db_session *s, void *context)
{
    struct call *c = context;
    enum err err = check(s, c->w);
    if (err == OK)
        err = find_tables(s, c);
    for (size_t i = 0; i < c->out.n && err == OK; i++)
        err = distribute_one(s, c, i);
    if (err != OK && err != ERR_UNSUPPORTED)
        (void)why(c->w, err, db_why(s));
    return err;
}

enum err db_distribute(struct db *db, struct arena *a, struct distributed *out,
                       struct why *w)
{
    if (!db_is_shared(db))
        return why(w, ERR_UNSUPPORTED,
                   "the database is a SQLite file, which is one machine's; set "
                   "`database` to a PostgreSQL with Citus");
    struct call c = { .a = a, .w = w };
    enum err err = db_write(db, work, &c);
    if (err == OK)
        *out = c.out;
    return err;
}
