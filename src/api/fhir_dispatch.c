/* An entry of a Bundle asked for as a request of its own: through the same
 * routes, handlers and gates as if it had come over the wire. */
#include "api/fhir_bundle_int.h"

#include "api/routes.h"
#include "base/clock.h"

#define SUB_HEADERS_MAX 16

/* Whose request it is, and what goes with every entry of it. */
static bool is_handed_on(struct str name)
{
    static const struct str names[] = {
        STR_INIT("Authorization"),
        STR_INIT("client_id"),
        STR_INIT("client_secret"),
        STR_INIT("x-oneup-user-id"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

struct sub {
    struct http_request request;
    struct http_header headers[SUB_HEADERS_MAX];
    struct http_response response;
};

static void add_header(struct sub *s, struct str name, struct str value)
{
    if (value.n > 0 && s->request.header_count < SUB_HEADERS_MAX)
        s->headers[s->request.header_count++] =
            (struct http_header){ name, value };
}

static void add_headers(struct sub *s, const struct transaction *t, size_t i)
{
    const struct http_request *r = t->f->http;
    const struct entry *e = &t->entries[i];
    s->request.headers = s->headers;
    s->request.header_count = 0;
    for (size_t k = 0; k < r->header_count; k++)
        if (is_handed_on(r->headers[k].name))
            add_header(s, r->headers[k].name, r->headers[k].value);
    add_header(s, STR("If-Match"), e->if_match);
    add_header(s, STR("If-None-Match"), e->if_none_match);
    add_header(s, STR("If-None-Exist"), e->if_none_exist);
    add_header(s, STR("If-Modified-Since"), e->if_modified_since);
    if (!e->is_read) {
        struct str type = t->changes[i].patch_type;
        add_header(s, STR("Prefer"), STR("return=minimal"));
        add_header(s, STR("Content-Type"),
                   type.n > 0 ? type : STR("application/fhir+json"));
    }
}

/* The url's parameters, and the credentials of the Bundle's own url. */
static enum err add_params(struct sub *s, const struct transaction *t)
{
    const struct http_request *r = t->f->http;
    struct url_params own, all = { 0 };
    enum err err = url_parse_params(r->arena, s->request.query, &own);
    if (err != OK)
        return err;
    all.at = arena_zalloc(r->arena, own.n + r->params.n + 1, sizeof *all.at);
    if (all.at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < own.n; i++)
        all.at[all.n++] = own.at[i];
    for (size_t i = 0; i < r->params.n; i++)
        if (fhir_is_private(r->params.at[i].name))
            all.at[all.n++] = r->params.at[i];
    s->request.params = all;
    return OK;
}

static enum err aim(struct sub *s, const struct transaction *t, size_t i)
{
    const struct entry *e = &t->entries[i];
    struct http_request *r = t->f->http;
    struct str url = e->url, allow = STR("");
    if (str_starts(url, t->f->base))
        url = str_from(url, t->f->base.n);
    if (url.n > 0 && url.p[0] == '/')
        url = str_from(url, 1);
    size_t mark = str_find(url, '?');
    struct str root = r->path;
    if (root.n > 0 && root.p[root.n - 1] == '/')
        root.n--;
    s->request.path =
        arena_cat(r->arena, root, STR("/"), str_slice(url, 0, mark));
    s->request.query = str_from(url, mark + 1);
    for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++)
        if (str_eq(http_method_name((enum http_method)m), e->method))
            s->request.method = (enum http_method)m;
    enum err err = arena_err(r->arena);
    if (err == OK)
        err = http_route_find(api_router(), &s->request, &allow);
    bool is_fhir = err == OK && s->request.route->family == family_fhir &&
                   s->request.route->handle != fhir_bundle;
    if (err == OK && is_fhir)
        return add_params(s, t);
    if (err == ERR_NOMEM)
        return err;
    return why_of(&r->why, err == ERR_UNSUPPORTED ? ERR_METHOD : ERR_NOT_FOUND,
                  e->method, STR(" "), e->url, STR(" is not offered"));
}

static struct str header_of(const struct http_response *out, struct str name)
{
    for (size_t i = 0; i < out->header_count; i++)
        if (str_eq_nocase(out->headers[i].name, name))
            return out->headers[i].value;
    return STR_NONE;
}

/* The answer becomes the entry's. */
static enum err keep(struct transaction *t, size_t i, struct http_response *out)
{
    struct entry *e = &t->entries[i];
    struct str body, location = header_of(out, STR("Location"));
    enum err err = buf_view(&out->body, &body);
    if (err != OK)
        return err;
    e->status = out->status;
    if (str_starts(location, t->f->base))
        location = str_from(location, t->f->base.n + 1);
    e->location = location;
    e->etag = header_of(out, STR("ETag"));
    int64_t ms;
    struct str modified = header_of(out, STR("Last-Modified"));
    struct buf instant = BUF_IN(t->f->http->arena, 64);
    if (modified.n > 0 && clock_parse_http_date(modified, &ms) == OK) {
        clock_add_instant(&instant, ms);
        err = buf_view(&instant, &e->last_modified);
    }
    if (e->is_read && out->status < 300)
        e->body = e->method.n == 4 ? STR("") : body;
    else if (out->status >= 400)
        e->outcome = body;
    return err;
}

enum err fhir_transaction_dispatch(struct transaction *t, size_t i)
{
    struct http_request *r = t->f->http;
    struct sub *s = arena_zalloc(r->arena, 1, sizeof *s);
    if (s == NULL)
        return arena_err(r->arena);
    s->request = *r;
    s->request.why = (struct why){ 0 };
    s->request.principal = NULL;
    s->request.body = STR("");
    if (!t->entries[i].is_read)
        s->request.body = t->changes[i].patch.n > 0 ? t->changes[i].patch
                                                    : t->entries[i].text;
    add_headers(s, t, i);
    enum err err = aim(s, t, i);
    if (err != OK)
        return fhir_transaction_blame(t, i, err);
    s->response = (struct http_response){ .status = 200, .arena = r->arena };
    s->response.body = BUF_IN(r->arena, HTTP_BODY_MAX);
    err = s->request.route->handle(&s->request, &s->response);
    if (err == OK && s->response.produce != NULL) {
        if (s->response.produced != NULL)
            s->response.produced(s->response.context);
        s->response.produced = NULL;
        err = why(&s->request.why, ERR_UNSUPPORTED,
                  "this is not offered in a Bundle");
    }
    if (err == OK)
        return keep(t, i, &s->response);
    if (!t->is_batch) {
        r->why = s->request.why;
        return fhir_transaction_blame(t, i, err);
    }
    s->response = (struct http_response){ .status = 200, .arena = r->arena };
    s->response.body = BUF_IN(r->arena, HTTP_BODY_MAX);
    family_fhir(&s->request, &s->response, err);
    return keep(t, i, &s->response);
}
