/* client.h - asking other servers: libcurl multi in one thread of its own,
 * straight-line calls from any thread.  Every request passes the gate; TLS is
 * verified; redirects are followed only when asked, each hop through the gate,
 * and Authorization is sent to its first origin only.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "http/gate.h"
#include "http/request.h"

struct http_client;

struct http_client_options {
    const struct http_gate *gate; /* outlives the client */
    unsigned per_host_max;        /* connections at once to a host; 0: 6 */
    unsigned total_max;           /* 0: 100 */
    const char *user_agent;       /* NULL: "Tributary/<version>" */
    const char *ca_file;          /* extra trust (tests); NULL: the system's */
};
MUST_CHECK enum err http_client_start(const struct http_client_options *o,
                                      struct http_client **out, struct why *w);
/* Fails what is under way with ERR_STOPPING, waits until every batch was freed
 * and every http_client_run() came back, ends the thread. */
void http_client_stop(struct http_client *c);

#define HTTP_CALL_HEADERS_MAX 12
struct http_call {
    /* asked */
    enum http_method method;
    struct str url;
    struct http_header headers[HTTP_CALL_HEADERS_MAX];
    size_t header_count;
    struct str body;
    size_t answer_max_bytes; /* 0: 64 MiB */
    int64_t timeout_ms;      /* whole call, all hops; 0: 60 s */
    unsigned redirects_max;  /* 0: none are followed; past it ERR_UPSTREAM */
    /* answered; in `arena` */
    struct arena *arena; /* the answer's memory, set by the caller; used
                            only by the client until the call is done */
    enum err err;        /* OK: there was an HTTP answer, of any status;
                            ERR_DENIED (gate), ERR_TIMEOUT, ERR_UPSTREAM
                            (no connection, TLS, cut), ERR_TOO_LARGE */
    int status;
    struct str answer; /* decoded from gzip/br; in the arena with JSON_PADDING
                          NULs behind, so that it may be parsed in place */
    struct http_header *answer_headers;
    size_t answer_header_count;
    struct str final_url; /* after redirects */
    int64_t took_ms;
    struct why why;
    void *context; /* the caller's */
};
struct str http_call_header(const struct http_call *call, struct str name);
void http_call_add_header(struct http_call *call, struct str name,
                          struct str value);

/* Does one call and waits for it; call->err is also returned. */
MUST_CHECK enum err http_client_run(struct http_client *c,
                                    struct http_call *call);

/* Several calls at once, by one thread: start any number, take each as it
 * ends.  Calls stay the caller's and must live until taken or ended. */
struct http_batch;
MUST_CHECK enum err http_batch_new(struct http_client *c,
                                   struct http_batch **out);
/* Never fails by itself: a call that cannot start ends with its err. */
void http_batch_start(struct http_batch *b, struct http_call *call);
/* The next that ended; waits; NULL when none is under way. */
struct http_call *http_batch_next(struct http_batch *b);
/* Whether http_batch_next() would not wait. */
bool http_batch_is_ready(struct http_batch *b);
/* Cancels what is under way, waits until it is quiet. */
void http_batch_free(struct http_batch *b);

#endif
