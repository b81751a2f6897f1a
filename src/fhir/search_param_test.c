#include "fhir/search_param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS_MAX 4096

/* Every release publishes so many parameters (search-parameters.json).  All are
 * rows here, but for the exceptions:
 * - those of every type, which are rows of each type without a URL: _id,
 *   _lastUpdated, _profile, _security, _tag, and from R4 on _source;
 * - _text and _content, which are words looked for in the bodies (api/), and
 *   _query, a named query, of which there is none;
 * - DSTU2's relationship of FamilyMemberHistory, published twice (the second
 *   by DAF) and one row here. */
struct published {
    enum release release;
    unsigned count, of_all, not_rows, elsewhere;
};
static const struct published published[] = {
    { DSTU2, 878, 5, 3, 1 },
    { STU3, 1217, 5, 3, 0 },
    { R4, 1375, 6, 3, 0 },
};
static const char *const of_all[] = { "_id",       "_lastUpdated", "_profile",
                                      "_security", "_tag",         "_source" };

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Different canonical URLs below a folder. */
static unsigned count_urls(enum release release, struct str folder)
{
    static struct str urls[ROWS_MAX];
    unsigned n = 0, different = 0;
    assert_true(search_param_count(release) <= ROWS_MAX);
    for (unsigned i = 0; i < search_param_count(release); i++) {
        struct str url = search_param_row(release, (uint16_t)i)->definition;
        if (str_starts(url, folder))
            urls[n++] = url;
    }
    qsort(urls, n, sizeof *urls, by_text);
    for (unsigned i = 0; i < n; i++)
        different += i == 0 || !str_eq(urls[i], urls[i - 1]);
    return different;
}

static void every_published_parameter_is_a_row_or_a_named_exception(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct published *p = &published[i];
        unsigned urls =
            count_urls(p->release, STR("http://hl7.org/fhir/SearchParameter/"));
        assert_int_equal(urls + p->of_all + p->not_rows + p->elsewhere,
                         p->count);
    }
}

static void the_parameters_of_every_type_are_rows_of_every_type(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct published *p = &published[i];
        for (uint16_t t = 0; t < release_type_count(p->release); t++)
            for (unsigned k = 0; k < p->of_all; k++)
                assert_int_not_equal(
                    search_param_find(p->release, t, str_of(of_all[k])),
                    PARAM_NONE);
    }
}

static void what_is_no_row_is_none(void **s)
{
    (void)s;
    static const char *const names[] = { "_text", "_content", "_query" };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        enum release r = published[i].release;
        uint16_t patient = release_type_find(r, STR("Patient"), true);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            assert_int_equal(search_param_find(r, patient, str_of(names[k])),
                             PARAM_NONE);
    }
    uint16_t history =
        release_type_find(DSTU2, STR("FamilyMemberHistory"), true);
    assert_int_not_equal(search_param_find(DSTU2, history, STR("relationship")),
                         PARAM_NONE);
}

static void the_guides_parameters_are_there(void **s)
{
    (void)s;
    static const struct {
        const char *type, *code;
    } of_guides[] = {
        { "Patient", "race" },
        { "Patient", "ethnicity" },
        { "ExplanationOfBenefit", "service-date" },
        { "ExplanationOfBenefit", "service-start-date" },
        { "ExplanationOfBenefit", "billable-period-start" },
        { "ExplanationOfBenefit", "type" },
        { "CareTeam", "role" },
        { "Condition", "asserted-date" },
        { "Encounter", "discharge-disposition" },
        { "Goal", "description" },
    };
    for (size_t i = 0; i < sizeof of_guides / sizeof *of_guides; i++) {
        uint16_t t = release_type_find(R4, str_of(of_guides[i].type), true);
        assert_int_not_equal(
            search_param_find(R4, t, str_of(of_guides[i].code)), PARAM_NONE);
    }
    assert_int_equal(
        count_urls(R4, STR("http://hl7.org/fhir/us/core/SearchParameter/")), 6);
    assert_int_equal(
        count_urls(R4, STR("http://hl7.org/fhir/us/carin-bb/SearchParameter/")),
        5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_published_parameter_is_a_row_or_a_named_exception),
        cmocka_unit_test(the_parameters_of_every_type_are_rows_of_every_type),
        cmocka_unit_test(what_is_no_row_is_none),
        cmocka_unit_test(the_guides_parameters_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
