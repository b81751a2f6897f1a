/* Design notes
 * A flow that a browser begins (it asks for text/html) is bound to it by a
 * cookie, so that nobody can have his own record attached to another's account
 * by passing on a callback URL.  A flow whose URL is handed out as JSON opens
 * in a browser we never saw: there state alone binds (contract 9.4). */
#include "api/connect.h"

#include "api/access.h"
#include "api/pages.h"
#include "api/params.h"
#include "api/routes.h"
#include "base/json.h"
#include "base/rand.h"
#include "connect/connect.h"
#include "fhir/outcome.h"
#include "jobs/jobs.h"

#define JSON_TYPE     STR("application/json; charset=utf-8")
#define HTML_TYPE     STR("text/html; charset=utf-8")
#define COOKIE_BYTES  20
#define COOKIE_PLAIN  "tributary_connect"
#define COOKIE_SECURE "__Host-tributary_connect"
#define APP_STATE_MAX 4096

/* One client has the digits the wrong way round (contract 11). */
#define CERNER_MISPRINT 4407
#define CERNER_DEMO     4707

/* ---------------------------------------------------------------- failures */

/* The code of ui/page_failed.c. */
static struct str code_of(const struct http_request *r, enum err err)
{
    bool is_back = str_ends(r->path, STR("/callback"));
    switch (err) {
    case ERR_UNAUTHENTICATED:
        return STR("link_expired");
    case ERR_NOT_FOUND:
        return STR("unknown_system");
    case ERR_UNSUPPORTED:
        return STR("not_configured");
    case ERR_UPSTREAM:
    case ERR_TIMEOUT:
        return STR("unreachable");
    case ERR_RATE:
        return STR("too_often");
    default:
        if (outcome_status(err) >= 500)
            return STR("server_error");
        return is_back ? STR("sign_in_lost") : STR("not_understood");
    }
}

void family_connect(struct http_request *r, struct http_response *out,
                    enum err err)
{
    if (pages_are_wanted(r))
        pages_fail(r, out, err, code_of(r, err));
    else
        family_json(r, out, err);
}

/* ------------------------------------------------------------------ cookie */

static bool is_secure(const struct http_request *r)
{
    return str_starts(services_of(r)->public_base, STR("https:"));
}

static struct str cookie_of(const struct http_request *r)
{
    return http_cookie(r,
                       is_secure(r) ? STR(COOKIE_SECURE) : STR(COOKIE_PLAIN));
}

static bool is_cookie(struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!char_is_hex(value.p[i]))
            return false;
    return value.n == (size_t)2 * COOKIE_BYTES;
}

/* The browser's value, or a new one: two tabs share it. */
static struct str bind_browser(struct http_request *r,
                               struct http_response *out)
{
    struct str value = cookie_of(r);
    if (!is_cookie(value))
        value = rand_hex(r->arena, COOKIE_BYTES);
    struct str line = arena_cat(
        r->arena, is_secure(r) ? STR(COOKIE_SECURE) : STR(COOKIE_PLAIN),
        STR("="), value, STR("; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"),
        is_secure(r) ? STR("; Secure") : STR(""));
    http_add_header(out, STR("Set-Cookie"), line);
    return value;
}

/* ------------------------------------------------------------------- start */

/* The app of the token; a client_id that comes along must be its own. */
static enum err find_app(struct http_request *r, const struct params *p,
                         const struct principal *principal, struct app *out)
{
    enum err err =
        app_by_id(services_of(r)->db, principal->app_id, r->arena, out);
    if (err != OK)
        return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
    struct str named = params_get(p, STR("client_id"));
    if (named.n == 0)
        named = http_header(r, STR("X-Client-Id"));
    if (named.n > 0 && !str_eq(named, out->client_id))
        return why(&r->why, ERR_UNAUTHENTICATED,
                   "the access token is another app's");
    return OK;
}

/* A registered URI that was asked for, else the first one; "" : none. */
static struct str redirect_of(const struct params *p, const struct app *app)
{
    struct str asked = params_get(p, STR("redirect_uri"));
    if (asked.n > 0 && app_may_redirect(app, asked))
        return asked;
    return app->redirect_count > 0 ? app->redirect_uris[0] : STR("");
}

/* In the header, the query, or a form that a page posts. */
static enum err check_token(struct http_request *r, const struct params *p,
                            struct principal *out)
{
    struct str in_form = url_param(&p->body, STR("access_token"));
    if (in_form.n == 0 || http_bearer(r).p != NULL)
        return access_token_of(r, out);
    enum err err = token_check(services_of(r)->tokens, in_form, out);
    return err == ERR_UNAUTHENTICATED
               ? access_failed(r, err, "the access token has expired")
               : err;
}

static enum err read_ask(struct http_request *r, const struct params *p,
                         struct connect_ask *out)
{
    struct principal principal;
    struct app app;
    enum err err = check_token(r, p, &principal);
    if (err == OK && principal.user_id == 0)
        err = why(&r->why, ERR_UNAUTHENTICATED,
                  "a person's access token is needed");
    if (err == OK)
        err = find_app(r, p, &principal, &app);
    if (err != OK)
        return err;
    struct connect_ask ask = {
        .app_id = principal.app_id,
        .user_id = principal.user_id,
        .fhir_version = params_get(p, STR("fhirVersion")),
        .redirect_uri = redirect_of(p, &app),
        .app_state = params_get(p, STR("state")),
        .browser = STR(""),
    };
    if (!str_to_i64(r->captures[0], &ask.system_id))
        return why(&r->why, ERR_NOT_FOUND, "there is no such health system");
    if (ask.system_id == CERNER_MISPRINT)
        ask.system_id = CERNER_DEMO;
    if (ask.app_state.n > APP_STATE_MAX)
        return why(&r->why, ERR_INVALID, "state is too long");
    *out = ask;
    return OK;
}

/* {"system_id":"4707","system_name":...,"authorization_url":...} */
static enum err answer_json(struct http_request *r, struct http_response *out,
                            const struct connect_ask *ask, struct str url)
{
    struct system system;
    enum err err =
        system_get(services_of(r)->db, ask->system_id, r->arena, &system);
    if (err != OK)
        return err;
    AUTO_BUF id = BUF(32);
    struct str id_text;
    buf_add_i64(&id, system.id);
    err = buf_view(&id, &id_text);
    if (err != OK)
        return err;
    http_set_type(out, JSON_TYPE);
    json_object(&out->body);
    json_member(&out->body, STR("system_id"), id_text);
    json_member(&out->body, STR("system_name"), system.name);
    json_member(&out->body, STR("authorization_url"), url);
    json_object_end(&out->body);
    return OK;
}

enum err connect_to_system(struct http_request *r, struct http_response *out)
{
    struct params p;
    struct connect_ask ask;
    struct str url;
    bool is_json = false;
    enum err err = params_read(r, &p);
    if (err == OK)
        err = read_ask(r, &p, &ask);
    if (err != OK)
        return err;
    (void)str_to_bool(params_get(&p, STR("sendRedirectUrlAsResponse")),
                      &is_json);
    if (!is_json && pages_are_wanted(r))
        ask.browser = bind_browser(r, out);
    err = connect_start(services_of(r)->connect, &ask, r->arena, &url, &r->why);
    if (err == ERR_DENIED) /* the outbound gate, not the person */
        err = why(&r->why, ERR_UPSTREAM,
                  "this server may not reach that health system; its operator "
                  "has to allow the address");
    if (err != OK)
        return err;
    if (is_json)
        return answer_json(r, out, &ask, url);
    http_redirect(out, 302, url);
    return OK;
}

/* -------------------------------------------------------------------- back */

enum err connect_callback(struct http_request *r, struct http_response *out)
{
    struct services *s = services_of(r);
    struct connect_answer answer = {
        .state = url_param(&r->params, STR("state")),
        .code = url_param(&r->params, STR("code")),
        .error = url_param(&r->params, STR("error")),
        .error_description = url_param(&r->params, STR("error_description")),
        .iss = url_param(&r->params, STR("iss")),
        .browser = cookie_of(r),
    };
    struct connect_result result;
    if (r->method == HTTP_HEAD) { /* a scanner must not use the state up */
        http_set_type(out, HTML_TYPE);
        return OK;
    }
    enum err err =
        connect_finish(s->connect, &answer, r->arena, &result, &r->why);
    if (err == ERR_NOT_FOUND || err == ERR_DENIED)
        err = ERR_INVALID; /* a link that leads nowhere: 400 and its sentence */
    if (err != OK)
        return err;
    if (result.is_connected && s->jobs != NULL)
        jobs_wake(s->jobs);
    if (result.redirect_url.n == 0)
        return pages_after_connect(r, out, &result);
    http_redirect(out, 302, result.redirect_url);
    return OK;
}
