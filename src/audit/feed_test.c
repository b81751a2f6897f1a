/* The progress feed as an app reads it: through the store and a search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "db/testing.h"
#include "fhir/query.h"
#include "record/record.h"

#define NOW INT64_C(1800000000000) /* 2027-01-15T08:00:00Z */

struct made {
    struct db_test t;
    struct arena a;
    struct store *store;
    struct audit *audit;
};

static void set_up(struct made *m)
{
    clock_freeze(NOW);
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)16 * 1024 * 1024);
    struct store_options o = { .db = m->t.db };
    assert_int_equal(store_new(&o, &m->store, NULL), OK);
    struct audit_options audit = { m->t.db, m->store };
    assert_int_equal(audit_new(&audit, &m->audit), OK);
}

static void tear_down(struct made *m)
{
    audit_free(m->audit);
    store_free(m->store);
    arena_fini(&m->a);
    db_test_close(&m->t);
    clock_release();
}

static void step(struct made *m, int64_t user_id, struct str code)
{
    struct audit_step s = { .user_id = user_id,
                            .app_id = 1,
                            .system_id = 4706,
                            .system_name = STR("A system"),
                            .step = code,
                            .outcome = STR("0"),
                            .detail = STR(""),
                            .type = STR(""),
                            .count = -1 };
    assert_int_equal(audit_record_step(m->audit, &s), OK);
    clock_advance(1000);
}

static uint64_t found(struct made *m, int64_t user_id, struct str text)
{
    struct url_params params;
    struct query q;
    struct record_hits hits;
    struct store_snapshot *snap;
    struct why w = { 0 };
    uint16_t type = release_type_find(R4, STR("AuditEvent"), false);
    assert_int_equal(url_parse_params(&m->a, text, &params), OK);
    if (query_parse(&m->a, R4, type, &params, QUERY_STRICT, &q, &w) != OK)
        fail_msg("%s", w.text);
    assert_int_equal(store_open(m->store, user_id, RECORD_AUDIT, &snap), OK);
    assert_int_equal(record_search(store_record(snap), &q, &m->a, &hits, &w),
                     OK);
    store_close(snap);
    return hits.total;
}

static void the_feed_is_found_as_clients_ask_for_it(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    step(&m, 251, STR(AUDIT_TRANSFER_BEGUN));
    step(&m, 251, STR(AUDIT_RETRIEVAL_FAILED));
    step(&m, 251, STR(AUDIT_INGESTED));
    step(&m, 7, STR(AUDIT_TRANSFER_BEGUN));
    /* names and values come percent-encoded from one of the clients */
    assert_int_equal(
        found(&m, 251,
              STR("subtype=data-transfer-initiated%2Cmember-data-ingestion-"
                  "completed%2Cmember-data-ingestion-timeout"
                  "&agent-name%3Acontains=1up-user-251"
                  "&recorded=ge2027-01-15T08:00:00Z")),
        2);
    assert_int_equal(found(&m, 251, STR("")), 3);
    assert_int_equal(found(&m, 251, STR("date=ge2027-01-15T08:00:02Z")), 1);
    assert_int_equal(found(&m, 251, STR("agent-name:contains=1up-user-7")), 0);
    assert_int_equal(found(&m, 7, STR("altid=4706")), 1);
    assert_int_equal(found(&m, 7, STR("outcome=0&agent-name=a%20sys")), 1);
    assert_int_equal(found(&m, 7, STR("outcome=8")), 0);
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_feed_is_found_as_clients_ask_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
