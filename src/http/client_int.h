/* client_int.h - the HTTP client's insides; libcurl is seen here only. */
#ifndef HTTP_CLIENT_INT_H
#define HTTP_CLIENT_INT_H

#include <curl/curl.h>
#include <pthread.h>

#include "http/client.h"

/* One call on its way; lives from start until its end, then on the client's
 * free list with its easy handle (TLS sessions) and its answer's room. */
struct transfer {
    struct http_client *client;
    struct http_call *call;
    struct http_batch *batch;
    CURL *easy;
    struct curl_slist *headers;
    struct url url;          /* of this hop */
    struct url first;        /* Authorization is for its origin only */
    enum http_method method; /* of this hop */
    bool has_body;           /* this hop sends call->body */
    struct buf answer;       /* on the heap, moved to the call at the end */
    size_t header_bytes;
    int64_t started_ns;
    unsigned hops;
    enum err failed; /* what a callback decided */
    bool is_cancelled;
    char problem[CURL_ERROR_SIZE];
    struct transfer *next;
};

struct http_client {
    struct http_client_options o;
    CURLM *multi;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of all below, and of batches */
    pthread_cond_t quiet; /* batches became 0 */
    struct transfer *incoming, **last_incoming;
    struct transfer *free;
    size_t free_count, batches;
    bool is_stopping;
    bool has_cancels;
    struct transfer *running; /* the thread's own list */
};

struct http_batch {
    struct http_client *client;
    pthread_cond_t ended;
    struct transfer *done, **last_done;
    size_t under_way; /* started, not yet taken */
    bool is_cancelled;
};

/* Sets up t->easy for t->call; ERR_DENIED from the gate. */
MUST_CHECK enum err transfer_prepare(struct transfer *t);
/* Takes curl's verdict into the call; true: there is another hop to do. */
bool transfer_finish(struct transfer *t, CURLcode code);
/* Makes t ready for another call. */
void transfer_reset(struct transfer *t);
void transfer_free(struct transfer *t);

#endif
