/* Asking a system where its sign-in is.  What it answered is kept for an hour;
 * an answer that is none is not kept. */
#include "connect/connect_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"

#define DOCUMENT_MAX     ((size_t)4 * 1024 * 1024)
#define DISCOVERY_MS     ((int64_t)60 * 60 * 1000)
#define ANSWER_WITHIN_MS 15000
#define REDIRECTS_MAX    3

static const struct db_statement select_document = {
    "SELECT document FROM discovery WHERE base_url = $1 AND expires_ms > $2"
};
static const struct db_statement upsert_document = {
    "INSERT INTO discovery(base_url, document, expires_ms) VALUES ($1, $2, $3) "
    "ON CONFLICT(base_url) DO UPDATE SET document = excluded.document, "
    "expires_ms = excluded.expires_ms"
};

struct kept {
    struct str base_url, document;
    struct arena *a;
};

static enum err do_load(struct db_session *s, void *context)
{
    struct kept *kept = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_document, &rows, DB_TEXT(kept->base_url),
                            DB_I64(clock_now_ms()));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        kept->document = arena_str(kept->a, db_text(&rows, 0));
    return err;
}

static enum err do_keep(struct db_session *s, void *context)
{
    struct kept *kept = context;
    return db_run(s, &upsert_document, NULL, DB_TEXT(kept->base_url),
                  DB_TEXT(kept->document),
                  DB_I64(clock_now_ms() + DISCOVERY_MS));
}

static void add_list(struct buf *b, struct str name, bool has, struct str word)
{
    if (!has)
        return;
    json_key(b, name);
    json_array(b);
    json_string(b, word);
    json_array_end(b);
}

static void add_words(struct buf *b, const struct discovery *d)
{
    json_key(b, STR("token_endpoint_auth_methods_supported"));
    json_array(b);
    if (d->has_jwt)
        json_string(b, STR("private_key_jwt"));
    if (d->has_basic)
        json_string(b, STR("client_secret_basic"));
    if (d->has_post)
        json_string(b, STR("client_secret_post"));
    json_array_end(b);
    json_key(b, STR("capabilities"));
    json_array(b);
    if (d->has_scope_v1)
        json_string(b, STR("permission-v1"));
    if (d->has_scope_v2)
        json_string(b, STR("permission-v2"));
    json_array_end(b);
    json_key(b, STR("scopes_supported"));
    json_array(b);
    for (size_t i = 0; i < d->scope_count; i++)
        json_string(b, d->scopes[i]);
    json_array_end(b);
}

/* Written again in one shape, whatever it was read from. */
static enum err write(struct arena *a, const struct discovery *d,
                      struct str *out)
{
    struct buf b = BUF_IN(a, DOCUMENT_MAX);
    json_object(&b);
    json_member(&b, STR("authorization_endpoint"), d->authorize_url);
    json_member(&b, STR("token_endpoint"), d->token_url);
    if (d->revoke_url.n > 0)
        json_member(&b, STR("revocation_endpoint"), d->revoke_url);
    if (d->issuer.n > 0)
        json_member(&b, STR("issuer"), d->issuer);
    add_list(&b, STR("code_challenge_methods_supported"), d->has_s256,
             STR("S256"));
    add_words(&b, d);
    json_object_end(&b);
    return buf_view(&b, out);
}

/* A code and a token must not go in the clear because a document said so. */
static enum err check(struct str base_url, const struct discovery *d,
                      struct why *w)
{
    struct url base, authorize, token;
    enum err err = url_parse(base_url, &base);
    if (err == OK)
        err = url_parse(d->authorize_url, &authorize);
    if (err == OK)
        err = url_parse(d->token_url, &token);
    if (err != OK)
        return why(w, ERR_UPSTREAM, "the system's sign-in has no good address");
    if (url_is_https(&base) &&
        (!url_is_https(&authorize) || !url_is_https(&token)))
        return why(w, ERR_UPSTREAM, "the system's sign-in is not https");
    return OK;
}

typedef enum err reader(struct arena *a, struct str json, struct discovery *out,
                        struct why *w);

static enum err ask(struct connect *c, struct str base_url, struct str path,
                    struct str accept, reader *read, struct arena *a,
                    struct discovery *out, struct why *w)
{
    struct http_call call = {
        .method = HTTP_GET,
        .url = url_join(a, base_url, path),
        .answer_max_bytes = DOCUMENT_MAX,
        .timeout_ms = ANSWER_WITHIN_MS,
        .redirects_max = REDIRECTS_MAX,
        .arena = a,
    };
    http_call_add_header(&call, STR("Accept"), accept);
    enum err err = http_client_run(c->o.client, &call);
    if (err != OK)
        return why(w, err, call.why.text);
    if (call.status != 200)
        return why(w, ERR_UPSTREAM,
                   "the system does not say where its sign-in is");
    err = read(a, call.answer, out, w);
    return err == OK ? check(base_url, out, w) : err;
}

static enum err ask_both(struct connect *c, struct str base_url,
                         struct arena *a, struct discovery *out, struct why *w)
{
    enum err err =
        ask(c, base_url, STR(".well-known/smart-configuration"),
            STR("application/json"), discovery_from_smart, a, out, w);
    if (err == OK || err == ERR_NOMEM || err == ERR_STOPPING ||
        err == ERR_DENIED)
        return err;
    return ask(c, base_url, STR("metadata"),
               STR("application/fhir+json, application/json+fhir, "
                   "application/json;q=0.9"),
               discovery_from_capability, a, out, w);
}

enum err discover(struct connect *c, struct str base_url, struct arena *a,
                  struct discovery *out, struct why *w)
{
    struct kept kept = { base_url, STR_NONE, a };
    enum err err = db_read(c->o.db, do_load, &kept);
    if (err == OK)
        return discovery_from_smart(a, kept.document, out, w);
    if (err != ERR_NOT_FOUND)
        return err;
    err = ask_both(c, base_url, a, out, w);
    if (err == OK)
        err = write(a, out, &kept.document);
    if (err == OK)
        err = db_write(c->o.db, do_keep, &kept);
    return err;
}
