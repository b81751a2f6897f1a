#include "http/server_int.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define PART_BYTES   ((size_t)64 * 1024)
#define STREAM_LIMIT ((size_t)64 * 1024 * 1024)

/* --- CORS (contract 3.2) ---------------------------------------------------
 */

#define CORS_METHODS STR("GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD")
#define CORS_HEADERS                                                           \
    STR("Authorization, Content-Type, Accept, If-Match, If-None-Match, "       \
        "If-None-Exist, If-Modified-Since, Prefer, X-Client-Id, x-client-id, " \
        "client_id, client_secret, x-oneup-user-id")
#define CORS_EXPOSED                                                           \
    STR("ETag, Location, Content-Location, Last-Modified, X-Request-Id, "      \
        "Retry-After, WWW-Authenticate")

static bool is_open(const struct exchange *x)
{
    const struct http_server_options *o = &x->server->o;
    return o->is_cors_open != NULL && o->is_cors_open(x->request.path);
}

static void add_cors(struct exchange *x)
{
    struct http_response *out = &x->response;
    struct str origin = http_header(&x->request, STR("Origin"));
    if (!is_open(x))
        return;
    http_set_header(out, STR("Access-Control-Allow-Origin"),
                    origin.n > 0 ? origin : STR("*"));
    if (origin.n > 0) {
        http_set_header(out, STR("Access-Control-Allow-Credentials"),
                        STR("true"));
        http_set_header(out, STR("Vary"), STR("Origin"));
        http_set_header(out, STR("Access-Control-Expose-Headers"),
                        CORS_EXPOSED);
    }
}

static void answer_preflight(struct exchange *x)
{
    struct http_response *out = &x->response;
    out->status = 204;
    http_set_header(out, STR("Access-Control-Allow-Methods"), CORS_METHODS);
    http_set_header(out, STR("Access-Control-Allow-Headers"), CORS_HEADERS);
    http_set_header(out, STR("Access-Control-Max-Age"), STR("86400"));
}

/* --- handling --------------------------------------------------------------
 */

static void render_err(struct exchange *x, enum err err)
{
    const struct http_route *route = x->request.route;
    http_family *family = route != NULL && route->family != NULL
                              ? route->family
                              : x->server->o.family;
    x->response.body.err = OK;
    family(&x->request, &x->response, err);
    x->response.produce = NULL;
}

static void refuse(struct exchange *x)
{
    enum err err = x->refusal == 413   ? ERR_TOO_LARGE
                   : x->refusal == 503 ? ERR_BUSY
                                       : ERR_FORMAT;
    render_err(x, err);
    x->response.status = x->refusal;
}

static void call_handler(struct exchange *x)
{
    struct http_request *r = &x->request;
    struct http_response *out = &x->response;
    enum err err = r->route->handle(r, out);
    if (err == OK && out->body.err != OK)
        err = out->body.err;
    if (err == OK)
        return;
    if (out->produced != NULL)
        out->produced(out->context);
    out->produced = NULL;
    render_err(x, err);
}

void exchange_handle(struct exchange *x)
{
    struct http_request *r = &x->request;
    struct http_response *out = &x->response;
    *out = (struct http_response){
        .status = 200,
        .arena = r->arena,
        .body = BUF_IN(r->arena, HTTP_BODY_MAX),
    };
    if (x->refusal != 0)
        refuse(x);
    else if (r->method == HTTP_OPTIONS && r->route == NULL)
        answer_preflight(x);
    else
        call_handler(x);
    add_cors(x);
}

/* --- answering -------------------------------------------------------------
 */

static ssize_t read_part(void *context, uint64_t at, char *to, size_t room)
{
    struct exchange *x = context;
    (void)at;
    if (x->part_sent == x->part.len) {
        buf_cut(&x->part, 0);
        x->part_sent = 0;
        enum err err = x->response.produce(x->response.context, &x->part);
        if (err != OK || x->part.err != OK)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (x->part.len == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t n = x->part.len - x->part_sent;
    n = n > room ? room : n;
    memcpy(to, x->part.data + x->part_sent, n);
    x->part_sent += n;
    x->bytes_sent += (int64_t)n;
    return (ssize_t)n;
}

static struct MHD_Response *make_response(struct exchange *x)
{
    struct http_response *out = &x->response;
    if (out->produce != NULL) {
        x->part = BUF(STREAM_LIMIT);
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PART_BYTES,
                                                 read_part, x, NULL);
    }
    x->bytes_sent = (int64_t)out->body.len;
    return MHD_create_response_from_buffer(out->body.len, out->body.data,
                                           MHD_RESPMEM_PERSISTENT);
}

static void add(struct MHD_Response *response, struct arena *a, struct str name,
                struct str value)
{
    char *n = arena_cstr(a, name), *v = arena_cstr(a, value);
    if (n != NULL && v != NULL)
        MHD_add_response_header(response, n, v);
}

static void add_headers(struct exchange *x, struct MHD_Response *response)
{
    struct http_response *out = &x->response;
    const struct http_route *route = x->request.route;
    bool has_cache = false;
    for (size_t i = 0; i < out->header_count; i++) {
        add(response, out->arena, out->headers[i].name, out->headers[i].value);
        has_cache |= str_eq_nocase(out->headers[i].name, STR("Cache-Control"));
    }
    MHD_add_response_header(response, "X-Request-Id", x->request.id);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    bool is_secret = route != NULL && (route->flags & HTTP_NO_STORE) != 0;
    if (!has_cache || is_secret)
        MHD_add_response_header(response, "Cache-Control", "no-store");
    if (is_secret)
        MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (x->must_close || atomic_load(&x->server->is_stopping))
        MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result exchange_answer(struct exchange *x)
{
    struct MHD_Response *response = make_response(x);
    if (response == NULL)
        return MHD_NO;
    add_headers(x, response);
    x->status_sent = x->response.status;
    enum MHD_Result result = MHD_queue_response(
        x->connection, (unsigned)x->response.status, response);
    MHD_destroy_response(response);
    x->state = EXCHANGE_QUEUED;
    return result;
}

/* --- accounting ------------------------------------------------------------
 */

static const int64_t bucket_us[LATENCY_BUCKETS] = { 100,    250,     500,
                                                    1000,   2500,    5000,
                                                    10000,  50000,   100000,
                                                    500000, 1000000, 5000000 };

static void count(struct exchange *x, int64_t us)
{
    struct http_server *s = x->server;
    size_t i = x->request.route == NULL
                   ? s->o.route_count
                   : (size_t)(x->request.route - s->o.routes);
    struct route_metrics *m = &s->metrics[i];
    int class = x->status_sent / 100;
    size_t bucket = 0;
    while (bucket < LATENCY_BUCKETS && us > bucket_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&m->by_class[class > 5 ? 0 : class], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&m->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->total_us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->bytes_out, x->bytes_sent,
                              memory_order_relaxed);
}

void exchange_account(struct exchange *x)
{
    struct http_request *r = &x->request;
    int64_t us = (clock_monotonic_ns() - r->started_ns) / 1000;
    count(x, us);
    if (!x->server->o.is_access_logged)
        return;
    log_event(
        LOG_INFO, "http.access", LOG_STR("method", http_method_name(r->method)),
        LOG_STR("path", r->path),
        LOG_STR("route", r->route == NULL ? STR("") : str_of(r->route->name)),
        LOG_INT("status", x->status_sent), LOG_INT("us", us),
        LOG_INT("bytes", x->bytes_sent), LOG_STR("peer", r->peer),
        LOG_STR("request", str_of(r->id)));
}

static void add_line(struct buf *b, const char *name, struct str labels,
                     int64_t value)
{
    buf_add(b, str_of(name));
    buf_add(b, labels);
    buf_add_char(b, ' ');
    buf_add_i64(b, value);
    buf_add_char(b, '\n');
}

/* Routes of one name (a path with and without /fhir) are one series. */
static void add_route(const struct http_server *s, size_t first, struct buf *b)
{
    static const char *const classes[] = { "other", "1xx", "2xx",
                                           "3xx",   "4xx", "5xx" };
    const char *name =
        first == s->o.route_count ? "none" : s->o.routes[first].name;
    int64_t by_class[6] = { 0 }, us = 0;
    for (size_t i = 0; i <= s->o.route_count; i++) {
        const char *its = i == s->o.route_count ? "none" : s->o.routes[i].name;
        if (strcmp(its, name) != 0)
            continue;
        if (i < first)
            return; /* was printed with that one */
        for (size_t c = 0; c < 6; c++)
            by_class[c] += atomic_load(&s->metrics[i].by_class[c]);
        us += atomic_load(&s->metrics[i].total_us);
    }
    for (size_t c = 0; c < 6; c++) {
        AUTO_BUF
        labels = BUF(512);
        if (by_class[c] == 0)
            continue;
        buf_add(&labels, STR("{route=\""));
        buf_add(&labels, str_of(name));
        buf_add(&labels, STR("\",status=\""));
        buf_add(&labels, str_of(classes[c]));
        buf_add(&labels, STR("\"}"));
        add_line(b, "tributary_http_requests_total",
                 (struct str){ labels.data, labels.len }, by_class[c]);
    }
    if (us > 0) {
        AUTO_BUF
        labels = BUF(512);
        buf_add(&labels, STR("{route=\""));
        buf_add(&labels, str_of(name));
        buf_add(&labels, STR("\"}"));
        add_line(b, "tributary_http_microseconds_total",
                 (struct str){ labels.data, labels.len }, us);
    }
}

void http_server_metrics(const struct http_server *s, struct buf *b)
{
    buf_add(b, STR("# TYPE tributary_http_requests_total counter\n"
                   "# TYPE tributary_http_microseconds_total counter\n"));
    for (size_t i = 0; i <= s->o.route_count; i++)
        add_route(s, i, b);
    buf_add(b, STR("# TYPE tributary_http_duration_us histogram\n"));
    int64_t total = 0;
    for (size_t k = 0; k <= LATENCY_BUCKETS; k++) {
        AUTO_BUF
        labels = BUF(64);
        for (size_t i = 0; i <= s->o.route_count; i++)
            total += atomic_load(&s->metrics[i].buckets[k]);
        buf_add(&labels, STR("{le=\""));
        if (k < LATENCY_BUCKETS)
            buf_add_i64(&labels, bucket_us[k]);
        else
            buf_add(&labels, STR("+Inf"));
        buf_add(&labels, STR("\"}"));
        add_line(b, "tributary_http_duration_us_bucket",
                 (struct str){ labels.data, labels.len }, total);
    }
    buf_add(b, STR("# TYPE tributary_http_pool_waiting gauge\n"));
    add_line(b, "tributary_http_pool_waiting", STR(""), pool_waiting(s->pool));
}
