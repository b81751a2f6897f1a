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

#define WEEK_S 604800
#define NOW_MS 1800000000000

static struct world {
    char folder[64], path[128];
    struct db *db;
    struct ingest ingest;
    struct arena a;
    struct run run;
} w;

static const struct plan_type with_since = { .type = STR_INIT("Goal"),
                                             .has_since = true };
static const struct plan_type without = { .type = STR_INIT("Flag") };

static void begin_run(void)
{
    w.run = (struct run){ .ingest = &w.ingest,
                          .arena = ARENA((size_t)4 << 20),
                          .started_ms = clock_now_ms() };
    w.run.last_type = &w.run.types;
    w.run.last_want = &w.run.first_want;
    w.run.by_type = MAP_IN(&w.run.arena);
    w.run.before = MAP_IN(&w.run.arena);
    w.run.connection.id = 7;
    w.run.connection.user_id = 251;
}

static int set_up(void **state)
{
    (void)state;
    struct why why = { 0 };
    memset(&w, 0, sizeof w);
    clock_freeze(NOW_MS);
    w.a = ARENA((size_t)4 << 20);
    snprintf(w.folder, sizeof w.folder, "/tmp/tributary-since-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/t.db", w.folder);
    assert_int_equal(db_test_open_at(w.path, &w.db, &why), OK);
    w.ingest.o = (struct ingest_options){ .db = w.db, .whole_every_s = WEEK_S };
    begin_run();
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

static struct run_type *take(const struct plan_type *plan)
{
    struct run_type *t = run_type_of(&w.run, plan->type);
    t->plan = plan;
    t->is_dirty = true;
    since_begin(&w.run, t);
    return t;
}

/* A run in which both types were had whole; the system's clock is a minute
 * behind. */
static void run_once(void)
{
    assert_int_equal(since_read(&w.run, false), OK);
    since_note_date(&w.run, STR("Fri, 15 Jan 2027 07:59:00 GMT"));
    struct run_type *all[] = { take(&with_since), take(&without) };
    assert_int_equal(report_begin(&w.run), OK);
    for (size_t i = 0; i < 2; i++) {
        since_done(&w.run, all[i]);
        all[i]->report.status = STR("done");
        all[i]->is_dirty = true;
    }
    assert_int_equal(report_end(&w.run, STR("done"), STR("")), OK);
    arena_fini(&w.run.arena);
}

static void the_first_run_asks_for_everything(void **state)
{
    (void)state;
    assert_int_equal(since_read(&w.run, false), OK);
    assert_true(w.run.is_whole);
    assert_int_equal(take(&with_since)->report.since_ms, 0);
    assert_false(w.run.is_incremental);
}

static void the_next_one_asks_since_then_by_the_slower_clock(void **state)
{
    (void)state;
    run_once();
    clock_advance(3600 * 1000);
    begin_run();
    assert_int_equal(since_read(&w.run, false), OK);
    assert_false(w.run.is_whole);
    struct run_type *t = take(&with_since);
    assert_true(t->report.since_ms > 0);
    assert_true(t->report.since_ms < NOW_MS - 60000);
    assert_true(w.run.is_incremental);
    struct str param = since_param(&w.a, t);
    assert_true(str_starts(param, STR("&_lastUpdated=ge2027-01-15T07:")));
    t = take(&without);
    assert_int_equal(t->report.since_ms, 0);
    assert_int_equal(since_param(&w.a, t).n, 0);
}

static void after_a_week_or_when_told_it_asks_for_everything(void **state)
{
    (void)state;
    run_once();
    begin_run();
    assert_int_equal(since_read(&w.run, true), OK);
    assert_true(w.run.is_whole);
    assert_int_equal(take(&with_since)->report.since_ms, 0);
    arena_fini(&w.run.arena);
    clock_advance((int64_t)WEEK_S * 1000);
    begin_run();
    assert_int_equal(since_read(&w.run, false), OK);
    assert_true(w.run.is_whole);
}

static void what_was_not_complete_is_asked_for_whole(void **state)
{
    (void)state;
    run_once();
    begin_run();
    assert_int_equal(since_read(&w.run, true), OK);
    struct run_type *t = take(&with_since);
    assert_int_equal(report_begin(&w.run), OK);
    t->report.status = STR("partial");
    t->is_dirty = true;
    assert_int_equal(report_end(&w.run, STR("done"), STR("")), OK);
    arena_fini(&w.run.arena);
    begin_run();
    assert_int_equal(since_read(&w.run, false), OK);
    assert_false(w.run.is_whole);
    assert_int_equal(take(&with_since)->report.since_ms, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_run_asks_for_everything),
        TEST(the_next_one_asks_since_then_by_the_slower_clock),
        TEST(after_a_week_or_when_told_it_asks_for_everything),
        TEST(what_was_not_complete_is_asked_for_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
