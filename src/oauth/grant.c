#include "oauth/grant.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/url.h"
#include "crypto/jwt.h"

#define BODY_MAX           ((size_t)64 * 1024)
#define ASSERTION_LIFE_S   300 /* SMART: no more than five minutes */
#define ASSERTION_ID_BYTES 20
#define EXPIRES_MAX_S      ((int64_t)400 * 86400)
#define ASSERTION_TYPE     "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* ES384 for an elliptic key, RS384 for RSA: the two that SMART asks of every
 * server. */
static struct str algorithm_of(struct arena *a, struct str jwk)
{
    struct yyjson_val *v;
    if (json_parse(a, jwk, &v, NULL) != OK)
        return STR_NONE;
    return str_eq(json_get_text(v, STR("kty")), STR("EC")) ? STR("ES384")
                                                           : STR("RS384");
}

/* RFC 7523 section 3: iss and sub the client, aud the token endpoint. */
static enum err make_assertion(struct arena *a, const struct grant_ask *ask,
                               struct str *out, struct why *w)
{
    const struct grant_client *client = ask->client;
    int64_t now_s = clock_now_ms() / 1000;
    struct str jwk = client->private_jwk == NULL
                         ? STR_NONE
                         : secret_reveal(client->private_jwk);
    if (jwk.n == 0)
        return why(w, ERR_INVALID, "the client has no private key");
    struct buf b = BUF_IN(a, BODY_MAX);
    json_object(&b);
    json_member(&b, STR("iss"), client->client_id);
    json_member(&b, STR("sub"), client->client_id);
    json_member(&b, STR("aud"), ask->token_url);
    json_member(&b, STR("jti"), rand_hex(a, ASSERTION_ID_BYTES));
    json_member_i64(&b, STR("iat"), now_s);
    json_member_i64(&b, STR("exp"), now_s + ASSERTION_LIFE_S);
    json_object_end(&b);
    struct str claims;
    enum err err = buf_view(&b, &claims);
    if (err != OK)
        return err;
    return jwt_sign(a, jwk, algorithm_of(a, jwk), claims, out, w);
}

/* RFC 6749 2.3.1: each form-urlencoded, then Basic. */
static enum err make_basic(struct arena *a, const struct grant_client *client,
                           struct str *out)
{
    AUTO_BUF pair = BUF(BODY_MAX);
    url_escape(&pair, client->client_id);
    buf_add_char(&pair, ':');
    if (client->client_secret != NULL)
        url_escape(&pair, secret_reveal(client->client_secret));
    struct str text;
    enum err err = buf_view(&pair, &text);
    if (err == OK)
        *out = arena_cat(a, STR("Basic "), base64_encode(a, text));
    if (pair.data != NULL)
        secret_wipe(pair.data, pair.room);
    return err == OK ? arena_err(a) : err;
}

static void add_grant(struct buf *b, const struct grant_ask *ask)
{
    if (ask->code.n > 0) {
        url_add_form(b, STR("grant_type"), STR("authorization_code"));
        url_add_form(b, STR("code"), ask->code);
        url_add_form(b, STR("redirect_uri"), ask->redirect_uri);
        if (ask->verifier.n > 0)
            url_add_form(b, STR("code_verifier"), ask->verifier);
        return;
    }
    url_add_form(b, STR("grant_type"), STR("refresh_token"));
    url_add_form(b, STR("refresh_token"), ask->refresh_token);
    if (ask->scope.n > 0)
        url_add_form(b, STR("scope"), ask->scope);
}

enum err grant_request(struct arena *a, const struct grant_ask *ask,
                       struct str *out_body, struct str *out_authorization,
                       struct why *w)
{
    const struct grant_client *client = ask->client;
    struct str authorization = STR(""), assertion = STR_NONE, body;
    enum err err = OK;
    if (client->auth == GRANT_BASIC)
        err = make_basic(a, client, &authorization);
    else if (client->auth == GRANT_JWT)
        err = make_assertion(a, ask, &assertion, w);
    if (err != OK)
        return err;

    struct buf b = BUF_IN(a, BODY_MAX);
    add_grant(&b, ask);
    if (client->auth != GRANT_BASIC)
        url_add_form(&b, STR("client_id"), client->client_id);
    if (client->auth == GRANT_POST && client->client_secret != NULL)
        url_add_form(&b, STR("client_secret"),
                     secret_reveal(client->client_secret));
    if (client->auth == GRANT_JWT) {
        url_add_form(&b, STR("client_assertion_type"), STR(ASSERTION_TYPE));
        url_add_form(&b, STR("client_assertion"), assertion);
    }
    err = buf_view(&b, &body);
    if (err != OK)
        return err;
    *out_body = body;
    *out_authorization = authorization;
    return OK;
}

/* 3600, 3600.0, "3600", 1e99, -5: whole seconds, 0 where it makes no sense. */
static int64_t read_seconds(struct str text)
{
    text = str_trim(text);
    int64_t seconds;
    struct str whole = str_slice(text, 0, str_find(text, '.'));
    if (!str_to_i64(whole, &seconds) || seconds <= 0)
        return 0;
    return seconds < EXPIRES_MAX_S ? seconds : EXPIRES_MAX_S;
}

static bool is_known(struct str name)
{
    static const struct str known[] = {
        STR_INIT("access_token"),      STR_INIT("refresh_token"),
        STR_INIT("id_token"),          STR_INIT("scope"),
        STR_INIT("patient"),           STR_INIT("expires_in"),
        STR_INIT("token_type"),        STR_INIT("error"),
        STR_INIT("error_description"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(known[i], name))
            return true;
    return false;
}

static enum err other_names(struct arena *a, struct yyjson_val *v,
                            struct str *out)
{
    struct buf b = BUF_IN(a, BODY_MAX);
    for (JSON_MEMBERS(m, v)) {
        if (is_known(json_key_of(&m)))
            continue;
        if (b.len > 0)
            buf_add_char(&b, ' ');
        buf_add(&b, json_key_of(&m));
    }
    return buf_view(&b, out);
}

/* A list of scopes in place of a text, as some send. */
static struct str read_scope(struct arena *a, struct yyjson_val *v)
{
    struct yyjson_val *scope = json_get(v, STR("scope"));
    if (!json_is_array(scope))
        return json_text(scope);
    struct buf b = BUF_IN(a, BODY_MAX);
    for (JSON_EACH(item, scope)) {
        if (b.len > 0)
            buf_add_char(&b, ' ');
        buf_add(&b, json_text(item.now));
    }
    struct str text;
    return buf_view(&b, &text) == OK ? text : STR_NONE;
}

static enum err judge(int status, const struct grant_reply *r, struct why *w)
{
    bool is_outage = status >= 500 || status == 408 || status == 429 ||
                     str_eq(r->error, STR("temporarily_unavailable")) ||
                     str_eq(r->error, STR("server_error"));
    if (r->error.n > 0)
        return why_of(w, is_outage ? ERR_UPSTREAM : ERR_DENIED,
                      STR("the system refused: "), r->error);
    if (status >= 200 && status < 300 && r->access_token.n > 0)
        return OK;
    if (status >= 200 && status < 300)
        return why(w, ERR_UPSTREAM, "the system gave no access token");
    return why(w, is_outage ? ERR_UPSTREAM : ERR_DENIED,
               "the system refused the token request");
}

enum err grant_parse(struct arena *a, int status, struct str json,
                     struct grant_reply *out, struct why *w)
{
    struct yyjson_val *v;
    struct grant_reply r = { 0 };
    enum err err = json_parse(a, json, &v, NULL);
    if (err == ERR_NOMEM || err == ERR_LIMIT)
        return err;
    if (err != OK || !json_is_object(v))
        return why(w, ERR_UPSTREAM,
                   "the system's token endpoint did not answer in JSON");
    r.access_token = json_get_text(v, STR("access_token"));
    r.refresh_token = json_get_text(v, STR("refresh_token"));
    r.id_token = json_get_text(v, STR("id_token"));
    r.scope = read_scope(a, v);
    r.patient = json_get_text(v, STR("patient"));
    r.expires_in = read_seconds(json_get_text(v, STR("expires_in")));
    r.error = json_get_text(v, STR("error"));
    r.error_description = json_get_text(v, STR("error_description"));
    err = other_names(a, v, &r.raw_keys);
    if (err != OK)
        return err;
    err = judge(status, &r, w);
    if (err == OK || err == ERR_DENIED)
        *out = r;
    return err;
}

static enum err read_basic(struct arena *a, struct str authorization,
                           struct grant_asked *out, struct why *w)
{
    struct str pair;
    if (!str_starts_nocase(authorization, STR("Basic ")))
        return OK;
    enum err err = base64_decode(
        a, str_trim(str_from(authorization, STR("Basic ").n)), &pair);
    if (err == ERR_NOMEM)
        return err;
    if (err != OK || str_find(pair, ':') == pair.n)
        return why(w, ERR_FORMAT, "Authorization: Basic is broken");
    size_t colon = str_find(pair, ':');
    out->client_id = url_unescape(a, str_slice(pair, 0, colon), true);
    out->client_secret = url_unescape(a, str_from(pair, colon + 1), true);
    return arena_err(a);
}

enum err grant_read(struct arena *a, const struct url_params *form,
                    struct str authorization, struct grant_asked *out,
                    struct why *w)
{
    struct grant_asked asked = {
        .grant_type = url_param(form, STR("grant_type")),
        .code = url_param(form, STR("code")),
        .redirect_uri = url_param(form, STR("redirect_uri")),
        .verifier = url_param(form, STR("code_verifier")),
        .refresh_token = url_param(form, STR("refresh_token")),
        .scope = url_param(form, STR("scope")),
        .client_id = url_param(form, STR("client_id")),
        .client_secret = url_param(form, STR("client_secret")),
        .assertion = url_param(form, STR("client_assertion")),
    };
    enum err err = read_basic(a, authorization, &asked, w);
    if (err == OK)
        *out = asked;
    return err;
}
