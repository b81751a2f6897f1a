#include "base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_str(got_, want_) assert_true(str_eq((got_), str_of(want_)))

static void a_url_is_cut_into_its_parts(void **state)
{
    (void)state;
    struct url u;
    assert_int_equal(
        url_parse(STR("https://fhir.example.org:8443/r4/x?a=b&c"), &u), OK);
    assert_str(u.scheme, "https");
    assert_str(u.host, "fhir.example.org");
    assert_str(u.origin, "https://fhir.example.org:8443");
    assert_str(u.path, "/r4/x");
    assert_str(u.query, "a=b&c");
    assert_int_equal(u.port, 8443);
    assert_int_equal(url_parse(STR("HTTP://x?q"), &u), OK);
    assert_false(url_is_https(&u));
    assert_int_equal(u.port, 80);
    assert_str(u.path, "");
    assert_str(u.query, "q");
    assert_int_equal(url_parse(STR("https://[2001:db8::1]:9/"), &u), OK);
    assert_str(u.host, "2001:db8::1");
    assert_int_equal(u.port, 9);
    assert_true(url_is_https(&u));
}

static void what_two_parsers_could_read_differently_is_no_url(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "ftp://x/",
        "https:/x/",
        "https:///x",
        "https://",
        "https://user@x/",
        "https://user:pass@x/",
        "https://x/#part",
        "https://x/a b",
        "https://x\\@y/",
        "https://x:0/",
        "https://x:65536/",
        "https://x:8a/",
        "https://x:/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[x]/",
        "https://a%2eb/",
        "https://127\xe3\x80\x82"
        "0.0.1/",
        "https://x/\x01",
        "https://x/\n",
        "//x/",
        "javascript:alert(1)",
    };
    struct url u;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (url_parse(str_of(bad[i]), &u) != ERR_FORMAT)
            fail_msg("%s passes", bad[i]);
}

static bool same_origin(const char *one, const char *two)
{
    struct url a, b;
    assert_int_equal(url_parse(str_of(one), &a), OK);
    assert_int_equal(url_parse(str_of(two), &b), OK);
    return url_same_origin(&a, &b);
}

static void origins_are_scheme_host_and_port(void **state)
{
    (void)state;
    assert_true(same_origin("https://a/x", "HTTPS://A:443/y?z"));
    assert_false(same_origin("https://a/", "http://a/"));
    assert_false(same_origin("https://a/", "https://a:444/"));
    assert_false(same_origin("https://a/", "https://a.b/"));
}

static bool is_loopback(const char *text)
{
    struct url u;
    assert_int_equal(url_parse(str_of(text), &u), OK);
    return url_is_loopback(&u);
}

static void loopback_is_an_address_or_localhost_itself(void **state)
{
    (void)state;
    assert_true(is_loopback("http://localhost:3000/x"));
    assert_true(is_loopback("http://127.0.0.1/"));
    assert_true(is_loopback("http://127.9.8.7/"));
    assert_true(is_loopback("http://[::1]:80/"));
    assert_false(is_loopback("http://127.0.0.1.evil.example/"));
    assert_false(is_loopback("http://127.evil.example/"));
    assert_false(is_loopback("http://localhost.evil.example/"));
    assert_false(is_loopback("http://128.0.0.1/"));
}

static void references_are_resolved_as_the_standard_says(void **state)
{
    (void)state;
    static const char base[] = "http://a/b/c/d;p?q";
    static const struct {
        const char *reference, *want;
    } cases[] = {
        /* RFC 3986 section 5.4, what applies to http without fragments */
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s", "http://a/b/c/g" },
        { "https://other/x", "https://other/x" },
        { "ftp://other/x", NULL },
        { "urn:uuid:1", NULL },
        { "javascript:x", NULL },
    };
    AUTO_ARENA a = ARENA(1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str got = url_resolve(&a, STR("http://a/b/c/d;p?q"),
                                     str_of(cases[i].reference));
        if (cases[i].want == NULL ? got.p != NULL
                                  : !str_eq(got, str_of(cases[i].want)))
            fail_msg("%s from %s gives %.*s", cases[i].reference, base,
                     (int)got.n, got.p);
    }
    assert_null(url_resolve(&a, STR("not a url"), STR("x")).p);
    assert_str(url_resolve(&a, STR("http://a"), STR("x")), "http://a/x");
}

static void joining_sets_one_slash(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 12);
    assert_str(url_join(&a, STR("http://a/r4"), STR("Patient")),
               "http://a/r4/Patient");
    assert_str(url_join(&a, STR("http://a/r4//"), STR("//Patient")),
               "http://a/r4/Patient");
}

static void escapes_go_both_ways(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    AUTO_BUF b = BUF(4096);
    char bytes[256];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (char)i;
    url_escape(&b, (struct str){ bytes, 256 });
    struct str back = url_unescape(&a, (struct str){ b.data, b.len }, true);
    assert_true(str_eq(back, (struct str){ bytes, 256 }));
    assert_str(url_unescape(&a, STR("a+b%2B%4"), true), "a b+%4");
    assert_str(url_unescape(&a, STR("a+b%2b%zz%"), false), "a+b+%zz%");
}

static void parameters_keep_their_order_and_are_decoded(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct url_params p;
    assert_int_equal(
        url_parse_params(&a, STR("a=1&&b%3Ac=x+y%26&a=2&d&=e"), &p), OK);
    assert_int_equal(p.n, 5);
    assert_str(url_param(&p, STR("a")), "1");
    assert_str(url_param(&p, STR("b:c")), "x y&");
    assert_str(p.at[2].value, "2");
    assert_str(url_param(&p, STR("d")), "");
    assert_non_null(url_param(&p, STR("d")).p);
    assert_null(url_param(&p, STR("nothing")).p);
    assert_int_equal(url_parse_params(&a, STR(""), &p), OK);
    assert_int_equal(p.n, 0);
    char many[URL_PARAMS_MAX + 1];
    memset(many, '&', sizeof many);
    assert_int_equal(
        url_parse_params(&a, (struct str){ many, sizeof many }, &p), ERR_LIMIT);
}

static void parameters_are_added_where_they_belong(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(4096);
    buf_add(&b, STR("https://a/x"));
    url_add_param(&b, STR("state"), STR("a b"));
    url_add_param(&b, STR("code"), STR("1&2"));
    assert_string_equal(b.data, "https://a/x?state=a%20b&code=1%262");
    AUTO_BUF form = BUF(4096);
    url_add_form(&form, STR("grant_type"), STR("x"));
    url_add_form(&form, STR("y"), STR("="));
    assert_string_equal(form.data, "grant_type=x&y=%3D");
    AUTO_BUF ended = BUF(4096);
    buf_add(&ended, STR("https://a/x?"));
    url_add_param(&ended, STR("a"), STR("b"));
    assert_string_equal(ended.data, "https://a/x?a=b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_cut_into_its_parts),
        cmocka_unit_test(what_two_parsers_could_read_differently_is_no_url),
        cmocka_unit_test(origins_are_scheme_host_and_port),
        cmocka_unit_test(loopback_is_an_address_or_localhost_itself),
        cmocka_unit_test(references_are_resolved_as_the_standard_says),
        cmocka_unit_test(joining_sets_one_slash),
        cmocka_unit_test(escapes_go_both_ways),
        cmocka_unit_test(parameters_keep_their_order_and_are_decoded),
        cmocka_unit_test(parameters_are_added_where_they_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
