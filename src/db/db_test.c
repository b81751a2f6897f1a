#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "db/db_int.h"
#include "db/testing.h"

static const struct db_statement make = { DB_EITHER(
    "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, weight "
    "DOUBLE PRECISION, body BLOB)",
    "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, weight "
    "DOUBLE PRECISION, body BYTEA)") };
static const struct db_statement insert = {
    "INSERT INTO thing (id, name, weight, body) VALUES ($1, $2, $3, $4)"
};
static const struct db_statement select_one = {
    "SELECT name, weight, body FROM thing WHERE id = $1"
};
static const struct db_statement select_ids = {
    "SELECT id FROM thing ORDER BY id"
};
static const struct db_statement count = { "SELECT count(*) FROM thing" };
static const struct db_statement rename_one = {
    "UPDATE thing SET name = $2 WHERE id = $1 AND name <> $2"
};

static enum err make_table(struct db_session *s, void *context)
{
    (void)context;
    return db_run_n(s, &make, NULL, 0, NULL);
}

static struct db_test open_with_table(void)
{
    struct db_test t = db_test_open();
    assert_int_equal(db_write(t.db, make_table, NULL), OK);
    return t;
}

static enum err insert_id(struct db_session *s, void *context)
{
    int64_t id = *(int64_t *)context;
    return db_run(s, &insert, NULL, DB_I64(id), DB_TEXT(STR("a")), DB_F64(0.5),
                  DB_NULL);
}

static enum err count_rows(struct db_session *s, void *context)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &count, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *(int64_t *)context = db_i64(&rows, 0);
    return err;
}

static int64_t row_count(struct db *db)
{
    int64_t n = -1;
    assert_int_equal(db_read(db, count_rows, &n), OK);
    return n;
}

/* PostgreSQL's text has no NUL. */
static struct str odd_text(void)
{
    return db_test_is_postgres() ? STR("nul \xc3\xa9") : STR("n\0ul \xc3\xa9");
}

static enum err insert_all_kinds(struct db_session *s, void *context)
{
    (void)context;
    return db_run(s, &insert, NULL, DB_I64(INT64_MIN), DB_TEXT(odd_text()),
                  DB_F64(-0.125), DB_BLOB(STR("\xff\0\x01")));
}

static enum err read_all_kinds(struct db_session *s, void *context)
{
    (void)context;
    AUTO_ROWS rows = { 0 };
    assert_int_equal(db_query(s, &select_one, &rows, DB_I64(INT64_MIN)), OK);
    assert_int_equal(db_next(&rows), OK);
    assert_true(str_eq(db_text(&rows, 0), odd_text()));
    assert_true(db_f64(&rows, 1) == -0.125);
    assert_true(str_eq(db_blob(&rows, 2), STR("\xff\0\x01")));
    assert_int_equal(db_next(&rows), ERR_NOT_FOUND);
    return OK;
}

static void values_of_all_kinds_come_back_as_they_went(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    assert_int_equal(db_write(t.db, insert_all_kinds, NULL), OK);
    assert_int_equal(db_read(t.db, read_all_kinds, NULL), OK);
    db_test_close(&t);
}

static enum err insert_empties(struct db_session *s, void *context)
{
    (void)context;
    enum err err = db_run(s, &insert, NULL, DB_I64(1), DB_TEXT(STR("")),
                          DB_NULL, DB_BLOB(STR("")));
    if (err == OK)
        err = db_run(s, &insert, NULL, DB_I64(2), DB_MAYBE(STR_NONE), DB_NULL,
                     DB_NULL);
    return err;
}

static enum err read_empties(struct db_session *s, void *context)
{
    (void)context;
    AUTO_ROWS rows = { 0 };
    assert_int_equal(db_query(s, &select_one, &rows, DB_I64(1)), OK);
    assert_int_equal(db_next(&rows), OK);
    assert_non_null(db_text(&rows, 0).p);
    assert_non_null(db_blob(&rows, 2).p);
    assert_int_equal(db_blob(&rows, 2).n, 0);
    assert_true(db_is_null(&rows, 1));
    AUTO_ROWS more = { 0 };
    assert_int_equal(db_query(s, &select_one, &more, DB_I64(2)), OK);
    assert_int_equal(db_next(&more), OK);
    assert_null(db_text(&more, 0).p);
    assert_null(db_blob(&more, 2).p);
    return OK;
}

static void nothing_and_empty_are_different(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    assert_int_equal(db_write(t.db, insert_empties, NULL), OK);
    assert_int_equal(db_read(t.db, read_empties, NULL), OK);
    db_test_close(&t);
}

static enum err rename_two(struct db_session *s, void *context)
{
    int64_t *changed = context;
    assert_int_equal(
        db_run(s, &rename_one, &changed[0], DB_I64(1), DB_TEXT(STR("b"))), OK);
    assert_int_equal(
        db_run(s, &rename_one, &changed[1], DB_I64(1), DB_TEXT(STR("b"))), OK);
    return OK;
}

static void a_parameter_may_stand_in_any_order_and_twice(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    int64_t id = 1;
    int64_t changed[2] = { -1, -1 };
    assert_int_equal(db_write(t.db, insert_id, &id), OK);
    assert_int_equal(db_write(t.db, rename_two, changed), OK);
    assert_int_equal(changed[0], 1);
    assert_int_equal(changed[1], 0);
    db_test_close(&t);
}

static enum err loop_in_loop(struct db_session *s, void *context)
{
    int64_t *seen = context;
    AUTO_ROWS outer = { 0 };
    enum err err = db_query_n(s, &select_ids, NULL, 0, &outer);
    while (err == OK && (err = db_next(&outer)) == OK) {
        AUTO_ROWS inner = { 0 };
        assert_int_equal(db_query_n(s, &select_ids, NULL, 0, &inner), OK);
        while (db_next(&inner) == OK)
            *seen += db_i64(&outer, 0) * 10 + db_i64(&inner, 0);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static void a_statement_may_be_used_inside_its_own_loop(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    int64_t seen = 0;
    for (int64_t id = 1; id <= 2; id++)
        assert_int_equal(db_write(t.db, insert_id, &id), OK);
    assert_int_equal(db_read(t.db, loop_in_loop, &seen), OK);
    assert_int_equal(seen, 11 + 12 + 21 + 22);
    db_test_close(&t);
}

static void a_second_row_of_a_key_says_it_exists(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    int64_t id = 7;
    assert_int_equal(db_write(t.db, insert_id, &id), OK);
    assert_int_equal(db_write(t.db, insert_id, &id), ERR_EXISTS);
    assert_int_equal(row_count(t.db), 1);
    db_test_close(&t);
}

static enum err insert_then_fail(struct db_session *s, void *context)
{
    enum err err = insert_id(s, context);
    return err == OK ? ERR_CONFLICT : err;
}

/* --- group commit -------------------------------------------------------- */

#define THREADS    16
#define PER_THREAD 50

struct crowd {
    struct db *db;
    int64_t first;
    bool is_failing;
};

static void *write_many(void *context)
{
    struct crowd *c = context;
    for (int64_t i = 0; i < PER_THREAD; i++) {
        int64_t id = c->first + i;
        enum err err =
            db_write(c->db, c->is_failing ? insert_then_fail : insert_id, &id);
        if (err != (c->is_failing ? ERR_CONFLICT : OK))
            return c;
        int64_t n = 0; /* durable writes are seen by those who made them */
        if (db_read(c->db, count_rows, &n) != OK || (!c->is_failing && n < 1))
            return c;
    }
    return NULL;
}

static void a_failing_work_spares_its_neighbours_of_the_commit(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    pthread_t threads[THREADS];
    struct crowd crowd[THREADS];
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){ t.db, i * 1000, i % 2 == 1 };
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_many, &crowd[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(row_count(t.db), THREADS / 2 * PER_THREAD);
    db_test_close(&t);
}

/* Holds the writer until the gate opens, so that the queue fills. */
static enum err hold(struct db_session *s, void *context)
{
    (void)s;
    while (sem_wait(context) != 0)
        ;
    return OK;
}

static void count_done(void *context)
{
    sem_post(context);
}

static enum err nothing(struct db_session *s, void *context)
{
    (void)s;
    (void)context;
    return OK;
}

static void works_that_wait_share_one_commit(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    sem_t gate, done;
    sem_init(&gate, 0, 0);
    sem_init(&done, 0, 0);
    int64_t before = db_stats(t.db).commits;
    assert_int_equal(db_write_later(t.db, hold, &gate, NULL), OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(db_write_later(t.db, nothing, &done, count_done), OK);
    sem_post(&gate);
    for (int i = 0; i < 100; i++)
        sem_wait(&done);
    /* The held one alone or with the first few, the others in one. */
    assert_in_range(db_stats(t.db).commits - before, 1, 3);
    db_test_close(&t);
    sem_destroy(&gate);
    sem_destroy(&done);
}

static void a_full_queue_refuses_and_recovers(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    sem_t gate;
    sem_init(&gate, 0, 0);
    enum err err = db_write_later(t.db, hold, &gate, NULL);
    int taken = 0;
    while (err == OK && taken++ < 10000)
        err = db_write_later(t.db, nothing, NULL, NULL);
    assert_int_equal(err, ERR_BUSY);
    assert_false(db_is_ready(t.db));
    sem_post(&gate);
    int64_t id = 1;
    while (db_write(t.db, insert_id, &id) == ERR_BUSY)
        ;
    assert_int_equal(row_count(t.db), 1);
    assert_true(db_is_ready(t.db));
    db_test_close(&t);
    sem_destroy(&gate);
}

static void closing_finishes_what_was_queued(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    static int64_t ids[200];
    for (int64_t i = 0; i < 200; i++) {
        ids[i] = i;
        assert_int_equal(db_write_later(t.db, insert_id, &ids[i], NULL), OK);
    }
    db_close(t.db);
    db_test_reopen(&t);
    assert_int_equal(row_count(t.db), 200);
    db_test_close(&t);
}

/* --- reading ------------------------------------------------------------- */

static void a_reader_keeps_its_snapshot(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    struct db_session *s;
    int64_t n = -1;
    int64_t id = 1;
    assert_int_equal(db_take_reader(t.db, &s), OK);
    assert_int_equal(count_rows(s, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(db_write(t.db, insert_id, &id), OK);
    assert_int_equal(count_rows(s, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(row_count(t.db), 1);
    db_give_reader(t.db, s);
    db_test_close(&t);
}

static void a_reader_cannot_write(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    int64_t id = 1;
    assert_int_not_equal(db_read(t.db, insert_id, &id), OK);
    assert_int_equal(row_count(t.db), 0);
    db_test_close(&t);
}

static void more_readers_than_the_pool_keeps_are_served(void **state)
{
    (void)state;
    struct db_test t = open_with_table();
    struct db_session *all[40];
    for (int i = 0; i < 40; i++)
        assert_int_equal(db_take_reader(t.db, &all[i]), OK);
    assert_int_equal(row_count(t.db), 0);
    for (int i = 0; i < 40; i++)
        db_give_reader(t.db, all[i]);
    assert_int_equal(row_count(t.db), 0);
    db_test_close(&t);
}

/* --- files --------------------------------------------------------------- */

static void the_file_is_the_owners_alone(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct db_test t = open_with_table();
    struct stat st;
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    db_test_close(&t);
}

static enum err insert_much(struct db_session *s, void *context)
{
    int64_t id = *(int64_t *)context;
    static char body[100000];
    return db_run(s, &insert, NULL, DB_I64(id), DB_TEXT(STR("a")), DB_NULL,
                  DB_BLOB(((struct str){ body, sizeof body })));
}

static void a_full_disk_fails_the_write_and_nothing_else(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct db_test t = db_test_open();
    db_close(t.db);
    struct db_options o = { .path = t.path, .bytes_max = 1500000 };
    assert_int_equal(db_open(&o, &t.db, NULL), OK);
    assert_int_equal(db_write(t.db, make_table, NULL), OK);
    enum err err = OK;
    int64_t id = 0;
    for (; err == OK && id < 100; id++)
        err = db_write(t.db, insert_much, &id);
    assert_int_equal(err, ERR_IO);
    struct why w = { 0 };
    db_last_failure(t.db, &w);
    assert_non_null(strstr(w.text, "full"));
    assert_int_equal(row_count(t.db), id - 1);
    db_close(t.db);
    db_test_reopen(&t); /* the disk has room again */
    assert_int_equal(row_count(t.db), id - 1);
    assert_int_equal(db_write(t.db, insert_much, &id), OK);
    db_test_close(&t);
}

static const struct db_statement delete_all = { "DELETE FROM thing" };
static const char canary[] = "canary-6f1d0c";

static enum err insert_canary(struct db_session *s, void *context)
{
    (void)context;
    return db_run(s, &insert, NULL, DB_I64(1), DB_TEXT(str_of(canary)), DB_NULL,
                  DB_NULL);
}

static enum err run_delete_all(struct db_session *s, void *context)
{
    (void)context;
    return db_run_n(s, &delete_all, NULL, 0, NULL);
}

static bool is_in_file(const char *folder, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    AUTO_BUF b = BUF(64 * 1024 * 1024);
    struct str text;
    if (file_read(path, &b, NULL) != OK || buf_view(&b, &text) != OK)
        return false;
    return str_search(text, str_of(canary)) < text.n;
}

static bool is_in_files(const struct db_test *t)
{
    return is_in_file(t->folder, "test.db") ||
           is_in_file(t->folder, "test.db-wal");
}

static void after_a_scrub_no_file_has_what_was_deleted(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct db_test t = open_with_table();
    assert_int_equal(db_write(t.db, insert_canary, NULL), OK);
    assert_true(is_in_files(&t));
    assert_int_equal(db_write(t.db, run_delete_all, NULL), OK);
    assert_int_equal(db_scrub(t.db), OK);
    assert_false(is_in_files(&t));
    db_test_close(&t);
}

/* --- migrations ---------------------------------------------------------- */

#define FILE_OF(name_, text_)                                                  \
    {                                                                          \
        name_, (const unsigned char *)(text_), sizeof(text_) - 1               \
    }
static const struct embedded two_files[] = {
    FILE_OF("0001_a.sql", "CREATE TABLE a (x BIGINT); INSERT INTO a VALUES(1)"),
    FILE_OF("0002_b.sql", "INSERT INTO a VALUES(2)"),
};
static const struct embedded bad_file[] = {
    FILE_OF("0001_a.sql", "CREATE TABLE a (x BIGINT)"),
    FILE_OF("0002_b.sql", "CREATE TABLE b (x BIGINT); NONSENSE"),
};
static const struct db_statement sum_a = { "SELECT sum(x) FROM a" };

static struct db_session *open_bare(struct db_test *t)
{
    *t = (struct db_test){ .folder = "/tmp/tributary-db-XXXXXX" };
    assert_non_null(mkdtemp(t->folder));
    char file[96];
    (void)snprintf(file, sizeof file, "%s/test.db", t->folder);
    t->place = db_place_make(file);
    struct db_options o = { .path = t->place.path };
    struct db_session *s;
    const struct db_maker *m =
        db_test_is_postgres() ? &db_postgres : &db_sqlite;
    assert_int_equal(m->open(&o, true, &s, NULL), OK);
    return s;
}

static void each_migration_runs_once(void **state)
{
    (void)state;
    struct db_test t;
    struct db_session *s = open_bare(&t);
    for (int i = 0; i < 3; i++)
        assert_int_equal(db_migrate_files(s, two_files, 2, NULL), OK);
    {
        AUTO_ROWS rows = { 0 };
        assert_int_equal(db_query_n(s, &sum_a, NULL, 0, &rows), OK);
        assert_int_equal(db_next(&rows), OK);
        assert_int_equal(db_i64(&rows, 0), 3);
    }
    s->maker->close(s);
    db_test_close(&t);
}

static void a_newer_database_is_refused_by_name(void **state)
{
    (void)state;
    struct db_test t;
    struct why w = { 0 };
    struct db_session *s = open_bare(&t);
    assert_int_equal(db_migrate_files(s, two_files, 2, NULL), OK);
    assert_int_equal(db_migrate_files(s, two_files, 1, &w), ERR_UNSUPPORTED);
    assert_non_null(strstr(w.text, "0002_b.sql"));
    s->maker->close(s);
    db_test_close(&t);
}

static void a_broken_migration_leaves_nothing_of_itself(void **state)
{
    (void)state;
    static const struct db_statement select_b = { "SELECT * FROM b" };
    struct db_test t;
    struct why w = { 0 };
    struct db_session *s = open_bare(&t);
    assert_int_not_equal(db_migrate_files(s, bad_file, 2, &w), OK);
    assert_non_null(strstr(w.text, "0002_b.sql"));
    AUTO_ROWS rows = { 0 };
    assert_int_not_equal(db_query_n(s, &select_b, NULL, 0, &rows), OK);
    s->maker->close(s);
    db_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_all_kinds_come_back_as_they_went),
        cmocka_unit_test(nothing_and_empty_are_different),
        cmocka_unit_test(a_parameter_may_stand_in_any_order_and_twice),
        cmocka_unit_test(a_statement_may_be_used_inside_its_own_loop),
        cmocka_unit_test(a_second_row_of_a_key_says_it_exists),
        cmocka_unit_test(a_failing_work_spares_its_neighbours_of_the_commit),
        cmocka_unit_test(works_that_wait_share_one_commit),
        cmocka_unit_test(a_full_queue_refuses_and_recovers),
        cmocka_unit_test(closing_finishes_what_was_queued),
        cmocka_unit_test(a_reader_keeps_its_snapshot),
        cmocka_unit_test(a_reader_cannot_write),
        cmocka_unit_test(more_readers_than_the_pool_keeps_are_served),
        cmocka_unit_test(the_file_is_the_owners_alone),
        cmocka_unit_test(a_full_disk_fails_the_write_and_nothing_else),
        cmocka_unit_test(after_a_scrub_no_file_has_what_was_deleted),
        cmocka_unit_test(each_migration_runs_once),
        cmocka_unit_test(a_newer_database_is_refused_by_name),
        cmocka_unit_test(a_broken_migration_leaves_nothing_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
