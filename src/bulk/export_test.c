#include "bulk/export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "db/testing.h"

#define APP   3
#define USER  7
#define BEGIN INT64_C(1700000000000)

struct fixture {
    struct db_test t;
    struct store *store;
    struct exports *exports;
    struct jobs *jobs; /* without workers: the tests work themselves */
    struct job_kind kind;
    struct arena a;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->t = db_test_open();
    f->a = ARENA((size_t)64 << 20);
    struct store_options store = { .db = f->t.db };
    assert_int_equal(store_new(&store, &f->store, NULL), OK);
    struct exports_options o = { f->t.db, f->store, 3600 };
    assert_int_equal(exports_new(&o, &f->exports), OK);
    assert_int_equal(exports_kinds(f->exports, &f->kind, 1), 1);
    struct jobs_options jobs = { .db = f->t.db };
    assert_int_equal(jobs_start(&jobs, &f->jobs, NULL), OK);
    clock_freeze(BEGIN);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    clock_release();
    jobs_stop(f->jobs);
    exports_free(f->exports);
    store_free(f->store);
    db_test_close(&f->t);
    arena_fini(&f->a);
    free(f);
    return 0;
}

static void write_patients(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        struct resource r;
        struct store_op op = { .verb = STORE_CREATE, .resource = &r };
        assert_int_equal(resource_parse(&f->a, R4,
                                        STR("{\"resourceType\":\"Patient\"}"),
                                        &r, NULL),
                         OK);
        assert_int_equal(store_commit(f->store, USER, RECORD_R4, -1, &op, 1,
                                      &f->a, NULL, NULL, NULL),
                         OK);
    }
}

static enum err start(struct fixture *f, struct export_row *row)
{
    *row = (struct export_row){ .app_id = APP,
                                .user_id = USER,
                                .request = STR("https://x.test/r4/$export"),
                                .ask = { .release = R4, .elements = STR("") } };
    return export_start(f->exports, row, &f->a, NULL);
}

static enum err work(struct fixture *f, struct str id)
{
    struct buf payload = BUF_IN(&f->a, 4096);
    struct job job = { .user_id = USER, .kind = STR("export") };
    json_object(&payload);
    json_member(&payload, STR("id"), id);
    json_member_i64(&payload, STR("app"), APP);
    json_object_end(&payload);
    assert_int_equal(buf_view(&payload, &job.payload), OK);
    return f->kind.work(f->kind.context, f->jobs, &job, &f->a, NULL);
}

static enum err get(struct fixture *f, int64_t app_id, int64_t user_id,
                    struct str id, struct export_row *out)
{
    return export_get(f->exports, app_id, user_id, id, &f->a, out);
}

static void an_export_counts_what_was_there_when_it_was_asked(void **state)
{
    struct fixture *f = *state;
    struct export_row row, got;
    write_patients(f, 3);
    clock_advance(1000);
    assert_int_equal(start(f, &row), OK);
    clock_advance(1000);
    write_patients(f, 2);
    assert_int_equal(get(f, APP, USER, row.id, &got), OK);
    assert_int_equal(got.status, EXPORT_RUNNING);
    assert_int_equal(work(f, row.id), OK);
    assert_int_equal(get(f, APP, USER, row.id, &got), OK);
    assert_int_equal(got.status, EXPORT_DONE);
    assert_int_equal(got.ask.until_ms, BEGIN + 1000);
    assert_true(
        str_eq(got.result, STR("{\"types\":{\"Patient\":3},\"deleted\":0}")));
}

static void nobody_else_finds_it(void **state)
{
    struct fixture *f = *state;
    struct export_row row, got;
    assert_int_equal(start(f, &row), OK);
    assert_int_equal(get(f, APP + 1, USER, row.id, &got), ERR_NOT_FOUND);
    assert_int_equal(get(f, APP, USER + 1, row.id, &got), ERR_NOT_FOUND);
    assert_int_equal(get(f, APP, 0, row.id, &got), ERR_NOT_FOUND);
    assert_int_equal(export_cancel(f->exports, APP, USER + 1, row.id),
                     ERR_NOT_FOUND);
    assert_int_equal(get(f, APP, USER, row.id, &got), OK);
}

static void it_expires(void **state)
{
    struct fixture *f = *state;
    struct export_row row, got;
    assert_int_equal(start(f, &row), OK);
    assert_int_equal(row.expires_ms, BEGIN + 3600 * 1000);
    clock_advance(3600 * 1000 - 1);
    assert_int_equal(get(f, APP, USER, row.id, &got), OK);
    clock_advance(1);
    assert_int_equal(get(f, APP, USER, row.id, &got), ERR_NOT_FOUND);
    assert_int_equal(work(f, row.id), OK);
}

static void a_cancelled_one_is_gone_and_its_job_ends(void **state)
{
    struct fixture *f = *state;
    struct export_row row, got;
    assert_int_equal(start(f, &row), OK);
    assert_int_equal(export_cancel(f->exports, APP, USER, row.id), OK);
    assert_int_equal(export_cancel(f->exports, APP, USER, row.id),
                     ERR_NOT_FOUND);
    assert_int_equal(get(f, APP, USER, row.id, &got), ERR_NOT_FOUND);
    assert_int_equal(work(f, row.id), OK);
}

static void one_user_has_so_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct export_row row, first;
    assert_int_equal(start(f, &first), OK);
    for (int i = 1; i < EXPORTS_AT_ONCE; i++)
        assert_int_equal(start(f, &row), OK);
    assert_int_equal(start(f, &row), ERR_RATE);
    assert_int_equal(work(f, first.id), OK);
    assert_int_equal(start(f, &row), OK);
}

static void what_failed_for_good_says_so(void **state)
{
    struct fixture *f = *state;
    struct export_row row, got;
    assert_int_equal(start(f, &row), OK);
    struct job job = { .user_id = USER,
                       .payload = arena_cat(&f->a, STR("{\"id\":\""), row.id,
                                            STR("\",\"app\":3}")) };
    f->kind.gave_up(f->kind.context, &job, "it could not");
    assert_int_equal(get(f, APP, USER, row.id, &got), OK);
    assert_int_equal(got.status, EXPORT_FAILED);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_export_counts_what_was_there_when_it_was_asked),
        TEST(nobody_else_finds_it),
        TEST(it_expires),
        TEST(a_cancelled_one_is_gone_and_its_job_ends),
        TEST(one_user_has_so_many_at_once),
        TEST(what_failed_for_good_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
