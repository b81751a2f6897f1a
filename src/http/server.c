#include "http/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/rand.h"
#include "http/server_int.h"

#define CONNECTION_BYTES ((size_t)16 * 1024) /* request line and headers */
#define BACKLOG          1024
#define OTHER_FILES      256 /* descriptors that are no connection of ours */
#define NS_PER_MS        INT64_C(1000000)

/* As many connections as there are descriptors for: MHD without one spins on
 * accept().  The soft limit is raised to what is wanted, where it may be. */
static unsigned within_descriptors(unsigned connections)
{
    struct rlimit files;
    rlim_t want = (rlim_t)connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= want)
        return connections;
    files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        (void)getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur >= want)
        return connections;
    return (unsigned)(files.rlim_cur > 2 * OTHER_FILES
                          ? files.rlim_cur - OTHER_FILES
                          : files.rlim_cur / 2);
}

static struct http_server_options with_defaults(struct http_server_options o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (o.threads == 0)
        o.threads = cores > 2 ? (unsigned)cores * 2 : 4;
    if (o.workers == 0)
        o.workers = 64;
    if (o.connections_max == 0)
        o.connections_max = 4096;
    o.connections_max = within_descriptors(o.connections_max);
    if (o.idle_seconds == 0)
        o.idle_seconds = 90;
    if (o.request_seconds == 0)
        o.request_seconds = 60;
    if (o.body_max_bytes == 0)
        o.body_max_bytes = (size_t)64 * 1024 * 1024;
    if (o.arena_max_bytes == 0)
        o.arena_max_bytes = (size_t)1024 * 1024 * 1024;
    return o;
}

static enum err bind_to(struct http_server *s, const struct addrinfo *to,
                        struct why *w)
{
    int yes = 1, no = 0;
    s->listener = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0)
        return why_of(w, ERR_IO, STR("no socket: "), str_of(strerror(errno)));
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(s->listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (to->ai_family == AF_INET6) /* "::" takes IPv4 too */
        setsockopt(s->listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(s->listener, to->ai_addr, to->ai_addrlen) == 0 &&
        listen(s->listener, BACKLOG) == 0)
        return OK;
    return why_of(w, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO,
                  STR("cannot listen on "), str_of(s->options.address),
                  STR(": "), str_of(strerror(errno)));
}

static enum err open_listener(struct http_server *s, struct why *w)
{
    char port[8];
    AUTO_BUF b = BUF(sizeof port - 1);
    buf_add_u64(&b, s->options.port);
    memcpy(port, b.data, b.len + 1);
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(s->options.address, port, &hints, &found);
    if (failed != 0)
        return why_of(w, ERR_INVALID, STR("no such address: "),
                      str_of(s->options.address), STR(": "),
                      str_of(gai_strerror(failed)));
    enum err err = bind_to(s, found, w);
    freeaddrinfo(found);
    return err;
}

static void on_connection(void *server, struct MHD_Connection *c,
                          void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = server;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        sockets_remove(&s->sockets, *context);
        *context = NULL;
        return;
    }
    /* Both answers may stand in the same place (libmicrohttpd 1.0). */
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info->connect_fd;
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    int64_t patience_ms = (int64_t)s->options.request_seconds * 1000;
    *context =
        sockets_add(&s->sockets, fd, info == NULL ? NULL : info->client_addr,
                    clock_monotonic_ns() + patience_ms * NS_PER_MS);
}

/* Paths and queries stay as sent: the router and url.h decode them. */
static size_t leave_escaped(void *cls, struct MHD_Connection *c, char *text)
{
    (void)cls;
    (void)c;
    return strlen(text);
}

static void quiet(void *cls, const char *format, va_list args)
{
    (void)cls; /* MHD's own lines are about peers' mistakes */
    (void)format;
    (void)args;
}

static enum err start_daemon(struct http_server *s, struct why *w)
{
    const struct http_server_options *o = &s->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_KEY, 0, s->key },
        { MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){ TLS_PRIORITIES } },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
    if (s->cert != NULL)
        flags |= MHD_USE_TLS;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_on_request, s, /* first for its use */
        MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_LISTEN_SOCKET,
        s->listener, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
        MHD_OPTION_CONNECTION_LIMIT, o->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_on_line, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_on_end, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY,
        s->cert != NULL ? tls : none, MHD_OPTION_END);
    if (s->daemon == NULL)
        return why(w, ERR_IO,
                   s->cert != NULL ? "the server does not start; do the key "
                                     "and the certificate fit?"
                                   : "the server does not start");
    return OK;
}

static enum err start(struct http_server *s, struct why *w)
{
    enum err err = tls_read_files(&s->options, &s->key, &s->cert, w);
    if (err != OK)
        return err;
    err =
        http_router_new(s->options.routes, s->options.route_count, &s->router);
    if (err != OK)
        return why(w, err, "the table of routes is not sound");
    err = metrics_new(s->options.routes, s->options.route_count, &s->metrics);
    if (err == OK)
        err = pool_new(s->options.workers, &s->pool);
    if (err == OK)
        err = sockets_start(&s->sockets);
    if (err == OK)
        err = open_listener(s, w);
    return err == OK ? start_daemon(s, w) : err;
}

enum err http_server_start(const struct http_server_options *o,
                           struct http_server **out, struct why *w)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->is_quiet, &how);
    pthread_condattr_destroy(&how);
    s->options = with_defaults(*o);
    s->listener = -1;
    s->id_seed = rand_u64();
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
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    if (getsockname(s->listener, (struct sockaddr *)&at, &n) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&at)->sin6_port
                     : ((struct sockaddr_in *)&at)->sin_port);
}

static void wait_until_quiet(struct http_server *s, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * NS_PER_MS;
    until.tv_sec += wait_ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    GUARD(&s->mutex);
    while (s->in_flight > 0)
        if (pthread_cond_timedwait(&s->is_quiet, &s->mutex, &until) != 0)
            return;
}

void http_server_stop(struct http_server *s, int64_t wait_ms)
{
    if (s == NULL)
        return;
    atomic_store(&s->is_draining, true);
    if (s->daemon != NULL) {
        MHD_quiesce_daemon(s->daemon); /* hands the listener back to us */
        wait_until_quiet(s, wait_ms);
    }
    if (s->pool != NULL)
        pool_drain(s->pool); /* no connection may be suspended at the stop */
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    if (s->listener >= 0)
        close(s->listener);
    sockets_stop(&s->sockets);
    pool_free(s->pool);
    while (s->free != NULL) {
        struct exchange *ex = s->free;
        s->free = ex->next;
        exchange_free(ex);
    }
    metrics_free(s->metrics);
    http_router_free(s->router);
    if (s->key != NULL)
        explicit_bzero(s->key, strlen(s->key));
    free(s->key);
    free(s->cert);
    pthread_cond_destroy(&s->is_quiet);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void add_gauge(struct buf *b, const char *name, const char *help,
                      size_t value)
{
    const struct str parts[] = {
        STR_INIT("# HELP "),  str_of(name),          STR_INIT(" "),
        str_of(help),         STR_INIT("\n# TYPE "), str_of(name),
        STR_INIT(" gauge\n"), str_of(name),          STR_INIT(" "),
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        buf_add(b, parts[i]);
    buf_add_u64(b, value);
    buf_add_char(b, '\n');
}

void http_server_metrics(const struct http_server *server, struct buf *b)
{
    struct http_server *s = (struct http_server *)server; /* for its mutex */
    size_t in_flight;
    metrics_render(s->metrics, b);
    {
        GUARD(&s->mutex);
        in_flight = s->in_flight;
    }
    add_gauge(b, "tributary_http_in_flight", "Requests under way.", in_flight);
    add_gauge(b, "tributary_http_connections", "Open connections.",
              sockets_count(&s->sockets));
    add_gauge(b, "tributary_http_pool_depth",
              "Requests on or before the worker pool.", pool_depth(s->pool));
}
