#include "db/db.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "db/sqlite_int.h"

#define CACHE_BYTES_DEFAULT ((int64_t)2 * 1024 * 1024)
#define READERS_MAX         64

static unsigned reader_count(const struct db_options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n =
        o->readers > 0 ? o->readers : (unsigned)(cores < 4 ? 4 : cores);
    return n > READERS_MAX ? READERS_MAX : n;
}

static enum err make_folder(const char *path, struct why *w)
{
    AUTO_ARENA
    arena = ARENA((size_t)64 * 1024);
    struct str text = str_of(path);
    size_t slash = str_rfind(text, '/');
    if (slash == text.n || slash == 0)
        return OK;
    char *folder = arena_cstr(&arena, str_slice(text, 0, slash));
    return folder == NULL ? arena_err(&arena) : file_make_dir(folder, w);
}

static enum err open_readers(struct db *db, const struct db_options *o,
                             int64_t cache_bytes, struct why *w)
{
    db->reader_count = reader_count(o);
    db->readers = calloc(db->reader_count, sizeof *db->readers);
    if (db->readers == NULL)
        return ERR_NOMEM;
    for (unsigned i = 0; i < db->reader_count; i++) {
        enum err err = sqlite_session_open(&db->readers[i], o->path, false,
                                           cache_bytes, w);
        if (err != OK)
            return err;
        db->readers[i].next_free = db->free_readers;
        db->free_readers = &db->readers[i];
    }
    return OK;
}

enum err db_open(const struct db_options *o, struct db **out, struct why *w)
{
    int64_t cache = o->cache_bytes > 0 ? o->cache_bytes : CACHE_BYTES_DEFAULT;
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&db->lock, NULL);
    pthread_mutex_init(&db->reader_lock, NULL);
    pthread_cond_init(&db->queued, NULL);
    pthread_cond_init(&db->committed, NULL);
    pthread_cond_init(&db->reader_freed, NULL);
    db->last = &db->first;
    enum err err = make_folder(o->path, w);
    if (err == OK)
        err = sqlite_session_open(&db->writer, o->path, true, cache * 4, w);
    if (err == OK)
        err = sqlite_migrate(&db->writer, w);
    if (err == OK)
        err = open_readers(db, o, cache, w);
    if (err == OK &&
        pthread_create(&db->thread, NULL, sqlite_writer_main, db) != 0)
        err = why(w, ERR_IO, "the database's writer thread did not start");
    else if (err == OK)
        db->has_thread = true;
    if (err != OK) {
        db_close(db);
        return err;
    }
    *out = db;
    return OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    {
        GUARD(&db->lock);
        db->is_stopping = true;
        pthread_cond_broadcast(&db->queued);
    }
    if (db->has_thread)
        pthread_join(db->thread, NULL);
    for (unsigned i = 0; db->readers != NULL && i < db->reader_count; i++)
        sqlite_session_close(&db->readers[i]);
    if (db->writer.handle != NULL && db->has_thread)
        sqlite3_wal_checkpoint_v2(db->writer.handle, NULL,
                                  SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite_session_close(&db->writer);
    pthread_mutex_destroy(&db->lock);
    pthread_mutex_destroy(&db->reader_lock);
    pthread_cond_destroy(&db->queued);
    pthread_cond_destroy(&db->committed);
    pthread_cond_destroy(&db->reader_freed);
    free(db->readers);
    free(db);
}

enum err db_take_reader(struct db *db, struct db_session **out)
{
    GUARD(&db->reader_lock);
    while (db->free_readers == NULL)
        pthread_cond_wait(&db->reader_freed, &db->reader_lock);
    *out = db->free_readers;
    db->free_readers = (*out)->next_free;
    return OK;
}

void db_give_reader(struct db *db, struct db_session *s)
{
    GUARD(&db->reader_lock);
    s->next_free = db->free_readers;
    db->free_readers = s;
    pthread_cond_signal(&db->reader_freed);
}

static const struct db_statement begin = { "BEGIN" };
static const struct db_statement end = { "COMMIT" };

enum err db_read(struct db *db, db_work *work, void *context)
{
    struct db_session *s;
    enum err err = db_take_reader(db, &s);
    if (err != OK)
        return err;
    err = db_run_n(s, &begin, NULL, 0, NULL);
    if (err == OK) {
        err = work(s, context);
        enum err ended = db_run_n(s, &end, NULL, 0, NULL);
        if (err == OK)
            err = ended;
    }
    db_give_reader(db, s);
    return err;
}

static enum err ask_one(struct db_session *s, void *context)
{
    static const struct db_statement one = { "SELECT 1" };
    (void)context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &one, NULL, 0, &rows);
    return err == OK ? db_next(&rows) : err;
}

bool db_is_ready(struct db *db)
{
    return db_read(db, ask_one, NULL) == OK;
}

struct db_stats db_stats(struct db *db)
{
    GUARD(&db->lock);
    return (struct db_stats){ (int64_t)db->queue_length, db->writes,
                              db->commits };
}
