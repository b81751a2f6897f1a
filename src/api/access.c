#include "api/access.h"

#include "api/params.h"
#include "auth/rate.h"
#include "auth/user.h"

#define APP_SCOPE STR("system/*.*")

static struct str token_text(const struct http_request *r)
{
    struct str token = http_bearer(r);
    if (token.p == NULL)
        token = url_param(&r->params, STR("access_token"));
    if (token.p == NULL)
        token = url_param(&r->params, STR("amp;access_token"));
    return token;
}

enum err access_token_of(struct http_request *r, struct principal *out)
{
    struct str token = token_text(r);
    if (token.p == NULL)
        return why(&r->why, ERR_UNAUTHENTICATED, "Unauthorized");
    enum err err = token_check(services_of(r)->tokens, token, out);
    if (err == ERR_UNAUTHENTICATED)
        return why(&r->why, err, "the access token is unknown or has expired");
    return err;
}

enum err access_failed(struct http_request *r, enum err err, const char *text)
{
    struct rate *rate = services_of(r)->failure_rate;
    if (rate != NULL && !rate_take(rate, r->peer, &r->retry_after_s))
        return why(&r->why, ERR_RATE, "Too Many Requests");
    return why(&r->why, err, text);
}

enum err access_app(struct http_request *r, const struct params *p,
                    struct app *out)
{
    struct services *s = services_of(r);
    struct str id = params_get(p, STR("client_id"));
    struct str secret = params_get(p, STR("client_secret"));
    struct str basic_id, basic_secret;
    if (secret.p == NULL)
        secret = params_get(p, STR("secret"));
    if ((id.p == NULL || secret.p == NULL) &&
        http_basic(r, &basic_id, &basic_secret) == OK &&
        (id.p == NULL || str_eq(id, basic_id))) {
        id = basic_id;
        secret = basic_secret;
    }
    if (id.p == NULL || secret.p == NULL)
        return why(&r->why, ERR_UNAUTHENTICATED, "Unauthorized");
    enum err err = app_authenticate(s->db, id, secret, r->arena, out);
    if (err == ERR_UNAUTHENTICATED)
        return access_failed(r, err, "Unauthorized");
    return err;
}

/* The user that the app names, or all of them. */
static enum err choose_user(struct http_request *r, struct access *access)
{
    struct str name = http_header(r, STR("x-oneup-user-id"));
    if (name.p == NULL || str_eq(name, STR("client"))) {
        access->is_app_wide = true;
        return OK;
    }
    struct user user;
    int64_t id;
    enum err err = ERR_NOT_FOUND;
    if (str_to_i64(name, &id))
        err = user_by_id(services_of(r)->db, access->principal.app_id, id,
                         r->arena, &user);
    if (err == ERR_NOT_FOUND)
        return why(&r->why, ERR_DENIED,
                   "x-oneup-user-id names no user of this app");
    if (err == OK)
        access->user_id = user.id;
    return err;
}

enum err access_fhir(struct http_request *r, struct access *out)
{
    struct access access = { 0 };
    if (token_text(r).p != NULL) {
        enum err err = access_token_of(r, &access.principal);
        if (err != OK)
            return err;
        access.user_id = access.principal.user_id;
    } else {
        struct params params = { .request = r, .query = r->params };
        struct app app;
        enum err err = access_app(r, &params, &app);
        if (err != OK)
            return err;
        access.principal.app_id = app.id;
        access.principal.scope = APP_SCOPE;
    }
    if (access.principal.user_id == 0) {
        enum err err = choose_user(r, &access);
        if (err != OK)
            return err;
    }
    *out = access;
    return OK;
}
