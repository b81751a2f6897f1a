/* The pretend systems through real sockets, with our own OAuth messages. */
#include "sandbox/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "http/client.h"
#include "oauth/authorize.h"
#include "oauth/discovery.h"
#include "oauth/grant.h"
#include "oauth/pkce.h"
#include "oauth/scope.h"

#define CALLBACK   "http://127.0.0.1:1/connect/callback"
#define TRIP_BYTES ((size_t)256 * 1024 * 1024)

struct world {
    struct site *site;
    struct http_gate *gate;
    struct http_client *client;
};
static struct world world;

static int set_up(void **state)
{
    (void)state;
    struct site_options o = { .generated = 20 };
    assert_int_equal(site_start(&o, &world.site, NULL), OK);
    assert_int_equal(http_gate_new(STR("*:*"), &world.gate, NULL), OK);
    assert_int_equal(
        http_client_start(&(struct http_client_options){ .gate = world.gate },
                          &world.client, NULL),
        OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_stop(world.client);
    http_gate_free(world.gate);
    site_stop(world.site);
    return 0;
}

/* One person's way through one system. */
struct trip {
    struct arena *a;
    const struct sandbox_system *system;
    struct str base; /* FHIR */
    struct discovery found;
    struct str verifier, scope, code;
    struct secret secret;
    struct grant_client client;
    struct grant_reply token;
    struct http_call call; /* the last */
};

static void ask(struct trip *t, enum http_method method, struct str url,
                struct str body)
{
    t->call = (struct http_call){
        .method = method, .url = url, .body = body, .arena = t->a
    };
    if (method == HTTP_POST)
        http_call_add_header(&t->call, STR("Content-Type"),
                             STR("application/x-www-form-urlencoded"));
}

static enum err run(struct trip *t)
{
    return http_client_run(world.client, &t->call);
}

static enum err try_get(struct trip *t, struct str url, struct str accept)
{
    ask(t, HTTP_GET, url, STR(""));
    http_call_add_header(&t->call, STR("Accept"), accept);
    http_call_add_header(
        &t->call, STR("Authorization"),
        arena_cat(t->a, STR("Bearer "), t->token.access_token));
    return run(t);
}

static void get(struct trip *t, struct str url)
{
    assert_int_equal(try_get(t, url, STR("application/fhir+json")), OK);
}

static void discover(struct trip *t)
{
    ask(t, HTTP_GET,
        arena_cat(t->a, t->base, STR("/.well-known/smart-configuration")),
        STR(""));
    assert_int_equal(run(t), OK);
    if (t->call.status == 200) {
        assert_int_equal(
            discovery_from_smart(t->a, t->call.answer, &t->found, NULL), OK);
        return;
    }
    ask(t, HTTP_GET, arena_cat(t->a, t->base, STR("/metadata")), STR(""));
    assert_int_equal(run(t), OK);
    assert_int_equal(
        discovery_from_capability(t->a, t->call.answer, &t->found, NULL), OK);
}

static void begin(struct trip *t, struct arena *a, const char *slug,
                  enum release release)
{
    *t = (struct trip){ .a = a, .system = systems_find(str_of(slug)) };
    assert_non_null(t->system);
    t->base = arena_cat(a, site_base_url(world.site), STR("/"), str_of(slug),
                        STR("/api/FHIR/"), systems_release_name(release));
    discover(t);
    struct scope_ask wanted = {
        .release = systems_release_name(release),
        .supported = t->found.scopes,
        .supported_count = t->found.scope_count,
        .flags = (t->system->flags & SYSTEM_CLAIMS) != 0
                     ? SCOPE_CLAIMS | SCOPE_NO_FHIRUSER | SCOPE_NO_OFFLINE
                     : 0,
    };
    t->scope = scope_list(a, &wanted);
    t->verifier = pkce_verifier(a);
    bool is_jwt = t->system->auth == GRANT_JWT;
    assert_int_equal(
        secret_init(&t->secret, is_jwt ? systems_client_private_jwk
                                       : systems_client_secret(a, t->system)),
        OK);
    t->client = (struct grant_client){
        .client_id = systems_client_id(a, t->system),
        .client_secret = &t->secret,
        .private_jwk = &t->secret,
        .auth = t->system->auth,
    };
}

static struct str between(struct str text, struct str before, char after)
{
    size_t at = str_search(text, before);
    text = str_from(text, at + before.n);
    return at == text.n ? STR("") : str_slice(text, 0, str_find(text, after));
}

static void authorize(struct trip *t, const char *redirect_uri)
{
    struct authorize request = {
        .client_id = t->client.client_id,
        .redirect_uri = str_of(redirect_uri),
        .scope = t->scope,
        .state = STR("a state of twenty letters"),
        .aud = (t->system->flags & SYSTEM_AUD) != 0 ? t->base : STR(""),
        .challenge = pkce_challenge(t->a, t->verifier),
        .nonce = STR("n"),
    };
    ask(t, HTTP_GET, authorize_url(t->a, t->found.authorize_url, &request),
        STR(""));
    assert_int_equal(run(t), OK);
}

static struct str location(struct trip *t)
{
    return http_call_header(&t->call, STR("Location"));
}

/* Fills the form of the page that came last. */
static void send_form(struct trip *t, const char *page, const char *fields)
{
    struct str name =
        between(t->call.answer, STR("name=\"ask\" value=\""), '"');
    struct str url = t->found.authorize_url;
    url = arena_cat(t->a, str_slice(url, 0, str_rfind(url, '/') + 1),
                    str_of(page));
    ask(t, HTTP_POST, url, arena_cat(t->a, STR("ask="), name, str_of(fields)));
    assert_int_equal(run(t), OK);
}

static enum err exchange(struct trip *t, struct str verifier)
{
    struct grant_ask g = { .client = &t->client,
                           .token_url = t->found.token_url,
                           .code = t->code,
                           .redirect_uri = STR(CALLBACK),
                           .verifier = verifier };
    struct str body, authorization;
    assert_int_equal(grant_request(t->a, &g, &body, &authorization, NULL), OK);
    ask(t, HTTP_POST, t->found.token_url, body);
    if (authorization.n > 0)
        http_call_add_header(&t->call, STR("Authorization"), authorization);
    assert_int_equal(run(t), OK);
    return grant_parse(t->a, t->call.status, t->call.answer, &t->token, NULL);
}

static enum err renew(struct trip *t, struct str refresh)
{
    struct grant_ask g = { .client = &t->client,
                           .token_url = t->found.token_url,
                           .refresh_token = refresh,
                           .scope = t->scope };
    struct str body, authorization;
    assert_int_equal(grant_request(t->a, &g, &body, &authorization, NULL), OK);
    ask(t, HTTP_POST, t->found.token_url, body);
    if (authorization.n > 0)
        http_call_add_header(&t->call, STR("Authorization"), authorization);
    assert_int_equal(run(t), OK);
    return grant_parse(t->a, t->call.status, t->call.answer, &t->token, NULL);
}

/* Up to the code. */
static void sign_in(struct trip *t, const char *user)
{
    authorize(t, CALLBACK);
    assert_int_equal(t->call.status, 200);
    send_form(t, "login", user);
    assert_int_equal(t->call.status, 200);
    assert_true(str_search(t->call.answer, STR("id=\"allowButton\"")) <
                t->call.answer.n);
    send_form(t, "consent", "&answer=allow");
    assert_int_equal(t->call.status, 302);
    t->code = between(location(t), STR("code="), '&');
    assert_true(t->code.n > 20);
}

#define WILMA "&login_username=wilmasmart&login_password=Cerner01"
static void connect_as(struct trip *t, struct arena *a, const char *slug,
                       enum release release, const char *user)
{
    begin(t, a, slug, release);
    sign_in(t, user);
    assert_int_equal(exchange(t, t->verifier), OK);
}

static void end(struct trip *t)
{
    secret_fini(&t->secret);
}

/* Follows next until there is none; how many resources of type came. */
static size_t count_pages(struct trip *t, struct str url, struct str type)
{
    size_t n = 0;
    for (unsigned pages = 0; url.n > 0 && pages < 100; pages++) {
        get(t, url);
        assert_int_equal(t->call.status, 200);
        struct yyjson_val *root;
        assert_int_equal(json_parse(t->a, t->call.answer, &root, NULL), OK);
        for (JSON_EACH(e, json_get(root, STR("entry"))))
            n += str_eq(json_get_text(json_get(e.now, STR("resource")),
                                      STR("resourceType")),
                        type);
        url = STR("");
        for (JSON_EACH(l, json_get(root, STR("link"))))
            if (str_eq(json_get_text(l.now, STR("relation")), STR("next")))
                url = json_get_text(l.now, STR("url"));
    }
    return n;
}

static struct str patient_of(struct trip *t)
{
    if (t->token.patient.n > 0)
        return t->token.patient;
    get(t, arena_cat(t->a, t->base, STR("/Patient")));
    struct yyjson_val *root;
    assert_int_equal(json_parse(t->a, t->call.answer, &root, NULL), OK);
    struct json_iter entry = json_iter(json_get(root, STR("entry")));
    return json_get_text(json_get(entry.now, STR("resource")), STR("id"));
}

static size_t expect_rows(enum release release, struct str type)
{
    const struct chart *c;
    struct accounts *all = site_accounts(world.site);
    assert_int_equal(accounts_chart(all, accounts_find(all, STR("wilma_smart")),
                                    release, &c, NULL),
                     OK);
    return chart_all(c, type).count;
}

static void every_system_lets_a_person_in_and_pages_to_the_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < systems_count; i++) {
        for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
            const struct sandbox_system *s = &systems_all[i];
            if ((s->releases & SYSTEM_RELEASE(r)) == 0)
                continue;
            AUTO_ARENA a = ARENA(TRIP_BYTES);
            struct trip t;
            connect_as(&t, &a, s->slug, r, WILMA);
            struct str type = (s->flags & SYSTEM_CLAIMS) != 0
                                  ? STR("Coverage")
                                  : STR("Encounter");
            struct str url =
                arena_cat(&a, t.base, STR("/"), type, STR("?patient="),
                          patient_of(&t), STR("&_count=9"));
            assert_int_equal(count_pages(&t, url, type), expect_rows(r, type));
            bool has_refresh = (s->flags & SYSTEM_NO_REFRESH) == 0;
            assert_int_equal(has_refresh, t.token.refresh_token.n > 0);
            if (has_refresh)
                assert_int_equal(renew(&t, t.token.refresh_token), OK);
            end(&t);
        }
    }
}

static void saying_no_comes_back_as_access_denied(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "epic", R4);
    authorize(&t, CALLBACK);
    send_form(&t, "login", WILMA);
    send_form(&t, "consent", "&answer=deny");
    assert_int_equal(t.call.status, 302);
    assert_true(str_starts(location(&t), STR(CALLBACK)));
    assert_true(str_search(location(&t), STR("error=access_denied")) <
                location(&t).n);
    assert_true(str_search(location(&t), STR("state=a%20state")) <
                location(&t).n);
    end(&t);
}

static void a_wrong_password_shows_the_form_again(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "epic", R4);
    authorize(&t, CALLBACK);
    send_form(&t, "login", "&login_username=wilmasmart&login_password=no");
    assert_int_equal(t.call.status, 401);
    send_form(&t, "login", WILMA);
    assert_int_equal(t.call.status, 200);
    end(&t);
}

static void consent_without_sign_in_gives_no_code(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "epic", R4);
    authorize(&t, CALLBACK);
    send_form(&t, "consent", "&answer=allow");
    assert_int_equal(t.call.status, 404);
    end(&t);
}

static void a_foreign_redirect_uri_gets_no_redirect(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "epic", R4);
    authorize(&t, "https://evil.example/callback");
    assert_int_equal(t.call.status, 400);
    assert_int_equal(location(&t).n, 0);
    end(&t);
}

static void epic_demands_pkce_and_aud(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "epic", R4);
    struct authorize request = { .client_id = t.client.client_id,
                                 .redirect_uri = STR(CALLBACK),
                                 .scope = t.scope,
                                 .state = STR("x"),
                                 .aud = t.base };
    ask(&t, HTTP_GET, authorize_url(&a, t.found.authorize_url, &request),
        STR(""));
    assert_int_equal(run(&t), OK);
    assert_true(str_search(location(&t), STR("error=invalid_request")) <
                location(&t).n);
    request.challenge = pkce_challenge(&a, t.verifier);
    request.aud = STR("http://127.0.0.1/other");
    ask(&t, HTTP_GET, authorize_url(&a, t.found.authorize_url, &request),
        STR(""));
    assert_int_equal(run(&t), OK);
    assert_true(str_search(location(&t), STR("error=invalid_request")) <
                location(&t).n);
    end(&t);
}

static void a_code_is_good_once_and_with_its_verifier_only(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "oracle", DSTU2);
    sign_in(&t, WILMA);
    assert_int_equal(exchange(&t, pkce_verifier(&a)), ERR_DENIED);
    assert_true(str_eq(t.token.error, STR("invalid_grant")));
    sign_in(&t, WILMA);
    assert_int_equal(exchange(&t, t.verifier), OK);
    struct str patient = patient_of(&t);
    struct str url = arena_cat(&a, t.base, STR("/Patient/"), patient);
    struct grant_reply first = t.token;
    get(&t, url);
    assert_int_equal(t.call.status, 200);
    assert_int_equal(exchange(&t, t.verifier), ERR_DENIED); /* again */
    t.token = first;
    get(&t, url); /* and the tokens of the code have ended */
    assert_int_equal(t.call.status, 401);
    end(&t);
}

static void a_spent_refresh_token_ends_the_grant(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "lakeside", STU3, WILMA);
    struct str old = t.token.refresh_token;
    struct str url = arena_cat(&a, t.base, STR("/Patient/"), t.token.patient);
    assert_int_equal(renew(&t, old), OK);
    struct grant_reply second = t.token;
    assert_false(str_eq(second.refresh_token, old));
    get(&t, url);
    assert_int_equal(t.call.status, 200);
    assert_int_equal(renew(&t, old), ERR_DENIED);
    assert_int_equal(renew(&t, second.refresh_token), ERR_DENIED);
    t.token = second;
    get(&t, url);
    assert_int_equal(t.call.status, 401);
    end(&t);
}

static void a_wrong_secret_is_invalid_client(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    begin(&t, &a, "oldmill", DSTU2);
    sign_in(&t, WILMA);
    secret_fini(&t.secret);
    assert_int_equal(secret_init(&t.secret, STR("wrong")), OK);
    assert_int_equal(exchange(&t, t.verifier), ERR_DENIED);
    assert_true(str_eq(t.token.error, STR("invalid_client")));
    end(&t);
}

static int status_of(struct trip *t, const char *path)
{
    get(t, arena_cat(t->a, t->base, str_of(path)));
    return t->call.status;
}

static void tokens_open_their_own_record_only(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "bluebutton", R4, WILMA);
    assert_int_equal(status_of(&t, "/Observation"), 404);
    assert_int_equal(status_of(&t, "/Coverage"), 400);
    assert_int_equal(status_of(&t, "/Coverage?beneficiary=somebody"), 403);
    t.base =
        arena_cat(&a, site_base_url(world.site), STR("/lakeside/api/FHIR/R4"));
    assert_int_equal(status_of(&t, "/Patient"), 401);
    t.token.access_token = STR("made-up");
    assert_int_equal(status_of(&t, "/Patient"), 401);
    end(&t);
}

static void vendors_demand_their_parameters(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "epic", R4, WILMA);
    struct str url =
        arena_cat(&a, t.base, STR("/Observation?patient="), t.token.patient);
    get(&t, url);
    assert_int_equal(t.call.status, 400);
    get(&t, arena_cat(&a, url, STR("&category=vital-signs")));
    assert_int_equal(t.call.status, 200);
    end(&t);
}

static void a_binary_comes_as_json_and_as_its_bytes(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "lakeside", DSTU2, WILMA);
    get(&t, arena_cat(&a, t.base, STR("/DocumentReference?_count=1&patient="),
                      t.token.patient));
    struct str id = between(t.call.answer, STR("\"url\":\"Binary/"), '"');
    struct str url = arena_cat(&a, t.base, STR("/Binary/"), id);
    get(&t, url);
    assert_true(str_starts(t.call.answer, STR("{\"resourceType\":\"Binary\"")));
    assert_int_equal(try_get(&t, url, STR("text/plain")), OK);
    assert_true(str_starts(t.call.answer, STR("VISIT NOTE")));
    end(&t);
}

static void everything_holds_the_whole_record(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "meditech", R4, WILMA);
    struct str url = arena_cat(&a, t.base, STR("/Patient/"), t.token.patient,
                               STR("/$everything"));
    assert_int_equal(count_pages(&t, url, STR("Observation")),
                     expect_rows(R4, STR("Observation")));
    assert_int_equal(count_pages(&t, url, STR("Practitioner")), 2);
    end(&t);
}

static void faults_come_with_the_user_name(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(TRIP_BYTES);
    struct trip t;
    connect_as(&t, &a, "lakeside", R4,
               "&login_username=wilmasmart%2B429%2Bcut&login_password="
               "Cerner01");
    assert_int_equal(status_of(&t, "/Patient"), 200);
    assert_int_equal(try_get(&t, arena_cat(&a, t.base, STR("/Patient")),
                             STR("application/fhir+json")),
                     ERR_UPSTREAM);
    assert_int_equal(status_of(&t, "/Patient"), 429);
    assert_true(
        str_eq(http_call_header(&t.call, STR("Retry-After")), STR("1")));
    end(&t);
    connect_as(&t, &a, "lakeside", R4, WILMA); /* others do not feel it */
    for (int i = 0; i < 6; i++)
        assert_int_equal(status_of(&t, "/Patient"), 200);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_system_lets_a_person_in_and_pages_to_the_end),
        cmocka_unit_test(saying_no_comes_back_as_access_denied),
        cmocka_unit_test(a_wrong_password_shows_the_form_again),
        cmocka_unit_test(consent_without_sign_in_gives_no_code),
        cmocka_unit_test(a_foreign_redirect_uri_gets_no_redirect),
        cmocka_unit_test(epic_demands_pkce_and_aud),
        cmocka_unit_test(a_code_is_good_once_and_with_its_verifier_only),
        cmocka_unit_test(a_spent_refresh_token_ends_the_grant),
        cmocka_unit_test(a_wrong_secret_is_invalid_client),
        cmocka_unit_test(tokens_open_their_own_record_only),
        cmocka_unit_test(vendors_demand_their_parameters),
        cmocka_unit_test(a_binary_comes_as_json_and_as_its_bytes),
        cmocka_unit_test(everything_holds_the_whole_record),
        cmocka_unit_test(faults_come_with_the_user_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
