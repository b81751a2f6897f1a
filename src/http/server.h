/* server.h - the listening side: HTTP/1.1 over libmicrohttpd, the only file
 * that includes its header is server.c and its helpers in http/.
 *
 * Each request: framing guard, limits, route_find, handler (inline, or on the
 * pool), family for errors, X-Request-Id, security headers, CORS, access log
 * line "http.access" (method, path without query, route, status, ms, bytes,
 * peer, id), metrics.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/err.h"
#include "http/router.h"

struct http_server_options {
    const char *address; /* "127.0.0.1", "::", ... */
    uint16_t port;       /* 0: any free one, see http_server_port() */
    const char *cert_file, *key_file; /* PEM; both NULL: plain HTTP */
    unsigned threads;                 /* 0: max(4, 2 x cores) */
    unsigned workers;                 /* the pool for HTTP_POOLED; 0: 64 */
    unsigned connections_max; /* 0: 4096; less when the process may not have
                                 that many descriptors */
    unsigned per_address_max; /* 0: no limit */
    unsigned idle_seconds;    /* 0: 90; the contract wants 75 or more */
    unsigned request_seconds; /* whole request must arrive in; 0: 60 */
    size_t body_max_bytes;    /* 0: 64 MiB */
    size_t arena_max_bytes;   /* memory of one request; 0: 1 GiB */
    const struct http_route *routes;
    size_t route_count;
    http_family *family; /* for what no route takes: 404, 405, 413 ... */
    /* Called before the handler; may answer itself (rate limit, CORS). */
    void *context; /* becomes request->server_context */
    bool is_access_logged;
    /* Called with every answer, errors too, before it is sent: the last word on
     * headers and body; NULL: none. */
    void (*finish)(struct http_request *r, struct http_response *out);
    /* CORS: answer any origin on paths for which this says so; NULL: none. */
    bool (*is_cors_open)(struct str path);
};

struct http_server;

MUST_CHECK enum err http_server_start(const struct http_server_options *o,
                                      struct http_server **out, struct why *w);
uint16_t http_server_port(const struct http_server *s);
/* Stops listening, lets requests in flight finish (at most wait_ms), ends. */
void http_server_stop(struct http_server *s, int64_t wait_ms);

/* Prometheus text: requests by route and status class, seconds by route
 * (buckets), bytes, connections, in flight, pool queue. */
void http_server_metrics(const struct http_server *s, struct buf *b);

#endif
