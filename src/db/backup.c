#include "db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "db/backup_int.h"
#include "db/db.h"

#define PATHS_MAX ((size_t)64 * 1024)

static enum err said(struct why *w, enum err err, struct str before,
                     const char *file)
{
    return why_of(w, err, before, str_of(file), STR(": "),
                  str_of(strerror(errno)));
}

static enum err sync_file(const char *path, struct why *w)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        enum err err = said(w, ERR_IO, STR("cannot write "), path);
        if (fd >= 0)
            close(fd);
        return err;
    }
    close(fd);
    return OK;
}

/* The name, and durable: the folder, too. */
static enum err give_name(struct arena *a, const char *part, const char *file,
                          struct why *w)
{
    enum err err = sync_file(part, w);
    if (err != OK)
        return err;
    if (link(part, file) != 0) /* does not replace, as rename() would */
        return said(w, errno == EEXIST ? ERR_EXISTS : ERR_IO,
                    STR("cannot make "), file);
    (void)unlink(part);
    struct str path = str_of(file);
    size_t slash = str_rfind(path, '/');
    const char *folder =
        slash < path.n ? arena_cstr(a, str_slice(path, 0, slash + 1)) : ".";
    return folder == NULL ? arena_err(a) : sync_file(folder, w);
}

/* A file beside, that nobody else can read. */
static enum err make_part(struct arena *a, const char *file, char **out,
                          struct why *w)
{
    char *part = arena_cstr(a, arena_cat(a, str_of(file), STR(".part")));
    if (part == NULL)
        return arena_err(a);
    if (access(file, F_OK) == 0)
        return why_of(w, ERR_EXISTS, str_of(file),
                      STR(" exists; it is not overwritten"));
    (void)unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return said(w, ERR_IO, STR("cannot make "), part);
    close(fd);
    *out = part;
    return OK;
}

static enum err copy(struct arena *a, const char *from, const char *to,
                     enum err (*how)(const char *, const char *, struct why *),
                     struct why *w)
{
    char *part = NULL;
    enum err err = make_part(a, to, &part, w);
    if (err != OK)
        return err;
    err = how(from, part, w);
    if (err == OK)
        err = give_name(a, part, to, w);
    if (err != OK)
        (void)unlink(part);
    return err;
}

enum err db_backup(const char *database, const char *file, struct why *w)
{
    AUTO_ARENA a = ARENA(PATHS_MAX);
    return copy(
        &a, database, file,
        db_is_postgres(str_of(database)) ? postgres_backup : sqlite_backup, w);
}

/* The folder that a file is to stand in. */
static enum err make_folder(struct arena *a, const char *file, struct why *w)
{
    struct str path = str_of(file);
    size_t slash = str_rfind(path, '/');
    if (slash == 0 || slash >= path.n)
        return OK;
    char *folder = arena_cstr(a, str_slice(path, 0, slash));
    return folder == NULL ? arena_err(a) : file_make_dir(folder, w);
}

enum err db_restore(const char *database, const char *file, struct why *w)
{
    AUTO_ARENA a = ARENA(PATHS_MAX);
    if (access(file, R_OK) != 0)
        return said(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                    STR("cannot read "), file);
    if (db_is_postgres(str_of(database)))
        return postgres_restore(database, file, w);
    enum err err = make_folder(&a, database, w);
    return err == OK ? copy(&a, file, database, sqlite_backup, w) : err;
}
