#include "oauth/grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "crypto/jwt.h"

static void a_public_client_names_itself_in_the_body(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct grant_client client = { .client_id = STR("me") };
    struct grant_ask ask = { .client = &client,
                             .code = STR("c+1"),
                             .redirect_uri = STR("https://us.test/cb"),
                             .verifier = STR("v") };
    struct str body, authorization;
    assert_int_equal(grant_request(&a, &ask, &body, &authorization, NULL), OK);
    assert_true(str_eq(body, STR("grant_type=authorization_code&code=c%2B1&"
                                 "redirect_uri=https%3A%2F%2Fus.test%2Fcb&"
                                 "code_verifier=v&client_id=me")));
    assert_int_equal(authorization.n, 0);
}

static void basic_escapes_id_and_secret_before_base64(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    AUTO_SECRET secret = { 0 };
    assert_int_equal(secret_init(&secret, STR("p:w d")), OK);
    struct grant_client client = { .client_id = STR("a:b"),
                                   .client_secret = &secret,
                                   .auth = GRANT_BASIC };
    struct grant_ask ask = { .client = &client,
                             .refresh_token = STR("r"),
                             .scope = STR("openid") };
    struct str body, authorization;
    assert_int_equal(grant_request(&a, &ask, &body, &authorization, NULL), OK);
    assert_true(str_eq(
        body, STR("grant_type=refresh_token&refresh_token=r&scope=openid")));
    /* a%3Ab:p%3Aw%20d */
    assert_true(str_eq(authorization, STR("Basic YSUzQWI6cCUzQXclMjBk")));

    struct url_params form;
    struct grant_asked asked;
    assert_int_equal(url_parse_params(&a, body, &form), OK);
    assert_int_equal(grant_read(&a, &form, authorization, &asked, NULL), OK);
    assert_true(str_eq(asked.client_id, STR("a:b")));
    assert_true(str_eq(asked.client_secret, STR("p:w d")));
    assert_true(str_eq(asked.refresh_token, STR("r")));
}

static void post_puts_the_secret_into_the_body(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    AUTO_SECRET secret = { 0 };
    assert_int_equal(secret_init(&secret, STR("s&s")), OK);
    struct grant_client client = { .client_id = STR("me"),
                                   .client_secret = &secret,
                                   .auth = GRANT_POST };
    struct grant_ask ask = { .client = &client, .refresh_token = STR("r") };
    struct str body, authorization;
    assert_int_equal(grant_request(&a, &ask, &body, &authorization, NULL), OK);
    assert_true(str_eq(body, STR("grant_type=refresh_token&refresh_token=r&"
                                 "client_id=me&client_secret=s%26s")));
}

static void an_assertion_is_signed_for_the_token_endpoint(void **state)
{
    (void)state;
    static const struct str algs[] = { STR_INIT("ES384"), STR_INIT("RS384") };
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA a = ARENA(1 << 20);
        struct str private_jwk, public_jwk, body, authorization, claims;
        AUTO_SECRET key = { 0 };
        assert_int_equal(jwt_new_key(&a, algs[i], &private_jwk, &public_jwk),
                         OK);
        assert_int_equal(secret_init(&key, private_jwk), OK);
        struct grant_client client = { .client_id = STR("me"),
                                       .private_jwk = &key,
                                       .auth = GRANT_JWT };
        struct grant_ask ask = { .client = &client,
                                 .token_url = STR("https://t.test/token"),
                                 .code = STR("c"),
                                 .redirect_uri = STR("https://us.test/") };
        assert_int_equal(grant_request(&a, &ask, &body, &authorization, NULL),
                         OK);
        struct url_params form;
        struct grant_asked asked;
        struct yyjson_val *v;
        assert_int_equal(url_parse_params(&a, body, &form), OK);
        assert_int_equal(grant_read(&a, &form, STR_NONE, &asked, NULL), OK);
        assert_int_equal(
            jwt_verify(&a, public_jwk, algs[i], asked.assertion, &claims, NULL),
            OK);
        assert_int_equal(json_parse(&a, claims, &v, NULL), OK);
        assert_true(str_eq(json_get_text(v, STR("iss")), STR("me")));
        assert_true(str_eq(json_get_text(v, STR("sub")), STR("me")));
        assert_true(
            str_eq(json_get_text(v, STR("aud")), STR("https://t.test/token")));
        int64_t exp = 0;
        assert_true(json_get_i64(v, STR("exp"), &exp));
        assert_true(exp <= clock_now_ms() / 1000 + 300);
        assert_true(json_get_text(v, STR("jti")).n >= 40);
    }
}

static void odd_replies_still_give_their_tokens(void **state)
{
    (void)state;
    static const struct {
        struct str json;
        int64_t seconds;
    } cases[] = {
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":3600}"), 3600 },
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":\"570\"}"), 570 },
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":3599.7}"), 3599 },
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":-5}"), 0 },
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":1e99}"), 0 },
        { STR_INIT("{\"access_token\":\"t\",\"expires_in\":null}"), 0 },
        { STR_INIT("{\"access_token\":\"t\",\"token_type\":\"BEARER\"}"), 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct grant_reply r;
        assert_int_equal(grant_parse(&a, 200, cases[i].json, &r, NULL), OK);
        assert_true(str_eq(r.access_token, STR("t")));
        assert_int_equal(r.expires_in, cases[i].seconds);
    }
}

static void a_whole_reply_is_read(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct grant_reply r;
    assert_int_equal(
        grant_parse(&a, 200,
                    STR("{\"access_token\":\"t\",\"refresh_token\":\"r\","
                        "\"id_token\":\"i\",\"patient\":\"p1\","
                        "\"scope\":[\"openid\",\"patient/*.read\"],"
                        "\"__epic.dstu2.patient\":\"p0\"}"),
                    &r, NULL),
        OK);
    assert_true(str_eq(r.refresh_token, STR("r")));
    assert_true(str_eq(r.id_token, STR("i")));
    assert_true(str_eq(r.patient, STR("p1")));
    assert_true(str_eq(r.scope, STR("openid patient/*.read")));
    assert_true(str_eq(r.raw_keys, STR("__epic.dstu2.patient")));
}

static void refusals_and_outages_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        int status;
        struct str json;
        enum err want;
    } cases[] = {
        { 400, STR_INIT("{\"error\":\"invalid_grant\"}"), ERR_DENIED },
        { 401, STR_INIT("{\"error\":\"invalid_client\"}"), ERR_DENIED },
        { 200, STR_INIT("{\"error\":\"invalid_grant\"}"), ERR_DENIED },
        { 400, STR_INIT("{\"message\":\"no\"}"), ERR_DENIED },
        { 503, STR_INIT("{\"error\":\"temporarily_unavailable\"}"),
          ERR_UPSTREAM },
        { 400, STR_INIT("{\"error\":\"server_error\"}"), ERR_UPSTREAM },
        { 429, STR_INIT("{}"), ERR_UPSTREAM },
        { 200, STR_INIT("{}"), ERR_UPSTREAM },
        { 200, STR_INIT("<html>sign in</html>"), ERR_UPSTREAM },
        { 200, STR_INIT(""), ERR_UPSTREAM },
        { 200, STR_INIT("\"t\""), ERR_UPSTREAM },
        { 200, STR_INIT("{\"access_token\":7}"), OK },
        { 200, STR_INIT("{\"access_token\":{}}"), ERR_UPSTREAM },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct grant_reply r = { 0 };
        assert_int_equal(
            grant_parse(&a, cases[i].status, cases[i].json, &r, NULL),
            cases[i].want);
    }
}

static void broken_basic_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct url_params form = { 0 };
    struct grant_asked asked;
    assert_int_equal(grant_read(&a, &form, STR("Basic !!!"), &asked, NULL),
                     ERR_FORMAT);
    assert_int_equal(grant_read(&a, &form, STR("Basic YWJj"), &asked, NULL),
                     ERR_FORMAT);
    assert_int_equal(grant_read(&a, &form, STR_NONE, &asked, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_public_client_names_itself_in_the_body),
        cmocka_unit_test(basic_escapes_id_and_secret_before_base64),
        cmocka_unit_test(post_puts_the_secret_into_the_body),
        cmocka_unit_test(an_assertion_is_signed_for_the_token_endpoint),
        cmocka_unit_test(odd_replies_still_give_their_tokens),
        cmocka_unit_test(a_whole_reply_is_read),
        cmocka_unit_test(refusals_and_outages_are_told_apart),
        cmocka_unit_test(broken_basic_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
