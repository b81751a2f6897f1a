/* server_int.h - the halves of the server: sockets (deadlines), exchanges (one
 * request and its answer), the worker pool, metrics, TLS files.
 */
#ifndef HTTP_SERVER_INT_H
#define HTTP_SERVER_INT_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "http/metrics_int.h"
#include "http/pool_int.h"
#include "http/server.h"

/* One accepted socket, from MHD's start to its close. */
struct http_socket {
    struct http_socket *prev, *next;
    int fd;
    _Atomic int64_t deadline_ns; /* shut down when it is later than that */
    char peer[INET6_ADDRSTRLEN];
};

/* All sockets, and the thread that shuts down those past their deadline:
 * MHD's own timeout counts silence only, not a byte now and then. */
struct http_sockets {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct http_socket *first;
    size_t count;
    bool is_stopping, has_thread;
    pthread_t thread;
};
MUST_CHECK enum err sockets_start(struct http_sockets *s);
void sockets_stop(struct http_sockets *s);
struct http_socket *sockets_add(struct http_sockets *s, int fd,
                                const struct sockaddr *peer,
                                int64_t deadline_ns);
void sockets_remove(struct http_sockets *s, struct http_socket *socket);
size_t sockets_count(struct http_sockets *s);

enum stage {
    STAGE_HEADERS,  /* known: the request line */
    STAGE_BODY,     /* route and headers known, body comes */
    STAGE_POOLED,   /* suspended; a worker has it */
    STAGE_ANSWERED, /* response is ready or refused */
};

struct gzip;
struct exchange {
    struct exchange *next; /* in the free list */
    struct pool_job job;
    struct http_server *server;
    struct http_socket *socket;
    struct MHD_Connection *mhd;
    _Atomic enum stage stage;
    enum err err;      /* what the request failed with before its handler */
    int status;        /* forced status of that failure; 0: the family's */
    struct str allow;  /* for 405 */
    bool must_close;   /* the connection ends with this answer */
    bool is_preflight; /* CORS */
    size_t body_max;
    struct arena arena;
    struct http_request request;
    struct http_response response;
    struct buf body;
    struct buf part; /* of a streamed body, on the heap */
    size_t part_sent;
    uint64_t bytes;    /* of the body, sent */
    struct gzip *gzip; /* packs a streamed body; NULL: as it is */
    bool is_packed;    /* its end is written */
    bool varies;       /* with Accept-Encoding */
    struct http_header headers[HTTP_HEADERS_MAX];
};

struct http_server {
    struct http_server_options options; /* defaults filled in */
    struct http_router *router;
    struct MHD_Daemon *daemon;
    int listener; /* -1 once it is MHD's */
    char *key, *cert;
    struct http_sockets sockets;
    struct pool *pool;
    struct metrics *metrics;
    _Atomic bool is_draining;
    uint64_t id_seed;
    _Atomic uint64_t id_count;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t is_quiet;
    struct exchange *free;
    size_t free_count;
    size_t in_flight;
};

/* exchange.c: MHD's callbacks; server is their closure. */
void *exchange_on_line(void *server, const char *uri, struct MHD_Connection *c);
enum MHD_Result exchange_on_request(void *server, struct MHD_Connection *c,
                                    const char *url, const char *method,
                                    const char *version, const char *data,
                                    size_t *size, void **exchange);
void exchange_on_end(void *server, struct MHD_Connection *c, void **exchange,
                     enum MHD_RequestTerminationCode how);
void exchange_free(struct exchange *ex);

/* head.c: reads the header block into ex->request; refuses by ex->err,
 * ex->status and ex->must_close. */
void exchange_read_head(struct exchange *ex, const char *method,
                        const char *version);
/* answer.c: puts the answer together and hands it to MHD. */
void exchange_run(struct exchange *ex); /* handler or family */
enum MHD_Result exchange_send(struct exchange *ex);

/* coding.c: Content-Encoding. */
void coding_unpack(struct exchange *ex); /* the body, by its header */
void coding_pack(struct exchange *ex);   /* the answer, for who asks */
MUST_CHECK enum err coding_produce(struct exchange *ex, struct buf *part);
void coding_end(struct exchange *ex);

/* tls.c: reads the PEM files; *key and *cert are the caller's to free. */
MUST_CHECK enum err tls_read_files(const struct http_server_options *o,
                                   char **key, char **cert, struct why *w);
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

#endif
