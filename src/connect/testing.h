/* testing.h - for tests of connect/: a database, a client, and a health system
 * that the test plays itself (`up` says how it answers, and what it saw). */
#ifndef CONNECT_TESTING_H
#define CONNECT_TESTING_H

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
#include "db/testing.h"

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

static inline void keep(char *to, size_t room, struct str s)
{
    snprintf(to, room, "%.*s", (int)s.n, s.p == NULL ? "" : s.p);
}

static inline void add_url(struct buf *b, const char *key, const char *path)
{
    char url[200];
    snprintf(url, sizeof url, "%s%s", up.base, path);
    json_member(b, str_of(key), str_of(url));
}

static inline enum err smart(struct http_request *r, struct http_response *out)
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

static inline enum err metadata(struct http_request *r,
                                struct http_response *out)
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

static inline enum err token(struct http_request *r, struct http_response *out)
{
    up.tokens++;
    keep(up.last_form, sizeof up.last_form, r->body);
    keep(up.last_authorization, sizeof up.last_authorization,
         http_header(r, STR("Authorization")));
    http_text(out, up.token_status, STR("application/json"),
              str_of(up.token_reply));
    return OK;
}

static inline enum err patient(struct http_request *r,
                               struct http_response *out)
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

static inline enum err patients(struct http_request *r,
                                struct http_response *out)
{
    (void)r;
    http_text(out, up.patients == NULL ? 400 : 200, STR("application/json"),
              str_of(up.patients == NULL ? "" : up.patients));
    return OK;
}

static inline void no_family(struct http_request *r, struct http_response *out,
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

static inline enum err keep_patient(void *context, const struct connection *c,
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

static inline enum err do_put_system(struct db_session *s, void *context)
{
    struct put_system *put = context;
    return system_put(s, put->system, &put->id, NULL);
}

static inline void put_system(bool has_old)
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

static inline void put_client(void)
{
    AUTO_CLIENT client = { .client_id = STR("our-id"), .auth = STR("") };
    assert_int_equal(vault_client_put(w.vault, STR("default"), 4706, &client),
                     OK);
}

static inline void start_server(void)
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

static inline int set_up(void **state)
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
    assert_int_equal(db_test_open_at(w.path, &w.db, &why), OK);
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

static inline int tear_down(void **state)
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

static inline struct connect_ask ask_of(struct str browser)
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

static inline struct url_params start(struct connect_ask ask)
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

static inline struct connect_result finish(struct str state, struct str browser)
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

static inline struct connect_result connect_once(void)
{
    struct url_params params = start(ask_of(STR("")));
    return finish(url_param(&params, STR("state")), STR(""));
}

struct count {
    int64_t jobs;
};

static inline enum err do_count(struct db_session *s, void *context)
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

static inline int64_t jobs(void)
{
    struct count count;
    assert_int_equal(db_read(w.db, do_count, &count), OK);
    return count.jobs;
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

#endif
