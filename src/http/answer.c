#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/server_int.h"

#define PART_BYTES     ((size_t)64 * 1024)
#define SLOWEST_READER ((int64_t)1024) /* bytes a second */
#define HEADER_COPY    256 /* longer names and values are copied to the arena */
#define CORS_METHODS   "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define CORS_HEADERS                                                           \
    "Authorization, Content-Type, Accept, If-Match, If-None-Match, "           \
    "If-None-Exist, If-Modified-Since, Prefer, X-Provenance, X-Client-Id, "    \
    "client_id, "                                                              \
    "client_secret, "                                                          \
    "x-oneup-user-id"
#define CORS_EXPOSED                                                           \
    "ETag, Location, Content-Location, Last-Modified, Retry-After, "           \
    "WWW-Authenticate, X-Request-Id"

static void plain_family(struct http_request *r, struct http_response *out,
                         enum err err)
{
    http_text(out, http_status_of(err), STR("text/plain; charset=utf-8"),
              str_of(r->why.text));
    buf_add(&out->body, STR("\n"));
}

static void clear(struct exchange *ex)
{
    struct http_response *out = &ex->response;
    if (out->produced != NULL)
        out->produced(out->context);
    memset(out, 0, sizeof *out);
    out->status = 200;
    out->arena = &ex->arena;
    out->body = BUF_IN(&ex->arena, HTTP_BODY_MAX);
}

/* Programs of old send "&amp;name=" (a link made in HTML, escaped twice). */
static void strip_amp(struct url_params *params)
{
    for (size_t i = 0; i < params->n; i++)
        if (str_starts(params->at[i].name, STR("amp;")))
            params->at[i].name = str_from(params->at[i].name, 4);
}

static enum err handle(struct exchange *ex)
{
    struct http_request *r = &ex->request;
    struct http_response *out = &ex->response;
    if (ex->err != OK)
        return ex->err;
    if (ex->is_preflight) {
        out->status = 204;
        if (ex->allow.n > 0)
            http_set_header(out, STR("Allow"), ex->allow);
        return OK;
    }
    if (r->query.n > 0) {
        enum err err = url_parse_params(r->arena, r->query, &r->params);
        if (err != OK)
            return err;
        strip_amp(&r->params);
    }
    enum err err = r->route->handle(r, out);
    if (err != OK)
        return err;
    if (out->err != OK)
        return why(&r->why, ERR_IO, "the answer's headers are not sound");
    return out->produce == NULL ? out->body.err : OK;
}

static bool has_header(const struct http_response *out, struct str name)
{
    for (size_t i = 0; i < out->header_count; i++)
        if (str_eq_nocase(out->headers[i].name, name))
            return true;
    return false;
}

static void finish(struct exchange *ex)
{
    if (ex->server->options.finish != NULL && !ex->is_preflight)
        ex->server->options.finish(&ex->request, &ex->response);
    coding_pack(ex);
}

static void run(struct exchange *ex)
{
    struct http_request *r = &ex->request;
    struct http_response *out = &ex->response;
    clear(ex);
    enum err err = handle(ex);
    if (err == OK)
        return;
    clear(ex);
    http_family *family = r->route != NULL && r->route->family != NULL
                              ? r->route->family
                              : ex->server->options.family;
    if (family == NULL)
        family = plain_family;
    family(r, out, err);
    if (ex->err != OK && ex->status != 0)
        out->status = ex->status;
    if (ex->allow.n > 0)
        http_set_header(out, STR("Allow"), ex->allow);
    bool is_soon = err == ERR_BUSY || err == ERR_STOPPING;
    if (is_soon && !has_header(out, STR("Retry-After")))
        http_set_header(out, STR("Retry-After"), STR("1"));
    if (out->err != OK || out->body.err != OK || arena_err(&ex->arena) != OK) {
        /* no memory even for this: a status must do */
        int status = arena_err(&ex->arena) == OK ? 500 : 503;
        memset(out, 0, sizeof *out);
        out->status = status;
    }
}

void exchange_run(struct exchange *ex)
{
    run(ex);
    finish(ex);
}

/* A reader that takes its answer byte by byte holds no connection: n more bytes
 * have to be gone by then. */
static void expect_reader(struct exchange *ex, size_t n)
{
    int64_t seconds = (int64_t)ex->server->options.request_seconds +
                      (int64_t)n / SLOWEST_READER;
    atomic_store(&ex->socket->deadline_ns,
                 clock_monotonic_ns() + seconds * 1000000000);
}

static ssize_t next_part(void *exchange, uint64_t at, char *to, size_t room)
{
    struct exchange *ex = exchange;
    struct buf *part = &ex->part;
    (void)at;
    if (ex->part_sent == part->len) {
        buf_cut(part, 0);
        ex->part_sent = 0;
        if (part->limit == 0)
            *part = BUF(HTTP_BODY_MAX);
        atomic_store(&ex->socket->deadline_ns, INT64_MAX); /* our own time */
        enum err err = coding_produce(ex, part);
        if (err != OK || part->err != OK)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (part->len == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
        expect_reader(ex, part->len);
    }
    size_t n = part->len - ex->part_sent;
    if (n > room)
        n = room;
    memcpy(to, part->data + ex->part_sent, n);
    ex->part_sent += n;
    ex->bytes += n;
    return (ssize_t)n;
}

/* MHD wants C strings, and copies them. */
static bool add(struct MHD_Response *m, struct str name, struct str value)
{
    char text[2][HEADER_COPY];
    if (name.n >= HEADER_COPY)
        return false;
    memcpy(text[0], name.p, name.n);
    text[0][name.n] = '\0';
    if (value.n < HEADER_COPY) {
        memcpy(text[1], value.n == 0 ? "" : value.p, value.n);
        text[1][value.n] = '\0';
        return MHD_add_response_header(m, text[0], text[1]) == MHD_YES;
    }
    char *copy = strndup(value.p, value.n);
    bool is_added =
        copy != NULL && MHD_add_response_header(m, text[0], copy) == MHD_YES;
    free(copy);
    return is_added;
}

static void add_cors(struct exchange *ex, struct MHD_Response *m)
{
    const struct http_request *r = &ex->request;
    const struct http_server_options *o = &ex->server->options;
    if (o->is_cors_open == NULL || !o->is_cors_open(r->path))
        return;
    struct str origin = http_header(r, STR("Origin"));
    if (origin.p == NULL) {
        add(m, STR("Access-Control-Allow-Origin"), STR("*"));
        return;
    }
    add(m, STR("Access-Control-Allow-Origin"), origin);
    add(m, STR("Access-Control-Allow-Credentials"), STR("true"));
    add(m, STR("Vary"), STR("Origin"));
    add(m, STR("Access-Control-Expose-Headers"), STR(CORS_EXPOSED));
    if (!ex->is_preflight)
        return;
    add(m, STR("Access-Control-Allow-Methods"), STR(CORS_METHODS));
    add(m, STR("Access-Control-Allow-Headers"), STR(CORS_HEADERS));
    add(m, STR("Access-Control-Max-Age"), STR("86400"));
}

static void add_headers(struct exchange *ex, struct MHD_Response *m)
{
    const struct http_request *r = &ex->request;
    const struct http_response *out = &ex->response;
    bool is_secret = r->route != NULL && (r->route->flags & HTTP_NO_STORE) != 0;
    for (size_t i = 0; i < out->header_count; i++)
        if (!is_secret ||
            !str_eq_nocase(out->headers[i].name, STR("Cache-Control")))
            add(m, out->headers[i].name, out->headers[i].value);
    add(m, STR("X-Request-Id"), (struct str){ r->id, sizeof r->id - 1 });
    add(m, STR("X-Content-Type-Options"), STR("nosniff"));
    if (r->is_tls)
        add(m, STR("Strict-Transport-Security"), STR("max-age=31536000"));
    if (is_secret)
        add(m, STR("Referrer-Policy"), STR("no-referrer"));
    if (is_secret || !has_header(out, STR("Cache-Control")))
        add(m, STR("Cache-Control"), STR("no-store"));
    if (ex->varies)
        add(m, STR("Vary"), STR("Accept-Encoding"));
    add_cors(ex, m);
    if (ex->must_close ||
        atomic_load_explicit(&ex->server->is_draining, memory_order_relaxed))
        add(m, STR("Connection"), STR("close"));
}

enum MHD_Result exchange_send(struct exchange *ex)
{
    struct http_response *out = &ex->response;
    struct MHD_Response *m;
    if (out->produce != NULL) {
        /* MHD 0.9.75 sends the last chunk even for HEAD. */
        ex->must_close |= ex->request.method == HTTP_HEAD;
        m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PART_BYTES,
                                              next_part, ex, NULL);
    } else {
        /* in the arena, which outlives MHD's use of it */
        ex->bytes = ex->request.method == HTTP_HEAD ? 0 : out->body.len;
        m = MHD_create_response_from_buffer(out->body.len, out->body.data,
                                            MHD_RESPMEM_PERSISTENT);
    }
    if (m == NULL)
        return MHD_NO;
    add_headers(ex, m);
    expect_reader(ex, out->body.len);
    enum MHD_Result did = MHD_queue_response(ex->mhd, (unsigned)out->status, m);
    MHD_destroy_response(m);
    return did;
}
