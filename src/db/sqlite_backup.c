/* All pages in one step, from one snapshot: writers of other connections go on
 * in the log meanwhile, and nothing has to be begun again. */
#include <sqlite3.h>
#include <string.h>

#include "base/str.h"
#include "db/backup_int.h"

#define BUSY_MS 30000

static enum err failed(sqlite3 *db, const char *path, struct why *w)
{
    return why_of(w, ERR_IO, str_of(path), STR(": "),
                  str_of(sqlite3_errmsg(db)));
}

static int is_fine(void *context, int n, char **values, char **names)
{
    (void)names;
    *(bool *)context =
        n == 1 && values[0] != NULL && strcmp(values[0], "ok") == 0;
    return 0;
}

static int is_there(void *context, int n, char **values, char **names)
{
    (void)n;
    (void)values;
    (void)names;
    *(bool *)context = true;
    return 0;
}

/* Whether a file is whole, and one of ours. */
static enum err check(sqlite3 *db, const char *path, struct why *w)
{
    bool is_whole = false, is_ours = false;
    if (sqlite3_exec(db, "PRAGMA quick_check(1)", is_fine, &is_whole, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, "SELECT 1 FROM sqlite_master WHERE name = 'migration'",
                     is_there, &is_ours, NULL) != SQLITE_OK)
        return failed(db, path, w);
    if (!is_whole || !is_ours)
        return why_of(w, ERR_FORMAT, str_of(path),
                      STR(" is no whole database of tributary"));
    return OK;
}

static enum err copy_pages(sqlite3 *from, sqlite3 *to, const char *path,
                           struct why *w)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (b == NULL)
        return failed(to, path, w);
    int code = sqlite3_backup_step(b, -1);
    if (sqlite3_backup_finish(b) != SQLITE_OK || code != SQLITE_DONE)
        return failed(to, path, w);
    return OK;
}

static enum err open_both(const char *from, const char *to, sqlite3 **in,
                          sqlite3 **out, struct why *w)
{
    /* Read and write: the log of a database that nobody has open is read. */
    if (sqlite3_open_v2(from, in, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return failed(*in, from, w);
    if (sqlite3_open_v2(to, out, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return failed(*out, to, w);
    sqlite3_busy_timeout(*in, BUSY_MS);
    return OK;
}

enum err sqlite_backup(const char *from, const char *to, struct why *w)
{
    sqlite3 *in = NULL, *out = NULL;
    enum err err = open_both(from, to, &in, &out, w);
    if (err == OK)
        err = copy_pages(in, out, to, w);
    if (err == OK) /* one file: no log beside it that could be lost */
        err = sqlite3_exec(out, "PRAGMA journal_mode=DELETE", NULL, NULL,
                           NULL) == SQLITE_OK
                  ? check(out, to, w)
                  : failed(out, to, w);
    sqlite3_close(in);
    sqlite3_close(out);
    return err;
}
