#include "ingest/ingest_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "db/testing.h"

#define DAY_S 86400

static struct world {
    char folder[64], path[128];
    struct db *db;
    struct ingest ingest;
    struct job job;
    struct run run;
    struct arena a;
} w;

static int set_up(void **state)
{
    (void)state;
    struct why why = { 0 };
    memset(&w, 0, sizeof w);
    clock_freeze(1800000000000);
    w.a = ARENA((size_t)4 << 20);
    snprintf(w.folder, sizeof w.folder, "/tmp/tributary-ingest-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/t.db", w.folder);
    assert_int_equal(db_test_open_at(w.path, &w.db, &why), OK);
    w.ingest.o =
        (struct ingest_options){ .db = w.db, .refresh_every_s = DAY_S };
    w.job = (struct job){ .id = 1, .user_id = 251 }; /* lease 0: not taken */
    w.run.ingest = &w.ingest;
    w.run.job = &w.job;
    w.run.arena = ARENA((size_t)4 << 20);
    w.run.last_type = &w.run.types;
    w.run.last_want = &w.run.first_want;
    w.run.by_type = MAP_IN(&w.run.arena);
    w.run.connection.id = 7;
    w.run.connection.user_id = 251;
    w.run.started_ms = clock_now_ms();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];
    db_close(w.db);
    arena_fini(&w.run.arena);
    arena_fini(&w.a);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", w.path, ends[i]);
        unlink(name);
    }
    rmdir(w.folder);
    clock_release();
    return 0;
}

static enum err do_add(struct db_session *s, void *context)
{
    bool added = false;
    (void)context;
    return jobs_add(s, STR("refresh"), STR("connection:7"), 251, STR("{}"), 0,
                    &added);
}

struct next {
    int64_t count, due_ms;
};

static enum err do_next(struct db_session *s, void *context)
{
    static const struct db_statement of_key = {
        "SELECT count(*), max(due_ms) FROM job WHERE kind = 'refresh' AND "
        "key = $1"
    };
    struct next *next = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &of_key, &rows, DB_TEXT(STR("connection:7")));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *next = (struct next){ db_i64(&rows, 0), db_i64(&rows, 1) };
    return err;
}

static struct ingest_report report(void)
{
    struct ingest_report r;
    assert_int_equal(ingest_report_get(w.db, 251, 7, &w.a, &r), OK);
    return r;
}

static void the_refresh_of_one_night_queues_the_next(void **state)
{
    (void)state;
    struct next next;
    assert_int_equal(db_write(w.db, do_add, NULL), OK);
    w.run.comes_again = true;
    assert_int_equal(report_begin(&w.run), OK);
    assert_int_equal(report_end(&w.run, STR("done"), STR("")), OK);
    assert_int_equal(db_read(w.db, do_next, &next), OK);
    assert_int_equal(next.count, 1);
    assert_int_equal(next.due_ms, clock_now_ms() + DAY_S * 1000);
}

static void who_must_sign_in_again_is_not_asked_at_night(void **state)
{
    (void)state;
    struct next next;
    assert_int_equal(db_write(w.db, do_add, NULL), OK);
    assert_int_equal(report_end(&w.run, STR("failed"), STR("")), OK);
    assert_int_equal(db_read(w.db, do_next, &next), OK);
    assert_int_equal(next.count, 0);
}

static void a_type_says_how_it_went_and_no_type_stays_open(void **state)
{
    (void)state;
    static const struct plan_type plan = {
        STR_INIT("Goal"), { { NULL, 0 } }, 0, false
    };
    struct run_type *goal = run_type_of(&w.run, STR("Goal"));
    struct run_type *found = run_type_of(&w.run, STR("Organization"));
    struct run_type *denied = run_type_of(&w.run, STR("Location"));
    goal->plan = &plan;
    goal->is_dirty = found->is_dirty = denied->is_dirty = true;
    found->report.got = 3;
    denied->report.warnings = 2;
    goal->report.detail = STR("why not");
    assert_int_equal(report_begin(&w.run), OK);
    assert_true(str_eq(report().status, STR("running")));
    assert_int_equal(report().done_count, 0);
    assert_int_equal(report_end(&w.run, STR("failed"), STR("")), OK);
    struct ingest_report r = report();
    assert_true(str_eq(r.status, STR("failed")));
    assert_int_equal(r.ended_ms, clock_now_ms());
    assert_int_equal(r.type_count, 3);
    assert_int_equal(r.done_count, 3);
    assert_true(str_eq(r.types[0].type, STR("Goal")));
    assert_true(str_eq(r.types[0].status, STR("failed")));
    assert_true(str_eq(r.types[0].detail, STR("why not")));
    assert_true(str_eq(r.types[1].status, STR("denied"))); /* Location */
    assert_true(str_eq(r.types[2].status, STR("done")));
    assert_int_equal(r.types[2].got, 3);
}

static enum err do_erase(struct db_session *s, void *context)
{
    (void)context;
    return ingest_erase(s, 251);
}

static void nobody_elses_report_is_seen_and_erasing_leaves_none(void **state)
{
    (void)state;
    struct ingest_report r;
    assert_int_equal(report_begin(&w.run), OK);
    assert_int_equal(ingest_report_get(w.db, 252, 7, &w.a, &r), ERR_NOT_FOUND);
    assert_int_equal(ingest_report_get(w.db, 251, 7, &w.a, &r), OK);
    assert_int_equal(db_write(w.db, do_erase, NULL), OK);
    assert_int_equal(ingest_report_get(w.db, 251, 7, &w.a, &r), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_refresh_of_one_night_queues_the_next),
        TEST(who_must_sign_in_again_is_not_asked_at_night),
        TEST(a_type_says_how_it_went_and_no_type_stays_open),
        TEST(nobody_elses_report_is_seen_and_erasing_leaves_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
