#include "api/ingest.h"

#include "api/access.h"
#include "api/params.h"
#include "auth/user.h"
#include "base/clock.h"
#include "base/json.h"
#include "connect/connection.h"
#include "directory/system.h"
#include "ingest/ingest.h"
#include "jobs/jobs.h"
#include "vault/vault.h"

#define JSON_TYPE STR("application/json; charset=utf-8")

struct asked {
    struct services *s;
    int64_t user_id;
    int64_t system_id; /* 0: all */
    struct str fhir_version;
    bool is_whole; /* not only what changed */
    struct connection *connections;
    size_t count;
};

/* The user: of the token, or one that the app names by either id. */
static enum err find_user(struct http_request *r, const struct params *p,
                          int64_t *out)
{
    struct services *s = services_of(r);
    struct principal principal;
    struct app app;
    struct user user;
    int64_t id;
    if (http_bearer(r).p != NULL ||
        params_get(p, STR("access_token")).p != NULL) {
        enum err err = access_token_of(r, &principal);
        if (err == OK && principal.user_id != 0)
            *out = principal.user_id;
        if (err != OK || principal.user_id != 0)
            return err;
    }
    enum err err = access_app(r, p, &app);
    if (err != OK)
        return err;
    struct str name = params_get(p, STR("app_user_id"));
    if (params_get_i64(p, STR("oneup_user_id"), &id))
        err = user_by_id(s->db, app.id, id, r->arena, &user);
    else if (name.n > 0)
        err = user_by_app_user_id(s->db, app.id, name, r->arena, &user);
    else
        return why(&r->why, ERR_INVALID,
                   "oneup_user_id or app_user_id is missing");
    if (err == ERR_NOT_FOUND)
        return why(&r->why, ERR_INVALID, "this user does not exist");
    if (err == OK)
        *out = user.id;
    return err;
}

static bool is_asked(const struct asked *a, const struct connection *c)
{
    return (a->system_id == 0 || c->system_id == a->system_id) &&
           (a->fhir_version.n == 0 ||
            str_eq_nocase(c->fhir_version, a->fhir_version));
}

static enum err begin(struct http_request *r, struct asked *out)
{
    struct params p;
    struct asked a = { .s = services_of(r) };
    enum err err = params_read(r, &p);
    if (err == OK)
        err = find_user(r, &p, &a.user_id);
    if (err != OK)
        return err;
    struct str system = params_get(&p, STR("system_id"));
    if (system.n > 0 && !str_to_i64(system, &a.system_id))
        return why(&r->why, ERR_INVALID, "system_id is no number");
    a.fhir_version = params_get(&p, STR("fhirVersion"));
    a.is_whole = str_eq(params_get(&p, STR("whole")), STR("true"));
    err =
        connection_list(a.s->db, a.user_id, r->arena, &a.connections, &a.count);
    if (err != OK)
        return err;
    size_t n = 0;
    for (size_t i = 0; i < a.count; i++)
        if (is_asked(&a, &a.connections[i]))
            a.connections[n++] = a.connections[i];
    a.count = n;
    *out = a;
    return OK;
}

/* --- on demand -------------------------------------------------------------
 */

static enum err queue_all(struct db_session *s, void *context)
{
    const struct asked *a = context;
    enum err err = OK;
    bool queued;
    for (size_t i = 0; err == OK && i < a->count; i++)
        if (str_eq(a->connections[i].status, STR("active")))
            err = ingest_queue(s, a->user_id, a->connections[i].id, a->is_whole,
                               &queued);
    return err;
}

enum err ingest_on_demand(struct http_request *r, struct http_response *out)
{
    struct asked a;
    size_t active = 0;
    enum err err = begin(r, &a);
    if (err != OK)
        return err;
    for (size_t i = 0; i < a.count; i++)
        active += str_eq(a.connections[i].status, STR("active"));
    if (active == 0)
        return why(&r->why, ERR_INVALID,
                   "this user has no connection to ingest from");
    err = db_write(a.s->db, queue_all, &a);
    if (err != OK)
        return err;
    jobs_wake(a.s->jobs);
    struct buf *b = &out->body;
    out->status = 202;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    json_key(b, STR("jobs"));
    json_array(b);
    for (size_t i = 0; i < a.count; i++) {
        if (!str_eq(a.connections[i].status, STR("active")))
            continue;
        json_object(b);
        json_member_i64(b, STR("job_id"), a.connections[i].id);
        json_member_i64(b, STR("system_id"), a.connections[i].system_id);
        json_member(b, STR("fhirVersion"), a.connections[i].fhir_version);
        json_member(b, STR("status"), STR("queued"));
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    return OK;
}

/* --- status ----------------------------------------------------------------
 */

static void add_time(struct buf *b, struct str key, int64_t ms)
{
    json_key(b, key);
    if (ms == 0) {
        json_null(b);
        return;
    }
    buf_add_char(b, '"');
    clock_add_instant(b, ms);
    buf_add_char(b, '"');
}

/* The contract's words for how a connection stands. */
static struct str status_word(const struct connection *c)
{
    return str_eq(c->status, STR("needs_login")) ? STR("expired") : c->status;
}

static struct str system_name(struct http_request *r, int64_t id)
{
    struct system system;
    return system_get(services_of(r)->db, id, r->arena, &system) == OK
               ? system.name
               : STR("");
}

enum err ingest_token_status(struct http_request *r, struct http_response *out)
{
    struct asked a;
    enum err err = begin(r, &a);
    if (err != OK)
        return err;
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = 0; i < a.count; i++) {
        const struct connection *c = &a.connections[i];
        json_object(b);
        json_member_i64(b, STR("system_id"), c->system_id);
        json_member(b, STR("system_name"), system_name(r, c->system_id));
        json_member(b, STR("fhirVersion"), c->fhir_version);
        json_member(b, STR("status"), status_word(c));
        add_time(b, STR("connected_at"), c->created_ms);
        add_time(b, STR("expires_at"), c->expires_ms);
        struct ingest_report report;
        bool has = ingest_report_get(a.s->db, a.user_id, c->id, r->arena,
                                     &report) == OK;
        add_time(b, STR("last_ingest_at"), has ? report.ended_ms : 0);
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    return OK;
}

static void add_type(struct buf *b, const struct ingest_type_report *t)
{
    json_object(b);
    json_member(b, STR("type"), t->type);
    json_member(b, STR("status"), t->status);
    json_member_i64(b, STR("http_status"), t->http_status);
    json_member_i64(b, STR("asked"), t->asked);
    json_member_i64(b, STR("got"), t->got);
    json_member_i64(b, STR("written"), t->written);
    json_member_i64(b, STR("same"), t->same);
    json_member_i64(b, STR("warnings"), t->warnings);
    if (t->upstream_total >= 0)
        json_member_i64(b, STR("upstream_total"), t->upstream_total);
    add_time(b, STR("changes_since"), t->since_ms);
    if (t->detail.n > 0)
        json_member(b, STR("detail"), t->detail);
    json_object_end(b);
}

enum err ingest_status(struct http_request *r, struct http_response *out)
{
    struct asked a;
    enum err err = begin(r, &a);
    if (err != OK)
        return err;
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = 0; i < a.count; i++) {
        const struct connection *c = &a.connections[i];
        struct ingest_report report = { .status = STR("waiting") };
        err = ingest_report_get(a.s->db, a.user_id, c->id, r->arena, &report);
        if (err != OK && err != ERR_NOT_FOUND)
            return err;
        json_object(b);
        json_member_i64(b, STR("connection_id"), c->id);
        json_member_i64(b, STR("system_id"), c->system_id);
        json_member(b, STR("fhirVersion"), c->fhir_version);
        json_member(b, STR("patient"), c->local_patient);
        json_member(b, STR("status"), report.status);
        add_time(b, STR("started_at"), report.started_ms);
        add_time(b, STR("ended_at"), report.ended_ms);
        json_member_i64(b, STR("types_done"), (int64_t)report.done_count);
        json_member_i64(b, STR("types_total"), (int64_t)report.type_count);
        json_key(b, STR("types"));
        json_array(b);
        for (size_t k = 0; k < report.type_count; k++)
            add_type(b, &report.types[k]);
        json_array_end(b);
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    return OK;
}

/* --- revoke ----------------------------------------------------------------
 */

static enum err revoke_all(struct db_session *s, void *context)
{
    const struct asked *a = context;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < a->count; i++) {
        err = vault_erase(s, a->user_id, a->connections[i].id);
        if (err == OK)
            err = connection_set_status(s, a->user_id, a->connections[i].id,
                                        STR("revoked"));
    }
    return err;
}

enum err ingest_revoke(struct http_request *r, struct http_response *out)
{
    struct asked a;
    int64_t revoked = 0;
    enum err err = begin(r, &a);
    if (err != OK)
        return err;
    for (size_t i = 0; i < a.count; i++)
        revoked += !str_eq(a.connections[i].status, STR("revoked"));
    err = db_write(a.s->db, revoke_all, &a);
    if (err != OK)
        return err;
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    json_object(b);
    json_member_bool(b, STR("success"), true);
    json_member_i64(b, STR("revoked"), revoked);
    json_object_end(b);
    return OK;
}
