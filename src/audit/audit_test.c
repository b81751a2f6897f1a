#include "audit/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "db/testing.h"

#define NOW INT64_C(1800000000000)

/* In place of the store: keeps what was last committed. */
static struct {
    char text[65536];
    int64_t user_id;
    enum record_kind kind;
    int commits;
} stored;

enum err store_commit(struct store *s, int64_t user_id, enum record_kind kind,
                      int64_t if_seq, struct store_op *ops, size_t n,
                      struct arena *a, db_work *also, void *also_context,
                      struct why *w)
{
    (void)s;
    (void)a;
    (void)also;
    (void)also_context;
    (void)w;
    assert_int_equal(n, 1);
    assert_int_equal(if_seq, -1);
    assert_int_equal(ops[0].verb, STORE_CREATE);
    struct str text = ops[0].resource->text;
    assert_true(text.n < sizeof stored.text);
    memcpy(stored.text, text.p, text.n);
    stored.text[text.n] = '\0';
    stored.user_id = user_id;
    stored.kind = kind;
    stored.commits++;
    return OK;
}

static const struct db_statement sum_of = {
    "SELECT count(*), coalesce(sum(calls), 0) FROM access_audit"
    " WHERE user_id = $1"
};

struct sum {
    int64_t user_id, rows, calls;
};

static enum err do_sum(struct db_session *s, void *context)
{
    struct sum *sum = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &sum_of, &rows, DB_I64(sum->user_id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    sum->rows = db_i64(&rows, 0);
    sum->calls = db_i64(&rows, 1);
    return OK;
}

static struct sum sum(struct db *db, int64_t user_id)
{
    struct sum sum = { .user_id = user_id };
    assert_int_equal(db_read(db, do_sum, &sum), OK);
    return sum;
}

static struct audit *make(struct db *db)
{
    struct audit *a = NULL;
    struct audit_options o = { .db = db };
    assert_int_equal(audit_new(&o, &a), OK);
    return a;
}

static void access_of(struct audit *a, int64_t user_id, char interaction)
{
    audit_record_access(a, &(struct audit_access){ .user_id = user_id,
                                                   .app_id = 1,
                                                   .interaction = interaction,
                                                   .kind = RECORD_R4,
                                                   .type = 3,
                                                   .peer = STR("127.0.0.1"),
                                                   .status = 200 });
}

static void accesses_of_a_minute_are_one_row_and_all_are_counted(void **state)
{
    (void)state;
    clock_freeze(NOW);
    struct db_test t = db_test_open();
    struct audit *a = make(t.db);
    for (int i = 0; i < 100; i++)
        access_of(a, 7, 'R');
    assert_int_equal(audit_flush(a), OK);
    for (int i = 0; i < 10; i++)
        access_of(a, 7, 'R');
    access_of(a, 7, 'S');
    access_of(a, 8, 'R');
    assert_int_equal(audit_flush(a), OK);
    assert_int_equal(sum(t.db, 7).rows, 2);
    assert_int_equal(sum(t.db, 7).calls, 111);
    assert_int_equal(sum(t.db, 8).calls, 1);
    clock_advance(60000);
    access_of(a, 7, 'R');
    assert_int_equal(audit_flush(a), OK);
    assert_int_equal(sum(t.db, 7).rows, 3);
    assert_int_equal(audit_lost(a), 0);
    audit_free(a);
    db_test_close(&t);
    clock_release();
}

static void freeing_writes_what_waits(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct audit *a = make(t.db);
    access_of(a, 7, 'R');
    audit_free(a);
    assert_int_equal(sum(t.db, 7).calls, 1);
    db_test_close(&t);
}

#define THREADS 8
#define EACH    2000

static void *access_many(void *context)
{
    for (int i = 0; i < EACH; i++)
        access_of(context, 7 + i % 3, i % 2 == 0 ? 'R' : 'S');
    return NULL;
}

static void no_access_is_lost_among_threads(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct audit *a = make(t.db);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, access_many, a);
    for (int i = 0; i < THREADS; i++) {
        enum err err = audit_flush(a);
        assert_int_equal(err, OK);
        pthread_join(threads[i], NULL);
    }
    audit_free(a);
    int64_t calls =
        sum(t.db, 7).calls + sum(t.db, 8).calls + sum(t.db, 9).calls;
    assert_int_equal(calls, THREADS * EACH);
    db_test_close(&t);
}

static void more_people_than_the_tables_hold_are_all_written(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct audit *a = make(t.db);
    int64_t calls = 0;
    for (int64_t user = 1; user <= 20000; user++)
        access_of(a, user, 'R');
    assert_int_equal(audit_flush(a), OK);
    for (int64_t user = 1; user <= 20000; user++)
        calls += sum(t.db, user).calls;
    assert_int_equal(calls, 20000);
    assert_int_equal(audit_lost(a), 0);
    audit_free(a);
    db_test_close(&t);
}

static enum err do_erase(struct db_session *s, void *context)
{
    (void)context;
    return audit_erase(s, 7);
}

static void erasing_removes_one_users_rows(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct audit *a = make(t.db);
    access_of(a, 7, 'R');
    access_of(a, 8, 'R');
    assert_int_equal(audit_flush(a), OK);
    assert_int_equal(db_write(t.db, do_erase, NULL), OK);
    assert_int_equal(sum(t.db, 7).rows, 0);
    assert_int_equal(sum(t.db, 8).rows, 1);
    audit_free(a);
    db_test_close(&t);
}

/* --- steps --------------------------------------------------------------- */

static struct yyjson_val *record(struct arena *a, const struct audit_step *step)
{
    struct db_test t = db_test_open();
    struct audit *audit = make(t.db);
    struct yyjson_val *root = NULL;
    assert_int_equal(audit_record_step(audit, step), OK);
    assert_int_equal(
        json_parse(a, arena_str(a, str_of(stored.text)), &root, NULL), OK);
    audit_free(audit);
    db_test_close(&t);
    return root;
}

/* The agent that clients look for: by the code of its type, or by its name. */
static struct yyjson_val *agent(struct yyjson_val *event, struct str code)
{
    for (JSON_EACH(item, json_get(event, STR("agent"))))
        for (JSON_EACH(coding, json_at(item.now, STR("type.coding"))))
            if (str_eq(json_get_text(coding.now, STR("code")), code))
                return item.now;
    return NULL;
}

static struct str subtype(struct yyjson_val *event)
{
    for (JSON_EACH(item, json_get(event, STR("subtype"))))
        return json_get_text(item.now, STR("code"));
    return STR("");
}

static void a_step_is_an_audit_event_as_its_readers_expect(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1024 * 1024);
    clock_freeze(NOW);
    struct yyjson_val *event =
        record(&a, &(struct audit_step){ .user_id = 251,
                                         .app_id = 3,
                                         .connection_id = 12,
                                         .system_id = 4706,
                                         .system_name = STR("The \"Epic\" one"),
                                         .step = STR(AUDIT_INGESTED),
                                         .outcome = STR("0"),
                                         .detail = STR("all of it"),
                                         .type = STR("Observation"),
                                         .count = 37 });
    assert_int_equal(stored.user_id, 251);
    assert_int_equal(stored.kind, RECORD_AUDIT);
    assert_true(str_eq(subtype(event), STR("member-data-ingestion-completed")));
    assert_true(str_eq(json_get_text(event, STR("outcome")), STR("0")));
    assert_true(str_eq(json_get_text(event, STR("recorded")),
                       STR("2027-01-15T08:00:00.000Z")));
    struct yyjson_val *system = agent(event, STR("CST"));
    assert_true(
        str_eq(json_get_text(system, STR("name")), STR("The \"Epic\" one")));
    assert_true(str_eq(json_get_text(system, STR("altId")), STR("4706")));
    struct yyjson_val *user = agent(event, STR("IRCP"));
    assert_true(str_eq(json_get_text(user, STR("name")), STR("1up-user-251")));
    assert_non_null(json_get(event, STR("type")));
    assert_non_null(json_at(event, STR("source.observer")));
    assert_non_null(strstr(stored.text, "\"valueString\":\"37\""));
    clock_release();
}

static void a_search_has_no_system_and_no_entity(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1024 * 1024);
    struct yyjson_val *event =
        record(&a, &(struct audit_step){ .user_id = 251,
                                         .app_id = 3,
                                         .step = STR(AUDIT_SEARCH_RESULTS),
                                         .outcome = STR("0"),
                                         .detail = STR(""),
                                         .type = STR(""),
                                         .count = -1 });
    assert_null(agent(event, STR("CST")));
    assert_null(json_get(event, STR("entity")));
    assert_null(json_get(event, STR("outcomeDesc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_of_a_minute_are_one_row_and_all_are_counted),
        cmocka_unit_test(freeing_writes_what_waits),
        cmocka_unit_test(no_access_is_lost_among_threads),
        cmocka_unit_test(more_people_than_the_tables_hold_are_all_written),
        cmocka_unit_test(erasing_removes_one_users_rows),
        cmocka_unit_test(a_step_is_an_audit_event_as_its_readers_expect),
        cmocka_unit_test(a_search_has_no_system_and_no_entity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
