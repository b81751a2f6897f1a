#include "api/systems.h"

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
#include "db/testing.h"
#include "directory/system.h"

static const struct http_route routes[] = {
    { "GET", "/connect/system/clinical", systems_clinical, family_json,
      HTTP_POOLED, "a" },
    { "POST", "/connect/system/clinical", systems_clinical, family_json,
      HTTP_POOLED, "b" },
    { "GET", "/connect/system/device", systems_device, family_json, 0, "c" },
    { "GET", "/connect/system/provider", systems_provider, family_json, 0,
      "d" },
    { "POST", "/api/search", systems_search, family_systems, 0, "e" },
    { "GET", "/api/systems/:zip", systems_by_zip, family_systems, 0, "f" },
    { "GET", "/api/all-systems", systems_all, family_systems, 0, "g" },
};

struct made {
    struct db_test t;
    struct arena a;
    struct services s;
    struct api_test http;
    char keys[120], bearer[120];
};
static struct made m;

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

static void put(int64_t id, struct str name, struct str kind,
                struct system_location *l)
{
    struct system s = {
        .id = id,
        .name = name,
        .kind = kind,
        .vendor = STR("epic"),
        .status = STR("connection_working"),
        .logo = STR("https://x.test/logo.png"),
        .source = STR("test"),
        .endpoints = { { .fhir_version = STR("DSTU2"),
                         .base_url = STR("https://x.test/DSTU2") } },
        .endpoint_count = 1,
        .locations = l,
        .location_count = l == NULL ? 0 : 1,
    };
    struct put p = { &s, 0 };
    assert_int_equal(db_write(m.t.db, do_put, &p), OK);
}

static void fill(void)
{
    struct system_location miami = { .line = STR("4300 Alton Rd"),
                                     .city = STR("Miami Beach"),
                                     .state = STR("FL"),
                                     .postal_code = STR("33140") };
    put(5153, STR("Mount Sinai \"M\" Center"), STR("health_system"), &miami);
    put(12, STR("Zeta Plan"), STR("health_plan"), NULL);
    for (int64_t i = 0; i < 30; i++)
        put(100 + i, STR("Clinic"), STR("health_system"), NULL);
}

static int set_up(void **state)
{
    (void)state;
    struct app app;
    struct user user;
    struct token_pair pair;
    struct str code;
    AUTO_SECRET secret = { 0 };
    memset(&m, 0, sizeof m);
    noted = 0;
    m.t = db_test_open();
    m.a = ARENA(8 << 20);
    m.s.db = m.t.db;
    m.s.audit = (struct audit *)&m; /* not looked into */
    m.s.public_base = STR("https://us.test");
    assert_int_equal(tokens_new(m.t.db, &m.s.tokens), OK);
    assert_int_equal(
        app_create(m.t.db, STR("An app"), NULL, 0, &m.a, &app, &secret, NULL),
        OK);
    assert_int_equal(
        user_create(m.t.db, app.id, STR("alice"), true, &m.a, &user), OK);
    assert_int_equal(token_code_create(m.s.tokens, app.id, user.id,
                                       STR("user/*.*"), &m.a, &code),
                     OK);
    assert_int_equal(token_code_redeem(m.s.tokens, app.id, code, &m.a, &pair),
                     OK);
    struct str id = app.client_id, key = secret_reveal(&secret);
    (void)snprintf(m.keys, sizeof m.keys, "client_id=%.*s&client_secret=%.*s",
                   (int)id.n, id.p, (int)key.n, key.p);
    (void)snprintf(m.bearer, sizeof m.bearer, "Authorization: Bearer %.*s\r\n",
                   (int)pair.access.n, pair.access.p);
    fill();
    m.http = api_test_start(routes, sizeof routes / sizeof routes[0], &m.s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    api_test_stop(&m.http);
    tokens_free(m.s.tokens);
    arena_fini(&m.a);
    db_test_close(&m.t);
    return 0;
}

static struct api_answer call(const char *method, const char *target,
                              const char *headers, const char *body)
{
    static char url[600];
    const char *at = strstr(target, "KEYS");
    int before = at == NULL ? (int)strlen(target) : (int)(at - target);
    (void)snprintf(url, sizeof url, "%.*s%s%s", before, target,
                   at == NULL ? "" : m.keys, at == NULL ? "" : at + 4);
    return api_call(&m.http, method, url, headers, body);
}

static int count(const char *text, const char *needle)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, needle)) != NULL; at++)
        n++;
    return n;
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define MOUNT_SINAI                                                            \
    "{\"api_version\":\"FHIR DSTU2 1.0.2\",\"ehr\":\"Epic\",\"id\":5153,"      \
    "\"locations\":[{\"address\":{\"city\":\"Miami Beach\",\"line\":["         \
    "\"4300 Alton Rd\",\"\"],\"postalCode\":\"33140\",\"state\":\"FL\"},"      \
    "\"name\":\"\"}],\"logo\":\"https://x.test/logo.png\",\"name\":\"Mount "   \
    "Sinai \\\"M\\\" Center\",\"resource_url\":\"https://x.test/DSTU2\","      \
    "\"status\":\"not_configured\"}"

static void the_list_is_whole_or_twenty_from_an_offset(void **state)
{
    (void)state;
    struct api_answer a = call("GET", "/connect/system/clinical?KEYS", "", "");
    assert_int_equal(a.status, 200);
    assert_int_equal(count(a.body, "\"id\":"), 32);
    assert_non_null(strstr(a.body, MOUNT_SINAI));
    a = call("GET", "/connect/system/clinical?KEYS&offset=20", "", "");
    assert_int_equal(count(a.body, "\"id\":"), 12);
    a = call("POST", "/connect/system/clinical?offset=0", FORM, m.keys);
    assert_int_equal(count(a.body, "\"id\":"), 20);
    a = call("GET",
             "/connect/system/clinical?KEYS&systemType=PayerPatientAccess", "",
             "");
    assert_int_equal(count(a.body, "\"id\":"), 1);
}

static void a_list_wants_keys_and_a_browser_with_a_token_the_page(void **state)
{
    (void)state;
    struct api_answer a = call("GET", "/connect/system/clinical", "", "");
    assert_int_equal(a.status, 401);
    assert_string_equal(a.body, "{\"message\":\"Unauthorized\"}");
    a = call("GET", "/connect/system/clinical?client_id=x&access_token=t%26",
             "", "");
    assert_int_equal(a.status, 302);
    assert_non_null(strstr(a.head, "Location: https://us.test/search?"
                                   "access_token=t%26&client_id=x\r\n"));
}

static void there_are_no_devices(void **state)
{
    (void)state;
    struct api_answer a = call("GET", "/connect/system/device?KEYS", "", "");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "[]");
}

static void a_search_answers_in_the_shape_of_its_generation(void **state)
{
    (void)state;
    struct api_answer a =
        call("POST", "/api/search?query=sinai%20miami", m.bearer, "");
    assert_int_equal(a.status, 200);
    assert_string_equal(
        a.body,
        "[{\"id\":5153,\"name\":\"Mount Sinai \\\"M\\\" Center\",\"address\":"
        "\"4300 Alton Rd, Miami Beach, FL 33140\",\"fhirVersion\":\"DSTU2\","
        "\"ehr\":\"Epic\",\"resourceUrl\":\"https://x.test/DSTU2\",\"logo\":"
        "\"https://x.test/logo.png\",\"status\":\"not_configured\"}]");
    assert_int_equal(noted, 1);
    char headers[300];
    (void)snprintf(headers, sizeof headers, "%s" FORM, m.bearer);
    a = call("POST", "/api/search", headers, "query=sinai");
    assert_string_equal(a.body, "{\"systemList\":{\"5153\":" MOUNT_SINAI "}}");
    a = call("POST", "/api/search?query=sinai&only_health_systems=true",
             m.bearer, "");
    assert_non_null(strstr(a.body, "[{\"key\":5153,\"value\":[{\"resource\":"));
    assert_non_null(strstr(a.body, "\"value\":\"Epic\""));
}

static void pages_of_a_search_follow_until_an_empty_one(void **state)
{
    (void)state;
    struct api_answer a = call("POST", "/api/search", m.bearer, "");
    assert_int_equal(count(a.body, "\"id\":"), 20);
    a = call("POST", "/api/search?offset=20", m.bearer, "");
    assert_int_equal(count(a.body, "\"id\":"), 12);
    a = call("POST", "/api/search?offset=32", m.bearer, "");
    assert_string_equal(a.body, "[]");
    a = call("POST", "/api/search?offset=x", m.bearer, "");
    assert_int_equal(a.status, 400);
    a = call("POST", "/api/search?system_type=HealthSystem&offset=20", m.bearer,
             "");
    assert_int_equal(count(a.body, "\"id\":"), 11);
}

static void a_search_refuses_signs_and_strangers(void **state)
{
    (void)state;
    struct api_answer a = call("POST", "/api/search?query=a%25b", m.bearer, "");
    assert_int_equal(a.status, 400);
    a = call("POST", "/api/search?query=O%27Neil", m.bearer, "");
    assert_int_equal(a.status, 200);
    a = call("POST", "/api/search?query=a", "Authorization: Bearer no\r\n", "");
    assert_int_equal(a.status, 401);
    assert_string_equal(
        a.body, "{\"success\":false,\"message\":\"An error occurred when "
                "processing the access token.\"}");
}

static void postal_codes_find_their_neighbourhood(void **state)
{
    (void)state;
    struct api_answer a = call("GET", "/api/systems/33140-0001", m.bearer, "");
    assert_int_equal(a.status, 200);
    assert_int_equal(count(a.body, "\"id\":5153"), 1);
    a = call("GET", "/api/systems/02114", m.bearer, "");
    assert_string_equal(a.body, "[]");
    a = call("GET", "/api/systems/3314", m.bearer, "");
    assert_int_equal(a.status, 400);
    a = call("GET", "/api/systems/33140", "", "");
    assert_int_equal(a.status, 401);
}

static void all_systems_want_the_apps_keys(void **state)
{
    (void)state;
    struct api_answer a = call("GET", "/api/all-systems", m.bearer, "");
    assert_int_equal(a.status, 401);
    a = call("GET", "/api/all-systems?KEYS", "", "");
    assert_int_equal(a.status, 200);
    assert_int_equal(count(a.body, "\"id\":"), 32);
}

static void providers_come_as_organizations(void **state)
{
    (void)state;
    struct api_answer a =
        call("GET", "/connect/system/provider?query=sinai", m.bearer, "");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "{\"resourceType\":\"Bundle\",\"type\":"
                                   "\"searchset\",\"total\":1,\"entry\":[{"
                                   "\"resource\":{\"resourceType\":"
                                   "\"Organization\",\"id\":\"5153\""));
    assert_non_null(strstr(a.body, "\"valueUri\":\"https://x.test/logo.png\""));
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_whole_or_twenty_from_an_offset),
        TEST(a_list_wants_keys_and_a_browser_with_a_token_the_page),
        TEST(there_are_no_devices),
        TEST(a_search_answers_in_the_shape_of_its_generation),
        TEST(pages_of_a_search_follow_until_an_empty_one),
        TEST(a_search_refuses_signs_and_strangers),
        TEST(postal_codes_find_their_neighbourhood),
        TEST(all_systems_want_the_apps_keys),
        TEST(providers_come_as_organizations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
