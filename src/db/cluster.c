#include "db/cluster.h"

#include <libpq-fe.h>

#include "base/buf.h"
#include "db/db_int.h"

#define SQL_MAX 1000

static enum err run(PGconn *conn, struct str sql, struct why *w)
{
    PGresult *r = PQexec(conn, sql.p);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    enum err err = OK;
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        err = why_of(
            w,
            state != NULL && str_eq(str_of(state), STR("42P04")) ? ERR_EXISTS
                                                                 : ERR_IO,
            STR("PostgreSQL: "), str_trim(str_of(PQerrorMessage(conn))));
    PQclear(r);
    return err;
}

static enum err run_named(const char *url, struct str before, const char *name,
                          struct str after, struct why *w)
{
    PGconn *conn = PQconnectdb(url);
    AUTO_BUF b = BUF(SQL_MAX);
    struct str sql;
    enum err err = OK;
    if (PQstatus(conn) != CONNECTION_OK)
        err = why_of(w, ERR_BUSY, STR("PostgreSQL cannot be reached: "),
                     str_trim(str_of(PQerrorMessage(conn))));
    char *quoted =
        err == OK ? PQescapeIdentifier(conn, name, str_of(name).n) : NULL;
    if (err == OK && quoted == NULL)
        err = ERR_INVALID;
    if (err == OK) {
        buf_add(&b, before);
        buf_add(&b, str_of(quoted));
        buf_add(&b, after);
        err = buf_view(&b, &sql);
    }
    if (err == OK)
        err = run(conn, sql, w);
    PQfreemem(quoted);
    PQfinish(conn);
    return err;
}

enum err cluster_create(const char *url, const char *name, struct why *w)
{
    return run_named(url, STR("CREATE DATABASE "), name,
                     STR(" ENCODING 'UTF8' TEMPLATE template0"), w);
}

enum err cluster_drop(const char *url, const char *name, struct why *w)
{
    return run_named(url, STR("DROP DATABASE IF EXISTS "), name,
                     STR(" WITH (FORCE)"), w);
}
