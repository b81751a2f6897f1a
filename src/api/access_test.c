#include "api/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/testing.h"
#include "auth/rate.h"
#include "auth/token.h"
#include "auth/user.h"
#include "db/testing.h"

/* Says whose record the request may see: "7" or "all", and the app. */
static enum err tell(struct http_request *r, struct http_response *out)
{
    struct access access;
    enum err err = access_fhir(r, &access);
    if (err != OK)
        return err;
    if (access.is_app_wide)
        buf_add(&out->body, STR("all"));
    else
        buf_add_i64(&out->body, access.user_id);
    buf_add(&out->body, STR(" of "));
    buf_add_i64(&out->body, access.principal.app_id);
    return OK;
}

static const struct http_route routes[] = {
    { "GET", "/r4/Patient", tell, family_fhir, 0, "tell" },
};

struct made {
    struct db_test t;
    struct arena a;
    struct services s;
    struct api_test http;
    struct app app, other;
    struct user user, theirs;
    char keys[160]; /* as headers */
    char in_query[160];
    char token[60], app_token[60];
};

static void make_app(struct made *m, struct app *out)
{
    AUTO_SECRET key = { 0 };
    assert_int_equal(
        app_create(m->t.db, STR("An app"), NULL, 0, &m->a, out, &key, NULL),
        OK);
    const char *id = arena_cstr(&m->a, out->client_id);
    const char *secret = arena_cstr(&m->a, secret_reveal(&key));
    if (out != &m->app)
        return;
    (void)snprintf(m->keys, sizeof m->keys,
                   "client_id: %s\r\nclient_secret: %s\r\n", id, secret);
    (void)snprintf(m->in_query, sizeof m->in_query,
                   "client_id=%s&client_secret=%s", id, secret);
}

static void make_tokens(struct made *m)
{
    struct token_pair pair;
    struct str code;
    assert_int_equal(token_code_create(m->s.tokens, m->app.id, m->user.id,
                                       STR(TOKEN_USER_SCOPE), &m->a, &code),
                     OK);
    assert_int_equal(
        token_code_redeem(m->s.tokens, m->app.id, code, &m->a, &pair), OK);
    (void)snprintf(m->token, sizeof m->token, "%s",
                   arena_cstr(&m->a, pair.access));
    assert_int_equal(token_for_app(m->s.tokens, m->app.id, &m->a, &pair), OK);
    (void)snprintf(m->app_token, sizeof m->app_token, "%s",
                   arena_cstr(&m->a, pair.access));
}

static void set_up(struct made *m)
{
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)16 * 1024 * 1024);
    m->s.db = m->t.db;
    assert_int_equal(tokens_new(m->t.db, &m->s.tokens), OK);
    assert_int_equal(rate_new(60, 60, 1000, &m->s.failure_rate), OK);
    make_app(m, &m->app);
    make_app(m, &m->other);
    assert_int_equal(
        user_create(m->t.db, m->app.id, STR("al"), true, &m->a, &m->user), OK);
    assert_int_equal(
        user_create(m->t.db, m->other.id, STR("bo"), true, &m->a, &m->theirs),
        OK);
    make_tokens(m);
    m->http = api_test_start(routes, 1, &m->s);
}

static void tear_down(struct made *m)
{
    api_test_stop(&m->http);
    tokens_free(m->s.tokens);
    rate_free(m->s.failure_rate);
    arena_fini(&m->a);
    db_test_close(&m->t);
}

static struct api_answer ask(struct made *m, const char *query,
                             const char *headers)
{
    char target[400];
    (void)snprintf(target, sizeof target, "/r4/Patient%s", query);
    return api_call(&m->http, "GET", target, headers, "");
}

static void assert_sees(const struct api_answer *a, const char *what)
{
    assert_string_equal(a->body, what);
    assert_int_equal(a->status, 200);
}

static void a_users_token_opens_his_record_wherever_it_stands(void **state)
{
    (void)state;
    struct made m;
    char text[300];
    set_up(&m);
    (void)snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", m.token);
    struct api_answer a = ask(&m, "", text);
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text, "authorization: bearer %s\r\n", m.token);
    a = ask(&m, "", text);
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text, "?access_token=%s", m.token);
    a = ask(&m, text, "");
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text, "?client_id=x&amp;access_token=%s",
                   m.token);
    a = ask(&m, text, "");
    assert_sees(&a, "1 of 1");
    /* A user's token stays with its user, whatever the header says. */
    (void)snprintf(text, sizeof text,
                   "Authorization: Bearer %s\r\nx-oneup-user-id: 2\r\n",
                   m.token);
    a = ask(&m, "", text);
    assert_sees(&a, "1 of 1");
    tear_down(&m);
}

static void an_apps_keys_act_as_a_user_or_as_all_of_them(void **state)
{
    (void)state;
    struct made m;
    char text[400];
    set_up(&m);
    (void)snprintf(text, sizeof text, "%sx-oneup-user-id: 1\r\n", m.keys);
    struct api_answer a = ask(&m, "", text);
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text, "%sx-oneup-user-id: client\r\n", m.keys);
    a = ask(&m, "", text);
    assert_sees(&a, "all of 1");
    a = ask(&m, "", m.keys);
    assert_sees(&a, "all of 1");
    (void)snprintf(text, sizeof text, "?%s", m.in_query);
    a = ask(&m, text, "x-oneup-user-id: 1\r\n");
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text,
                   "Authorization: Bearer %s\r\nx-oneup-user-id: 1\r\n",
                   m.app_token);
    a = ask(&m, "", text);
    assert_sees(&a, "1 of 1");
    (void)snprintf(text, sizeof text, "Authorization: Bearer %s\r\n",
                   m.app_token);
    a = ask(&m, "", text);
    assert_sees(&a, "all of 1");
    tear_down(&m);
}

static void another_apps_user_is_out_of_reach(void **state)
{
    (void)state;
    struct made m;
    char text[400];
    set_up(&m);
    (void)snprintf(text, sizeof text, "%sx-oneup-user-id: 2\r\n", m.keys);
    assert_int_equal(ask(&m, "", text).status, 403);
    (void)snprintf(text, sizeof text,
                   "Authorization: Bearer %s\r\nx-oneup-user-id: 2\r\n",
                   m.app_token);
    assert_int_equal(ask(&m, "", text).status, 403);
    (void)snprintf(text, sizeof text, "%sx-oneup-user-id: 99\r\n", m.keys);
    assert_int_equal(ask(&m, "", text).status, 403);
    (void)snprintf(text, sizeof text, "%sx-oneup-user-id: 1 or 1\r\n", m.keys);
    assert_int_equal(ask(&m, "", text).status, 403);
    tear_down(&m);
}

static void nobody_and_wrong_ones_get_401_that_both_readers_know(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct api_answer a = ask(&m, "", "");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "\"resourceType\":\"OperationOutcome\""));
    assert_non_null(strstr(a.body, "\"message\":\"Unauthorized\""));
    assert_non_null(strstr(a.body, "\"code\":\"login\""));
    a = ask(&m, "", "Authorization: Bearer nonsense\r\n");
    assert_int_equal(a.status, 401);
    a = ask(&m, "?access_token=", "");
    assert_int_equal(a.status, 401);
    a = ask(&m, "?client_id=x&client_secret=y", "x-oneup-user-id: 1\r\n");
    assert_int_equal(a.status, 401);
    a = ask(&m, "", "x-oneup-user-id: 1\r\n");
    assert_int_equal(a.status, 401);
    /* A wrong token is not made good by right keys beside it. */
    char text[400];
    (void)snprintf(text, sizeof text, "%sAuthorization: Bearer x\r\n", m.keys);
    a = ask(&m, "", text);
    assert_int_equal(a.status, 401);
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_users_token_opens_his_record_wherever_it_stands),
        cmocka_unit_test(an_apps_keys_act_as_a_user_or_as_all_of_them),
        cmocka_unit_test(another_apps_user_is_out_of_reach),
        cmocka_unit_test(nobody_and_wrong_ones_get_401_that_both_readers_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
