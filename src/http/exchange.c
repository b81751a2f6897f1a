#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/json.h"
#include "base/log.h"
#include "http/server_int.h"

/* Design notes.  An exchange lives from its request line (exchange_on_line) to
 * the end of its answer (exchange_on_end), both on the connection's thread.
 * In between MHD calls exchange_on_request: once with the headers, once for
 * each part of the body, once at its end.  A pooled handler runs while the
 * connection is suspended: the worker owns the exchange from pool_put() to its
 * store of STAGE_ANSWERED, then the connection's thread does again.  An answer
 * given on the first call makes MHD close, so only must_close does that. */

#define KEPT_EXCHANGES 256
#define PATH_LOGGED    512 /* bytes; a log line has a limit */
#define NS_PER_SECOND  INT64_C(1000000000)

static struct exchange *take_exchange(struct http_server *s)
{
    struct exchange *ex = NULL;
    {
        GUARD(&s->mutex);
        s->in_flight++;
        if (s->free != NULL) {
            ex = s->free;
            s->free = ex->next;
            s->free_count--;
        }
    }
    if (ex == NULL) {
        ex = calloc(1, sizeof *ex);
        if (ex != NULL)
            ex->arena = ARENA(s->options.arena_max_bytes);
    }
    if (ex != NULL)
        return ex;
    GUARD(&s->mutex);
    s->in_flight--;
    return NULL;
}

void exchange_free(struct exchange *ex)
{
    arena_fini(&ex->arena);
    buf_fini(&ex->part);
    free(ex);
}

static void give_exchange(struct http_server *s, struct exchange *ex)
{
    arena_reset(&ex->arena);
    buf_fini(&ex->part);
    {
        GUARD(&s->mutex);
        if (--s->in_flight == 0)
            pthread_cond_broadcast(&s->is_quiet);
        if (s->free_count < KEPT_EXCHANGES) {
            ex->next = s->free;
            s->free = ex;
            s->free_count++;
            return;
        }
    }
    exchange_free(ex);
}

/* Unique while the process lives, and not to be guessed: splitmix64. */
static void write_id(struct http_server *s, char id[17])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t z = s->id_seed + atomic_fetch_add_explicit(
                                  &s->id_count, UINT64_C(0x9e3779b97f4a7c15),
                                  memory_order_relaxed);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    for (int i = 0; i < 16; i++, z >>= 4)
        id[i] = digits[z & 15];
    id[16] = '\0';
}

static struct http_socket *socket_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/* The path and query of "GET http://host/path" (RFC 9112 section 3.2.2). */
static struct str without_origin(struct str target)
{
    struct url u;
    if (target.n == 0 || target.p[0] == '/' || url_parse(target, &u) != OK)
        return target;
    return str_from(target, u.origin.n);
}

void *exchange_on_line(void *server, const char *uri, struct MHD_Connection *c)
{
    struct http_server *s = server;
    struct http_socket *socket = socket_of(c);
    struct exchange *ex = socket == NULL ? NULL : take_exchange(s);
    if (ex == NULL)
        return NULL;
    struct http_request *r = &ex->request;
    ex->server = s;
    ex->socket = socket;
    ex->mhd = c;
    atomic_store_explicit(&ex->stage, STAGE_HEADERS, memory_order_relaxed);
    ex->err = OK;
    ex->status = 0;
    ex->allow = STR_NONE;
    ex->must_close = ex->is_preflight = false;
    ex->part_sent = 0;
    ex->bytes = 0;
    memset(r, 0, sizeof *r);
    memset(&ex->response, 0, sizeof ex->response);
    struct str line = arena_str(&ex->arena, str_of(uri));
    line = without_origin(line);
    size_t mark = str_find(line, '?');
    r->path = str_slice(line, 0, mark);
    r->query = str_from(line, mark + 1);
    r->started_ns = clock_monotonic_ns();
    r->peer = str_of(socket->peer);
    r->is_tls = s->cert != NULL;
    r->arena = &ex->arena;
    r->server_context = s->options.context;
    write_id(s, r->id);
    atomic_store(&socket->deadline_ns,
                 r->started_ns + s->options.request_seconds * NS_PER_SECOND);
    return ex;
}

static void take_body(struct exchange *ex, const char *data, size_t size)
{
    if (ex->err != OK)
        return;
    if (size > ex->body_max - ex->body.len) {
        ex->err = why(&ex->request.why, ERR_TOO_LARGE, "the body is too large");
        ex->status = 413;
        ex->must_close = true;
        return;
    }
    buf_add(&ex->body, (struct str){ data, size });
    if (ex->body.err != OK)
        ex->err = ex->body.err;
}

static void run_pooled(struct pool_job *job, bool is_stopping)
{
    struct exchange *ex =
        (struct exchange *)((char *)job - offsetof(struct exchange, job));
    if (is_stopping && ex->err == OK)
        ex->err = why(&ex->request.why, ERR_STOPPING, "the server is stopping");
    exchange_run(ex);
    struct MHD_Connection *c = ex->mhd;
    atomic_store_explicit(&ex->stage, STAGE_ANSWERED, memory_order_release);
    MHD_resume_connection(c);
}

/* The request is complete: its handler runs, here or on the pool. */
static enum MHD_Result dispatch(struct exchange *ex)
{
    struct http_request *r = &ex->request;
    atomic_store(&ex->socket->deadline_ns, INT64_MAX);
    coding_unpack(ex);
    if (ex->err == OK) {
        if (ex->body.len > 0)
            buf_reserve(&ex->body, JSON_PADDING);
        if (buf_view(&ex->body, &r->body) != OK)
            ex->err = ex->body.err;
    }
    bool is_pooled = ex->err == OK && r->route != NULL &&
                     (r->route->flags & HTTP_POOLED) != 0;
    if (is_pooled) {
        atomic_store_explicit(&ex->stage, STAGE_POOLED, memory_order_relaxed);
        ex->job.run = run_pooled;
        MHD_suspend_connection(ex->mhd);
        if (pool_put(ex->server->pool, &ex->job))
            return MHD_YES;
        ex->err = why(&r->why, ERR_BUSY, "the server is busy; try again");
        exchange_run(ex);
        atomic_store_explicit(&ex->stage, STAGE_ANSWERED, memory_order_relaxed);
        MHD_resume_connection(ex->mhd);
        return MHD_YES;
    }
    exchange_run(ex);
    atomic_store_explicit(&ex->stage, STAGE_ANSWERED, memory_order_relaxed);
    return exchange_send(ex);
}

enum MHD_Result exchange_on_request(void *server, struct MHD_Connection *c,
                                    const char *url, const char *method,
                                    const char *version, const char *data,
                                    size_t *size, void **exchange)
{
    (void)server;
    (void)c;
    (void)url;
    struct exchange *ex = *exchange;
    if (ex == NULL)
        return MHD_NO;
    switch (atomic_load_explicit(&ex->stage, memory_order_acquire)) {
    case STAGE_HEADERS:
        exchange_read_head(ex, method, version);
        atomic_store_explicit(&ex->stage, STAGE_BODY, memory_order_relaxed);
        return ex->must_close ? dispatch(ex) : MHD_YES;
    case STAGE_BODY:
        if (*size == 0)
            return dispatch(ex);
        take_body(ex, data, *size);
        *size = 0;
        return MHD_YES;
    case STAGE_POOLED:
        return MHD_YES;
    case STAGE_ANSWERED:
        return exchange_send(ex);
    }
    return MHD_NO;
}

static void log_access(const struct exchange *ex, int64_t took_ns)
{
    const struct http_request *r = &ex->request;
    const char *route = r->route == NULL ? "none" : r->route->name;
    log_event(
        LOG_INFO, "http.access", LOG_STR("method", http_method_name(r->method)),
        LOG_STR("path", str_slice(r->path, 0, PATH_LOGGED)),
        LOG_STR("route", str_of(route)), LOG_INT("status", ex->response.status),
        LOG_INT("us", took_ns / 1000), LOG_INT("bytes", (int64_t)ex->bytes),
        LOG_STR("peer", r->peer), LOG_STR("request", str_of(r->id)));
}

void exchange_on_end(void *server, struct MHD_Connection *c, void **exchange,
                     enum MHD_RequestTerminationCode how)
{
    (void)c;
    (void)how;
    struct http_server *s = server;
    struct exchange *ex = *exchange;
    if (ex == NULL)
        return;
    *exchange = NULL;
    if (ex->response.produced != NULL)
        ex->response.produced(ex->response.context);
    coding_end(ex);
    int64_t now = clock_monotonic_ns();
    int64_t took_ns = now - ex->request.started_ns;
    if (ex->response.status != 0) { /* else MHD itself refused or it broke */
        metrics_count(s->metrics, ex->request.route, ex->response.status,
                      took_ns, ex->bytes);
        if (s->options.is_access_logged)
            log_access(ex, took_ns);
    }
    atomic_store(
        &ex->socket->deadline_ns,
        now + (int64_t)(s->options.idle_seconds + s->options.request_seconds) *
                  NS_PER_SECOND);
    give_exchange(s, ex);
}
