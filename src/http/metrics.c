#include "http/metrics_int.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SHARDS  8
#define CLASSES 5 /* 1xx to 5xx */

static const struct {
    int64_t ns;
    struct str seconds;
} bounds[] = {
    { 500000, STR_INIT("0.0005") },  { 1000000, STR_INIT("0.001") },
    { 2500000, STR_INIT("0.0025") }, { 5000000, STR_INIT("0.005") },
    { 10000000, STR_INIT("0.01") },  { 25000000, STR_INIT("0.025") },
    { 50000000, STR_INIT("0.05") },  { 100000000, STR_INIT("0.1") },
    { 250000000, STR_INIT("0.25") }, { 500000000, STR_INIT("0.5") },
    { 1000000000, STR_INIT("1") },   { 2500000000, STR_INIT("2.5") },
    { 10000000000, STR_INIT("10") },
};
#define BUCKETS (sizeof bounds / sizeof bounds[0])

struct counters {
    _Atomic uint64_t classes[CLASSES];
    _Atomic uint64_t buckets[BUCKETS + 1]; /* not cumulative here */
    _Atomic uint64_t ns, bytes;
};

struct metrics {
    const struct http_route *routes;
    size_t n; /* of routes; counters are n + 1 a shard, the last for none */
    size_t *series; /* of each route: the first route of its name, so that a
                       path with and without /fhir is one series */
    struct counters at[];
};

static _Atomic unsigned threads_seen;

static size_t my_shard(void)
{
    static _Thread_local unsigned number; /* 0: not given yet */
    if (number == 0)
        number = atomic_fetch_add(&threads_seen, 1) + 1;
    return number % SHARDS;
}

static struct str route_name(const struct metrics *m, size_t i)
{
    if (i == m->n)
        return STR("none");
    const struct http_route *route = &m->routes[i];
    return str_of(route->name != NULL ? route->name : route->path);
}

enum err metrics_new(const struct http_route *routes, size_t n,
                     struct metrics **out)
{
    struct metrics *m =
        calloc(1, sizeof *m + SHARDS * (n + 1) * sizeof m->at[0]);
    if (m == NULL)
        return ERR_NOMEM;
    m->routes = routes;
    m->n = n;
    m->series = calloc(n + 1, sizeof *m->series);
    if (m->series == NULL) {
        metrics_free(m);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++)
        while (!str_eq(route_name(m, m->series[i]), route_name(m, i)))
            m->series[i]++;
    *out = m;
    return OK;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    free(m->series);
    free(m);
}

static void add(_Atomic uint64_t *to, uint64_t n)
{
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void metrics_count(struct metrics *m, const struct http_route *route,
                   int status, int64_t took_ns, uint64_t bytes)
{
    size_t i = route == NULL ? m->n : m->series[route - m->routes];
    struct counters *c = &m->at[my_shard() * (m->n + 1) + i];
    size_t bucket = 0;
    while (bucket < BUCKETS && took_ns > bounds[bucket].ns)
        bucket++;
    if (status >= 100 && status < 600)
        add(&c->classes[status / 100 - 1], 1);
    add(&c->buckets[bucket], 1);
    add(&c->ns, (uint64_t)took_ns);
    add(&c->bytes, bytes);
}

/* The sum of one counter over the shards; of: its place in the struct. */
static uint64_t sum(const struct metrics *m, size_t route, size_t of)
{
    uint64_t total = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        const struct counters *c = &m->at[i * (m->n + 1) + route];
        const _Atomic uint64_t *at = (const void *)((const char *)c + of);
        total += atomic_load_explicit(at, memory_order_relaxed);
    }
    return total;
}
#define SUM(m_, route_, field_)                                                \
    sum((m_), (route_), offsetof(struct counters, field_))

/* name{route="um.create", and the caller goes on. */
static void add_label(struct buf *b, const char *name, struct str route)
{
    buf_add(b, str_of(name));
    buf_add(b, STR("{route=\""));
    buf_add(b, route);
    buf_add_char(b, '"');
}

static void add_value(struct buf *b, struct str label, struct str text,
                      uint64_t value)
{
    if (label.n > 0) {
        buf_add_char(b, ',');
        buf_add(b, label);
        buf_add(b, STR("=\""));
        buf_add(b, text);
        buf_add_char(b, '"');
    }
    buf_add(b, STR("} "));
    buf_add_u64(b, value);
    buf_add_char(b, '\n');
}

/* Nanoseconds as seconds with all nine digits. */
static void add_seconds(struct buf *b, uint64_t ns)
{
    buf_add_u64(b, ns / 1000000000);
    buf_add_char(b, '.');
    for (uint64_t unit = 100000000; unit > 0; unit /= 10)
        buf_add_char(b, (char)('0' + ns / unit % 10));
}

static void render_requests(const struct metrics *m, size_t i, struct buf *b)
{
    static const struct str names[CLASSES] = {
        STR_INIT("1xx"), STR_INIT("2xx"), STR_INIT("3xx"),
        STR_INIT("4xx"), STR_INIT("5xx"),
    };
    for (size_t k = 0; k < CLASSES; k++) {
        uint64_t n = SUM(m, i, classes[k]);
        if (n == 0)
            continue;
        add_label(b, "tributary_http_requests_total", route_name(m, i));
        add_value(b, STR("status"), names[k], n);
    }
}

static void render_seconds(const struct metrics *m, size_t i, struct buf *b)
{
    uint64_t total = 0, n;
    for (size_t k = 0; k <= BUCKETS; k++)
        total += SUM(m, i, buckets[k]);
    if (total == 0)
        return;
    n = 0;
    for (size_t k = 0; k <= BUCKETS; k++) {
        n += SUM(m, i, buckets[k]);
        add_label(b, "tributary_http_request_seconds_bucket", route_name(m, i));
        add_value(b, STR("le"), k < BUCKETS ? bounds[k].seconds : STR("+Inf"),
                  n);
    }
    add_label(b, "tributary_http_request_seconds_count", route_name(m, i));
    add_value(b, STR_NONE, STR_NONE, n);
    add_label(b, "tributary_http_request_seconds_sum", route_name(m, i));
    buf_add(b, STR("} "));
    add_seconds(b, SUM(m, i, ns));
    buf_add_char(b, '\n');
}

void metrics_render(const struct metrics *m, struct buf *b)
{
    buf_add(b, STR("# HELP tributary_http_requests_total Requests answered.\n"
                   "# TYPE tributary_http_requests_total counter\n"));
    for (size_t i = 0; i <= m->n; i++)
        render_requests(m, i, b);
    buf_add(b, STR("# HELP tributary_http_request_seconds From the request "
                   "line to the "
                   "answer's last byte.\n"
                   "# TYPE tributary_http_request_seconds histogram\n"));
    for (size_t i = 0; i <= m->n; i++)
        render_seconds(m, i, b);
    buf_add(
        b,
        STR("# HELP tributary_http_response_bytes_total Bytes of bodies sent.\n"
            "# TYPE tributary_http_response_bytes_total counter\n"));
    for (size_t i = 0; i <= m->n; i++) {
        uint64_t n = SUM(m, i, bytes);
        if (n == 0)
            continue;
        add_label(b, "tributary_http_response_bytes_total", route_name(m, i));
        add_value(b, STR_NONE, STR_NONE, n);
    }
}
