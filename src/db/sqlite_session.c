/* Sessions of the SQLite maker: opening, transactions, the write-ahead log
 * (decision 28). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/sqlite_int.h"

#define BUSY_MS 5000
#define TRUNCATE_MS                                                            \
    1000 /* writers wait while a checkpoint waits for readers                  \
          */
#define CACHE_DEFAULT ((int64_t)2 * 1024 * 1024)
#define PAGE_BYTES    8192

static enum err err_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
        return OK;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_UNIQUE ||
                       code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                       code == SQLITE_CONSTRAINT_ROWID
                   ? ERR_EXISTS
                   : ERR_INVALID;
    default:
        return ERR_IO;
    }
}

enum err sqlite_err(struct sqlite_session *s, int code)
{
    if (code == SQLITE_OK)
        return OK;
    return why(&s->base.why, err_of(code), sqlite3_errmsg(s->handle));
}

static enum err script(struct db_session *base, const char *sql)
{
    struct sqlite_session *s = sqlite_of(base);
    return sqlite_err(s, sqlite3_exec(s->handle, sql, NULL, NULL, NULL));
}

static enum err pragma(struct sqlite_session *s, struct str name, int64_t value)
{
    AUTO_BUF b = BUF(100);
    buf_add(&b, STR("PRAGMA "));
    buf_add(&b, name);
    buf_add_char(&b, '=');
    buf_add_i64(&b, value);
    struct str sql;
    enum err err = buf_view(&b, &sql);
    return err == OK ? script(&s->base, sql.p) : err;
}

static int count_pages(void *context, sqlite3 *handle, const char *name,
                       int pages)
{
    (void)handle;
    (void)name;
    struct sqlite_session *s = context;
    s->pending_pages = pages;
    return SQLITE_OK;
}

static enum err set_up(struct sqlite_session *s, const struct db_options *o,
                       bool is_writer)
{
    static const char for_all[] = "PRAGMA foreign_keys=ON;"
                                  "PRAGMA temp_store=MEMORY;"
                                  "PRAGMA trusted_schema=OFF;"
                                  "PRAGMA wal_autocheckpoint=0;";
    /* page_size counts only before the first table. */
    static const char for_writer[] = "PRAGMA page_size=8192;"
                                     "PRAGMA journal_mode=WAL;"
                                     "PRAGMA synchronous=FULL;"
                                     "PRAGMA secure_delete=ON;"
                                     "PRAGMA journal_size_limit=67108864;";
    int64_t cache = o->cache_bytes > 0 ? o->cache_bytes : CACHE_DEFAULT;
    sqlite3_busy_timeout(s->handle, BUSY_MS);
    enum err err = OK;
    if (is_writer)
        err = script(&s->base, for_writer);
    if (err == OK)
        err = script(&s->base, for_all);
    if (err == OK) /* negative: KiB */
        err = pragma(s, STR("cache_size"), -(cache / 1024));
    if (err == OK && is_writer && o->bytes_max > 0)
        err = pragma(s, STR("max_page_count"), o->bytes_max / PAGE_BYTES);
    if (err == OK && !is_writer)
        err = script(&s->base, "PRAGMA query_only=ON");
    if (is_writer)
        sqlite3_wal_hook(s->handle, count_pages, s);
    return err;
}

/* The file is made here, so that it is nobody else's from its first byte; the
 * log's files inherit its mode. */
static enum err make_file(const char *path, struct why *w)
{
    struct str folder = str_of(path);
    folder = str_slice(folder, 0, str_rfind(folder, '/'));
    if (folder.n > 0 && folder.n < strlen(path)) {
        AUTO_ARENA a = ARENA(16384);
        char *name = arena_cstr(&a, folder);
        if (name == NULL)
            return arena_err(&a);
        enum err err = file_make_dir(name, w);
        if (err != OK)
            return err;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return why_of(w, ERR_IO, STR("cannot open the database "), str_of(path),
                      STR(": "), str_of(strerror(errno)));
    close(fd);
    return OK;
}

static void configure(void)
{
    /* Counting bytes takes a lock at every allocation. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void close_session(struct db_session *base)
{
    struct sqlite_session *s = sqlite_of(base);
    sqlite_cursors_free(s);
    sqlite3_close(s->handle);
    free(s);
}

static void name_steps(struct sqlite_session *s)
{
    static const char *const sql[DB_STEP_COUNT_] = {
        [DB_BEGIN_READ] = "BEGIN",
        [DB_BEGIN_WRITE] = "BEGIN IMMEDIATE",
        [DB_COMMIT] = "COMMIT",
        [DB_ROLLBACK] = "ROLLBACK",
        [DB_SAVEPOINT] = "SAVEPOINT work",
        [DB_RELEASE] = "RELEASE work",
        [DB_UNDO] = "ROLLBACK TO work",
    };
    for (size_t i = 0; i < DB_STEP_COUNT_; i++)
        s->steps[i].sql = sql[i];
}

static enum err open_session(const struct db_options *o, bool is_writer,
                             struct db_session **out, struct why *w)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    enum err err = is_writer ? make_file(o->path, w) : OK;
    if (err != OK)
        return err;
    struct sqlite_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->base.maker = &db_sqlite;
    name_steps(s);
    /* One thread at a time has a session: no locks of its own. */
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    err = sqlite_err(s, sqlite3_open_v2(o->path, &s->handle, flags, NULL));
    if (err == OK)
        err = set_up(s, o, is_writer);
    if (err != OK) {
        (void)why_of(w, err, STR("the database "), str_of(o->path), STR(": "),
                     str_of(s->base.why.text));
        close_session(&s->base);
        return err;
    }
    *out = &s->base;
    return OK;
}

static enum err run_step(struct db_session *base, enum db_step step)
{
    struct sqlite_session *s = sqlite_of(base);
    void *at;
    enum err err = sqlite_query(base, &s->steps[step], NULL, 0, true, &at);
    if (err != OK)
        return err;
    err = sqlite_next(base, at);
    sqlite_end(base, at);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* ROLLBACK TO keeps the savepoint; ours goes. */
static enum err step(struct db_session *base, enum db_step which)
{
    if (which == DB_BEGIN_PEEK)
        return OK;
    enum err err = run_step(base, which);
    if (err == OK && which == DB_UNDO)
        err = run_step(base, DB_RELEASE);
    return err;
}

static bool is_in_transaction(struct db_session *base)
{
    return sqlite3_get_autocommit(sqlite_of(base)->handle) == 0;
}

static int64_t changes(struct db_session *base)
{
    return sqlite3_changes64(sqlite_of(base)->handle);
}

static int64_t pending(struct db_session *base)
{
    return sqlite_of(base)->pending_pages;
}

static enum err tidy(struct db_session *base, enum db_tidy how)
{
    struct sqlite_session *s = sqlite_of(base);
    int mode = how == DB_TIDY_SOME ? SQLITE_CHECKPOINT_PASSIVE
                                   : SQLITE_CHECKPOINT_TRUNCATE;
    int in_log = 0;
    int moved = 0;
    sqlite3_busy_timeout(s->handle, how >= DB_TIDY_ALL ? TRUNCATE_MS : 0);
    int code =
        sqlite3_wal_checkpoint_v2(s->handle, NULL, mode, &in_log, &moved);
    sqlite3_busy_timeout(s->handle, BUSY_MS);
    if (code == SQLITE_OK && moved >= in_log)
        s->pending_pages = 0;
    return sqlite_err(s, code);
}

const struct db_maker db_sqlite = {
    .open = open_session,
    .close = close_session,
    .step = step,
    .is_in_transaction = is_in_transaction,
    .script = script,
    .query = sqlite_query,
    .next = sqlite_next,
    .changes = changes,
    .end = sqlite_end,
    .is_null = sqlite_is_null,
    .i64 = sqlite_i64,
    .f64 = sqlite_f64,
    .text = sqlite_text,
    .blob = sqlite_blob,
    .pending = pending,
    .tidy = tidy,
};
