#include "db/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "db/distribute.h"
#include "db/testing.h"

static const struct db_statement make = {
    "CREATE TABLE thing (n BIGINT PRIMARY KEY)"
};
static const struct db_statement insert = {
    "INSERT INTO thing (n) VALUES ($1)"
};
static const struct db_statement sum = {
    "SELECT count(*), coalesce(sum(n), 0) FROM thing"
};

static enum err do_make(struct db_session *s, void *context)
{
    (void)context;
    return db_run_n(s, &make, NULL, 0, NULL);
}

static enum err do_insert(struct db_session *s, void *context)
{
    return db_run(s, &insert, NULL, DB_I64(*(int64_t *)context));
}

static enum err do_sum(struct db_session *s, void *context)
{
    int64_t *n = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &sum, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK) {
        n[0] = db_i64(&rows, 0);
        n[1] = db_i64(&rows, 1);
    }
    return err;
}

struct writer {
    struct db *db;
    _Atomic int64_t written;
    atomic_bool is_over;
};

static void *write_on(void *context)
{
    struct writer *w = context;
    for (int64_t n = 1; !w->is_over; n++) {
        if (db_write(w->db, do_insert, &n) != OK)
            break;
        w->written = n;
    }
    return NULL;
}

static void a_backup_while_writes_go_on_has_all_that_was_acknowledged(
    void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct writer w = { .db = t.db };
    struct why why = { 0 };
    struct stat st;
    pthread_t thread;
    char file[128], path[128];
    int64_t got[2] = { 0 };
    (void)snprintf(file, sizeof file, "%s/copy", t.folder);
    (void)snprintf(path, sizeof path, "%s/restored.db", t.folder);
    assert_int_equal(db_write(t.db, do_make, NULL), OK);
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    while (w.written < 200)
        sched_yield();
    int64_t before = w.written;
    enum err err = db_backup(t.path, file, &why);
    w.is_over = true;
    pthread_join(thread, NULL);
    assert_string_equal(why.text, "");
    assert_int_equal(err, OK);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(db_backup(t.path, file, &why), ERR_EXISTS);

    struct db_place place = db_place_make(path);
    struct db *db;
    assert_int_equal(db_restore(place.path, file, &why), OK);
    assert_int_equal(db_restore(place.path, file, &why), ERR_EXISTS);
    assert_int_equal(
        db_open(&(struct db_options){ .path = place.path }, &db, &why), OK);
    assert_int_equal(db_read(db, do_sum, got), OK);
    assert_true(got[0] >= before);
    assert_int_equal(got[1], got[0] * (got[0] + 1) / 2); /* no gap */
    assert_int_equal(db_write(db, do_insert, &(int64_t){ -1 }), OK);
    db_close(db);
    db_place_drop(&place);
    db_test_close(&t);
}

static void what_is_no_backup_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct why why = { 0 };
    char file[128], path[128];
    (void)snprintf(file, sizeof file, "%s/nonsense", t.folder);
    (void)snprintf(path, sizeof path, "%s/restored.db", t.folder);
    struct db_place place = db_place_make(path);
    assert_int_equal(db_restore(place.path, file, &why), ERR_NOT_FOUND);
    assert_int_equal(file_write(file, STR("no database"), 0600, NULL), OK);
    assert_int_not_equal(db_restore(place.path, file, &why), OK);
    assert_true(why.text[0] != '\0');
    assert_int_not_equal(access(path, F_OK), 0);
    db_place_drop(&place);
    db_test_close(&t);
}

/* --- distribute ----------------------------------------------------------- */

/* In Citus's place: notes what it is asked for. */
static const struct db_statement stand_in[] = {
    { "CREATE TABLE pg_dist_partition (logicalrelid REGCLASS, beside TEXT)" },
    { "CREATE FUNCTION create_distributed_table(REGCLASS, TEXT,"
      " colocate_with TEXT) RETURNS VOID LANGUAGE SQL AS"
      " 'INSERT INTO pg_dist_partition VALUES ($1, $3)'" },
};
static const struct db_statement select_beside = {
    "SELECT string_agg(logicalrelid::text || '@' || beside, ' ' ORDER BY"
    " logicalrelid::text) FROM pg_dist_partition"
};

static enum err make_stand_in(struct db_session *s, void *context)
{
    (void)context;
    enum err err = db_run_n(s, &stand_in[0], NULL, 0, NULL);
    return err == OK ? db_run_n(s, &stand_in[1], NULL, 0, NULL) : err;
}

struct beside {
    struct str text;
    struct arena *a;
};

static enum err read_beside(struct db_session *s, void *context)
{
    struct beside *b = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select_beside, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        b->text = arena_str(b->a, db_text(&rows, 0));
    return err;
}

static void distributing_without_citus_says_what_to_do(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct why why = { 0 };
    struct distributed d;
    AUTO_ARENA a = ARENA(65536);
    assert_int_equal(db_distribute(t.db, &a, &d, &why), ERR_UNSUPPORTED);
    assert_non_null(strstr(why.text, db_test_is_postgres()
                                         ? "shared_preload_libraries"
                                         : "SQLite"));
    db_test_close(&t);
}

static bool has(const struct distributed *d, const char *table)
{
    for (size_t i = 0; i < d->n; i++)
        if (str_eq(d->tables[i], str_of(table)))
            return true;
    return false;
}

static void every_table_with_health_data_is_distributed_by_user(void **state)
{
    (void)state;
    if (!db_test_is_postgres())
        skip();
    static const char *const ours[] = { "record",     "segment",
                                        "body",       "access_audit",
                                        "connection", "vault_token",
                                        "ingest_run", "ingest_type" };
    struct db_test t = db_test_open();
    struct why why = { 0 };
    struct distributed d;
    AUTO_ARENA a = ARENA(65536);
    struct beside beside = { .a = &a };
    assert_int_equal(db_write(t.db, make_stand_in, NULL), OK);
    assert_int_equal(db_distribute(t.db, &a, &d, &why), OK);
    assert_true(str_eq(d.tables[0], STR("record")));
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!has(&d, ours[i]))
            fail_msg("%s is not distributed", ours[i]);
    assert_false(has(&d, "app"));
    assert_false(has(&d, "job"));
    assert_int_equal(d.fresh, d.n);
    assert_int_equal(db_read(t.db, read_beside, &beside), OK);
    assert_true(str_search(beside.text, STR("body@record")) < beside.text.n);
    assert_true(str_search(beside.text, STR("record@default")) < beside.text.n);
    assert_int_equal(db_distribute(t.db, &a, &d, &why), OK);
    assert_int_equal(d.fresh, 0);
    db_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_backup_while_writes_go_on_has_all_that_was_acknowledged),
        cmocka_unit_test(what_is_no_backup_is_refused_and_leaves_nothing),
        cmocka_unit_test(distributing_without_citus_says_what_to_do),
        cmocka_unit_test(every_table_with_health_data_is_distributed_by_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
