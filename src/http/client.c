/* Design notes: one thread owns the multi handle and every easy handle in it.
 * Others append to `incoming` under `lock` and wake it; ended transfers are
 * appended to their batch, whose condition wakes its owner.  A call's arena is
 * touched by the thread between start and end, by its owner at any other time.
 * A client outlives its batches: http_client_stop() waits for them.
 */
#include "http/client_int.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/guard.h"

#define POLL_MS        1000
#define KEPT_TRANSFERS 64

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Hands an ended transfer to its batch. */
static void hand_over(struct transfer *t)
{
    t->call->took_ms = (clock_monotonic_ns() - t->started_ns) / 1000000;
    GUARD(&t->client->lock);
    t->next = NULL;
    *t->batch->last_done = t;
    t->batch->last_done = &t->next;
    pthread_cond_broadcast(&t->batch->ended);
}

static void unlink_running(struct http_client *c, struct transfer *t)
{
    for (struct transfer **at = &c->running; *at != NULL; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            return;
        }
}

static void start(struct http_client *c, struct transfer *t)
{
    enum err err = t->is_cancelled ? ERR_STOPPING : transfer_prepare(t);
    if (err == OK && curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        err = ERR_NOMEM;
    if (err == OK) {
        t->next = c->running;
        c->running = t;
        return;
    }
    t->call->err = err;
    hand_over(t);
}

static void end(struct http_client *c, struct transfer *t, CURLcode code)
{
    curl_multi_remove_handle(c->multi, t->easy);
    unlink_running(c, t);
    if (transfer_finish(t, code)) {
        start(c, t);
        return;
    }
    hand_over(t);
}

static struct transfer *take_incoming(struct http_client *c, bool *is_stopping,
                                      bool *has_cancels)
{
    GUARD(&c->lock);
    struct transfer *first = c->incoming;
    c->incoming = NULL;
    c->last_incoming = &c->incoming;
    *is_stopping = c->is_stopping;
    *has_cancels = c->has_cancels;
    c->has_cancels = false;
    return first;
}

/* Ends what was cancelled; everything when stopping. */
static void cancel(struct http_client *c, bool all)
{
    for (struct transfer *t = c->running, *next; t != NULL; t = next) {
        next = t->next;
        bool is_cancelled = all;
        {
            GUARD(&c->lock);
            is_cancelled |= t->batch->is_cancelled;
        }
        if (!is_cancelled)
            continue;
        t->is_cancelled = true;
        curl_multi_remove_handle(c->multi, t->easy);
        unlink_running(c, t);
        t->call->err = ERR_STOPPING;
        hand_over(t);
    }
}

static void *run(void *context)
{
    struct http_client *c = context;
    bool is_stopping = false, has_cancels = false;
    while (!is_stopping) {
        struct transfer *t = take_incoming(c, &is_stopping, &has_cancels);
        while (t != NULL) {
            struct transfer *next = t->next;
            t->is_cancelled |= is_stopping;
            start(c, t);
            t = next;
        }
        if (is_stopping || has_cancels)
            cancel(c, is_stopping);
        int running = 0, left = 0;
        curl_multi_perform(c->multi, &running);
        CURLMsg *m;
        while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
            struct transfer *ended = NULL;
            if (m->msg != CURLMSG_DONE)
                continue;
            CURLcode code = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &ended);
            end(c, ended, code);
        }
        if (!is_stopping)
            curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

enum err http_client_start(const struct http_client_options *o,
                           struct http_client **out, struct why *w)
{
    pthread_once(&curl_once, curl_init);
    struct http_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->o = *o;
    c->last_incoming = &c->incoming;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->quiet, NULL);
    c->multi = curl_multi_init();
    if (c->multi != NULL) {
        long per_host = o->per_host_max > 0 ? (long)o->per_host_max : 6;
        long total = o->total_max > 0 ? (long)o->total_max : 100;
        curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
        curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total);
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, total);
    }
    if (c->multi == NULL || pthread_create(&c->thread, NULL, run, c) != 0) {
        http_client_stop(c);
        return why(w, ERR_NOMEM, "the HTTP client did not start");
    }
    c->has_thread = true;
    *out = c;
    return OK;
}

void http_client_stop(struct http_client *c)
{
    if (c == NULL)
        return;
    if (c->has_thread) {
        {
            GUARD(&c->lock);
            c->is_stopping = true;
        }
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
        GUARD(&c->lock);
        while (c->batches > 0)
            pthread_cond_wait(&c->quiet, &c->lock);
    }
    while (c->free != NULL) {
        struct transfer *t = c->free;
        c->free = t->next;
        transfer_free(t);
    }
    if (c->multi != NULL)
        curl_multi_cleanup(c->multi);
    pthread_cond_destroy(&c->quiet);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

enum err http_batch_new(struct http_client *c, struct http_batch **out)
{
    struct http_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return ERR_NOMEM;
    b->client = c;
    b->last_done = &b->done;
    pthread_cond_init(&b->ended, NULL);
    {
        GUARD(&c->lock);
        c->batches++;
    }
    *out = b;
    return OK;
}

static struct transfer *take_free(struct http_client *c)
{
    {
        GUARD(&c->lock);
        struct transfer *t = c->free;
        if (t != NULL) {
            c->free = t->next;
            c->free_count--;
            t->next = NULL;
            return t;
        }
    }
    return calloc(1, sizeof(struct transfer));
}

static void give_free(struct http_client *c, struct transfer *t)
{
    transfer_reset(t);
    {
        GUARD(&c->lock);
        if (c->free_count < KEPT_TRANSFERS) {
            t->next = c->free;
            c->free = t;
            c->free_count++;
            return;
        }
    }
    transfer_free(t);
}

void http_batch_start(struct http_batch *b, struct http_call *call)
{
    struct http_client *c = b->client;
    struct transfer *t = take_free(c);
    assert(t != NULL); /* a kilobyte; the call itself needs far more */
    call->err = OK;
    call->status = 0;
    call->answer = STR_NONE;
    call->answer_headers = NULL;
    call->answer_header_count = 0;
    call->final_url = call->url;
    call->took_ms = 0;
    call->why.text[0] = '\0';
    t->client = c;
    t->call = call;
    t->batch = b;
    t->started_ns = clock_monotonic_ns();
    {
        GUARD(&c->lock);
        b->under_way++;
        if (c->is_stopping) {
            call->err = ERR_STOPPING;
            *b->last_done = t;
            b->last_done = &t->next;
            return;
        }
        *c->last_incoming = t;
        c->last_incoming = &t->next;
    }
    curl_multi_wakeup(c->multi);
}

static struct transfer *take_done(struct http_batch *b)
{
    GUARD(&b->client->lock);
    if (b->under_way == 0)
        return NULL;
    while (b->done == NULL)
        pthread_cond_wait(&b->ended, &b->client->lock);
    struct transfer *t = b->done;
    b->done = t->next;
    if (b->done == NULL)
        b->last_done = &b->done;
    b->under_way--;
    return t;
}

struct http_call *http_batch_next(struct http_batch *b)
{
    struct transfer *t = take_done(b);
    if (t == NULL)
        return NULL;
    struct http_call *call = t->call;
    give_free(b->client, t);
    return call;
}

bool http_batch_is_ready(struct http_batch *b)
{
    GUARD(&b->client->lock);
    return b->under_way == 0 || b->done != NULL;
}

void http_batch_free(struct http_batch *b)
{
    if (b == NULL)
        return;
    {
        GUARD(&b->client->lock);
        b->is_cancelled = true;
        b->client->has_cancels = true;
    }
    curl_multi_wakeup(b->client->multi);
    while (http_batch_next(b) != NULL)
        ;
    {
        GUARD(&b->client->lock);
        if (--b->client->batches == 0)
            pthread_cond_broadcast(&b->client->quiet);
    }
    pthread_cond_destroy(&b->ended);
    free(b);
}

enum err http_client_run(struct http_client *c, struct http_call *call)
{
    struct http_batch *b;
    enum err err = http_batch_new(c, &b);
    if (err != OK)
        return err;
    http_batch_start(b, call);
    http_batch_next(b);
    http_batch_free(b);
    return call->err;
}
