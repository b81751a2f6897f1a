/* The way back: code -> tokens -> patient -> connection, tokens and an ingest
 * job in one transaction -> the Patient kept -> the app.
 *
 * A process killed after the transaction loses only the early Patient, which
 * the job brings; killed before it, the person signs in again. */
#include "connect/connect_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/url.h"
#include "jobs/jobs.h"

#define URL_TEXT_MAX      ((size_t)16 * 1024)
#define PATIENT_WITHIN_MS 20000
#define EXTRA_WITHIN_MS   5000

struct finish {
    struct connect *c;
    const struct connect_answer *answer;
    struct arena *a;
    struct flow flow;
    struct system system;
    struct vendor vendor;
    struct grant_reply reply;
    struct str reply_text, client_id;
    struct str patient_json; /* "" : not shown */
    struct connection connection;
    struct extra {
        struct connection connection;
        struct str patient_json;
    } extras[FLOW_EXTRA_MAX];
    size_t extra_count;
    struct str error, description; /* of a failure, in our words */
};

/* ---------------------------------------------------------- what went wrong */

static const struct {
    struct str code, text;
} failures[] = {
    { STR_INIT("access_denied"),
      STR_INIT("The sign-in was cancelled or access was not allowed.") },
    { STR_INIT("invalid_scope"),
      STR_INIT("The health system refused the kinds of record asked for.") },
    { STR_INIT("unauthorized_client"),
      STR_INIT("The health system does not accept this app.") },
    { STR_INIT("invalid_request"),
      STR_INIT("The health system did not understand the request.") },
    { STR_INIT("temporarily_unavailable"),
      STR_INIT("The health system is not available now.") },
    { STR_INIT("code_rejected"),
      STR_INIT("The health system did not accept its own sign-in code.") },
    { STR_INIT("client_rejected"),
      STR_INIT("The health system does not accept this app's credentials.") },
    { STR_INIT("patient_not_found"),
      STR_INIT("The health system did not say whose record this is.") },
    { STR_INIT("ambiguous_patient"),
      STR_INIT("The sign-in shows the records of several people.") },
    { STR_INIT("server_error"),
      STR_INIT("Something went wrong at the health system.") },
};
#define FAILURES (sizeof failures / sizeof failures[0])

/* Never the system's own text: it could be anything. */
static void fail(struct finish *f, struct str code)
{
    size_t i = 0;
    while (i < FAILURES - 1 && !str_eq(failures[i].code, code))
        i++;
    f->error = failures[i].code;
    f->description = failures[i].text;
}

static struct str code_of_token_error(enum err err, struct str upstream)
{
    if (err == ERR_DENIED && str_eq(upstream, STR("invalid_client")))
        return STR("client_rejected");
    if (err == ERR_DENIED && str_eq(upstream, STR("unauthorized_client")))
        return STR("client_rejected");
    if (err == ERR_DENIED)
        return STR("code_rejected");
    return err == ERR_TIMEOUT ? STR("temporarily_unavailable")
                              : STR("server_error");
}

static struct str code_of_patient_error(enum err err)
{
    if (err == ERR_MULTIPLE)
        return STR("ambiguous_patient");
    if (err == ERR_NOT_FOUND)
        return STR("patient_not_found");
    return err == ERR_TIMEOUT ? STR("temporarily_unavailable")
                              : STR("server_error");
}

/* ------------------------------------------------------------------ tokens */

static enum err exchange(struct finish *f, struct why *w)
{
    struct client_keys keys;
    enum err err = client_keys_get(f->c, &f->system, &f->vendor, f->a, &keys);
    if (err != OK)
        return err;
    struct grant_ask ask = {
        .token_url = f->flow.token_url,
        .code = f->answer->code,
        .redirect_uri = f->c->callback_url,
        .verifier = f->flow.verifier,
    };
    f->client_id = keys.vault.client_id;
    err = token_ask(f->c, &keys, &ask, f->a, &f->reply, &f->reply_text, w);
    vault_client_fini(&keys.vault);
    return err;
}

/* ------------------------------------------------------------- connections */

static void describe(struct finish *f)
{
    f->connection = (struct connection){
        .user_id = f->flow.user_id,
        .app_id = f->flow.app_id,
        .system_id = f->flow.system_id,
        .fhir_version = f->flow.fhir_version,
        .base_url = f->flow.base_url,
        .token_url = f->flow.token_url,
        .local_patient = STR(""),
        .scope = f->reply.scope.n > 0 ? f->reply.scope : f->flow.scope,
        .status = STR("active"),
        .expires_ms = token_expires_ms(&f->reply),
    };
}

/* Another release behind the same sign-in is there when it shows a Patient to
 * the same token. */
static void try_extra(struct finish *f, struct str version, struct str base)
{
    struct flow other = f->flow;
    other.fhir_version = version;
    other.base_url = base;
    struct patient_ask ask = { .flow = &other,
                               .reply = &f->reply,
                               .reply_text = f->reply_text,
                               .client_id = f->client_id,
                               .accept = f->vendor.accept,
                               .within_ms = EXTRA_WITHIN_MS };
    struct str id, json;
    if (patient_find(f->c, &ask, f->a, &id, &json, NULL) != OK || json.n == 0)
        return;
    struct extra *e = &f->extras[f->extra_count++];
    e->connection = f->connection;
    e->connection.fhir_version = version;
    e->connection.base_url = base;
    e->connection.patient_id = id;
    e->patient_json = json;
}

static void try_extras(struct finish *f)
{
    for (size_t i = 0; i < FLOW_EXTRA_MAX; i++)
        if (f->flow.extra_base[i].n > 0)
            try_extra(f, f->flow.extra_version[i], f->flow.extra_base[i]);
}

/* A known connection keeps its id, and with it the ids of all resources. */
static enum err settle(struct db_session *s, struct arena *a,
                       struct connection *c)
{
    struct connection known;
    enum err err = connection_find_same(s, c, a, &known);
    if (err == ERR_NOT_FOUND) {
        c->id = 1 + (int64_t)(rand_u64() >> 12); /* exact as a JSON number */
        c->created_ms = clock_now_ms();
        err = OK;
    } else if (err == OK) {
        c->id = known.id;
        c->created_ms = known.created_ms;
        c->last_ingest_ms = known.last_ingest_ms;
        c->local_patient = known.local_patient;
    }
    return err == OK ? connection_put(s, c) : err;
}

static enum err keep_tokens(struct finish *f, struct db_session *s)
{
    AUTO_TOKENS tokens = { .access_expires_ms = f->connection.expires_ms };
    enum err err = secret_init(&tokens.access, f->reply.access_token);
    if (err == OK && f->reply.refresh_token.n > 0)
        err = secret_init(&tokens.refresh, f->reply.refresh_token);
    if (err == OK && f->reply.id_token.n > 0)
        err = secret_init(&tokens.id_token, f->reply.id_token);
    if (err == OK)
        err = vault_put(f->c->o.vault, s, f->connection.user_id,
                        f->connection.id, &tokens);
    return err;
}

static enum err add_job(struct db_session *s, struct arena *a,
                        const struct connection *c)
{
    struct buf key = BUF_IN(a, 64), payload = BUF_IN(a, 128);
    struct str key_text, payload_text;
    bool added;
    buf_add(&key, STR("connection:"));
    buf_add_i64(&key, c->id);
    json_object(&payload);
    json_member_i64(&payload, STR("connection"), c->id);
    json_member_bool(&payload, STR("whole"), true);
    json_object_end(&payload);
    enum err err = buf_view(&key, &key_text);
    if (err == OK)
        err = buf_view(&payload, &payload_text);
    if (err == OK)
        err = jobs_add(s, STR("ingest"), key_text, c->user_id, payload_text, 0,
                       &added);
    return err;
}

static enum err do_store(struct db_session *s, void *context)
{
    struct finish *f = context;
    enum err err = settle(s, f->a, &f->connection);
    if (err == OK)
        err = keep_tokens(f, s);
    if (err == OK)
        err = add_job(s, f->a, &f->connection);
    for (size_t i = 0; i < f->extra_count && err == OK; i++) {
        struct connection *c = &f->extras[i].connection;
        c->tokens_of = f->connection.id;
        err = settle(s, f->a, c);
        if (err == OK)
            err = add_job(s, f->a, c);
    }
    return err;
}

static enum err do_set_patient(struct db_session *s, void *context)
{
    const struct connection *c = context;
    return connection_set_patient(s, c->user_id, c->id, c->local_patient);
}

/* The Patient now, so that the app finds it as soon as the person is back. */
static enum err keep_patient(struct finish *f, struct connection *c,
                             struct str json, struct why *w)
{
    struct str local;
    if (f->c->o.keep_patient == NULL || json.n == 0)
        return OK;
    enum err err =
        f->c->o.keep_patient(f->c->o.keep_context, c, json, f->a, &local, w);
    if (err != OK || str_eq(local, c->local_patient))
        return err;
    c->local_patient = local;
    return db_write(f->c->o.db, do_set_patient, c);
}

/* ---------------------------------------------------------------- the flow */

static enum err find_patient(struct finish *f, struct why *w)
{
    struct patient_ask ask = { .flow = &f->flow,
                               .reply = &f->reply,
                               .reply_text = f->reply_text,
                               .client_id = f->client_id,
                               .accept = f->vendor.accept,
                               .within_ms = PATIENT_WITHIN_MS };
    return patient_find(f->c, &ask, f->a, &f->connection.patient_id,
                        &f->patient_json, w);
}

/* Everything after the person said yes; false with error set. */
static bool make_connection(struct finish *f, struct why *w)
{
    enum err err = exchange(f, w);
    if (err != OK) {
        fail(f, code_of_token_error(err, f->reply.error));
        note_step(f->c, &f->flow, f->system.name, 0,
                  STR("payer-connection-not-established"), false,
                  f->description);
        return false;
    }
    describe(f);
    err = find_patient(f, w);
    if (err != OK) {
        fail(f, code_of_patient_error(err));
        note_step(f->c, &f->flow, f->system.name, 0,
                  STR("payer-connection-not-established"), false,
                  f->description);
        return false;
    }
    try_extras(f);
    err = db_write(f->c->o.db, do_store, f);
    if (err == OK)
        err = keep_patient(f, &f->connection, f->patient_json, w);
    for (size_t i = 0; i < f->extra_count && err == OK; i++)
        err = keep_patient(f, &f->extras[i].connection,
                           f->extras[i].patient_json, w);
    if (err != OK)
        fail(f, STR("server_error"));
    return err == OK;
}

/* The registered URL with what happened behind its own query. */
static enum err write_redirect(const struct finish *f, bool is_connected,
                               struct str *out)
{
    struct buf b = BUF_IN(f->a, URL_TEXT_MAX);
    struct buf id = BUF_IN(f->a, 32);
    struct str id_text;
    buf_add(&b, f->flow.redirect_uri);
    url_add_param(&b, STR("success"),
                  is_connected ? STR("true") : STR("false"));
    if (!is_connected) {
        url_add_param(&b, STR("error"), f->error);
        url_add_param(&b, STR("error_description"), f->description);
    }
    if (f->flow.app_state.n > 0)
        url_add_param(&b, STR("state"), f->flow.app_state);
    buf_add_i64(&id, f->flow.system_id);
    enum err err = buf_view(&id, &id_text);
    if (err == OK)
        url_add_param(&b, STR("system_id"), id_text);
    return err == OK ? buf_view(&b, out) : err;
}

/* RFC 9207: an answer from another server than the one we sent the person to
 * must not get that server's code sent to this one. */
static bool is_from_other(const struct finish *f)
{
    struct str iss = f->answer->iss, issuer = f->flow.issuer;
    while (str_ends(iss, STR("/")))
        iss.n--;
    while (str_ends(issuer, STR("/")))
        issuer.n--;
    return iss.n > 0 && issuer.n > 0 && !str_eq(iss, issuer);
}

static bool run(struct finish *f, struct why *w)
{
    if (is_from_other(f)) {
        fail(f, STR("server_error"));
        note_step(f->c, &f->flow, f->system.name, 0,
                  STR("member-authorization"), false,
                  STR("the answer came from another server"));
        return false;
    }
    if (f->answer->error.n > 0 || f->answer->code.n == 0) {
        fail(f,
             f->answer->error.n > 0 ? f->answer->error : STR("server_error"));
        note_step(f->c, &f->flow, f->system.name, 0,
                  STR("member-authorization"), false, f->description);
        return false;
    }
    note_step(f->c, &f->flow, f->system.name, 0, STR("member-authorization"),
              true, STR("the person allowed access"));
    return make_connection(f, w);
}

enum err connect_finish(struct connect *c, const struct connect_answer *answer,
                        struct arena *a, struct connect_result *out,
                        struct why *w)
{
    struct finish f = { .c = c, .answer = answer, .a = a };
    enum err err = state_take(c, answer->state, answer->browser, a, &f.flow);
    if (err == ERR_NOT_FOUND)
        return why(w, err,
                   "this sign-in is unknown, was used already, or "
                   "took longer than half an hour");
    if (err == ERR_DENIED)
        return why(w, err, "this sign-in was begun in another browser");
    if (err == OK)
        err = system_get(c->o.db, f.flow.system_id, a, &f.system);
    if (err == OK)
        err = system_vendor(&f.system, a, &f.vendor);
    if (err != OK)
        return err;
    struct connect_result result = { .user_id = f.flow.user_id,
                                     .system_id = f.flow.system_id };
    if (str_eq(answer->error, STR("invalid_scope")) && f.flow.second.n == 0 &&
        start_second(c, &f.flow, answer->browser, a, &result.redirect_url) ==
            OK) {
        result.error = STR("invalid_scope");
        result.error_description = STR("asking once more, for less");
        *out = result;
        return OK;
    }
    result.is_connected = run(&f, w);
    result.connection = f.connection;
    result.error = f.error;
    result.error_description = f.description;
    result.redirect_url = STR("");
    if (f.flow.redirect_uri.n > 0)
        err = write_redirect(&f, result.is_connected, &result.redirect_url);
    if (err == OK)
        *out = result;
    return err;
}
