/* pg_dump and pg_restore as programs: their archive has all (sequences, keys,
 * order), is compressed, and any later PostgreSQL reads it.  Where the database
 * is goes into their environment, so that no password is in a list of
 * processes. */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "db/backup_int.h"

#define ENV_MAX   512
#define ENV_BYTES ((size_t)1024 * 1024)

static const char *name_end(const char *variable)
{
    const char *end = strchr(variable, '=');
    return end == NULL ? variable + strlen(variable) : end;
}

static bool is_set(char **env, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = (size_t)(name_end(env[i]) - env[i]);
        if (strlen(name) == length && strncmp(env[i], name, length) == 0)
            return true;
    }
    return false;
}

/* What the URL says, PGHOST=... and so on, before our own environment. */
static enum err make_env(const char *url, struct arena *a, char **env,
                         struct why *w)
{
    size_t n = 0;
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    if (all == NULL)
        return why(w, ERR_INVALID, "this is no URL of PostgreSQL");
    for (PQconninfoOption *o = all; o->keyword != NULL && n < ENV_MAX; o++)
        if (o->envvar != NULL && o->val != NULL)
            env[n++] = arena_cstr(
                a, arena_cat(a, str_of(o->envvar), STR("="), str_of(o->val)));
    PQconninfoFree(all);
    if (arena_err(a) != OK)
        return arena_err(a);
    size_t ours = n;
    for (char **at = environ; *at != NULL && n < ENV_MAX; at++) {
        char *name =
            arena_cstr(a, (struct str){ *at, (size_t)(name_end(*at) - *at) });
        if (name == NULL)
            return arena_err(a);
        if (!is_set(env, ours, name))
            env[n++] = *at;
    }
    env[n] = NULL;
    return OK;
}

/* Runs it with what it says on our standard error. */
static enum err run(const char *url, const char *const *args, bool is_silent,
                    struct why *w)
{
    AUTO_ARENA a = ARENA(ENV_BYTES);
    char *env[ENV_MAX + 1];
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status = 0;
    enum err err = make_env(url, &a, env, w);
    if (err != OK)
        return err;
    posix_spawn_file_actions_init(&files);
    if (is_silent)
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null",
                                         O_WRONLY, 0);
    int failed = posix_spawnp(&pid, args[0], &files, NULL,
                              (char *const *)(uintptr_t)args, env);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0)
        return why_of(w, ERR_IO, STR("cannot run "), str_of(args[0]), STR(": "),
                      str_of(strerror(failed)),
                      STR("; install PostgreSQL's client programs"));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return why(w, ERR_IO, "cannot wait for the program");
    if (status != 0)
        return why_of(w, ERR_IO, str_of(args[0]),
                      STR(" failed; what it said is above"));
    return OK;
}

/* Reads the whole archive, without a database. */
static enum err check(const char *file, struct why *w)
{
    const char *args[] = { "pg_restore", "--file=/dev/null", file, NULL };
    return run("postgres://", args, true, w);
}

enum err postgres_backup(const char *url, const char *to, struct why *w)
{
    AUTO_ARENA a = ARENA(ENV_BYTES);
    char *file = arena_cstr(&a, arena_cat(&a, STR("--file="), str_of(to)));
    if (file == NULL)
        return arena_err(&a);
    const char *args[] = { "pg_dump",    "--format=custom",
                           "--no-owner", "--no-privileges",
                           file,         NULL };
    enum err err = run(url, args, false, w);
    return err == OK ? check(to, w) : err;
}

static enum err is_empty(const char *url, struct why *w)
{
    PGconn *conn = PQconnectdb(url);
    enum err err = OK;
    if (PQstatus(conn) != CONNECTION_OK) {
        err = why_of(w, ERR_BUSY, STR("PostgreSQL cannot be reached: "),
                     str_trim(str_of(PQerrorMessage(conn))));
    } else {
        PGresult *r = PQexec(conn, "SELECT to_regclass('migration')");
        if (PQresultStatus(r) != PGRES_TUPLES_OK)
            err = why_of(w, ERR_IO, str_trim(str_of(PQerrorMessage(conn))));
        else if (!PQgetisnull(r, 0, 0))
            err = why(w, ERR_EXISTS,
                      "the database is in use already; make an empty one "
                      "(createdb NAME) and name it in `database`");
        PQclear(r);
    }
    PQfinish(conn);
    return err;
}

enum err postgres_restore(const char *url, const char *from, struct why *w)
{
    const char *args[] = { "pg_restore",
                           "--single-transaction",
                           "--exit-on-error",
                           "--no-owner",
                           "--no-privileges",
                           "--dbname=",
                           from,
                           NULL };
    AUTO_ARENA a = ARENA(ENV_BYTES);
    enum err err = is_empty(url, w);
    if (err == OK)
        err = check(from, w);
    if (err != OK)
        return err;
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    for (PQconninfoOption *o = all; all != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
            args[5] =
                arena_cstr(&a, arena_cat(&a, STR("--dbname="), str_of(o->val)));
    PQconninfoFree(all);
    return args[5] == NULL ? arena_err(&a) : run(url, args, false, w);
}
