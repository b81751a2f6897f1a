#include "directory/vendor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void an_unknown_vendor_gets_the_profile_that_works_anywhere(void **state)
{
    (void)state;
    const struct vendor *v = vendor_find(STR("nobody"));
    assert_true(str_eq(v->name, STR("default")));
    assert_int_equal(v->flags, 0);
    assert_int_equal(v->auth, VENDOR_AUTH_PUBLIC);
    assert_true(v->per_host_max > 0 && v->accept.n > 0);
}

static void every_row_is_found_by_its_name_and_has_what_it_needs(void **state)
{
    (void)state;
    size_t n;
    const struct vendor *all = vendor_all(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(vendor_find(all[i].name), &all[i]);
        assert_true(all[i].per_host_max > 0);
        assert_true(all[i].accept.n > 0);
    }
    assert_ptr_equal(vendor_find(STR("Oracle")), vendor_find(STR("cerner")));
    assert_ptr_equal(vendor_find(STR("healow")),
                     vendor_find(STR("eclinicalworks")));
}

static void a_system_may_differ_from_its_vendor(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct vendor v;
    assert_int_equal(
        vendor_with(vendor_find(STR("nextgen")),
                    STR("{\"auth\":\"jwt\",\"pkce\":false,\"aud\":true,"
                        "\"scope\":\"v2\",\"offline\":true,\"page_size\":10,"
                        "\"everything\":true,\"accept\":\"x/y\"}"),
                    &a, &v),
        OK);
    assert_int_equal(v.auth, VENDOR_AUTH_JWT);
    assert_int_equal(v.flags,
                     VENDOR_NO_PKCE | VENDOR_SCOPE_V2 | VENDOR_EVERYTHING);
    assert_int_equal(v.page_size, 10);
    assert_true(str_eq(v.accept, STR("x/y")));
    assert_int_equal(vendor_with(&v, STR(""), &a, &v), OK);
    assert_int_equal(vendor_with(&v, STR("[]"), &a, &v), ERR_FORMAT);
    assert_int_equal(vendor_with(&v, STR("{"), &a, &v), ERR_FORMAT);
}

static void a_list_or_a_url_gives_the_vendor_away(void **state)
{
    (void)state;
    static const struct {
        struct str list, url, want;
    } cases[] = {
        { STR_INIT("MEDHOST_EndpointSources.json"), STR_INIT(""),
          STR_INIT("medhost") },
        { STR_INIT(""), STR_INIT("https://fhir4.healow.com/fhir/r4/A"),
          STR_INIT("eclinicalworks") },
        { STR_INIT(""), STR_INIT("https://x.org/FHIR/api/FHIR/R4"),
          STR_INIT("epic") },
        { STR_INIT(""), STR_INIT("https://x.org/fhir"), STR_INIT("default") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(
            str_eq(vendor_guess(cases[i].list, cases[i].url), cases[i].want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_unknown_vendor_gets_the_profile_that_works_anywhere),
        cmocka_unit_test(every_row_is_found_by_its_name_and_has_what_it_needs),
        cmocka_unit_test(a_system_may_differ_from_its_vendor),
        cmocka_unit_test(a_list_or_a_url_gives_the_vendor_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
