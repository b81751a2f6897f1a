/* testing.h - a database in a fresh folder, for tests of all rooms:
 *
 *     struct db_test t = db_test_open();   ...   db_test_close(&t);
 */
#ifndef DB_TESTING_H
#define DB_TESTING_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rand.h"
#include "db/cluster.h"
#include "db/db.h"

/* URL of a database of a private server (tools/postgres.sh); NULL: SQLite. */
static inline const char *db_test_server(void)
{
    return secure_getenv("TRIBUTARY_TEST_DATABASE");
}

static inline bool db_test_is_postgres(void)
{
    return db_test_server() != NULL;
}

struct db_place {
    char path[256]; /* for db_options */
    char name[40];  /* of the PostgreSQL database; "": a file */
};

/* A fresh database; `file` is where it is with SQLite. */
static inline struct db_place db_place_make(const char *file)
{
    struct db_place p = { 0 };
    struct why w = { 0 };
    const char *url = db_test_server();
    if (url == NULL) {
        (void)snprintf(p.path, sizeof p.path, "%s", file);
        return p;
    }
    (void)snprintf(p.name, sizeof p.name, "t%016llx",
                   (unsigned long long)rand_u64());
    /* postgres:///postgres?host=/tmp/x -> postgres:///t0123?host=/tmp/x */
    size_t n = strcspn(url, "?");
    size_t base = n;
    while (base > 0 && url[base - 1] != '/')
        base--;
    (void)snprintf(p.path, sizeof p.path, "%.*s%s%s", (int)base, url, p.name,
                   url + n);
    if (cluster_create(url, p.name, &w) != OK) {
        (void)fprintf(stderr, "%s\n", w.text);
        abort();
    }
    return p;
}

static inline void db_place_drop(const struct db_place *p)
{
    struct why w = { 0 };
    if (p->name[0] != '\0' && cluster_drop(db_test_server(), p->name, &w) != OK)
        (void)fprintf(stderr, "%s\n", w.text);
}

/* For a test that has one database at a time and closes it with db_close(). */
static struct db_place db_place_last;

static inline void db_place_drop_last(void)
{
    db_place_drop(&db_place_last);
}

static inline enum err db_test_open_at(const char *file, struct db **out,
                                       struct why *w)
{
    if (db_place_last.path[0] == '\0')
        (void)atexit(db_place_drop_last);
    db_place_drop(&db_place_last);
    db_place_last = db_place_make(file);
    return db_open(&(struct db_options){ .path = db_place_last.path }, out, w);
}

struct db_test {
    char folder[64];
    char path[256];
    struct db_place place;
    struct db *db;
};

static inline void db_test_reopen(struct db_test *t)
{
    struct db_options o = { .path = t->path, .readers = 4, .sessions_max = 64 };
    struct why w = { 0 };
    if (db_open(&o, &t->db, &w) != OK) {
        (void)fprintf(stderr, "%s\n", w.text);
        abort();
    }
}

static inline struct db_test db_test_open(void)
{
    struct db_test t = { .folder = "/tmp/tributary-db-XXXXXX" };
    if (mkdtemp(t.folder) == NULL)
        abort();
    char file[96];
    (void)snprintf(file, sizeof file, "%s/test.db", t.folder);
    t.place = db_place_make(file);
    (void)snprintf(t.path, sizeof t.path, "%s", t.place.path);
    db_test_reopen(&t);
    return t;
}

static inline void db_test_close(struct db_test *t)
{
    db_close(t->db);
    db_place_drop(&t->place);
    DIR *d = opendir(t->folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char path[sizeof t->folder + sizeof e->d_name + 1];
        (void)snprintf(path, sizeof path, "%s/%s", t->folder, e->d_name);
        (void)unlink(path);
    }
    if (d != NULL)
        closedir(d);
    (void)rmdir(t->folder);
}

#endif
