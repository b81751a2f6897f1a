#include "oauth/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HAS(list_, text_)   assert_true(scope_has(list_, STR(text_)))
#define LACKS(list_, text_) assert_false(scope_has(list_, STR(text_)))

static void r4_is_asked_for_type_by_type(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct scope_ask ask = { .release = STR("R4") };
    struct str list = scope_list(&a, &ask);
    HAS(list, "openid");
    HAS(list, "fhirUser");
    HAS(list, "launch/patient");
    HAS(list, "offline_access");
    HAS(list, "patient/Patient.read");
    HAS(list, "patient/MedicationRequest.read");
    LACKS(list, "patient/MedicationOrder.read");
    LACKS(list, "patient/*.read");
}

static void each_release_has_its_own_names_and_v2_its_own_grammar(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct scope_ask ask = { .release = STR("DSTU2"), .flags = SCOPE_V2 };
    struct str list = scope_list(&a, &ask);
    HAS(list, "patient/MedicationOrder.rs");
    LACKS(list, "patient/MedicationRequest.rs");
    LACKS(list, "patient/Patient.read");
}

static void a_plan_is_asked_for_claims_and_nothing_clinical(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct scope_ask ask = {
        .release = STR("R4"),
        .flags = SCOPE_CLAIMS | SCOPE_NO_OFFLINE | SCOPE_NO_FHIRUSER,
        .extra = STR("internal  openid"),
    };
    assert_true(str_eq(scope_list(&a, &ask),
                       STR("openid profile launch/patient patient/Patient.read "
                           "patient/Coverage.read "
                           "patient/ExplanationOfBenefit.read internal")));
}

static void what_the_server_says_it_has_not_is_not_asked_for(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    const struct str supported[] = { STR("openid"), STR("launch/patient"),
                                     STR("patient/Patient.read"),
                                     STR("patient/Observation.rs") };
    struct scope_ask ask = { .release = STR("R4"),
                             .supported = supported,
                             .supported_count = 4 };
    assert_true(str_eq(scope_list(&a, &ask),
                       STR("openid launch/patient patient/Patient.read "
                           "patient/Observation.read")));
}

static void a_wildcard_of_the_server_covers_every_type(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    const struct str supported[] = { STR("patient/*.*") };
    struct scope_ask ask = { .release = STR("R4"),
                             .supported = supported,
                             .supported_count = 1 };
    struct str list = scope_list(&a, &ask);
    HAS(list, "patient/Goal.read");
    LACKS(list, "offline_access");
}

static void a_list_without_resource_scopes_hides_no_type(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    const struct str supported[] = { STR("openid"), STR("offline_access") };
    struct scope_ask ask = { .release = STR("R4"),
                             .supported = supported,
                             .supported_count = 2 };
    HAS(scope_list(&a, &ask), "patient/Goal.read");
}

static void more_types_are_asked_for_where_a_server_names_them(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    const struct str named[] = { STR("patient/Claim.read"),
                                 STR("patient/Goal.read"),
                                 STR("patient/Secret.read") };
    struct scope_ask ask = { .release = STR("R4"),
                             .supported = named,
                             .supported_count = 3 };
    struct str list = scope_list(&a, &ask);
    HAS(list, "patient/Claim.read");
    HAS(list, "patient/Goal.read");
    LACKS(list, "patient/Secret.read");
    const struct str wild[] = { STR("patient/*.read") };
    ask.supported = wild;
    ask.supported_count = 1;
    LACKS(scope_list(&a, &ask), "patient/Claim.read");
}

static void a_wildcard_is_one_scope(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct scope_ask ask = { .release = STR("R4"), .flags = SCOPE_WILDCARD };
    assert_true(str_eq(
        scope_list(&a, &ask),
        STR("openid fhirUser launch/patient offline_access patient/*.read")));
}

static void a_granted_list_says_what_may_be_read(void **state)
{
    (void)state;
    struct str list = STR("launch/patient patient/Observation.rs?category=x "
                          "user/Condition.read patient/Goal.c");
    assert_true(scope_reads(list, STR("Observation")));
    assert_true(scope_reads(list, STR("Condition")));
    assert_false(scope_reads(list, STR("Goal")));
    assert_false(scope_reads(list, STR("Patient")));
    assert_true(scope_reads(STR("patient/*.*"), STR("Patient")));
    assert_false(scope_reads(STR("patient/*.write"), STR("Patient")));
    assert_true(scope_reads(STR("openid"), STR("Patient")));
    assert_true(scope_reads(STR(""), STR("Patient")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r4_is_asked_for_type_by_type),
        cmocka_unit_test(each_release_has_its_own_names_and_v2_its_own_grammar),
        cmocka_unit_test(a_plan_is_asked_for_claims_and_nothing_clinical),
        cmocka_unit_test(what_the_server_says_it_has_not_is_not_asked_for),
        cmocka_unit_test(a_wildcard_of_the_server_covers_every_type),
        cmocka_unit_test(a_list_without_resource_scopes_hides_no_type),
        cmocka_unit_test(more_types_are_asked_for_where_a_server_names_them),
        cmocka_unit_test(a_wildcard_is_one_scope),
        cmocka_unit_test(a_granted_list_says_what_may_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
