/* Design notes
 *
 *   exchange  one request and its answer, from a free list; born in on_uri()
 *             (MHD's first call for a request), given back in on_completed().
 *   inline    handlers run on the connection's thread;
 *   pooled    the connection is suspended, a thread of the pool runs the
 *             handler, the connection is resumed and MHD calls on_request()
 *             again, which finds EXCHANGE_DONE and answers.
 *   stop      MHD_quiesce_daemon() ends listening; in_flight counts exchanges
 *             that have a request; when it is 0, or time is up, all ends.
 */
#include "http/server_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/rand.h"

#define ARENA_DEFAULT ((size_t)2 << 30)
#define BODY_DEFAULT  ((size_t)64 * 1024 * 1024)
#define SMALL_BODY    ((size_t)1024 * 1024)
#define FREE_MAX      256
#define MEMORY_LIMIT  ((size_t)32 * 1024)
#define PEM_MAX       ((size_t)1024 * 1024)
#define PEER_MAX      INET6_ADDRSTRLEN

/* --- exchanges -------------------------------------------------------------
 */

static struct exchange *exchange_take(struct http_server *s)
{
    struct exchange *x = NULL;
    {
        GUARD(&s->lock);
        s->in_flight++;
        x = s->free;
        if (x != NULL) {
            s->free = x->next;
            s->free_count--;
        }
    }
    if (x == NULL)
        x = calloc(1, sizeof *x);
    if (x == NULL) {
        GUARD(&s->lock);
        s->in_flight--;
        return NULL;
    }
    if (x->server == NULL) {
        x->server = s;
        x->arena = ARENA(s->o.arena_max_bytes);
    }
    return x;
}

static void exchange_give(struct exchange *x)
{
    struct http_server *s = x->server;
    buf_fini(&x->body);
    buf_fini(&x->part);
    arena_reset(&x->arena);
    struct arena arena = x->arena;
    memset(&x->request, 0, sizeof x->request);
    memset(&x->response, 0, sizeof x->response);
    x->arena = arena;
    x->state = EXCHANGE_READING;
    x->refusal = 0;
    x->must_close = false;
    x->has_begun = false;
    x->part_sent = 0;
    x->status_sent = 0;
    x->bytes_sent = 0;
    bool is_kept;
    {
        GUARD(&s->lock);
        is_kept = s->free_count < FREE_MAX;
        if (is_kept) {
            x->next = s->free;
            s->free = x;
            s->free_count++;
        }
        if (--s->in_flight == 0)
            pthread_cond_broadcast(&s->quiet);
    }
    if (!is_kept) {
        arena_fini(&x->arena);
        free(x);
    }
}

/* --- reading ---------------------------------------------------------------
 */

static void set_id(struct http_request *r)
{
    static const char digits[] = "0123456789abcdef";
    static _Atomic uint64_t counter;
    static _Atomic uint64_t start;
    uint64_t base = atomic_load(&start);
    if (base == 0) {
        base = rand_u64() | 1;
        atomic_store(&start, base);
    }
    uint64_t n = base + atomic_fetch_add(&counter, 1);
    for (int i = 0; i < 16; i++)
        r->id[i] = digits[n >> (60 - 4 * i) & 15];
    r->id[16] = '\0';
}

static void set_peer(struct exchange *x, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char *text = arena_alloc(&x->arena, PEER_MAX);
    x->request.peer = STR("");
    if (info == NULL || text == NULL)
        return;
    const struct sockaddr *address = info->client_addr;
    const void *at =
        address->sa_family == AF_INET6
            ? (const void *)&(
                  (const struct sockaddr_in6 *)(const void *)address)
                  ->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)address)
                  ->sin_addr;
    if (inet_ntop(address->sa_family, at, text, PEER_MAX) != NULL)
        x->request.peer = str_of(text);
}

/* MHD's first call: the request line's target, before it is taken apart. */
static void *on_uri(void *context, const char *uri,
                    struct MHD_Connection *connection)
{
    struct exchange *x = exchange_take(context);
    if (x == NULL)
        return NULL;
    struct http_request *r = &x->request;
    x->connection = connection;
    r->arena = &x->arena;
    r->server_context = x->server->o.context;
    r->started_ns = clock_monotonic_ns();
    r->is_tls = x->server->cert != NULL;
    r->headers = x->headers;
    x->body = BUF(x->server->o.body_max_bytes);
    set_id(r);
    set_peer(x, connection);
    struct str target = arena_str(&x->arena, str_of(uri));
    size_t mark = str_find(target, '?');
    r->path = str_slice(target, 0, mark);
    r->query = str_from(target, mark + 1);
    return x;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    struct exchange *x = context;
    struct http_request *r = &x->request;
    (void)kind;
    if (r->header_count == HTTP_HEADERS_MAX) {
        x->refusal = 431;
        return MHD_NO;
    }
    x->headers[r->header_count++] =
        (struct http_header){ str_of(name), str_of(value) };
    return MHD_YES;
}

static size_t count_header(const struct http_request *r, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->header_count; i++)
        n += str_eq_nocase(r->headers[i].name, name);
    return n;
}

/* Two readings of where a request ends are how requests are smuggled
 * (RFC 9112 section 6.3): refused, and the connection closed. */
static bool has_bad_framing(const struct http_request *r)
{
    size_t lengths = count_header(r, STR("Content-Length"));
    size_t codings = count_header(r, STR("Transfer-Encoding"));
    struct str coding = http_header(r, STR("Transfer-Encoding"));
    return lengths > 1 || codings > 1 || (lengths > 0 && codings > 0) ||
           (codings == 1 && !str_eq_nocase(str_trim(coding), STR("chunked"))) ||
           count_header(r, STR("Host")) > 1;
}

static bool find_method(const char *text, enum http_method *out)
{
    for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
        if (!str_eq(str_of(text), http_method_name((enum http_method)m)))
            continue;
        *out = (enum http_method)m;
        return true;
    }
    return false;
}

static void find_route(struct exchange *x)
{
    struct http_request *r = &x->request;
    struct str allow = STR_NONE;
    enum err err = http_route_find(x->server->router, r, &allow);
    if (r->method == HTTP_OPTIONS)
        return;
    if (err == ERR_UNSUPPORTED) {
        x->refusal = 405;
        if (allow.p != NULL)
            why_of(&r->why, err, STR("this path takes "), allow);
    } else if (err != OK) {
        x->refusal = 404;
        why(&r->why, ERR_NOT_FOUND, "nothing is served at this path");
    }
}

/* MHD's second call: the headers are there, the body is not. */
static void begin(struct exchange *x, const char *method)
{
    struct http_request *r = &x->request;
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, add_header, x);
    if (!find_method(method, &r->method)) {
        x->refusal = 501;
        x->must_close = true;
        return;
    }
    if (has_bad_framing(r)) {
        why(&r->why, ERR_FORMAT,
            "the request's length is stated twice or in an "
            "unknown coding");
        x->refusal = 400;
        x->must_close = true;
        return;
    }
    if (r->query.n > 0 &&
        url_parse_params(r->arena, r->query, &r->params) != OK)
        x->refusal = 414;
    if (x->refusal == 0)
        find_route(x);
    if (r->route != NULL && (r->route->flags & HTTP_SMALL_BODY) != 0)
        x->body.limit = SMALL_BODY;
    uint64_t length;
    if (str_to_u64(http_header(r, STR("Content-Length")), &length) &&
        length > x->body.limit)
        x->refusal = 413;
    if (x->refusal == 413)
        x->must_close = true;
}

static bool is_late(const struct exchange *x)
{
    int64_t took = clock_monotonic_ns() - x->request.started_ns;
    return took > (int64_t)x->server->o.request_seconds * 1000000000;
}

static enum MHD_Result take_body(struct exchange *x, const char *data,
                                 size_t *n)
{
    if (is_late(x))
        return MHD_NO;
    if (x->refusal == 0)
        buf_add(&x->body, (struct str){ data, *n });
    if (x->body.err != OK) {
        x->refusal = x->body.err == ERR_LIMIT ? 413 : 503;
        x->must_close = true;
        buf_fini(&x->body);
    }
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result handle(struct exchange *x)
{
    struct http_request *r = &x->request;
    r->body = (struct str){ x->body.data, x->body.len };
    atomic_fetch_add_explicit(&x->server->bytes_in, (int64_t)x->body.len,
                              memory_order_relaxed);
    if (x->refusal == 0 && r->route != NULL &&
        (r->route->flags & HTTP_POOLED) != 0) {
        x->state = EXCHANGE_POOLED;
        MHD_suspend_connection(x->connection);
        if (pool_add(x->server->pool, x))
            return MHD_YES;
        MHD_resume_connection(x->connection);
        x->refusal = 503;
        x->state = EXCHANGE_DONE;
        exchange_handle(x);
        return MHD_YES; /* resumed: MHD calls again and it is answered */
    }
    exchange_handle(x);
    return exchange_answer(x);
}

static enum MHD_Result on_request(void *context,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *data_size, void **state)
{
    struct exchange *x = *state;
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    if (x == NULL)
        return MHD_NO;
    if (x->state == EXCHANGE_DONE)
        return exchange_answer(x);
    if (x->state != EXCHANGE_READING)
        return MHD_YES;
    if (!x->has_begun) {
        x->has_begun = true;
        begin(x, method);
        if (!x->must_close)
            return MHD_YES;
        exchange_handle(x);
        return exchange_answer(x);
    }
    if (*data_size > 0)
        return take_body(x, data, data_size);
    return handle(x);
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **state, enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *state;
    struct http_server *s = context;
    if (x == NULL)
        return;
    *state = NULL;
    if (x->response.produced != NULL)
        x->response.produced(x->response.context);
    if (x->status_sent > 0)
        exchange_account(x);
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  s->o.idle_seconds);
    exchange_give(x);
}

static size_t keep_escapes(void *context, struct MHD_Connection *connection,
                           char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void no_log(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

/* --- starting and stopping -------------------------------------------------
 */

static void set_defaults(struct http_server_options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned twice = (unsigned)(cores < 1 ? 1 : cores) * 2;
    o->threads = o->threads > 0 ? o->threads : (twice > 4 ? twice : 4);
    o->workers = o->workers > 0 ? o->workers : 64;
    o->connections_max = o->connections_max > 0 ? o->connections_max : 4096;
    o->idle_seconds = o->idle_seconds > 0 ? o->idle_seconds : 90;
    o->request_seconds = o->request_seconds > 0 ? o->request_seconds : 60;
    o->body_max_bytes =
        o->body_max_bytes > 0 ? o->body_max_bytes : BODY_DEFAULT;
    o->arena_max_bytes =
        o->arena_max_bytes > 0 ? o->arena_max_bytes : ARENA_DEFAULT;
}

static enum err read_pem(const char *path, char **out, struct why *w)
{
    AUTO_BUF
    b = BUF(PEM_MAX);
    enum err err = file_read(path, &b, w);
    return err == OK ? buf_take(&b, out) : err;
}

/* A listening socket of our own, so that the port is known and IPv6 works. */
static enum err listen_at(const char *address, uint16_t port, int *out,
                          uint16_t *out_port, struct why *w)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(address, NULL, &hints, &found) != 0)
        return why_of(w, ERR_INVALID, STR("not an address to listen on: "),
                      str_of(address));
    struct sockaddr_storage at;
    socklen_t n = found->ai_addrlen;
    memcpy(&at, found->ai_addr, n);
    freeaddrinfo(found);
    if (at.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&at)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&at)->sin_port = htons(port);
    int one = 1;
    int fd =
        socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&at, n) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) != 0) {
        enum err err = why_of(
            w, ERR_IO, STR("cannot listen on "), str_of(address), STR(": "),
            str_of(strerror(errno)), STR("; is another program on this port?"));
        if (fd >= 0)
            close(fd);
        return err;
    }
    *out_port =
        ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                       : ((struct sockaddr_in *)&at)->sin_port);
    *out = fd;
    return OK;
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, s->key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
    if (s->cert != NULL)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, no_log,
        NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        s->o.threads, MHD_OPTION_CONNECTION_LIMIT, s->o.connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->o.per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, s->o.idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_LIMIT,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
        s->cert != NULL ? tls : plain, MHD_OPTION_END);
}

static enum err start(struct http_server *s, struct why *w)
{
    const struct http_server_options *o = &s->o;
    int fd = -1;
    enum err err = http_router_new(o->routes, o->route_count, &s->router);
    if (err == OK)
        err = pool_new(o->workers, &s->pool);
    s->metrics = calloc(o->route_count + 1, sizeof *s->metrics);
    if (err == OK && s->metrics == NULL)
        err = ERR_NOMEM;
    if (err == OK && o->cert_file != NULL)
        err = read_pem(o->cert_file, &s->cert, w);
    if (err == OK && o->cert_file != NULL)
        err = o->key_file == NULL
                  ? why(w, ERR_INVALID, "a certificate needs its key file")
                  : read_pem(o->key_file, &s->key, w);
    if (err == OK)
        err = listen_at(o->address, o->port, &fd, &s->port, w);
    if (err != OK)
        return err;
    s->daemon = start_daemon(s, fd);
    if (s->daemon == NULL) {
        close(fd);
        return why(w, ERR_IO,
                   "the HTTP server did not start; are certificate and key "
                   "good?");
    }
    return OK;
}

enum err http_server_start(const struct http_server_options *o,
                           struct http_server **out, struct why *w)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->o = *o;
    set_defaults(&s->o);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->quiet, NULL);
    enum err err = start(s, w);
    if (err != OK) {
        http_server_stop(s, 0);
        return err;
    }
    *out = s;
    return OK;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

/* Waits until no request is under way. */
static void wait_quiet(struct http_server *s, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    GUARD(&s->lock);
    while (s->in_flight > 0 &&
           pthread_cond_timedwait(&s->quiet, &s->lock, &until) == 0)
        ;
}

void http_server_stop(struct http_server *s, int64_t wait_ms)
{
    if (s == NULL)
        return;
    atomic_store(&s->is_stopping, true);
    if (s->daemon != NULL) {
        MHD_socket fd = MHD_quiesce_daemon(s->daemon);
        wait_quiet(s, wait_ms);
        pool_free(s->pool); /* suspended connections are resumed by it */
        s->pool = NULL;
        MHD_stop_daemon(s->daemon);
        if (fd != MHD_INVALID_SOCKET)
            close(fd);
    }
    pool_free(s->pool);
    http_router_free(s->router);
    for (struct exchange *x = s->free, *next; x != NULL; x = next) {
        next = x->next;
        arena_fini(&x->arena);
        free(x);
    }
    free(s->metrics);
    free(s->cert);
    if (s->key != NULL)
        memset(s->key, 0, strlen(s->key));
    free(s->key);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->quiet);
    free(s);
}
