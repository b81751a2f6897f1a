/* The whole flow against a health system that the test plays itself. */
#include "connect/testing.h"

static void a_person_goes_out_and_comes_back_connected(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("")));
    struct str base = arena_cat(&w.a, str_of(up.base), STR("/fhir"));
    assert_true(str_eq(url_param(&p, STR("t")), STR("1")));
    assert_true(str_eq(url_param(&p, STR("client_id")), STR("our-id")));
    assert_true(str_eq(url_param(&p, STR("redirect_uri")),
                       STR("https://us.test/connect/callback")));
    assert_true(str_eq(url_param(&p, STR("aud")), base));
    assert_int_equal(url_param(&p, STR("state")).n, 40);

    struct connect_result r = finish(url_param(&p, STR("state")), STR(""));
    assert_true(r.is_connected);
    assert_true(
        str_eq(r.redirect_url, STR("https://app.test/back?keep=1&success=true&"
                                   "state=a%26b%3Dc&system_id=4706")));
    assert_int_equal(kept, 1);
    assert_int_equal(jobs(), 1);
    assert_string_equal(steps, "system-selected=0 member-authorization=0 ");

    struct url_params form;
    assert_int_equal(url_parse_params(&w.a, str_of(up.last_form), &form), OK);
    assert_true(pkce_holds(&w.a, url_param(&form, STR("code_verifier")),
                           url_param(&p, STR("code_challenge"))));
    assert_true(str_eq(url_param(&form, STR("code")), STR("code1")));

    struct connection *all;
    size_t n;
    assert_int_equal(connection_list(w.db, 251, &w.a, &all, &n), OK);
    assert_int_equal(n, 1);
    assert_true(str_eq(all[0].patient_id, STR("p1")));
    assert_true(str_eq(all[0].local_patient, STR("local-R4")));
    assert_true(str_eq(all[0].status, STR("active")));
    assert_true(str_eq(all[0].scope, STR("patient/*.read")));
    assert_true(str_eq(all[0].base_url, base));
}

static void a_state_is_good_once(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("")));
    (void)finish(url_param(&p, STR("state")), STR(""));
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .code = STR("code1") };
    struct connect_result result;
    struct why why = { 0 };
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, &why),
                     ERR_NOT_FOUND);
    answer.state = STR("0123456789012345678901234567890123456789");
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, &why),
                     ERR_NOT_FOUND);
    answer.state = STR("");
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, &why),
                     ERR_NOT_FOUND);
    assert_int_equal(up.tokens, 1);
}

static void a_state_is_good_for_half_an_hour(void **state)
{
    (void)state;
    clock_freeze(1800000000000);
    struct url_params p = start(ask_of(STR("")));
    clock_advance(CONNECT_STATE_MS + 1);
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .code = STR("code1") };
    struct connect_result result;
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(up.tokens, 0);
}

static void another_browser_gets_nothing_and_spoils_nothing(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("cookie-1")));
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .code = STR("code1"),
                                     .browser = STR("cookie-2") };
    struct connect_result result;
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     ERR_DENIED);
    answer.browser = STR("");
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     ERR_DENIED);
    assert_true(finish(answer.state, STR("cookie-1")).is_connected);
}

static void an_answer_from_another_issuer_gets_no_code_sent(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("")));
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .code = STR("code1"),
                                     .iss = STR("https://evil.test") };
    struct connect_result result;
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     OK);
    assert_false(result.is_connected);
    assert_int_equal(up.tokens, 0);
}

static void denying_goes_back_with_access_denied(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("")));
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .error = STR("access_denied"),
                                     .error_description =
                                         STR("<script>x</script>") };
    struct connect_result result;
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     OK);
    assert_false(result.is_connected);
    assert_true(str_starts(result.redirect_url,
                           STR("https://app.test/back?keep=1&success=false&"
                               "error=access_denied&error_description=")));
    assert_int_equal(str_search(result.redirect_url, STR("%3C")),
                     result.redirect_url.n);
    assert_int_equal(jobs(), 0);
    assert_string_equal(steps, "system-selected=0 member-authorization=8 ");
}

static void refused_scopes_are_asked_for_once_more_in_another_way(void **state)
{
    (void)state;
    struct url_params p = start(ask_of(STR("cookie-1")));
    struct connect_answer answer = { .state = url_param(&p, STR("state")),
                                     .error = STR("invalid_scope"),
                                     .browser = STR("cookie-1") };
    struct connect_result result;
    struct url url;
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     OK);
    assert_false(result.is_connected);
    assert_true(str_starts(result.redirect_url, str_of(up.base)));
    assert_int_equal(url_parse(result.redirect_url, &url), OK);
    assert_int_equal(url_parse_params(&w.a, url.query, &p), OK);
    assert_true(str_eq(url_param(&p, STR("scope")),
                       STR("openid fhirUser launch/patient offline_access "
                           "patient/*.read")));
    answer.state = url_param(&p, STR("state"));
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     OK);
    assert_true(str_starts(result.redirect_url,
                           STR("https://app.test/back?keep=1&success=false&"
                               "error=invalid_scope&")));
    p = start(ask_of(STR("cookie-1")));
    answer.state = url_param(&p, STR("state"));
    assert_int_equal(connect_finish(w.connect, &answer, &w.a, &result, NULL),
                     OK);
    assert_int_equal(url_parse(result.redirect_url, &url), OK);
    assert_int_equal(url_parse_params(&w.a, url.query, &p), OK);
    assert_true(
        finish(url_param(&p, STR("state")), STR("cookie-1")).is_connected);
}

static void the_systems_faults_become_our_codes(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        int status;
        const char *want;
    } cases[] = {
        { "{\"error\":\"invalid_grant\"}", 400, "error=code_rejected&" },
        { "{\"error\":\"invalid_client\"}", 401, "error=client_rejected&" },
        { "<html>", 200, "error=server_error&" },
        { "", 500, "error=server_error&" },
        { "{\"access_token\":\"at1\"}", 200, "error=patient_not_found&" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        up.token_reply = cases[i].reply;
        up.token_status = cases[i].status;
        struct connect_result r = connect_once();
        assert_false(r.is_connected);
        struct str want = str_of(cases[i].want);
        assert_true(str_search(r.redirect_url, want) < r.redirect_url.n);
    }
    assert_int_equal(jobs(), 0);
    assert_int_equal(kept, 0);
}

/* {"sub":..} as a token that nobody signed: base64url of header and claims. */
static const char *unsigned_jwt(const char *claims)
{
    static char token[2000], reply[4000];
    struct str body = base64url_encode(&w.a, str_of(claims));
    snprintf(token, sizeof token, "eyJhbGciOiJub25lIn0.%.*s.AA", (int)body.n,
             body.p);
    snprintf(reply, sizeof reply,
             "{\"access_token\":\"at1\",\"id_token\":\"%s\"}", token);
    return reply;
}

static void expect_patient(const char *reply, const char *id)
{
    up.token_reply = reply;
    struct connect_result r = connect_once();
    assert_true(r.is_connected);
    assert_true(str_eq(r.connection.patient_id, str_of(id)));
}

static void the_patient_is_found_in_every_place(void **state)
{
    (void)state;
    expect_patient("{\"access_token\":\"at1\",\"patient\":\"Patient/p7\"}",
                   "p7");
    expect_patient(unsigned_jwt("{\"aud\":\"our-id\",\"fhirUser\":"
                                "\"https://x.test/r4/Patient/p2\"}"),
                   "p2");
    expect_patient(unsigned_jwt("{\"aud\":[\"our-id\"],\"profile\":"
                                "\"Patient/p3\"}"),
                   "p3");
    up.patients = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{"
                  "\"resourceType\":\"OperationOutcome\"}},{\"resource\":{"
                  "\"resourceType\":\"Patient\",\"id\":\"p4\"}}]}";
    expect_patient("{\"access_token\":\"at1\"}", "p4");
    /* not ours, another kind of person: then the search decides */
    expect_patient(
        unsigned_jwt("{\"aud\":\"other\",\"fhirUser\":\"Patient/px\"}"), "p4");
    expect_patient(
        unsigned_jwt("{\"aud\":\"our-id\",\"fhirUser\":\"RelatedPerson/r\"}"),
        "p4");
    up.patients = NULL;
    up.has_me = true;
    expect_patient("{\"access_token\":\"at1\"}", "pm");
}

static void several_people_are_not_guessed_among(void **state)
{
    (void)state;
    up.token_reply = "{\"access_token\":\"at1\"}";
    up.patients = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{"
                  "\"resourceType\":\"Patient\",\"id\":\"a\"}},{\"resource\":{"
                  "\"resourceType\":\"Patient\",\"id\":\"b\"}}]}";
    struct connect_result r = connect_once();
    assert_false(r.is_connected);
    assert_true(str_eq(r.error, STR("ambiguous_patient")));
}

static void withheld_demographics_do_not_stop_the_rest(void **state)
{
    (void)state;
    up.has_patient = false;
    struct connect_result r = connect_once();
    assert_true(r.is_connected);
    assert_int_equal(kept, 0);
    assert_int_equal(jobs(), 1);
}

static void connecting_again_keeps_the_connection(void **state)
{
    (void)state;
    int64_t first = connect_once().connection.id;
    int64_t second = connect_once().connection.id;
    assert_int_equal(first, second);
    assert_int_equal(jobs(), 1);
    up.token_reply = "{\"access_token\":\"at1\",\"patient\":\"p2\"}";
    assert_int_not_equal(connect_once().connection.id, first);
}

static void without_a_wish_both_releases_are_connected(void **state)
{
    (void)state;
    put_system(true);
    struct connect_ask ask = ask_of(STR(""));
    ask.fhir_version = STR("");
    struct url_params p = start(ask);
    struct connect_result r = finish(url_param(&p, STR("state")), STR(""));
    assert_true(str_eq(r.connection.fhir_version, STR("R4")));
    assert_int_equal(kept, 2);
    assert_int_equal(jobs(), 2);
    struct connection *all;
    size_t n;
    assert_int_equal(connection_list(w.db, 251, &w.a, &all, &n), OK);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < 2; i++) {
        AUTO_SECRET secret = { 0 };
        assert_int_equal(
            connect_access_token(w.connect, &all[i], false, &secret, NULL), OK);
        assert_true(str_eq(secret_reveal(&secret), STR("at1")));
    }
}

static void what_cannot_be_is_said_before_the_person_leaves(void **state)
{
    (void)state;
    struct connect_ask ask = ask_of(STR(""));
    struct str url;
    struct why why = { 0 };
    ask.system_id = 1;
    assert_int_equal(connect_start(w.connect, &ask, &w.a, &url, &why),
                     ERR_NOT_FOUND);
    ask.system_id = 4706;
    ask.fhir_version = STR("stu3");
    assert_int_equal(connect_start(w.connect, &ask, &w.a, &url, &why),
                     ERR_UNSUPPORTED);
    struct system other = { .id = 9, .vendor = STR("epic") };
    assert_false(connect_is_configured(w.connect, &other, &w.a));
    other = (struct system){ .id = 4706, .vendor = STR("default") };
    assert_true(connect_is_configured(w.connect, &other, &w.a));
}

static void discovery_is_asked_once_and_falls_back_to_metadata(void **state)
{
    (void)state;
    (void)connect_once();
    (void)connect_once();
    assert_int_equal(up.discoveries, 1);
    clock_freeze(clock_now_ms() + 2 * 3600 * 1000);
    up.hides_smart = true;
    (void)connect_once();
    assert_int_equal(up.discoveries, 2);
    (void)connect_once();
    assert_int_equal(up.discoveries, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_person_goes_out_and_comes_back_connected),
        TEST(a_state_is_good_once),
        TEST(a_state_is_good_for_half_an_hour),
        TEST(another_browser_gets_nothing_and_spoils_nothing),
        TEST(an_answer_from_another_issuer_gets_no_code_sent),
        TEST(denying_goes_back_with_access_denied),
        TEST(refused_scopes_are_asked_for_once_more_in_another_way),
        TEST(the_systems_faults_become_our_codes),
        TEST(the_patient_is_found_in_every_place),
        TEST(several_people_are_not_guessed_among),
        TEST(withheld_demographics_do_not_stop_the_rest),
        TEST(connecting_again_keeps_the_connection),
        TEST(without_a_wish_both_releases_are_connected),
        TEST(what_cannot_be_is_said_before_the_person_leaves),
        TEST(discovery_is_asked_once_and_falls_back_to_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
