#include "oauth/authorize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void the_request_goes_behind_what_the_url_has(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct authorize ask = {
        .client_id = STR("me"),
        .redirect_uri = STR("https://us.test/connect/callback"),
        .scope = STR("openid patient/*.read"),
        .state = STR("s1"),
        .aud = STR("https://them.test/r4"),
        .challenge = STR("c1"),
    };
    assert_true(str_eq(
        authorize_url(&a, STR("https://them.test/authorize?tenant=7"), &ask),
        STR("https://them.test/authorize?tenant=7&response_type=code&"
            "client_id=me&redirect_uri=https%3A%2F%2Fus.test%2Fconnect%2F"
            "callback&scope=openid%20patient%2F%2A.read&state=s1&"
            "aud=https%3A%2F%2Fthem.test%2Fr4&code_challenge=c1&"
            "code_challenge_method=S256")));
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct authorize ask = { .client_id = STR("a b&c"),
                             .redirect_uri = STR("https://us.test/?x=1"),
                             .scope = STR("openid"),
                             .state = STR("=&?#"),
                             .challenge = STR("c1"),
                             .nonce = STR("n") };
    struct str text = authorize_url(&a, STR("https://x.test/a"), &ask);
    struct url url;
    struct url_params params;
    struct authorize got;
    assert_int_equal(url_parse(text, &url), OK);
    assert_int_equal(url_parse_params(&a, url.query, &params), OK);
    assert_int_equal(authorize_read(&params, &got, NULL), OK);
    assert_true(str_eq(got.client_id, ask.client_id));
    assert_true(str_eq(got.redirect_uri, ask.redirect_uri));
    assert_true(str_eq(got.state, ask.state));
    assert_true(str_eq(got.challenge, ask.challenge));
    assert_true(str_eq(got.nonce, ask.nonce));
    assert_null(got.aud.p);
}

static void only_code_and_s256_are_answered(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT("response_type=token"),
        STR_INIT(""),
        STR_INIT("response_type=code&code_challenge=x"),
        STR_INIT("response_type=code&code_challenge=x&"
                 "code_challenge_method=plain"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct url_params params;
        struct authorize got;
        assert_int_equal(url_parse_params(&a, bad[i], &params), OK);
        assert_int_equal(authorize_read(&params, &got, NULL), ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_goes_behind_what_the_url_has),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(only_code_and_s256_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
