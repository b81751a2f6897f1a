/* The whole flow against a health system that this test plays itself. */
#include "connect/connect.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"
#include "http/server.h"
#include "jobs/jobs.h"
#include "oauth/grant.h"
#include "oauth/pkce.h"

#define TOKEN                                                                  \
    "{\"access_token\":\"at1\",\"refresh_token\":\"rt1\",\"patient\":\"p1\","  \
    "\"expires_in\":3600,\"scope\":\"patient/*.read\"}"

/* ------------------------------------------------------- the health system */

static struct upstream {
    const char *token_reply;
    int token_status;
    int tokens, discoveries; /* requests seen */
    char last_form[4000], last_authorization[400];
    const char *patients; /* answer of GET /Patient */
    bool has_patient, has_me;
    bool hides_smart;
    char base[64];
} up;

static void keep(char *to, size_t room, struct str s)
{
    snprintf(to, room, "%.*s", (int)s.n, s.p == NULL ? "" : s.p);
}

static void add_url(struct buf *b, const char *key, const char *path)
{
    char url[200];
    snprintf(url, sizeof url, "%s%s", up.base, path);
    json_member(b, str_of(key), str_of(url));
}

static enum err smart(struct http_request *r, struct http_response *out)
{
    (void)r;
    up.discoveries++;
    if (up.hides_smart) {
        http_text(out, 404, STR("text/html"), STR("<html>"));
        return OK;
    }
    json_object(&out->body);
    add_url(&out->body, "authorization_endpoint", "/authorize?t=1");
    add_url(&out->body, "token_endpoint", "/token");
    add_url(&out->body, "issuer", "/fhir/");
    json_object_end(&out->body);
    return OK;
}

static enum err metadata(struct http_request *r, struct http_response *out)
{
    (void)r;
    struct buf *b = &out->body;
    buf_add(b, STR("{\"resourceType\":\"Conformance\",\"rest\":[{\"security\":{"
                   "\"extension\":[{\"url\":\"http://"
                   "fhir-registry.smarthealthit.org/StructureDefinition/"
                   "oauth-uris\",\"extension\":[{\"url\":\"authorize\""));
    buf_add_char(b, ',');
    char text[300];
    snprintf(text, sizeof text,
             "\"valueUri\":\"%s/authorize\"},{\"url\":\"token\","
             "\"valueUri\":\"%s/token\"}]}]}}]}",
             up.base, up.base);
    buf_add(b, str_of(text));
    return OK;
}

static enum err token(struct http_request *r, struct http_response *out)
{
    up.tokens++;
    keep(up.last_form, sizeof up.last_form, r->body);
    keep(up.last_authorization, sizeof up.last_authorization,
         http_header(r, STR("Authorization")));
    http_text(out, up.token_status, STR("application/json"),
              str_of(up.token_reply));
    return OK;
}

static enum err patient(struct http_request *r, struct http_response *out)
{
    if (str_eq(r->captures[0], STR("$me"))) {
        http_text(out, up.has_me ? 200 : 404, STR("application/json"),
                  STR("{\"resourceType\":\"Patient\",\"id\":\"pm\"}"));
        return OK;
    }
    if (!up.has_patient ||
        !str_starts(http_header(r, STR("Authorization")), STR("Bearer at"))) {
        http_text(out, 403, STR("text/plain"), STR(""));
        return OK;
    }
    json_object(&out->body);
    json_member(&out->body, STR("resourceType"), STR("Patient"));
    json_member(&out->body, STR("id"), r->captures[0]);
    json_object_end(&out->body);
    return OK;
}

static enum err patients(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, up.patients == NULL ? 400 : 200, STR("application/json"),
              str_of(up.patients == NULL ? "" : up.patients));
    return OK;
}

static void no_family(struct http_request *r, struct http_response *out,
                      enum err err)
{
    (void)r;
    (void)err;
    out->status = 404;
}

static const struct http_route routes[] = {
    { "GET", "/fhir/.well-known/smart-configuration", smart, no_family, 0,
      "smart" },
    { "GET", "/fhir/metadata", metadata, no_family, 0, "metadata" },
    { "POST", "/token", token, no_family, 0, "token" },
    { "GET", "/fhir/Patient/:id", patient, no_family, 0, "patient" },
    { "GET", "/dstu2/Patient/:id", patient, no_family, 0, "patient2" },
    { "GET", "/fhir/Patient", patients, no_family, 0, "patients" },
};

/* --------------------------------------------------------- what connect uses
 */

static char steps[1000]; /* codes and outcomes of the feed */

enum err audit_record_step(struct audit *a, const struct audit_step *step)
{
    (void)a;
    size_t n = strlen(steps);
    snprintf(steps + n, sizeof steps - n, "%.*s=%.*s ", (int)step->step.n,
             step->step.p, (int)step->outcome.n, step->outcome.p);
    return OK;
}

static int kept;

static enum err keep_patient(void *context, const struct connection *c,
                             struct str json, struct arena *a,
                             struct str *out_local_id, struct why *w)
{
    (void)context;
    (void)w;
    struct yyjson_val *v;
    assert_true(c->id > 0);
    assert_int_equal(json_parse(a, json, &v, NULL), OK);
    assert_true(str_eq(json_get_text(v, STR("resourceType")), STR("Patient")));
    kept++;
    *out_local_id = arena_cat(a, STR("local-"), c->fhir_version);
    return OK;
}

static struct world {
    char folder[64], path[128];
    struct db *db;
    struct seal *seal;
    struct vault *vault;
    struct http_gate *gate;
    struct http_client *client;
    struct http_server *server;
    struct connect *connect;
    struct arena a;
} w;

struct put_system {
    struct system *system;
    int64_t id;
};

static enum err do_put_system(struct db_session *s, void *context)
{
    struct put_system *put = context;
    return system_put(s, put->system, &put->id, NULL);
}

static void put_system(bool has_old)
{
    char base[100], old[100];
    snprintf(base, sizeof base, "%s/fhir", up.base);
    snprintf(old, sizeof old, "%s/dstu2", up.base);
    struct system s = {
        .id = 4706,
        .name = STR("Test Hospital"),
        .kind = STR("health_system"),
        .vendor = STR("default"),
        .status = STR("connection_working"),
        .source = STR("test"),
        .endpoints = { { .fhir_version = STR("R4"), .base_url = str_of(base) },
                       { .fhir_version = STR("DSTU2"),
                         .base_url = str_of(old) } },
        .endpoint_count = has_old ? 2 : 1,
    };
    struct put_system put = { &s, 0 };
    assert_int_equal(db_write(w.db, do_put_system, &put), OK);
}

static void put_client(void)
{
    AUTO_CLIENT client = { .client_id = STR("our-id"), .auth = STR("") };
    assert_int_equal(vault_client_put(w.vault, STR("default"), 4706, &client),
                     OK);
}

static void start_server(void)
{
    struct http_server_options o = {
        .address = "127.0.0.1",
        .threads = 1,
        .workers = 2,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .family = no_family,
    };
    struct why why = { 0 };
    assert_int_equal(http_server_start(&o, &w.server, &why), OK);
    snprintf(up.base, sizeof up.base, "http://127.0.0.1:%d",
             (int)http_server_port(w.server));
}

static int set_up(void **state)
{
    (void)state;
    struct why why = { 0 };
    memset(&w, 0, sizeof w);
    memset(&up, 0, sizeof up);
    up = (struct upstream){ .token_reply = TOKEN,
                            .token_status = 200,
                            .has_patient = true };
    steps[0] = '\0';
    kept = 0;
    w.a = ARENA(8 << 20);
    snprintf(w.folder, sizeof w.folder, "/tmp/tributary-connect-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/t.db", w.folder);
    assert_int_equal(
        db_open(&(struct db_options){ .path = w.path }, &w.db, &why), OK);
    assert_int_equal(
        seal_new(STR("0123456789abcdef0123456789abcdef"), &w.seal, &why), OK);
    assert_int_equal(vault_new(w.db, w.seal, &w.vault), OK);
    assert_int_equal(http_gate_new(STR("*:*"), &w.gate, &why), OK);
    assert_int_equal(
        http_client_start(&(struct http_client_options){ .gate = w.gate },
                          &w.client, &why),
        OK);
    start_server();
    struct connect_options o = {
        .db = w.db,
        .client = w.client,
        .vault = w.vault,
        .audit = (struct audit *)&w, /* not looked into: see above */
        .seal = w.seal,
        .callback_url = STR("https://us.test/connect/callback"),
        .keep_patient = keep_patient,
    };
    assert_int_equal(connect_new(&o, &w.connect, &why), OK);
    put_system(false);
    put_client();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];
    connect_free(w.connect);
    http_client_stop(w.client);
    http_gate_free(w.gate);
    http_server_stop(w.server, 1000);
    vault_free(w.vault);
    seal_free(w.seal);
    db_close(w.db);
    arena_fini(&w.a);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", w.path, ends[i]);
        unlink(name);
    }
    rmdir(w.folder);
    clock_release();
    return 0;
}

/* ------------------------------------------------------------------ helpers */

static struct connect_ask ask_of(struct str browser)
{
    return (struct connect_ask){
        .app_id = 1,
        .user_id = 251,
        .system_id = 4706,
        .fhir_version = STR("r4"),
        .redirect_uri = STR("https://app.test/back?keep=1"),
        .app_state = STR("a&b=c"),
        .browser = browser,
    };
}

static struct url_params start(struct connect_ask ask)
{
    struct str text;
    struct url url;
    struct url_params params;
    struct why why = { 0 };
    enum err err = connect_start(w.connect, &ask, &w.a, &text, &why);
    if (err != OK)
        printf("# %s: %s\n", err_name(err), why.text);
    assert_int_equal(err, OK);
    assert_int_equal(url_parse(text, &url), OK);
    assert_int_equal(url_parse_params(&w.a, url.query, &params), OK);
    return params;
}

static struct connect_result finish(struct str state, struct str browser)
{
    struct connect_answer answer = { .state = state,
                                     .code = STR("code1"),
                                     .error = STR(""),
                                     .browser = browser };
    struct connect_result result;
    struct why why = { 0 };
    enum err err = connect_finish(w.connect, &answer, &w.a, &result, &why);
    if (err != OK || !result.is_connected)
        printf("# %s: %s\n", err_name(err), why.text);
    assert_int_equal(err, OK);
    return result;
}

static struct connect_result connect_once(void)
{
    struct url_params params = start(ask_of(STR("")));
    return finish(url_param(&params, STR("state")), STR(""));
}

struct count {
    int64_t jobs;
};

static enum err do_count(struct db_session *s, void *context)
{
    static const struct db_statement select = {
        "SELECT count(*) FROM job WHERE kind = 'ingest'"
    };
    struct count *count = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &select, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    count->jobs = err == OK ? db_i64(&rows, 0) : -1;
    return err;
}

static int64_t jobs(void)
{
    struct count count;
    assert_int_equal(db_read(w.db, do_count, &count), OK);
    return count.jobs;
}

/* -------------------------------------------------------------------- tests */

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

static void a_token_is_refreshed_ahead_of_its_end(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET one = { 0 }, two = { 0 }, three = { 0 };
    assert_int_equal(connect_access_token(w.connect, &c, false, &one, NULL),
                     OK);
    assert_int_equal(up.tokens, 1);
    clock_freeze(clock_now_ms() + 3590 * 1000);
    up.token_reply = "{\"access_token\":\"at2\",\"refresh_token\":\"rt2\","
                     "\"expires_in\":3600}";
    assert_int_equal(connect_access_token(w.connect, &c, false, &two, NULL),
                     OK);
    assert_true(str_eq(secret_reveal(&two), STR("at2")));
    assert_string_equal(up.last_form, "grant_type=refresh_token&"
                                      "refresh_token=rt1&client_id=our-id");
    clock_advance(3590 * 1000);
    up.token_reply = "{\"access_token\":\"at3\"}"; /* keeps the old one */
    assert_int_equal(connect_access_token(w.connect, &c, false, &three, NULL),
                     OK);
    assert_non_null(strstr(up.last_form, "refresh_token=rt2"));
    clock_advance(3590 * 1000);
    AUTO_SECRET four = { 0 };
    assert_int_equal(connect_access_token(w.connect, &c, false, &four, NULL),
                     OK);
    assert_non_null(strstr(up.last_form, "refresh_token=rt2"));
}

struct racer {
    pthread_t thread;
    const struct connection *c;
    enum err err;
    char token[20];
};

static void *race(void *context)
{
    struct racer *r = context;
    AUTO_SECRET secret = { 0 };
    r->err = connect_access_token(w.connect, r->c, true, &secret, NULL);
    if (r->err == OK)
        keep(r->token, sizeof r->token, secret_reveal(&secret));
    return NULL;
}

static void many_who_need_a_refresh_cause_one(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    struct racer racers[16];
    up.token_reply = "{\"access_token\":\"at2\",\"refresh_token\":\"rt2\"}";
    for (size_t i = 0; i < 16; i++) {
        racers[i].c = &c;
        assert_int_equal(
            pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].err, OK);
        assert_string_equal(racers[i].token, "at2");
    }
    assert_int_equal(up.tokens, 2); /* the code, and one refresh */
}

static void status_is(const struct connection *c, const char *want)
{
    struct connection now;
    assert_int_equal(connection_get(w.db, c->user_id, c->id, &w.a, &now), OK);
    assert_true(str_eq(now.status, str_of(want)));
}

static void a_refused_refresh_wants_a_new_sign_in(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 };
    up.token_reply = "{\"error\":\"invalid_grant\"}";
    up.token_status = 400;
    assert_int_equal(connect_access_token(w.connect, &c, true, &secret, NULL),
                     ERR_DENIED);
    status_is(&c, "needs_login");
}

static void an_outage_keeps_the_connection_and_the_token(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 }, late = { 0 };
    up.token_reply = "down";
    up.token_status = 503;
    clock_freeze(clock_now_ms() + 3580 * 1000);
    assert_int_equal(connect_access_token(w.connect, &c, false, &secret, NULL),
                     OK);
    assert_true(str_eq(secret_reveal(&secret), STR("at1")));
    clock_advance(60 * 1000);
    assert_int_equal(connect_access_token(w.connect, &c, false, &late, NULL),
                     ERR_UPSTREAM);
    status_is(&c, "active");
}

static void a_refresh_for_another_patient_suspends(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 };
    up.token_reply = "{\"access_token\":\"at2\",\"patient\":\"someone\"}";
    assert_int_equal(connect_access_token(w.connect, &c, true, &secret, NULL),
                     ERR_DENIED);
    status_is(&c, "failed");
}

static enum err do_erase(struct db_session *s, void *context)
{
    (void)context;
    return connection_erase(s, 251);
}

static void erasing_a_user_leaves_no_connection_and_no_token(void **state)
{
    (void)state;
    struct connection c = connect_once().connection, *all;
    size_t n = 9;
    AUTO_SECRET secret = { 0 };
    (void)start(ask_of(STR("")));
    assert_int_equal(db_write(w.db, do_erase, NULL), OK);
    assert_int_equal(connection_list(w.db, 251, &w.a, &all, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(connect_access_token(w.connect, &c, false, &secret, NULL),
                     ERR_DENIED);
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_person_goes_out_and_comes_back_connected),
        TEST(a_state_is_good_once),
        TEST(a_state_is_good_for_half_an_hour),
        TEST(another_browser_gets_nothing_and_spoils_nothing),
        TEST(an_answer_from_another_issuer_gets_no_code_sent),
        TEST(denying_goes_back_with_access_denied),
        TEST(the_systems_faults_become_our_codes),
        TEST(the_patient_is_found_in_every_place),
        TEST(several_people_are_not_guessed_among),
        TEST(withheld_demographics_do_not_stop_the_rest),
        TEST(connecting_again_keeps_the_connection),
        TEST(without_a_wish_both_releases_are_connected),
        TEST(what_cannot_be_is_said_before_the_person_leaves),
        TEST(discovery_is_asked_once_and_falls_back_to_metadata),
        TEST(a_token_is_refreshed_ahead_of_its_end),
        TEST(many_who_need_a_refresh_cause_one),
        TEST(a_refused_refresh_wants_a_new_sign_in),
        TEST(an_outage_keeps_the_connection_and_the_token),
        TEST(a_refresh_for_another_patient_suspends),
        TEST(erasing_a_user_leaves_no_connection_and_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
