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
#include <unistd.h>

#include "db/db.h"

struct db_test {
    char folder[64];
    char path[96];
    struct db *db;
};

static inline void db_test_reopen(struct db_test *t)
{
    struct db_options o = { .path = t->path, .readers = 4 };
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
    (void)snprintf(t.path, sizeof t.path, "%s/test.db", t.folder);
    db_test_reopen(&t);
    return t;
}

static inline void db_test_close(struct db_test *t)
{
    db_close(t->db);
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
