#include "db/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tributary-db-XXXXXX";
static char path[128];

static const struct db_statement make = {
    "CREATE TABLE thing(id BIGINT PRIMARY KEY, name TEXT)"
};
static const struct db_statement add = {
    "INSERT INTO thing(id, name) VALUES ($1, $2)"
};
static const struct db_statement count = {
    "SELECT count(*) FROM thing WHERE name = $1"
};

static enum err do_make(struct db_session *s, void *context)
{
    (void)context;
    return db_run_n(s, &make, NULL, 0, NULL);
}

static int set_up(void **state)
{
    struct db *db = NULL;
    struct why w = { 0 };
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    assert_int_equal(db_open(&(struct db_options){ .path = path }, &db, &w),
                     OK);
    assert_int_equal(db_write(db, do_make, NULL), OK);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    char name[160];
    db_close(*state);
    unlink(path);
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
    rmdir(folder);
    return 0;
}

static enum err do_add(struct db_session *s, void *context)
{
    return db_run(s, &add, NULL, DB_I64(*(int64_t *)context),
                  DB_TEXT(STR("a")));
}

static enum err do_count(struct db_session *s, void *context)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &count, &rows, DB_TEXT(STR("a")));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *(int64_t *)context = db_i64(&rows, 0);
    return err;
}

static int64_t counted(struct db *db)
{
    int64_t n = -1;
    assert_int_equal(db_read(db, do_count, &n), OK);
    return n;
}

static void what_was_written_is_read(void **state)
{
    int64_t id = 1;
    assert_int_equal(db_write(*state, do_add, &id), OK);
    assert_int_equal(counted(*state), 1);
}

static void a_broken_unique_says_exists_and_undoes_only_itself(void **state)
{
    int64_t id = 1, other = 2;
    assert_int_equal(db_write(*state, do_add, &id), OK);
    assert_int_equal(db_write(*state, do_add, &id), ERR_EXISTS);
    assert_int_equal(db_write(*state, do_add, &other), OK);
    assert_int_equal(counted(*state), 2);
}

static enum err add_then_fail(struct db_session *s, void *context)
{
    enum err err = do_add(s, context);
    return err == OK ? ERR_CONFLICT : err;
}

static void a_failing_work_leaves_nothing(void **state)
{
    int64_t id = 1;
    assert_int_equal(db_write(*state, add_then_fail, &id), ERR_CONFLICT);
    assert_int_equal(counted(*state), 0);
}

#define THREADS 8
#define EACH    100

struct many {
    struct db *db;
    int64_t first;
};

static void *add_many(void *context)
{
    struct many *m = context;
    for (int64_t i = 0; i < EACH; i++) {
        int64_t id = m->first + i;
        if (db_write(m->db, do_add, &id) != OK)
            return m;
    }
    return NULL;
}

static void many_writers_share_commits(void **state)
{
    pthread_t threads[THREADS];
    struct many many[THREADS];
    for (int64_t i = 0; i < THREADS; i++) {
        many[i] = (struct many){ *state, i * 1000 };
        pthread_create(&threads[i], NULL, add_many, &many[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(counted(*state), THREADS * EACH);
    struct db_stats stats = db_stats(*state);
    assert_true(stats.commits <= stats.writes);
}

static void it_is_there_after_reopening(void **state)
{
    struct why w = { 0 };
    int64_t id = 7;
    struct db *db = *state;
    assert_int_equal(db_write(db, do_add, &id), OK);
    db_close(db);
    *state = NULL;
    assert_int_equal(db_open(&(struct db_options){ .path = path }, &db, &w),
                     OK);
    *state = db;
    assert_int_equal(counted(db), 1);
}

static void count_done(void *context)
{
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static int done_calls;
static enum err add_nine(struct db_session *s, void *context)
{
    int64_t id = 9;
    (void)context;
    return do_add(s, &id);
}

static void what_is_written_later_is_there_after_a_write(void **state)
{
    int64_t id = 1;
    done_calls = 0;
    assert_int_equal(db_write_later(*state, add_nine, &done_calls, count_done),
                     OK);
    assert_int_equal(db_write(*state, do_add, &id), OK);
    assert_int_equal(counted(*state), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_broken_unique_says_exists_and_undoes_only_itself, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_failing_work_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_writers_share_commits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_is_there_after_reopening, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_written_later_is_there_after_a_write, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
