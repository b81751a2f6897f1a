#include "fhir/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/date.h"

#define MUCH ((size_t)1 << 24)

static enum err parse(struct arena *a, enum release release, const char *type,
                      const char *text, unsigned flags, struct query *out)
{
    struct url_params params;
    struct why w;
    assert_int_equal(url_parse_params(a, str_of(text), &params), OK);
    return query_parse(a, release,
                       release_type_find(release, str_of(type), false), &params,
                       flags, out, &w);
}

static void values_are_or_and_names_are_and(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(
        parse(&a, R4, "Observation",
              "code=http://loinc.org|1,b%5C,c&status=final&_count=5"
              "&_sort=-date",
              0, &q),
        OK);
    assert_int_equal(q.clause_count, 2);
    assert_int_equal(q.clauses[0].value_count, 2);
    assert_true(str_eq(q.clauses[0].values[0].system, STR("http://loinc.org")));
    assert_true(str_eq(q.clauses[0].values[1].code, STR("b,c")));
    assert_int_equal(q.count, 5);
    assert_true(q.has_count);
    assert_int_equal(q.sort_count, 1);
    assert_true(q.sorts[0].is_descending);
}

static void a_token_without_system_differs_from_one_with_none(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Patient", "identifier=1,%7C1,s%7C", 0, &q),
                     OK);
    const struct query_value *v = q.clauses[0].values;
    assert_false(v[0].has_system);
    assert_true(v[1].has_system && v[1].system.n == 0);
    assert_true(v[2].has_system && !v[2].has_code);
}

static void prefixes_and_precision_make_ranges(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Observation",
                           "date=ge2020-02&value-quantity=lt5.4||mg", 0, &q),
                     OK);
    assert_int_equal(q.clauses[0].values[0].prefix, PREFIX_GE);
    assert_int_equal(q.clauses[0].values[0].high - q.clauses[0].values[0].low,
                     INT64_C(29) * 86400000);
    const struct query_value *v = &q.clauses[1].values[0];
    assert_int_equal(v->prefix, PREFIX_LT);
    assert_true(v->number_low > 5.349 && v->number_low < 5.351);
    assert_true(str_eq(v->code, STR("mg")));
}

static void unknown_parameters_are_noted_or_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Patient", "colour=red", 0, &q), OK);
    assert_int_equal(q.clause_count, 0);
    assert_int_equal(q.ignored_count, 1);
    assert_int_equal(parse(&a, R4, "Patient", "colour=red", QUERY_STRICT, &q),
                     ERR_INVALID);
}

static void wrong_values_and_modifiers_are_errors(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    static const char *const cases[] = {
        "birthdate=yesterday",  "birthdate=2020-02-30", "_count=many",
        "name:near=x",          "gender:contains=f",    "_summary=maybe",
        "name:missing=perhaps", "_has:Nothing:x:y=1",   "_total=some",
    };
    struct query q;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (parse(&a, R4, "Patient", cases[i], 0, &q) != ERR_INVALID)
            fail_msg("%s", cases[i]);
}

static void chains_and_has_nest(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Observation",
                           "subject:Patient.general-practitioner.name=x", 0,
                           &q),
                     OK);
    assert_int_equal(q.clauses[0].kind, CLAUSE_CHAIN);
    const struct query_clause *any = q.clauses[0].chained;
    assert_int_equal(any->kind, CLAUSE_ANY_OF); /* each type that has a name */
    assert_true(any->part_count > 1);
    assert_int_equal(any->parts[0].kind, CLAUSE_CHAIN);
    assert_int_equal(any->parts[0].chained->kind, CLAUSE_PARAM);
    assert_int_equal(
        parse(&a, R4, "Patient", "_has:Observation:patient:code=1", 0, &q), OK);
    assert_int_equal(q.clauses[0].kind, CLAUSE_HAS);
    assert_int_equal(q.clauses[0].chained->kind, CLAUSE_PARAM);
}

static void filters_are_trees_and_binds_before_or(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(
        parse(&a, R4, "Patient",
              "_filter=gender%20eq%20male%20or%20not%20(name%20co%20%22a%20b"
              "%22%20and%20birthdate%20ge%202010)",
              0, &q),
        OK);
    assert_int_equal(q.clauses[0].kind, CLAUSE_ANY_OF);
    assert_int_equal(q.clauses[0].part_count, 2);
    assert_int_equal(q.clauses[0].parts[1].kind, CLAUSE_NONE_OF);
    assert_int_equal(q.clauses[0].parts[1].parts[0].kind, CLAUSE_ALL_OF);
    static const char *const bad[] = { "_filter=gender",
                                       "_filter=(gender%20eq%20male",
                                       "_filter=gender%20eq%20male%20male",
                                       "_filter=gender%20eq%20%22male",
                                       "_filter=hat%20eq%20x" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&a, R4, "Patient", bad[i], 0, &q), ERR_INVALID);
}

static void a_quantity_is_also_what_it_is_in_other_units(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Observation",
                           "value-quantity=5.4%7Chttp://unitsofmeasure.org%7Cg",
                           0, &q),
                     OK);
    bool has_mg = false;
    for (size_t i = 0; i < q.clauses[0].value_count; i++) {
        const struct query_value *v = &q.clauses[0].values[i];
        if (str_eq(v->code, STR("mg")))
            has_mg = v->number == 5400 && v->number_low == 5350 &&
                     v->number_high == 5450;
    }
    assert_true(has_mg);
}

static void a_known_value_set_is_its_codes_an_unknown_one_is_refused(
    void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, R4, "Patient",
                           "gender:in=http://hl7.org/fhir/ValueSet/"
                           "administrative-gender",
                           0, &q),
                     OK);
    assert_int_equal(q.clauses[0].value_count, 4);
    assert_int_equal(parse(&a, R4, "Patient",
                           "gender:not-in=http://hl7.org/fhir/ValueSet/"
                           "administrative-gender%7C4.0.1",
                           0, &q),
                     OK);
    assert_int_equal(q.clauses[0].modifier, MODIFIER_NOT);
    assert_int_equal(parse(&a, R4, "Patient", "gender:in=urn:x", 0, &q),
                     ERR_INVALID);
}

static void a_page_is_never_larger_than_the_release_allows(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct query q;
    assert_int_equal(parse(&a, DSTU2, "Patient", "_count=5000", 0, &q), OK);
    assert_int_equal(q.count, 100);
    assert_int_equal(parse(&a, R4, "Patient", "", 0, &q), OK);
    assert_int_equal(q.count, 10);
}

static void dates_are_half_open_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t length; /* ms; 0: refused */
    } cases[] = {
        { "2020", INT64_C(366) * 86400000 },
        { "2021-02", INT64_C(28) * 86400000 },
        { "2020-02-29", 86400000 },
        { "2020-02-29T10:00", 60000 },
        { "2020-02-29T10:00:01Z", 1000 },
        { "2020-02-29T10:00:01.5+01:00", 100 },
        { "2020-02-29T10:00:01.123-05:00", 1 },
        { "2020-02-29 10:00:01", 1000 },
        { "2021-02-29", 0 },
        { "2020-13", 0 },
        { "20", 0 },
        { "2020-02-29T25:00", 0 },
        { "", 0 },
        { "2020-02-29T10:00:01Zx", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t low = 0, high = 0;
        enum err err = date_range(str_of(cases[i].text), &low, &high);
        if ((err == OK) != (cases[i].length > 0) ||
            high - low != cases[i].length)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_or_and_names_are_and),
        cmocka_unit_test(a_token_without_system_differs_from_one_with_none),
        cmocka_unit_test(prefixes_and_precision_make_ranges),
        cmocka_unit_test(unknown_parameters_are_noted_or_refused),
        cmocka_unit_test(wrong_values_and_modifiers_are_errors),
        cmocka_unit_test(chains_and_has_nest),
        cmocka_unit_test(filters_are_trees_and_binds_before_or),
        cmocka_unit_test(a_quantity_is_also_what_it_is_in_other_units),
        cmocka_unit_test(
            a_known_value_set_is_its_codes_an_unknown_one_is_refused),
        cmocka_unit_test(a_page_is_never_larger_than_the_release_allows),
        cmocka_unit_test(dates_are_half_open_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
