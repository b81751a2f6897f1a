#include "sandbox/chart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "sandbox/accounts.h"

/* Beside the repository, or beside a folder of worktrees. */
static const char *patients_dir(void)
{
    static const char *const places[] = { "../shared/data/patients",
                                          "../../shared/data/patients" };
    for (size_t i = 0; i < 2; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":["
    "{\"fullUrl\":\"urn:uuid:a\",\"resource\":{\"resourceType\":\"Patient\","
    "\"id\":\"p1\",\"name\":[{\"family\":\"Doe\",\"given\":[\"Jo\"]}]}},"
    "{\"fullUrl\":\"urn:uuid:b\",\"resource\":{\"resourceType\":\"Observation\""
    ",\"subject\":{\"reference\":\"urn:uuid:a\"},\"value\":1.00,"
    "\"performer\":[{\"reference\":\"Practitioner?identifier=s|7\"}],"
    "\"category\":[{\"coding\":[{\"code\":\"vital-signs\"}]}],"
    "\"effectiveDateTime\":\"2020-05-01\"}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o2\","
    "\"subject\":{\"reference\":\"/Patient/p1\"},\"value\":\"/Patient/p1\"}}]}";
static const char infra[] =
    "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
    "\"Practitioner\",\"id\":\"d7\",\"identifier\":[{\"system\":\"s\","
    "\"value\":\"7\"}]}}]}";

static void references_are_settled_and_ids_given(void **state)
{
    (void)state;
    struct chart *shared = NULL, *c = NULL;
    assert_int_equal(chart_load(str_of(infra), STR("i"), NULL, &shared, NULL),
                     OK);
    assert_int_equal(chart_load(str_of(bundle), STR("x"), shared, &c, NULL),
                     OK);
    assert_true(str_eq(c->patient, STR("p1")));
    assert_true(str_eq(c->name, STR("Jo Doe")));
    struct str body = c->rows[1].body;
    assert_true(str_search(body, STR("\"Patient/p1\"")) < body.n);
    assert_true(str_search(body, STR("\"Practitioner/d7\"")) < body.n);
    assert_true(str_search(body, STR("\"value\":1.00")) < body.n);
    body = c->rows[2].body; /* only references are touched */
    assert_true(str_search(body, STR("\"reference\":\"Patient/p1\"")) < body.n);
    assert_true(str_search(body, STR("\"value\":\"/Patient/p1\"")) < body.n);
    assert_int_equal(c->rows[1].id.n, 24);
    assert_non_null(chart_get(c, STR("Practitioner"), STR("d7")));
    assert_null(chart_get(c, STR("Practitioner"), STR("d8")));
    chart_free(c);
    chart_free(shared);
}

static size_t found(const struct chart *c, const char *query)
{
    AUTO_ARENA a = ARENA(100000);
    struct url_params params;
    const struct chart_row **rows;
    size_t n;
    assert_int_equal(url_parse_params(&a, str_of(query), &params), OK);
    assert_int_equal(
        chart_search(c, &a, STR("Observation"), &params, &rows, &n), OK);
    return n;
}

static void searches_choose_by_category_date_and_id(void **state)
{
    (void)state;
    struct chart *c = NULL;
    assert_int_equal(chart_load(str_of(bundle), STR("x"), NULL, &c, NULL), OK);
    assert_int_equal(found(c, "patient=p1"), 2);
    assert_int_equal(found(c, "category=vital-signs"), 1);
    assert_int_equal(found(c, "category=vital-signs,laboratory"), 2);
    assert_int_equal(found(c, "category=survey"), 0);
    assert_int_equal(found(c, "_id=o2"), 1);
    assert_int_equal(found(c, "date=ge2020"), 1);
    assert_int_equal(found(c, "date=lt2020-05-01"), 0);
    chart_free(c);
}

static void what_is_no_bundle_is_refused(void **state)
{
    (void)state;
    struct chart *c = NULL;
    assert_int_equal(chart_load(STR("{\"resourceType\":\"Patient\"}"), STR("x"),
                                NULL, &c, NULL),
                     ERR_FORMAT);
    assert_int_equal(chart_load(STR("{"), STR("x"), NULL, &c, NULL),
                     ERR_FORMAT);
    assert_null(c);
}

/* No reference in the bodies is left as urn:uuid or conditional. */
static void check_settled(const struct chart *c, const struct account *account)
{
    static const struct str marks[] = { STR_INIT("\"reference\":\"urn:uuid:"),
                                        STR_INIT("?identifier=") };
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < 2; k++)
            if (str_search(c->rows[i].body, marks[k]) < c->rows[i].body.n)
                fail_msg("%.*s: %.*s/%.*s has an unsettled reference",
                         (int)account->username.n, account->username.p,
                         (int)c->rows[i].type.n, c->rows[i].type.p,
                         (int)c->rows[i].id.n, c->rows[i].id.p);
}

static void every_real_file_becomes_a_person(void **state)
{
    (void)state;
    if (patients_dir() == NULL)
        skip();
    struct accounts *all = NULL;
    assert_int_equal(accounts_new(patients_dir(), 0, &all, NULL), OK);
    size_t charts = 0, resources = 0;
    for (size_t i = 0; i < accounts_count(all); i++) {
        struct account *account = accounts_at(all, i);
        for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
            const struct chart *c;
            struct why w = { "" };
            if (!account_has(account, r))
                continue;
            if (accounts_chart(all, account, r, &c, &w) != OK)
                fail_msg("%.*s: %s", (int)account->username.n,
                         account->username.p, w.text);
            check_settled(c, account);
            charts++;
            resources += c->count;
        }
    }
    assert_int_equal(charts, 88); /* of 91 files 3 hold no patient */
    assert_true(resources > 30000);
    accounts_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_settled_and_ids_given),
        cmocka_unit_test(searches_choose_by_category_date_and_id),
        cmocka_unit_test(what_is_no_bundle_is_refused),
        cmocka_unit_test(every_real_file_becomes_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
