#include "api/connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/testing.h"
#include "audit/audit.h"
#include "auth/app.h"
#include "auth/token.h"
#include "auth/user.h"
#include "connect/connect.h"
#include "crypto/seal.h"
#include "db/testing.h"
#include "directory/system.h"
#include "http/client.h"
#include "vault/vault.h"

/* The health system, on the same server. */
static char base[64];

static enum err smart(struct http_request *r, struct http_response *out)
{
    (void)r;
    char text[400];
    (void)snprintf(text, sizeof text,
                   "{\"authorization_endpoint\":\"%s/authorize\","
                   "\"token_endpoint\":\"%s/token\"}",
                   base, base);
    buf_add(&out->body, str_of(text));
    return OK;
}

static enum err token(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 200, STR("application/json"),
              STR("{\"access_token\":\"at\",\"patient\":\"p1\"}"));
    return OK;
}

static enum err patient(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 200, STR("application/json"),
              STR("{\"resourceType\":\"Patient\",\"id\":\"p1\"}"));
    return OK;
}

static const struct http_route routes[] = {
    { "GET", "/connect/system/clinical/:id", connect_to_system, family_connect,
      HTTP_POOLED, "a" },
    { "POST", "/connect/system/clinical/:id", connect_to_system, family_connect,
      HTTP_POOLED, "b" },
    { "GET", "/api/clinical/:id", connect_to_system, family_json, HTTP_POOLED,
      "c" },
    { "GET", "/connect/callback", connect_callback, family_connect, HTTP_POOLED,
      "d" },
    { "GET", "/r4/.well-known/smart-configuration", smart, family_json, 0,
      "e" },
    { "POST", "/token", token, family_json, 0, "f" },
    { "GET", "/r4/Patient/:id", patient, family_json, 0, "g" },
};

static struct made {
    struct db_test t;
    struct arena a;
    struct services s;
    struct api_test http;
    struct seal *seal;
    struct http_gate *gate;
    char token[80], client_id[80];
} m;

/* In place of audit/: what the feed was told. */
static int noted;

enum err audit_record_step(struct audit *a, const struct audit_step *step)
{
    (void)a;
    assert_true(step->step.n > 0);
    noted++;
    return OK;
}

struct put {
    struct system *system;
    int64_t id;
};

static enum err do_put(struct db_session *s, void *context)
{
    struct put *put = context;
    return system_put(s, put->system, &put->id, NULL);
}

static void put_systems(void)
{
    char url[100];
    (void)snprintf(url, sizeof url, "%s/r4", base);
    struct system s = {
        .id = 4707,
        .name = STR("Test <Hospital>"),
        .kind = STR("health_system"),
        .vendor = STR("cerner"),
        .status = STR("connection_working"),
        .source = STR("test"),
        .endpoints = { { .fhir_version = STR("R4"), .base_url = str_of(url) } },
        .endpoint_count = 1,
    };
    struct put p = { &s, 0 };
    AUTO_CLIENT client = { .client_id = STR("up-id"), .auth = STR("") };
    assert_int_equal(db_write(m.t.db, do_put, &p), OK);
    assert_int_equal(vault_client_put(m.s.vault, STR("cerner"), 4707, &client),
                     OK);
    s.id = 4708; /* a system without credentials */
    s.name = STR("Not <yet>");
    s.vendor = STR("epic");
    assert_int_equal(db_write(m.t.db, do_put, &p), OK);
}

static void make_app(void)
{
    static const struct str uris[] = { STR_INIT("https://app.test/back"),
                                       STR_INIT("https://app.test/other?q=1") };
    struct app app;
    struct user user;
    struct token_pair pair;
    struct str code;
    AUTO_SECRET secret = { 0 };
    assert_int_equal(
        app_create(m.t.db, STR("An app"), uris, 2, &m.a, &app, &secret, NULL),
        OK);
    assert_int_equal(
        user_create(m.t.db, app.id, STR("alice"), true, &m.a, &user), OK);
    assert_int_equal(token_code_create(m.s.tokens, app.id, user.id,
                                       STR("user/*.*"), &m.a, &code),
                     OK);
    assert_int_equal(token_code_redeem(m.s.tokens, app.id, code, &m.a, &pair),
                     OK);
    (void)snprintf(m.token, sizeof m.token, "%.*s", (int)pair.access.n,
                   pair.access.p);
    (void)snprintf(m.client_id, sizeof m.client_id, "%.*s",
                   (int)app.client_id.n, app.client_id.p);
}

static int set_up(void **state)
{
    (void)state;
    struct why w = { 0 };
    memset(&m, 0, sizeof m);
    noted = 0;
    m.t = db_test_open();
    m.a = ARENA(8 << 20);
    m.s.db = m.t.db;
    m.s.public_base = STR("http://us.test");
    assert_int_equal(tokens_new(m.t.db, &m.s.tokens), OK);
    assert_int_equal(
        seal_new(STR("0123456789abcdef0123456789abcdef"), &m.seal, &w), OK);
    assert_int_equal(vault_new(m.t.db, m.seal, &m.s.vault), OK);
    assert_int_equal(http_gate_new(STR("*:*"), &m.gate, &w), OK);
    assert_int_equal(
        http_client_start(&(struct http_client_options){ .gate = m.gate },
                          &m.s.client, &w),
        OK);
    struct connect_options o = {
        .db = m.t.db,
        .client = m.s.client,
        .vault = m.s.vault,
        .seal = m.seal,
        .audit = (struct audit *)&m, /* not looked into */
        .callback_url = STR("http://us.test/connect/callback"),
    };
    assert_int_equal(connect_new(&o, &m.s.connect, &w), OK);
    m.http = api_test_start(routes, sizeof routes / sizeof routes[0], &m.s);
    (void)snprintf(base, sizeof base, "http://127.0.0.1:%d",
                   (int)http_server_port(m.http.server));
    make_app();
    put_systems();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    api_test_stop(&m.http);
    connect_free(m.s.connect);
    http_client_stop(m.s.client);
    http_gate_free(m.gate);
    vault_free(m.s.vault);
    seal_free(m.seal);
    tokens_free(m.s.tokens);
    arena_fini(&m.a);
    db_test_close(&m.t);
    return 0;
}

/* target with TOKEN and STATE put in */
static struct api_answer get(const char *target, const char *headers,
                             const char *token_text, const char *state_text)
{
    static char url[2000];
    size_t n = 0;
    while (*target != '\0' && n < sizeof url - 200) {
        const char *in = NULL;
        if (strncmp(target, "TOKEN", 5) == 0)
            in = token_text;
        else if (strncmp(target, "STATE", 5) == 0)
            in = state_text;
        if (in == NULL)
            url[n++] = *target++;
        else {
            n += (size_t)snprintf(url + n, 200, "%s", in);
            target += 5;
        }
    }
    url[n] = '\0';
    return api_call(&m.http, "GET", url, headers, "");
}

/* What stands behind `name` in text up to one of the ends. */
static const char *part(const char *text, const char *name, const char *ends)
{
    static char value[4][300];
    static int next;
    const char *at = strstr(text, name);
    assert_non_null(at);
    at += strlen(name);
    next = (next + 1) % 4;
    (void)snprintf(value[next], sizeof value[0], "%.*s", (int)strcspn(at, ends),
                   at);
    return value[next];
}

#define START   "/connect/system/clinical/4707?access_token=TOKEN"
#define BROWSER "Accept: text/html,*/*\r\n"

static void a_program_is_sent_out_and_back(void **state)
{
    (void)state;
    struct api_answer a = get(START "&state=mine", "", m.token, "");
    assert_int_equal(a.status, 302);
    assert_null(strstr(a.head, "Set-Cookie"));
    assert_non_null(strstr(a.head, "/authorize?response_type=code&"
                                   "client_id=up-id&"));
    const char *st = part(a.head, "&state=", "&\r");
    a = get("/connect/callback?code=c&state=STATE", "", "", st);
    assert_int_equal(a.status, 302);
    assert_non_null(strstr(a.head, "Location: https://app.test/back?"
                                   "success=true&state=mine&system_id=4707\r"));
    assert_int_equal(noted, 2);
    a = get("/connect/callback?code=c&state=STATE", "", "", st);
    assert_int_equal(a.status, 400);
}

static void denying_comes_back_to_the_app(void **state)
{
    (void)state;
    struct api_answer a = get(START, "", m.token, "");
    const char *st = part(a.head, "&state=", "&\r");
    a = get("/connect/callback?error=access_denied&state=STATE", "", "", st);
    assert_int_equal(a.status, 302);
    assert_non_null(strstr(a.head, "https://app.test/back?success=false&"
                                   "error=access_denied&"));
}

static void a_browser_is_bound_by_its_cookie(void **state)
{
    (void)state;
    struct api_answer a = get(START, BROWSER, m.token, "");
    char cookie[200];
    (void)snprintf(cookie, sizeof cookie, "Cookie: %s\r\n" BROWSER,
                   part(a.head, "Set-Cookie: ", ";"));
    assert_non_null(strstr(a.head, "HttpOnly; SameSite=Lax"));
    const char *st = part(a.head, "&state=", "&\r");
    a = get("/connect/callback?code=c&state=STATE", BROWSER, "", st);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.head, "text/html"));
    a = get("/connect/callback?code=c&state=STATE", cookie, "", st);
    assert_int_equal(a.status, 302);
    assert_non_null(strstr(a.head, "success=true"));
}

static void a_scanner_does_not_use_the_state_up(void **state)
{
    (void)state;
    struct api_answer a = get(START, "", m.token, "");
    const char *st = part(a.head, "&state=", "&\r");
    char target[200];
    (void)snprintf(target, sizeof target, "/connect/callback?code=c&state=%s",
                   st);
    a = api_call(&m.http, "HEAD", target, "", "");
    assert_int_equal(a.status, 200);
    a = api_call(&m.http, "GET", target, "", "");
    assert_int_equal(a.status, 302);
}

static void an_app_may_ask_for_the_url_as_json(void **state)
{
    (void)state;
    char headers[300];
    (void)snprintf(headers, sizeof headers,
                   "Authorization: Bearer %s\r\nX-Client-Id: %s\r\n" BROWSER,
                   m.token, m.client_id);
    struct api_answer a = get(
        "/api/clinical/4707?sendRedirectUrlAsResponse=true", headers, "", "");
    assert_int_equal(a.status, 200);
    assert_null(strstr(a.head, "Set-Cookie"));
    assert_non_null(strstr(a.body, "{\"system_id\":\"4707\",\"system_name\":"
                                   "\"Test <Hospital>\","
                                   "\"authorization_url\":\"http://127."));
    a = get("/api/clinical/4707", headers, "", "");
    assert_int_equal(a.status, 302);
}

static void a_form_may_carry_the_token(void **state)
{
    (void)state;
    char body[200];
    (void)snprintf(body, sizeof body, "access_token=%s&client_id=%s&state=s",
                   m.token, m.client_id);
    struct api_answer a =
        api_call(&m.http, "POST", "/connect/system/clinical/4707",
                 "Content-Type: application/x-www-form-urlencoded\r\n", body);
    assert_int_equal(a.status, 302);
}

static void the_person_goes_back_to_registered_uris_only(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "https://evil.test/",
        "https://app.test/back/",
        "https://app.test/back%23x",
        "https://app.test@evil.test/back",
        "https://app.test.evil.test/back",
        "//app.test/back",
        "https:%5C%5Capp.test/back",
        "javascript:alert(1)",
        "http://app.test/back",
        "https://app.test:444/back",
        "https://app.test/back%0d%0aX:1",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char target[400];
        (void)snprintf(target, sizeof target, START "&redirect_uri=%s", bad[i]);
        struct api_answer a = get(target, "", m.token, "");
        const char *st = part(a.head, "&state=", "&\r");
        a = get("/connect/callback?code=c&state=STATE&redirect_uri="
                "https://evil.test",
                "", "", st);
        assert_non_null(
            strstr(a.head, "Location: https://app.test/back?success=true&"));
    }
    struct api_answer a = get(
        START "&redirect_uri=https://app.test/other?q%3D1", "", m.token, "");
    const char *st = part(a.head, "&state=", "&\r");
    a = get("/connect/callback?code=c&state=STATE", "", "", st);
    assert_non_null(
        strstr(a.head, "Location: https://app.test/other?q=1&success=true&"));
}

static void refusals_are_json_or_a_page_by_accept(void **state)
{
    (void)state;
    struct api_answer a = get(START, "", "bad", "");
    assert_int_equal(a.status, 401);
    assert_string_equal(a.body, "{\"message\":\"Unauthorized\"}");
    a = get(START, BROWSER, "bad", "");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "expired"));
    a = get("/connect/system/clinical/99?access_token=TOKEN", "", m.token, "");
    assert_int_equal(a.status, 404);
    assert_non_null(strstr(a.body, "\"success\":false"));
    a = get("/connect/system/clinical/4708?access_token=TOKEN", BROWSER,
            m.token, "");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "Not &lt;yet&gt;"));
    a = get("/connect/system/clinical/4407?access_token=TOKEN", "", m.token,
            "");
    assert_int_equal(a.status, 302);
    a = get(START "&fhirVersion=stu3", "", m.token, "");
    assert_int_equal(a.status, 400);
    a = get(START "&client_id=0123", "", m.token, "");
    assert_int_equal(a.status, 401);
    a = get("/connect/callback", "", "", "");
    assert_int_equal(a.status, 400);
}

static void an_address_that_is_not_allowed_is_the_operators_case(void **state)
{
    (void)state;
    struct why w = { 0 };
    struct http_gate *closed = NULL;
    struct http_client *client = NULL;
    struct connect *open_connect = m.s.connect, *shut = NULL;
    assert_int_equal(http_gate_new(STR(""), &closed, &w), OK);
    assert_int_equal(
        http_client_start(&(struct http_client_options){ .gate = closed },
                          &client, &w),
        OK);
    struct connect_options o = { .db = m.t.db,
                                 .client = client,
                                 .vault = m.s.vault,
                                 .seal = m.seal,
                                 .callback_url = STR("http://us.test/cb") };
    assert_int_equal(connect_new(&o, &shut, &w), OK);
    m.s.connect = shut;
    struct api_answer a = get(START, "", m.token, "");
    assert_int_equal(a.status, 502);
    assert_non_null(strstr(a.body, "operator has to allow"));
    m.s.connect = open_connect;
    connect_free(shut);
    http_client_stop(client);
    http_gate_free(closed);
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_is_sent_out_and_back),
        TEST(denying_comes_back_to_the_app),
        TEST(a_browser_is_bound_by_its_cookie),
        TEST(a_scanner_does_not_use_the_state_up),
        TEST(an_app_may_ask_for_the_url_as_json),
        TEST(a_form_may_carry_the_token),
        TEST(the_person_goes_back_to_registered_uris_only),
        TEST(refusals_are_json_or_a_page_by_accept),
        TEST(an_address_that_is_not_allowed_is_the_operators_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
