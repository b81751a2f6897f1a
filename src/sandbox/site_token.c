/* The token endpoint: exchange, refresh, revocation. */
#include "base/clock.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "oauth/grant.h"
#include "oauth/pkce.h"
#include "oauth/scope.h"
#include "sandbox/site_int.h"

#define ASSERTION_SECONDS_MAX 600
#define SHORT_TOKEN_SECONDS   3
#define CLAIMS_MAX            ((size_t)16 * 1024)

void site_oauth_error(struct http_response *out, int status, struct str error,
                      struct str description)
{
    out->status = status;
    http_set_type(out, STR("application/json"));
    buf_cut(&out->body, 0);
    json_object(&out->body);
    json_member(&out->body, STR("error"), error);
    if (description.n > 0)
        json_member(&out->body, STR("error_description"), description);
    json_object_end(&out->body);
}

void site_family_oauth(struct http_request *r, struct http_response *out,
                       enum err err)
{
    site_oauth_error(out, err == ERR_NOMEM ? 503 : 400, STR("invalid_request"),
                     str_of(r->why.text));
}

/* --- who is the client -----------------------------------------------------
 */

static bool is_assertion_good(struct http_request *r,
                              const struct sandbox_system *system,
                              const struct grant_asked *asked)
{
    struct str text, id = systems_client_id(r->arena, system);
    struct yyjson_val *claims;
    struct str token_url =
        arena_cat(r->arena, site_system_url(site_of(r), r->arena, system),
                  STR("/oauth2/token"));
    if (jwt_verify(r->arena, systems_client_public_jwk, STR("ES384"),
                   asked->assertion, &text, NULL) != OK ||
        json_parse(r->arena, text, &claims, NULL) != OK)
        return false;
    struct yyjson_val *aud = json_get(claims, STR("aud"));
    struct json_iter first = json_iter(aud);
    int64_t exp = 0, now = clock_now_ms() / 1000;
    return str_eq(json_get_text(claims, STR("iss")), id) &&
           str_eq(json_get_text(claims, STR("sub")), id) &&
           str_eq(json_text(first.now != NULL ? first.now : aud), token_url) &&
           json_get_text(claims, STR("jti")).n > 0 &&
           json_get_i64(claims, STR("exp"), &exp) && exp > now &&
           exp <= now + ASSERTION_SECONDS_MAX;
}

static bool is_client(struct http_request *r,
                      const struct sandbox_system *system,
                      const struct grant_asked *asked)
{
    bool is_basic = http_header(r, STR("Authorization")).n > 0;
    struct str id = systems_client_id(r->arena, system);
    struct str secret = systems_client_secret(r->arena, system);
    bool is_secret_good = digest_same(asked->client_secret, secret);
    switch (system->auth) {
    case GRANT_PUBLIC:
        return str_eq(asked->client_id, id);
    case GRANT_BASIC:
        return is_basic && str_eq(asked->client_id, id) && is_secret_good;
    case GRANT_POST:
        return !is_basic && str_eq(asked->client_id, id) && is_secret_good;
    case GRANT_JWT:
        return is_assertion_good(r, system, asked);
    }
    return false;
}

/* --- the reply -------------------------------------------------------------
 */

static bool is_type_kept(struct str scope)
{
    return !str_starts(scope, STR("patient/")) ||
           str_starts(scope, STR("patient/Patient.")) ||
           str_starts(scope, STR("patient/Observation."));
}

static struct str granted(struct http_request *r, const struct grant *g,
                          uint64_t faults)
{
    if (!fault_in(faults, FAULT_LESS_SCOPE))
        return g->scope;
    struct buf b = BUF_IN(r->arena, CLAIMS_MAX);
    struct str rest = g->scope, scope, text;
    while (scope_next(&rest, &scope)) {
        if (!is_type_kept(scope))
            continue;
        if (b.len > 0)
            buf_add_char(&b, ' ');
        buf_add(&b, scope);
    }
    return buf_view(&b, &text) == OK ? text : STR("");
}

static struct str id_token(struct http_request *r, const struct grant *g,
                           struct str patient)
{
    struct site *s = site_of(r);
    struct str base = site_fhir_url(s, r->arena, g->system, g->release);
    struct buf b = BUF_IN(r->arena, CLAIMS_MAX);
    int64_t now = clock_now_ms() / 1000;
    json_object(&b);
    json_member(&b, STR("iss"), base);
    json_member(&b, STR("sub"), g->account->username);
    json_member(&b, STR("aud"), systems_client_id(r->arena, g->system));
    json_member_i64(&b, STR("iat"), now);
    json_member_i64(&b, STR("exp"), now + 3600);
    if (g->nonce.n > 0)
        json_member(&b, STR("nonce"), g->nonce);
    if (scope_has(g->scope, STR("fhirUser")))
        json_member(&b, STR("fhirUser"),
                    arena_cat(r->arena, base, STR("/Patient/"), patient));
    json_object_end(&b);
    struct str claims, token;
    if (buf_view(&b, &claims) != OK ||
        jwt_sign(r->arena, systems_server_private_jwk, STR("ES384"), claims,
                 &token, NULL) != OK)
        return STR("");
    return token;
}

static int64_t seconds_of(const struct site *s, const struct grant *g,
                          uint64_t faults)
{
    if (fault_in(faults, FAULT_SHORT_TOKEN))
        return SHORT_TOKEN_SECONDS;
    return s->options.token_seconds > 0 ? s->options.token_seconds
                                        : g->system->token_seconds;
}

static void write_expiry(struct buf *b, int64_t seconds, uint64_t faults)
{
    if (!fault_in(faults, FAULT_EXPIRES_TEXT)) {
        json_member_i64(b, STR("expires_in"), seconds);
        return;
    }
    json_key(b, STR("expires_in"));
    buf_add_char(b, '"');
    buf_add_i64(b, seconds);
    buf_add_char(b, '"');
}

/* Tokens for g; the refresh token is new unless it is kept. */
static enum err reply(struct http_request *r, struct http_response *out,
                      struct grant *g, bool with_refresh)
{
    struct site *s = site_of(r);
    const struct sandbox_system *system = g->system;
    uint64_t faults = g->faults | site_faults_of(s, system);
    struct str access = STR_NONE, refresh = STR_NONE;
    const struct chart *chart;
    if (fault_in(faults, FAULT_TOKEN_HTML)) {
        http_text(out, 502, STR("text/html"), STR("<h1>Bad Gateway</h1>"));
        return OK;
    }
    if ((system->flags & SYSTEM_NO_REFRESH) != 0 ||
        fault_in(faults, FAULT_NO_REFRESH))
        with_refresh = false;
    int64_t seconds = seconds_of(s, g, faults);
    enum err err = grants_tokens(s->grants, r->arena, g, seconds, &access,
                                 with_refresh ? &refresh : NULL);
    if (err == OK)
        err = accounts_chart(s->accounts, g->account, g->release, &chart,
                             &r->why);
    if (err != OK)
        return err;
    bool is_secretive =
        (system->flags & (SYSTEM_FHIRUSER | SYSTEM_NO_PATIENT)) != 0 ||
        fault_in(faults, FAULT_NO_PATIENT);
    struct buf *b = &out->body;
    http_set_type(out, STR("application/json"));
    http_set_header(out, STR("Pragma"), STR("no-cache"));
    json_object(b);
    json_member(b, STR("access_token"), access);
    json_member(b, STR("token_type"), STR("Bearer"));
    write_expiry(b, seconds, faults);
    json_member(b, STR("scope"), granted(r, g, faults));
    if (!is_secretive)
        json_member(b, STR("patient"), chart->patient);
    if (refresh.n > 0)
        json_member(b, STR("refresh_token"), refresh);
    if (scope_has(g->scope, STR("openid")) &&
        (system->flags & SYSTEM_NO_PATIENT) == 0 &&
        !fault_in(faults, FAULT_NO_PATIENT))
        json_member(b, STR("id_token"), id_token(r, g, chart->patient));
    json_object_end(b);
    return OK;
}

/* --- the grants ------------------------------------------------------------
 */

static enum err exchange(struct http_request *r, struct http_response *out,
                         const struct sandbox_system *system,
                         const struct grant_asked *asked)
{
    struct site *s = site_of(r);
    struct grant *g;
    atomic_fetch_add(&site_counts_of(s, system)->codes, 1);
    if (grants_redeem(s->grants, asked->code, &g) != OK ||
        g->system != system) {
        site_oauth_error(out, 400, STR("invalid_grant"),
                         STR("the code is unknown, used or too old"));
        return OK;
    }
    if (!str_eq(g->redirect_uri, asked->redirect_uri)) {
        site_oauth_error(out, 400, STR("invalid_grant"),
                         STR("redirect_uri is not the one of authorize"));
        return OK;
    }
    if (g->challenge.n > 0 &&
        !pkce_holds(r->arena, asked->verifier, g->challenge)) {
        site_oauth_error(out, 400, STR("invalid_grant"),
                         STR("code_verifier does not fit"));
        return OK;
    }
    return reply(r, out, g, true);
}

static enum err refresh(struct http_request *r, struct http_response *out,
                        const struct sandbox_system *system,
                        const struct grant_asked *asked)
{
    struct site *s = site_of(r);
    struct grant *g;
    bool is_rotating = (system->flags & SYSTEM_KEEPS_REFRESH) == 0;
    atomic_fetch_add(&site_counts_of(s, system)->refreshes, 1);
    if ((system->flags & SYSTEM_REFRESH_SCOPE) != 0 && asked->scope.n == 0) {
        site_oauth_error(out, 400, STR("invalid_request"),
                         STR("scope is required at refresh"));
        return OK;
    }
    /* Looked at first: a failure of ours must not spend the token. */
    enum err err =
        grants_refresh(s->grants, system, asked->refresh_token, false, &g);
    uint64_t faults = site_faults_of(s, system) | (err == OK ? g->faults : 0);
    if (err == OK && fault_in(faults, FAULT_REFRESH_500) &&
        g->refreshes % 3 == 1) {
        http_text(out, 500, STR("text/html"), STR("<h1>Server Error</h1>"));
        return OK;
    }
    if (err == OK && is_rotating)
        err = grants_refresh(s->grants, system, asked->refresh_token, true, &g);
    if (err != OK || fault_in(faults, FAULT_REFRESH_REFUSED)) {
        site_oauth_error(out, 400, STR("invalid_grant"),
                         STR("the refresh token is unknown, used or revoked"));
        return OK;
    }
    return reply(r, out, g, is_rotating);
}

enum err site_token(struct http_request *r, struct http_response *out)
{
    const struct sandbox_system *system = site_system(r);
    struct url_params form;
    struct grant_asked asked;
    if (system == NULL)
        return why(&r->why, ERR_NOT_FOUND, "no such system");
    enum err err = http_form(r, &form);
    if (err == OK)
        err = grant_read(r->arena, &form, http_header(r, STR("Authorization")),
                         &asked, &r->why);
    if (err != OK)
        return err;
    if (!is_client(r, system, &asked)) {
        site_oauth_error(out, 401, STR("invalid_client"),
                         STR("the client did not prove who it is"));
        http_set_header(out, STR("WWW-Authenticate"), STR("Basic"));
        return OK;
    }
    if (str_eq(asked.grant_type, STR("authorization_code")))
        return exchange(r, out, system, &asked);
    if (str_eq(asked.grant_type, STR("refresh_token")))
        return refresh(r, out, system, &asked);
    site_oauth_error(out, 400, STR("unsupported_grant_type"), STR(""));
    return OK;
}

/* RFC 7009: 200 whatever the token was. */
enum err site_revoke(struct http_request *r, struct http_response *out)
{
    struct url_params form;
    enum err err = http_form(r, &form);
    if (err != OK)
        return err;
    grants_revoke(site_of(r)->grants, url_param(&form, STR("token")));
    http_text(out, 200, STR("application/json"), STR("{}"));
    return OK;
}
