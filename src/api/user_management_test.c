#include "api/user_management.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/testing.h"
#include "api/token.h"
#include "audit/audit.h"
#include "auth/app.h"
#include "auth/rate.h"
#include "auth/token.h"
#include "auth/user.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "db/testing.h"

#define NOW    INT64_C(1800000000000)
#define UM     "/user-management/v1/user"
#define CODE   "/user-management/v1/user/auth-code"
#define JSON   "Content-Type: application/json\r\n"
#define FORM   "Content-Type: application/x-www-form-urlencoded\r\n"
#define EXISTS "{\"success\":false,\"error\":\"this user already exists\"}"
#define ABSENT "{\"success\":false,\"error\":\"this user does not exist\"}"
#define WANTED "{\"success\":false,\"error\":\"app_user_id is required\"}"
#define WHO    "{\"message\":\"Unauthorized\"}"

/* The rows of routes.c that are tested here. */
static const struct http_route routes[] = {
    { "POST", UM, user_management_create, family_um, HTTP_POOLED, "a" },
    { "GET", UM, user_management_list, family_um, 0, "b" },
    { "PUT", UM, user_management_update, family_um, HTTP_POOLED, "c" },
    { "POST", CODE, user_management_auth_code, family_um, HTTP_POOLED, "d" },
    { "POST", "/fhir/oauth2/token", oauth_token, family_oauth,
      HTTP_POOLED | HTTP_NO_STORE, "e" },
    { "POST", "/oauth2/token", oauth_token, family_oauth, HTTP_POOLED, "f" },
    { "GET", "/oauth2/token", oauth_token_not_get, family_oauth, 0, "g" },
};

struct made {
    struct db_test t;
    struct arena a;
    struct services s;
    struct api_test http;
    struct app app;
    char id[40], secret[40];
    char keys[120];    /* client_id=...&client_secret=... */
    char headers[160]; /* the same as headers */
};

static void new_app(struct made *m, struct app *out, char *id, char *secret)
{
    AUTO_SECRET key = { 0 };
    assert_int_equal(
        app_create(m->t.db, STR("An app"), NULL, 0, &m->a, out, &key, NULL),
        OK);
    (void)snprintf(id, 40, "%s", arena_cstr(&m->a, out->client_id));
    (void)snprintf(secret, 40, "%s", arena_cstr(&m->a, secret_reveal(&key)));
}

static void set_up(struct made *m)
{
    clock_freeze(NOW);
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)64 * 1024 * 1024);
    m->s.db = m->t.db;
    assert_int_equal(tokens_new(m->t.db, &m->s.tokens), OK);
    assert_int_equal(rate_new(5, 300, 1000, &m->s.um_rate), OK);
    assert_int_equal(rate_new(60, 60, 1000, &m->s.failure_rate), OK);
    new_app(m, &m->app, m->id, m->secret);
    (void)snprintf(m->keys, sizeof m->keys, "client_id=%s&client_secret=%s",
                   m->id, m->secret);
    (void)snprintf(m->headers, sizeof m->headers,
                   "client_id: %s\r\nclient_secret: %s\r\n", m->id, m->secret);
    m->http = api_test_start(routes, sizeof routes / sizeof routes[0], &m->s);
}

static void tear_down(struct made *m)
{
    api_test_stop(&m->http);
    tokens_free(m->s.tokens);
    rate_free(m->s.um_rate);
    rate_free(m->s.failure_rate);
    arena_fini(&m->a);
    db_test_close(&m->t);
    clock_release();
}

/* A call with the keys in the query, after query; no body. */
static struct api_answer call(struct made *m, const char *method,
                              const char *path, const char *query)
{
    char target[1000];
    (void)snprintf(target, sizeof target, "%s?%s&%s", path, query, m->keys);
    return api_call(&m->http, method, target, "", "");
}

static struct yyjson_val *parse(struct made *m, const struct api_answer *a)
{
    struct yyjson_val *root = NULL;
    assert_int_equal(
        json_parse(&m->a, arena_str(&m->a, str_of(a->body)), &root, NULL), OK);
    return root;
}

static void assert_answer(const struct api_answer *a, int status,
                          const char *body)
{
    assert_string_equal(a->body, body);
    assert_int_equal(a->status, status);
}

static struct str text_of(struct yyjson_val *root, const char *key)
{
    return json_get_text(root, str_of(key));
}

/* --- 4.1 ----------------------------------------------------------------- */

static void creating_answers_in_the_contracts_shape(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = call(&m, "POST", UM, "app_user_id=alice@x.org");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "application/json"));
    struct yyjson_val *root = parse(&m, &a);
    assert_true(json_true(json_get(root, STR("success"))));
    assert_int_equal(text_of(root, "code").n, 32);
    assert_true(json_is_number(json_get(root, STR("oneup_user_id"))));
    assert_true(str_eq(text_of(root, "app_user_id"), STR("alice@x.org")));
    assert_true(json_true(json_get(root, STR("active"))));
    assert_int_equal(json_count(root), 5);
    a = call(&m, "POST", UM, "app_user_id=alice@x.org");
    assert_answer(&a, 400, EXISTS);
    tear_down(&m);
}

static void keys_and_names_may_stand_anywhere(void **state)
{
    (void)state;
    struct made m;
    char body[400];
    char target[400];
    set_up(&m);
    /* form body */
    (void)snprintf(body, sizeof body, "%s&app_user_id=form", m.keys);
    assert_int_equal(api_call(&m.http, "POST", UM, FORM, body).status, 200);
    /* form body without a type */
    (void)snprintf(body, sizeof body, "%s&app_user_id=sniffed", m.keys);
    assert_int_equal(api_call(&m.http, "POST", UM, "", body).status, 200);
    /* JSON body, with and without its type */
    (void)snprintf(body, sizeof body,
                   "{\"client_id\":\"%s\",\"client_secret\":\"%s\","
                   "\"app_user_id\":\"json\"}",
                   m.id, m.secret);
    assert_int_equal(api_call(&m.http, "POST", UM, JSON, body).status, 200);
    assert_int_equal(api_call(&m.http, "POST", UM, "", body).status, 400);
    /* JSON number as a name */
    (void)snprintf(body, sizeof body,
                   "{\"client_id\":\"%s\",\"client_secret\":\"%s\","
                   "\"app_user_id\":17,\"active\":false}",
                   m.id, m.secret);
    struct api_answer a = api_call(&m.http, "POST", UM, JSON, body);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"app_user_id\":\"17\",\"active\":false"));
    /* headers with underscores, name in the query */
    assert_int_equal(
        api_call(&m.http, "POST", UM "?app_user_id=headers", m.headers, "")
            .status,
        200);
    /* query only, with the type of JSON and no body */
    (void)snprintf(target, sizeof target, UM "?%s&app_user_id=query", m.keys);
    assert_int_equal(api_call(&m.http, "POST", target, JSON, "").status, 200);
    /* names with an HTML entity before them */
    (void)snprintf(target, sizeof target,
                   UM "?client_id=%s&amp;client_secret=%s&amp;app_user_id=amp",
                   m.id, m.secret);
    assert_int_equal(api_call(&m.http, "POST", target, "", "").status, 200);
    /* GET with a form body */
    (void)snprintf(body, sizeof body, "%s&app_user_id=amp", m.keys);
    a = api_call(&m.http, "GET", UM, FORM, body);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"app_user_id\":\"amp\""));
    tear_down(&m);
}

static void the_body_wins_over_the_query(void **state)
{
    (void)state;
    struct made m;
    char target[300];
    set_up(&m);
    (void)snprintf(target, sizeof target, UM "?%s&app_user_id=query", m.keys);
    struct api_answer a =
        api_call(&m.http, "POST", target, JSON, "{\"app_user_id\":\"body\"}");
    assert_non_null(strstr(a.body, "\"app_user_id\":\"body\""));
    tear_down(&m);
}

static void a_missing_name_or_a_bad_flag_says_so(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = call(&m, "POST", UM, "active=true");
    assert_answer(&a, 400, WANTED);
    a = call(&m, "POST", UM, "app_user_id=");
    assert_answer(&a, 400, WANTED);
    a = call(&m, "POST", UM, "app_user_id=a&active=maybe");
    assert_int_equal(a.status, 400);
    a = call(&m, "GET", UM, "app_user_id=a");
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    tear_down(&m);
}

static void wrong_keys_get_the_gateways_401(void **state)
{
    (void)state;
    struct made m;
    char target[300];
    set_up(&m);
    struct api_answer a = api_call(&m.http, "POST", UM, "", "");
    assert_answer(&a, 401, WHO);
    (void)snprintf(target, sizeof target,
                   UM "?app_user_id=a&client_id=%s&client_secret=x", m.id);
    a = api_call(&m.http, "POST", target, "", "");
    assert_answer(&a, 401, WHO);
    (void)snprintf(target, sizeof target,
                   UM "?app_user_id=a&client_id=x&client_secret=%s", m.secret);
    a = api_call(&m.http, "POST", target, "", "");
    assert_answer(&a, 401, WHO);
    tear_down(&m);
}

static void many_wrong_keys_are_slowed_and_right_ones_are_not(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = { 0 };
    for (int i = 0; i < 61; i++)
        a = api_call(&m.http, "GET", UM "?client_id=x&client_secret=y", "", "");
    assert_answer(&a, 429, "{\"message\":\"Too Many Requests\"}");
    assert_non_null(strstr(a.head, "Retry-After: 1\r\n"));
    assert_int_equal(call(&m, "GET", UM, "").status, 200);
    tear_down(&m);
}

static void the_301st_call_of_an_app_is_told_when_to_come_back(void **state)
{
    (void)state;
    struct made m;
    char target[300];
    char id[40], secret[40];
    struct app other;
    set_up(&m);
    for (int i = 0; i < 300; i++)
        assert_int_equal(call(&m, "GET", UM, "").status, 200);
    struct api_answer a = call(&m, "GET", UM, "");
    assert_answer(&a, 429, "{\"message\":\"Too Many Requests\"}");
    assert_non_null(strstr(a.head, "Retry-After: 12"));
    new_app(&m, &other, id, secret);
    (void)snprintf(target, sizeof target, UM "?client_id=%s&client_secret=%s",
                   id, secret);
    assert_int_equal(api_call(&m.http, "GET", target, "", "").status, 200);
    clock_advance(12000);
    assert_int_equal(call(&m, "GET", UM, "").status, 200);
    tear_down(&m);
}

static void a_plus_in_a_careless_url_finds_the_user(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=al%2Bx@y.org").status,
                     200);
    struct api_answer a = call(&m, "GET", UM, "app_user_id=al+x@y.org");
    assert_non_null(strstr(a.body, "\"app_user_id\":\"al+x@y.org\""));
    a = call(&m, "POST", UM, "app_user_id=al+x@y.org");
    assert_answer(&a, 400, EXISTS);
    assert_int_equal(call(&m, "POST", CODE, "app_user_id=al+x@y.org").status,
                     200);
    tear_down(&m);
}

/* --- 4.2 ----------------------------------------------------------------- */

static void the_list_has_what_the_app_has_and_pages(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = call(&m, "GET", UM, "");
    assert_answer(&a, 200, "{\"success\":true,\"entry\":[],\"total\":0}");
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 200);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=b").status, 200);
    a = call(&m, "GET", UM, "");
    assert_answer(&a, 200,
                  "{\"success\":true,\"entry\":[{\"oneup_user_id\":1,"
                  "\"app_user_id\":\"a\",\"active\":true},{\"oneup_user_id\":2,"
                  "\"app_user_id\":\"b\",\"active\":true}],\"total\":2}");
    a = call(&m, "GET", UM, "_count=1&offset=1");
    assert_answer(&a, 200,
                  "{\"success\":true,\"entry\":[{\"oneup_user_id\":2,"
                  "\"app_user_id\":\"b\",\"active\":true}],\"total\":2}");
    a = call(&m, "GET", UM, "oneup_user_id=1");
    assert_answer(&a, 200,
                  "{\"success\":true,\"entry\":[{\"oneup_user_id\":1,"
                  "\"app_user_id\":\"a\",\"active\":true}],\"total\":1}");
    a = call(&m, "GET", UM, "oneup_user_id=1&app_user_id=b");
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    a = call(&m, "GET", UM, "oneup_user_id=x");
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    a = call(&m, "GET", UM, "app_user_id=nobody");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    tear_down(&m);
}

static void another_apps_users_are_not_to_be_seen(void **state)
{
    (void)state;
    struct made m;
    struct app other;
    char id[40], secret[40];
    struct user theirs;
    set_up(&m);
    new_app(&m, &other, id, secret);
    assert_int_equal(
        user_create(m.t.db, other.id, STR("al"), true, &m.a, &theirs), OK);
    struct api_answer a = call(&m, "GET", UM, "");
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    a = call(&m, "GET", UM, "oneup_user_id=1");
    assert_non_null(strstr(a.body, "\"entry\":[]"));
    a = call(&m, "PUT", UM, "oneup_user_id=1&active=false");
    assert_answer(&a, 400, ABSENT);
    a = call(&m, "POST", CODE, "app_user_id=al");
    assert_answer(&a, 400, ABSENT);
    tear_down(&m);
}

/* --- 4.3 ----------------------------------------------------------------- */

static void updating_by_number_renames_and_by_name_upserts(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 200);
    struct api_answer a =
        call(&m, "PUT", UM, "oneup_user_id=1&app_user_id=new&active=false");
    assert_answer(&a, 200,
                  "{\"success\":true,\"oneup_user_id\":1,"
                  "\"app_user_id\":\"new\",\"active\":false}");
    a = call(&m, "PUT", UM, "oneup_user_id=1&app_id_user=newer");
    assert_answer(&a, 200,
                  "{\"success\":true,\"oneup_user_id\":1,"
                  "\"app_user_id\":\"newer\",\"active\":false}");
    a = call(&m, "PUT", UM, "oneup_user_id=77&active=false");
    assert_answer(&a, 400, ABSENT);
    a = call(&m, "PUT", UM, "active=false");
    assert_answer(&a, 400, WANTED);
    a = call(&m, "PUT", UM, "app_user_id=upserted");
    assert_int_equal(a.status, 200);
    assert_int_equal(text_of(parse(&m, &a), "code").n, 32);
    a = call(&m, "PUT", UM, "oneup_user_id=1&app_user_id=upserted");
    assert_answer(&a, 400, EXISTS);
    a = call(&m, "PUT", UM, "app_user_id=newer&active=true");
    assert_answer(&a, 200,
                  "{\"success\":true,\"oneup_user_id\":1,"
                  "\"app_user_id\":\"newer\",\"active\":true}");
    tear_down(&m);
}

/* --- tokens: 5 ----------------------------------------------------------- */

static struct str new_code(struct made *m, const char *name)
{
    char query[100];
    (void)snprintf(query, sizeof query, "app_user_id=%s", name);
    struct api_answer a = call(m, "POST", CODE, query);
    assert_int_equal(a.status, 200);
    return text_of(parse(m, &a), "code");
}

static struct api_answer redeem(struct made *m, const char *path,
                                struct str code)
{
    char query[200];
    (void)snprintf(query, sizeof query, "grant_type=authorization_code&code=%s",
                   arena_cstr(&m->a, code));
    return call(m, "POST", path, query);
}

static void a_code_becomes_tokens_and_tokens_refresh(void **state)
{
    (void)state;
    struct made m;
    char query[200];
    struct principal who;
    set_up(&m);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 200);
    struct api_answer a = redeem(&m, "/fhir/oauth2/token", new_code(&m, "a"));
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "Cache-Control: no-store"));
    struct yyjson_val *root = parse(&m, &a);
    int64_t expires;
    assert_true(str_eq(text_of(root, "token_type"), STR("bearer")));
    assert_true(str_eq(text_of(root, "scope"), STR("user/*.*")));
    assert_true(json_get_i64(root, STR("expires_in"), &expires));
    assert_int_equal(expires, 7200);
    struct str refresh = text_of(root, "refresh_token");
    assert_int_equal(refresh.n, 40);
    assert_int_equal(
        token_check(m.s.tokens, text_of(root, "access_token"), &who), OK);
    assert_int_equal(who.user_id, 1);
    (void)snprintf(query, sizeof query,
                   "grant_type=refresh_token&refresh_token=%s",
                   arena_cstr(&m.a, refresh));
    a = call(&m, "POST", "/oauth2/token", query);
    assert_int_equal(a.status, 200);
    root = parse(&m, &a);
    assert_true(str_eq(text_of(root, "token_type"), STR("Bearer")));
    assert_false(str_eq(text_of(root, "refresh_token"), refresh));
    assert_int_equal(
        token_check(m.s.tokens, text_of(root, "access_token"), &who), OK);
    tear_down(&m);
}

static void the_token_endpoint_takes_json_forms_basic_and_secret(void **state)
{
    (void)state;
    struct made m;
    char body[400];
    set_up(&m);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 200);
    (void)snprintf(body, sizeof body,
                   "{\"client_id\":\"%s\",\"client_secret\":\"%s\","
                   "\"grant_type\":\"authorization_code\",\"code\":\"%s\"}",
                   m.id, m.secret, arena_cstr(&m.a, new_code(&m, "a")));
    assert_int_equal(
        api_call(&m.http, "POST", "/oauth2/token", JSON, body).status, 200);
    (void)snprintf(body, sizeof body,
                   "client_id=%s&secret=%s&grant_type=authorization_code"
                   "&code=%s&app_user_id=unused&redirect_uri=unused",
                   m.id, m.secret, arena_cstr(&m.a, new_code(&m, "a")));
    assert_int_equal(
        api_call(&m.http, "POST", "/oauth2/token/", FORM, body).status, 200);
    char basic[200];
    AUTO_BUF pair = BUF(200);
    struct str both;
    buf_add(&pair, str_of(m.id));
    buf_add_char(&pair, ':');
    buf_add(&pair, str_of(m.secret));
    assert_int_equal(buf_view(&pair, &both), OK);
    (void)snprintf(basic, sizeof basic, "Authorization: Basic %s\r\n" FORM,
                   base64_encode(&m.a, both).p);
    (void)snprintf(body, sizeof body, "grant_type=authorization_code&code=%s",
                   arena_cstr(&m.a, new_code(&m, "a")));
    assert_int_equal(
        api_call(&m.http, "POST", "/oauth2/token", basic, body).status, 200);
    struct api_answer a =
        api_call(&m.http, "POST", "/oauth2/token", basic,
                 "grant_type=client_credentials&client_secret=another");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"error\":\"invalid_request\""));
    tear_down(&m);
}

static void an_app_gets_a_token_without_refresh(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a =
        call(&m, "POST", "/oauth2/token", "grant_type=client_credentials");
    assert_int_equal(a.status, 200);
    struct yyjson_val *root = parse(&m, &a);
    struct principal who;
    assert_null(json_get(root, STR("refresh_token")));
    assert_int_equal(
        token_check(m.s.tokens, text_of(root, "access_token"), &who), OK);
    assert_int_equal(who.user_id, 0);
    tear_down(&m);
}

static void token_errors_have_their_names(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = redeem(&m, "/oauth2/token", STR("nonsense"));
    assert_answer(&a, 400,
                  "{\"error\":\"invalid_grant\","
                  "\"error_description\":\"Invalid code\"}");
    a = call(&m, "POST", "/oauth2/token",
             "grant_type=refresh_token&refresh_token=x");
    assert_answer(&a, 400,
                  "{\"error\":\"invalid_grant\","
                  "\"error_description\":\"Invalid refresh token\"}");
    a = call(&m, "POST", "/oauth2/token", "grant_type=password");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"error\":\"unsupported_grant_type\""));
    a = call(&m, "POST", "/oauth2/token", "");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"error\":\"invalid_request\""));
    a = call(&m, "POST", "/oauth2/token", "grant_type=authorization_code");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"error\":\"invalid_request\""));
    a = api_call(&m.http, "POST", "/oauth2/token", FORM,
                 "grant_type=authorization_code&client_id=x&client_secret=y");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "\"error\":\"invalid_client\""));
    assert_non_null(strstr(a.head, "WWW-Authenticate: Basic"));
    a = api_call(&m.http, "GET", "/oauth2/token", "", "");
    assert_int_equal(a.status, 405);
    tear_down(&m);
}

static void an_inactive_user_gets_no_code_and_his_tokens_stop(void **state)
{
    (void)state;
    struct made m;
    struct principal who;
    set_up(&m);
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 200);
    struct str code = new_code(&m, "a");
    struct api_answer a = redeem(&m, "/oauth2/token", new_code(&m, "a"));
    struct str access = text_of(parse(&m, &a), "access_token");
    assert_int_equal(token_check(m.s.tokens, access, &who), OK);
    assert_int_equal(call(&m, "PUT", UM, "oneup_user_id=1&active=false").status,
                     200);
    assert_int_equal(token_check(m.s.tokens, access, &who),
                     ERR_UNAUTHENTICATED);
    a = call(&m, "POST", CODE, "app_user_id=a");
    assert_answer(&a, 400,
                  "{\"success\":false,\"error\":\"this user is not active\"}");
    a = redeem(&m, "/oauth2/token", code);
    assert_int_equal(a.status, 400);
    tear_down(&m);
}

static const struct db_statement traces = {
    "SELECT interaction, status, CASE WHEN user_id > 0 THEN 1 ELSE 0 END,"
    " CASE WHEN app_id > 0 THEN 1 ELSE 0 END, calls FROM access_audit"
    " WHERE user_id >= $1 ORDER BY interaction, status"
};

static enum err do_traces(struct db_session *s, void *context)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &traces, &rows, DB_I64(0));
    while (err == OK && (err = db_next(&rows)) == OK) {
        buf_add(context, db_text(&rows, 0));
        for (int i = 1; i < 5; i++) {
            buf_add_char(context, ' ');
            buf_add_i64(context, db_i64(&rows, i));
        }
        buf_add_char(context, '\n');
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static void calls_about_users_and_tokens_leave_their_trace(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct audit_options options = { m.t.db, NULL };
    assert_int_equal(audit_new(&options, &m.s.audit), OK);
    struct api_answer made = call(&m, "POST", UM, "app_user_id=a");
    struct str code = text_of(parse(&m, &made), "code");
    assert_int_equal(call(&m, "POST", UM, "app_user_id=a").status, 400);
    assert_int_equal(call(&m, "GET", UM, "x=1").status, 200);
    assert_int_equal(call(&m, "PUT", UM, "app_user_id=a&active=true").status,
                     200);
    assert_int_equal(call(&m, "POST", CODE, "app_user_id=a").status, 200);
    char query[300];
    (void)snprintf(query, sizeof query, "grant_type=authorization_code&code=%s",
                   arena_cstr(&m.a, code));
    assert_int_equal(call(&m, "POST", "/oauth2/token", query).status, 200);
    assert_int_equal(
        call(&m, "POST", "/oauth2/token", "grant_type=refresh_token").status,
        400);
    assert_int_equal(
        api_call(&m.http, "POST", UM "?client_id=x&client_secret=y", "", "")
            .status,
        401);
    AUTO_BUF b = BUF(4096);
    struct str text;
    assert_int_equal(audit_flush(m.s.audit), OK);
    assert_int_equal(db_read(m.t.db, do_traces, &b), OK);
    assert_int_equal(buf_view(&b, &text), OK);
    assert_string_equal(text.p, "K 200 1 1 1\nL 200 0 1 1\nM 200 1 1 1\n"
                                "N 200 1 1 1\nN 400 0 1 1\nN 401 0 0 1\n"
                                "T 200 1 1 1\nT 400 0 1 1\n");
    audit_free(m.s.audit);
    m.s.audit = NULL;
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_answers_in_the_contracts_shape),
        cmocka_unit_test(keys_and_names_may_stand_anywhere),
        cmocka_unit_test(the_body_wins_over_the_query),
        cmocka_unit_test(a_missing_name_or_a_bad_flag_says_so),
        cmocka_unit_test(wrong_keys_get_the_gateways_401),
        cmocka_unit_test(many_wrong_keys_are_slowed_and_right_ones_are_not),
        cmocka_unit_test(the_301st_call_of_an_app_is_told_when_to_come_back),
        cmocka_unit_test(a_plus_in_a_careless_url_finds_the_user),
        cmocka_unit_test(the_list_has_what_the_app_has_and_pages),
        cmocka_unit_test(another_apps_users_are_not_to_be_seen),
        cmocka_unit_test(updating_by_number_renames_and_by_name_upserts),
        cmocka_unit_test(a_code_becomes_tokens_and_tokens_refresh),
        cmocka_unit_test(the_token_endpoint_takes_json_forms_basic_and_secret),
        cmocka_unit_test(an_app_gets_a_token_without_refresh),
        cmocka_unit_test(token_errors_have_their_names),
        cmocka_unit_test(an_inactive_user_gets_no_code_and_his_tokens_stop),
        cmocka_unit_test(calls_about_users_and_tokens_leave_their_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
