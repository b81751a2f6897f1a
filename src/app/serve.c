#include "app/serve.h"

#include "api/routes.h"
#include "api/services.h"
#include "app/version.h"
#include "audit/audit.h"
#include "auth/rate.h"
#include "auth/share.h"
#include "auth/token.h"
#include "bulk/export.h"
#include "base/clock.h"
#include "base/file.h"
#include "connect/connect.h"
#include "crypto/seal.h"
#include "http/client.h"
#include "http/server.h"
#include "ingest/ingest.h"
#include "jobs/jobs.h"
#include "store/store.h"
#include "subscription/subscription.h"
#include "vault/vault.h"

#define STOP_WAIT_MS        20000
#define FAILURES_PER_MINUTE 30
#define RATE_NAMES_MAX      100000
#define JOB_KINDS_MAX       16

struct serve {
    struct services services;
    struct http_gate *gate;
    struct seal *seal;
    bool has_api, has_worker;
};

static enum err start_basics(struct serve *s, const struct config *c,
                             struct arena *a, struct why *w)
{
    struct db_options db = {
        .path = arena_cstr(a, config_database(a, c)),
        .sessions_max = (unsigned)c->database_sessions,
    };
    struct str key;
    enum err err = file_make_dir(arena_cstr(a, c->data), w);
    if (err == OK)
        err = config_master_key(a, c, &key, w);
    if (err == OK)
        err = seal_new(key, &s->seal, w);
    if (err == OK)
        err = db_open(&db, &s->services.db, w);
    struct store_options store = {
        .db = s->services.db,
        .cache_bytes = c->record_cache_mb * 1024 * 1024,
    };
    if (err == OK)
        err = store_new(&store, &s->services.store, w);
    struct audit_options audit = { s->services.db, s->services.store };
    if (err == OK)
        err = audit_new(&audit, &s->services.audit);
    if (err == OK)
        err = vault_new(s->services.db, s->seal, &s->services.vault);
    if (err == OK)
        err = tokens_new(s->services.db, &s->services.tokens);
    if (err == OK)
        err = shares_new(s->services.db, &s->services.shares);
    s->services.seal = s->seal;
    return err;
}

static enum err start_limits(struct serve *s, const struct config *c)
{
    unsigned um = (unsigned)c->um_per_hour;
    enum err err = rate_new(um / 60, um, RATE_NAMES_MAX, &s->services.um_rate);
    if (err == OK)
        err = rate_new(FAILURES_PER_MINUTE, FAILURES_PER_MINUTE, RATE_NAMES_MAX,
                       &s->services.failure_rate);
    return err;
}

static enum err start_client(struct serve *s, const struct config *c,
                             struct arena *a, struct why *w)
{
    struct http_client_options client = {
        .per_host_max = (unsigned)c->per_host_max,
        .user_agent = "Tributary/" TRIBUTARY_VERSION,
        .ca_file = c->ca_file.n > 0 ? arena_cstr(a, c->ca_file) : NULL,
    };
    enum err err = http_gate_new(c->outbound_allow, &s->gate, w);
    client.gate = s->gate;
    if (err == OK)
        err = http_client_start(&client, &s->services.client, w);
    return err;
}

static enum err start_stages(struct serve *s, const struct config *c,
                             struct arena *a, struct why *w)
{
    struct services *v = &s->services;
    struct ingest_options ingest = {
        .db = v->db,
        .store = v->store,
        .client = v->client,
        .audit = v->audit,
        .seal = s->seal,
        .public_base = v->public_base,
        .refresh_every_s = c->refresh_hours * 3600,
        .whole_every_s = c->whole_refresh_hours * 3600,
    };
    enum err err = ingest_new(&ingest, &v->ingest, w);
    struct connect_options connect = {
        .db = v->db,
        .client = v->client,
        .vault = v->vault,
        .audit = v->audit,
        .seal = s->seal,
        .callback_url = arena_cat(a, v->public_base, STR("/connect/callback")),
        .keep_patient = ingest_keep_patient,
        .keep_context = v->ingest,
    };
    if (err == OK)
        err = connect_new(&connect, &v->connect, w);
    if (err != OK)
        return err;
    ingest_set_connect(v->ingest, v->connect);
    struct exports_options exports = { .db = v->db,
                                       .store = v->store,
                                       .keep_s = c->export_hours * 3600 };
    struct subscriptions_options hooks = {
        .db = v->db, .store = v->store, .client = v->client, .gate = s->gate
    };
    err = exports_new(&exports, &v->exports);
    if (err == OK)
        err = subscriptions_new(&hooks, &v->subscriptions);
    if (err != OK)
        return err;
    struct job_kind kinds[JOB_KINDS_MAX];
    size_t n = ingest_kinds(v->ingest, kinds, JOB_KINDS_MAX);
    n += exports_kinds(v->exports, kinds + n, JOB_KINDS_MAX - n);
    n += subscriptions_kinds(v->subscriptions, kinds + n, JOB_KINDS_MAX - n);
    struct jobs_options jobs = {
        .db = v->db,
        .kinds = kinds,
        .kind_count = n,
        .workers = s->has_worker ? (unsigned)c->jobs : 0,
        .take_back = s->has_worker && s->has_api,
    };
    return jobs_start(&jobs, &v->jobs, w);
}

static enum err start_server(struct serve *s, const struct config *c,
                             struct arena *a, struct why *w)
{
    struct http_server_options o = {
        .address = arena_cstr(a, c->listen),
        .port = (uint16_t)c->port,
        .cert_file = c->cert_file.n > 0 ? arena_cstr(a, c->cert_file) : NULL,
        .key_file = c->key_file.n > 0 ? arena_cstr(a, c->key_file) : NULL,
        .threads = (unsigned)c->threads,
        .workers = (unsigned)c->pool,
        .connections_max = (unsigned)c->connections_max,
        .body_max_bytes = (size_t)c->body_max_mb * 1024 * 1024,
        .routes = api_routes,
        .route_count = api_route_count,
        .family = family_json,
        .context = &s->services,
        .is_access_logged = str_eq(c->access_log, STR("on")),
        .finish = api_finish,
        .is_cors_open = api_is_cors_open,
    };
    return http_server_start(&o, &s->services.server, w);
}

enum err serve_start(const struct config *config, struct arena *a,
                     struct serve **out, struct why *w)
{
    struct serve *s = arena_zalloc(a, 1, sizeof *s);
    if (s == NULL)
        return arena_err(a);
    s->has_api = !str_eq(config->role, STR("worker"));
    s->has_worker = !str_eq(config->role, STR("api"));
    s->services.public_base = config_public_base(a, config);
    s->services.version = STR(TRIBUTARY_VERSION);
    s->services.started_ms = clock_now_ms();
    enum err err = start_basics(s, config, a, w);
    if (err == OK)
        err = start_limits(s, config);
    if (err == OK)
        err = start_client(s, config, a, w);
    if (err == OK)
        err = start_stages(s, config, a, w);
    if (err == OK)
        err = start_server(s, config, a, w);
    if (err != OK) {
        serve_stop(s);
        return err;
    }
    *out = s;
    return OK;
}

void serve_stop(struct serve *s)
{
    struct services *v = &s->services;
    http_server_stop(v->server, STOP_WAIT_MS);
    jobs_stop(v->jobs);
    http_client_stop(v->client);
    connect_free(v->connect);
    ingest_free(v->ingest);
    exports_free(v->exports);
    subscriptions_free(v->subscriptions);
    audit_free(v->audit);
    vault_free(v->vault);
    tokens_free(v->tokens);
    shares_free(v->shares);
    store_free(v->store);
    db_close(v->db);
    rate_free(v->um_rate);
    rate_free(v->failure_rate);
    http_gate_free(s->gate);
    seal_free(s->seal);
}

uint16_t serve_port(const struct serve *s)
{
    return http_server_port(s->services.server);
}
