#include "ingest/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static struct arena a;

static int set_up(void **state)
{
    (void)state;
    a = ARENA((size_t)4 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

static struct plan plan_of(enum release release, const char *vendor,
                           const char *capability, const char *scope)
{
    struct plan plan;
    struct yyjson_val *root = NULL;
    if (capability != NULL)
        assert_int_equal(json_parse(&a, str_of(capability), &root, NULL), OK);
    assert_int_equal(plan_make(&a, release, vendor_find(str_of(vendor)), root,
                               str_of(scope), &plan),
                     OK);
    return plan;
}

static const struct plan_type *type_of(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eq(p->types[i].type, str_of(name)))
            return &p->types[i];
    return NULL;
}

static void is(struct str got, const char *want)
{
    if (!str_eq(got, str_of(want)))
        fail_msg("%.*s instead of %s", (int)got.n, got.p, want);
}

static void a_system_that_says_nothing_is_asked_by_its_releases_table(void **s)
{
    (void)s;
    struct plan r4 = plan_of(R4, "default", NULL, "");
    assert_non_null(type_of(&r4, "MedicationRequest"));
    assert_null(type_of(&r4, "MedicationOrder"));
    assert_false(r4.has_everything);

    struct plan dstu2 = plan_of(DSTU2, "default", NULL, "");
    assert_non_null(type_of(&dstu2, "MedicationOrder"));
    assert_non_null(type_of(&dstu2, "MedicationStatement"));
    assert_null(type_of(&dstu2, "MedicationRequest"));

    struct plan stu3 = plan_of(STU3, "default", NULL, "");
    is(type_of(&stu3, "Coverage")->attempts[0], "beneficiary={p}");
}

static void what_us_core_asks_for_follows_a_refused_plain_search(void **s)
{
    (void)s;
    struct plan p = plan_of(R4, "default", NULL, "");
    const struct plan_type *t = type_of(&p, "MedicationRequest");
    is(t->attempts[0], "patient={p}");
    is(t->attempts[1], "patient={p}&intent=order,plan");
    t = type_of(&p, "Observation");
    is(t->attempts[0], "patient={p}");
    struct str lines = t->attempts[1], one;
    size_t n = 0;
    while (str_cut(&lines, '\n', &one)) {
        assert_true(str_starts(one, STR("patient={p}&category=")));
        n++;
    }
    assert_in_range(n, 13, 20);
    t = type_of(&p, "CareTeam");
    assert_true(str_starts(t->attempts[1], STR("patient={p}&status=active\n")));
}

static void types_that_the_system_finds_by_patient_are_joined(void **s)
{
    (void)s;
    struct plan p =
        plan_of(R4, "default",
                "{\"rest\":[{\"resource\":["
                "{\"type\":\"Flag\",\"searchParam\":[{\"name\":\"subject\"}]},"
                "{\"type\":\"Appointment\",\"searchParam\":"
                "[{\"name\":\"patient\"},{\"name\":\"_lastUpdated\"}]},"
                "{\"type\":\"Practitioner\",\"searchParam\":"
                "[{\"name\":\"name\"}]},"
                "{\"type\":\"Zebra\",\"searchParam\":[{\"name\":\"patient\"}]},"
                "{\"type\":\"Condition\",\"searchParam\":"
                "[{\"name\":\"subject\"}]},"
                "{\"type\":\"Patient\",\"searchParam\":[{\"name\":\"_id\"}],"
                "\"operation\":[{\"name\":\"everything\"}]}]}]}",
                "");
    is(type_of(&p, "Flag")->attempts[0], "subject={p}");
    is(type_of(&p, "Appointment")->attempts[1],
       "patient={p}&date=ge1900-01-01");
    assert_true(type_of(&p, "Appointment")->has_since);
    assert_false(type_of(&p, "Flag")->has_since);
    assert_null(type_of(&p, "Practitioner"));
    assert_null(type_of(&p, "Zebra"));
    const struct plan_type *t = type_of(&p, "Condition");
    is(t->attempts[t->attempt_count - 1], "subject={p}");
    assert_true(p.has_everything);
}

static void provenance_comes_with_what_it_is_about(void **s)
{
    (void)s;
    const char *says = "{\"rest\":[{\"resource\":[{\"type\":\"Condition\","
                       "\"searchRevInclude\":[\"Provenance:target\"],"
                       "\"searchParam\":[{\"name\":\"patient\"}]}]}]}";
    struct plan p = plan_of(R4, "default", says, "");
    const struct plan_type *t = type_of(&p, "Condition");
    is(t->attempts[0], "patient={p}&_revinclude=Provenance:target");
    is(t->attempts[1], "patient={p}");

    p = plan_of(R4, "default", says, "patient/Condition.read");
    is(type_of(&p, "Condition")->attempts[0], "patient={p}");
}

static void what_was_not_granted_is_not_asked_for(void **s)
{
    (void)s;
    struct plan p = plan_of(R4, "default", NULL,
                            "openid patient/Observation.rs patient/Goal.read");
    assert_int_equal(p.count, 2);
    assert_non_null(type_of(&p, "Observation"));
    assert_non_null(type_of(&p, "Goal"));
}

static void scopes_of_both_grammars_are_understood(void **s)
{
    (void)s;
    static const struct {
        const char *scope;
        bool covers;
    } rows[] = {
        { "", true }, /* nothing said: try */
        { "openid launch/patient", true },
        { "patient/*.read", true },
        { "patient/*.*", true },
        { "patient/Goal.read", true },
        { "user/Goal.read", true },
        { "patient/Goal.rs", true },
        { "patient/Goal.cruds", true },
        { "patient/Goal.rs?category=x", true },
        { "patient/Goal.write", false },
        { "patient/Goal.cud", false },
        { "patient/Goals.read", false },
        { "patient/Patient.read", false },
        { "patient/Goal", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (plan_scope_covers(str_of(rows[i].scope), STR("Goal")) !=
            rows[i].covers)
            fail_msg("'%s'", rows[i].scope);
}

static void a_plan_is_asked_for_its_claims(void **s)
{
    (void)s;
    struct vendor v = *vendor_find(STR("default"));
    struct plan p;
    v.flags |= VENDOR_CLAIMS;
    assert_int_equal(plan_make(&a, R4, &v, NULL, STR(""), &p), OK);
    assert_int_equal(p.count, 2);
    assert_non_null(type_of(&p, "ExplanationOfBenefit"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_system_that_says_nothing_is_asked_by_its_releases_table),
        TEST(what_us_core_asks_for_follows_a_refused_plain_search),
        TEST(types_that_the_system_finds_by_patient_are_joined),
        TEST(provenance_comes_with_what_it_is_about),
        TEST(what_was_not_granted_is_not_asked_for),
        TEST(scopes_of_both_grammars_are_understood),
        TEST(a_plan_is_asked_for_its_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
