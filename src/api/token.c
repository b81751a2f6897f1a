#include "api/token.h"

#include "api/access.h"
#include "api/params.h"
#include "auth/token.h"
#include "base/json.h"

#define JSON_TYPE STR("application/json; charset=utf-8")

struct call {
    struct http_request *r;
    struct params params;
    struct app app;
    struct app_trace *trace;
};

typedef enum err grant(struct call *c, struct token_pair *out);

/* A wrong code or token is counted like a wrong secret. */
static enum err judge(struct call *c, enum err err, const char *text)
{
    return err == ERR_INVALID ? access_failed(c->r, err, text) : err;
}

/* ERR_FORMAT becomes invalid_request. */
static enum err wanted(struct call *c, const char *text)
{
    return why(&c->r->why, ERR_FORMAT, text);
}

static enum err grant_code(struct call *c, struct token_pair *out)
{
    struct str code = params_get(&c->params, STR("code"));
    if (code.n == 0)
        return wanted(c, "code is required");
    return judge(c,
                 token_code_redeem(services_of(c->r)->tokens, c->app.id, code,
                                   c->r->arena, out),
                 "Invalid code");
}

static enum err grant_refresh(struct call *c, struct token_pair *out)
{
    struct str token = params_get(&c->params, STR("refresh_token"));
    if (token.n == 0)
        return wanted(c, "refresh_token is required");
    struct str scope = str_trim(params_get(&c->params, STR("scope")));
    enum err err = token_refresh(services_of(c->r)->tokens, c->app.id, token,
                                 scope, c->r->arena, out);
    if (err == ERR_PRECONDITION)
        return why(&c->r->why, err, "scope is wider than what was granted");
    return judge(c, err, "Invalid refresh token");
}

static enum err grant_app(struct call *c, struct token_pair *out)
{
    return token_for_app(services_of(c->r)->tokens, c->app.id, c->r->arena,
                         out);
}

static const struct {
    struct str type;
    grant *grant;
} grants[] = {
    { STR_INIT("authorization_code"), grant_code },
    { STR_INIT("refresh_token"), grant_refresh },
    { STR_INIT("client_credentials"), grant_app },
};

static grant *find_grant(struct str type)
{
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++)
        if (str_eq(grants[i].type, type))
            return grants[i].grant;
    return NULL;
}

/* The older path says "bearer", the newer one "Bearer": clients of each compare
 * it (contract 5). */
static struct str token_type(const struct http_request *r)
{
    return str_starts(r->path, STR("/fhir/")) ? STR("bearer") : STR("Bearer");
}

static enum err answer(struct call *c, const struct token_pair *pair,
                       struct http_response *out)
{
    struct buf *b = &out->body;
    http_set_type(out, JSON_TYPE);
    http_set_header(out, STR("Pragma"), STR("no-cache"));
    json_object(b);
    if (pair->refresh.p != NULL)
        json_member(b, STR("refresh_token"), pair->refresh);
    json_member(b, STR("token_type"), token_type(c->r));
    json_member(b, STR("access_token"), pair->access);
    json_member_i64(b, STR("expires_in"), pair->expires_in);
    json_member(b, STR("scope"), pair->scope);
    json_object_end(b);
    return b->err;
}

/* A client that names itself in two ways must say the same (RFC 6749 2.3). */
static bool is_one_client(const struct call *c)
{
    struct str id = params_get(&c->params, STR("client_id"));
    struct str secret = params_get(&c->params, STR("client_secret"));
    struct str basic_id, basic_secret;
    if (http_basic(c->r, &basic_id, &basic_secret) != OK)
        return true;
    return (id.p == NULL || str_eq(id, basic_id)) &&
           (secret.p == NULL || str_eq(secret, basic_secret));
}

/* Whose the token is that was given. */
static void note_user(struct call *c, const struct token_pair *pair)
{
    struct principal principal;
    if (token_check(services_of(c->r)->tokens, pair->access, &principal) == OK)
        c->trace->user_id = principal.user_id;
}

enum err oauth_token(struct http_request *r, struct http_response *out)
{
    struct call c = { .r = r };
    struct token_pair pair;
    enum err err = app_trace_begin(r, 'T', &c.trace);
    if (err == OK)
        err = params_read(r, &c.params);
    if (err == OK && !is_one_client(&c))
        err = wanted(&c, "the client authenticates in two ways");
    if (err == OK)
        err = access_app(r, &c.params, &c.app);
    if (err == ERR_UNAUTHENTICATED)
        return why(&r->why, err, "client_id or client_secret is wrong");
    if (err != OK)
        return err;
    c.trace->app_id = c.app.id;
    struct str type = params_get(&c.params, STR("grant_type"));
    if (type.n == 0)
        return wanted(&c, "grant_type is required");
    grant *give = find_grant(type);
    if (give == NULL)
        return why(&r->why, ERR_UNSUPPORTED,
                   "grant_type must be authorization_code, refresh_token or "
                   "client_credentials");
    err = give(&c, &pair);
    if (err != OK)
        return err;
    note_user(&c, &pair);
    app_trace_done(r, c.trace);
    return answer(&c, &pair, out);
}

enum err oauth_token_not_get(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 405, JSON_TYPE,
              STR("{\"error\":\"invalid_request\",\"error_description\":"
                  "\"use POST\"}"));
    http_set_header(out, STR("Allow"), STR("POST"));
    return OK;
}

/* An app, and the token that it asks about. */
static enum err begin(struct call *c, struct http_request *r, struct str *token)
{
    *c = (struct call){ .r = r };
    enum err err = params_read(r, &c->params);
    if (err == OK)
        err = access_app(r, &c->params, &c->app);
    if (err == ERR_UNAUTHENTICATED)
        return why(&r->why, err, "client_id or client_secret is wrong");
    if (err != OK)
        return err;
    *token = params_get(&c->params, STR("token"));
    return token->n > 0 ? OK : wanted(c, "token is required");
}

enum err oauth_revoke(struct http_request *r, struct http_response *out)
{
    struct call c;
    struct str token;
    enum err err = begin(&c, r, &token);
    if (err == OK)
        err = token_revoke(services_of(r)->tokens, c.app.id, token, r->arena);
    if (err != OK)
        return err;
    http_set_type(out, JSON_TYPE);
    buf_add(&out->body, STR("{}"));
    return OK;
}

static void add_active(struct buf *b, const struct call *c,
                       const struct principal *p)
{
    struct buf sub = BUF_IN(c->r->arena, 32);
    struct str text = STR("");
    buf_add_i64(&sub, p->user_id);
    json_member(b, STR("scope"), p->scope);
    json_member(b, STR("client_id"), c->app.client_id);
    json_member(b, STR("token_type"), STR("Bearer"));
    json_member_i64(b, STR("exp"), p->expires_ms / 1000);
    if (p->user_id != 0 && buf_view(&sub, &text) == OK)
        json_member(b, STR("sub"), text);
}

enum err oauth_introspect(struct http_request *r, struct http_response *out)
{
    struct call c;
    struct str token;
    struct principal p;
    enum err err = begin(&c, r, &token);
    if (err != OK)
        return err;
    err = token_check(services_of(r)->tokens, token, &p);
    if (err != OK && err != ERR_UNAUTHENTICATED)
        return err;
    bool is_active = err == OK && p.app_id == c.app.id;
    http_set_type(out, JSON_TYPE);
    json_object(&out->body);
    json_member_bool(&out->body, STR("active"), is_active);
    if (is_active)
        add_active(&out->body, &c, &p);
    json_object_end(&out->body);
    return OK;
}
