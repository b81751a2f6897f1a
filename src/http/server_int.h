/* server_int.h - the server's insides.  The only other files that include
 * microhttpd.h are those of this header. */
#ifndef HTTP_SERVER_INT_H
#define HTTP_SERVER_INT_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/server.h"

#define LATENCY_BUCKETS 12

struct route_metrics {
    _Atomic int64_t by_class[6]; /* status / 100 */
    _Atomic int64_t buckets[LATENCY_BUCKETS + 1];
    _Atomic int64_t total_us;
    _Atomic int64_t bytes_out;
};

enum exchange_state {
    EXCHANGE_READING,
    EXCHANGE_POOLED,
    EXCHANGE_DONE,
    EXCHANGE_QUEUED
};

/* One request and its answer; reused. */
struct exchange {
    struct http_request request;
    struct http_response response;
    struct arena arena;
    struct buf body;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_server *server;
    struct MHD_Connection *connection;
    enum exchange_state state;
    int refusal;    /* a status to answer instead of handling; 0: none */
    bool has_begun; /* the headers were looked at */
    bool must_close;
    struct buf part; /* of a streamed body */
    size_t part_sent;
    int status_sent;
    int64_t bytes_sent;
    struct exchange *next; /* in the pool's queue or the free list */
};

struct pool;

struct http_server {
    struct http_server_options o;
    struct http_router *router;
    struct MHD_Daemon *daemon;
    struct pool *pool;
    uint16_t port;
    char *cert, *key;
    pthread_mutex_t lock; /* of the free list and in_flight */
    pthread_cond_t quiet;
    struct exchange *free;
    size_t free_count;
    int64_t in_flight;
    _Atomic bool is_stopping;
    _Atomic int64_t bytes_in;
    struct route_metrics *metrics; /* one a route, one more for no route */
};

/* Runs the handler, or the refusal; fills the response.  Any thread. */
void exchange_handle(struct exchange *x);
/* Answers: hands the response to MHD. */
enum MHD_Result exchange_answer(struct exchange *x);
/* Counts and logs a finished exchange. */
void exchange_account(struct exchange *x);

/* A bounded pool of threads, made when needed. */
MUST_CHECK enum err pool_new(unsigned threads_max, struct pool **out);
/* False: the queue is full. */
bool pool_add(struct pool *p, struct exchange *x);
int64_t pool_waiting(struct pool *p);
/* Finishes what is queued. */
void pool_free(struct pool *p);

#endif
