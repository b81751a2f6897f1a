/* client_int.h - the HTTP client's insides; libcurl is seen here only. */
#ifndef HTTP_CLIENT_INT_H
#define HTTP_CLIENT_INT_H

#include <curl/curl.h>
#include <pthread.h>

#include "http/client.h"

/* One call on its way; lives from start until its end. */
struct transfer {
    struct http_client *client;
    struct http_call *call;
    struct http_batch *batch;
    CURL *easy;
    struct curl_slist *headers;
    struct url url; /* of this hop */
    struct str first_origin;
    struct buf answer;
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
    struct transfer *incoming, **last_incoming;
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
void transfer_free(struct transfer *t);

#endif
