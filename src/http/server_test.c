#include "http/server.h"

#include <arpa/inet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"

/* --- what is served ------------------------------------------------------- */

static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static unsigned waiting;
static bool is_open;
static _Atomic unsigned produced_calls;

static enum err say_hello(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 200, STR("text/plain"), STR("hello"));
    return OK;
}

static enum err echo(struct http_request *r, struct http_response *out)
{
    http_set_type(out, STR("text/plain"));
    buf_add(&out->body, r->body);
    return OK;
}

static enum err show(struct http_request *r, struct http_response *out)
{
    buf_add(&out->body, r->captures[0]);
    buf_add(&out->body, STR("|"));
    buf_add(&out->body, url_param(&r->params, STR("q")));
    buf_add(&out->body, STR("|"));
    buf_add(&out->body, r->peer);
    return OK;
}

static enum err collide(struct http_request *r, struct http_response *out)
{
    http_set_header(out, STR("X-Half"), STR("done"));
    return why(&r->why, ERR_CONFLICT, "somebody was faster");
}

static enum err split_header(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_set_header(out, STR("X-Bad"), STR("a\r\nSet-Cookie: b=c"));
    return OK;
}

/* Waits until the test opens the gate. */
static enum err wait_here(struct http_request *r, struct http_response *out)
{
    GUARD(&gate_mutex);
    waiting++;
    pthread_cond_broadcast(&gate_moved);
    while (!is_open)
        pthread_cond_wait(&gate_moved, &gate_mutex);
    return say_hello(r, out);
}

struct counter {
    unsigned next, end;
};

static enum err count_up(void *context, struct buf *b)
{
    struct counter *c = context;
    if (c->next == c->end)
        return OK;
    for (int i = 0; i < 1000; i++)
        buf_add(b, STR("0123456789"));
    c->next++;
    return OK;
}

static enum err count_and_break(void *context, struct buf *b)
{
    struct counter *c = context;
    return c->next == 3 ? ERR_IO : count_up(context, b);
}

static void count_end(void *context)
{
    (void)context;
    atomic_fetch_add(&produced_calls, 1);
}

static enum err stream(struct http_request *r, struct http_response *out)
{
    struct counter *c = arena_zalloc(r->arena, 1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->end = 100;
    out->produce =
        str_eq(r->captures[0], STR("bad")) ? count_and_break : count_up;
    out->produced = count_end;
    out->context = c;
    return OK;
}

static void family(struct http_request *r, struct http_response *out,
                   enum err err)
{
    out->status = http_status_of(err);
    http_set_type(out, STR("text/plain"));
    buf_add(&out->body, STR("family: "));
    buf_add(&out->body, str_of(r->why.text));
}

static bool is_api(struct str path)
{
    return str_starts(path, STR("/api/"));
}

static const struct http_route routes[] = {
    { "GET", "/hello", say_hello, family, 0, "hello" },
    { "GET", "/api/hello", say_hello, family, HTTP_NO_STORE, "api.hello" },
    { "POST", "/echo", echo, family, 0, "echo" },
    { "POST", "/small", echo, family, HTTP_SMALL_BODY, "small" },
    { "POST", "/pooled", echo, family, HTTP_POOLED, "pooled" },
    { "GET", "/show/:what", show, family, 0, "show" },
    { "GET", "/fail", collide, family, 0, "fail" },
    { "GET", "/split", split_header, family, 0, "split" },
    { "GET", "/also/hello", say_hello, family, 0, "hello" },
    { "GET", "/wait", wait_here, family, HTTP_POOLED, "wait" },
    { "GET", "/stream/:how", stream, family, 0, "stream" },
};

static struct http_server *start(struct http_server_options o)
{
    struct http_server *server;
    struct why w = { "" };
    o.address = "127.0.0.1";
    o.routes = routes;
    o.route_count = sizeof routes / sizeof routes[0];
    o.family = family;
    o.is_cors_open = is_api;
    enum err err = http_server_start(&o, &server, &w);
    if (err != OK)
        fail_msg("%s", w.text);
    waiting = 0;
    is_open = false;
    return server;
}

/* --- a plain client ------------------------------------------------------- */

static int open_to(const struct http_server *server)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(http_server_port(server)) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void put(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        text = str_from(text, (size_t)n);
    }
}

#define SEEN_MAX ((size_t)4 * 1024 * 1024)
static char seen[SEEN_MAX + 1];

/* All that comes until the other side closes. */
static struct str get_all(int fd)
{
    size_t n = 0;
    ssize_t got;
    while (n < SEEN_MAX && (got = recv(fd, seen + n, SEEN_MAX - n, 0)) > 0)
        n += (size_t)got;
    seen[n] = '\0';
    close(fd);
    return (struct str){ seen, n };
}

/* Sends text and gives all that comes back until the close. */
static struct str talk(const struct http_server *server, const char *text)
{
    int fd = open_to(server);
    put(fd, str_of(text));
    return get_all(fd);
}

static bool has(struct str s, const char *part)
{
    return str_search(s, str_of(part)) < s.n;
}

static size_t times(struct str s, const char *part)
{
    size_t n = 0, at;
    while ((at = str_search(s, str_of(part))) < s.n) {
        s = str_from(s, at + 1);
        n++;
    }
    return n;
}

#define END "Host: x\r\nConnection: close\r\n\r\n"

/* --- tests ---------------------------------------------------------------- */

static void a_request_is_answered_with_the_house_headers(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /hello HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 200 ")));
    assert_true(str_ends(got, STR("\r\n\r\nhello")));
    assert_true(has(got, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(has(got, "X-Request-Id: "));
    assert_true(has(got, "Content-Length: 5\r\n"));
    assert_false(has(got, "Access-Control-"));
    assert_true(has(got, "Cache-Control: no-store\r\n"));
    http_server_stop(s, 1000);
}

static void captures_and_parameters_reach_the_handler_decoded(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /show/a%2Fb?x=1&q=c%26+d HTTP/1.1\r\n" END);
    assert_true(str_ends(got, STR("\r\n\r\na/b|c& d|127.0.0.1")));
    got = talk(s, "GET /show/x?y=1&amp;q=old HTTP/1.1\r\n" END);
    assert_true(str_ends(got, STR("\r\n\r\nx|old|127.0.0.1")));
    http_server_stop(s, 1000);
}

static void a_target_may_be_a_whole_url(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got =
        talk(s, "GET http://proxy.example:80/show/a?q=b HTTP/1.1\r\n" END);
    assert_true(str_ends(got, STR("\r\n\r\na|b|127.0.0.1")));
    http_server_stop(s, 1000);
}

static void both_families_of_addresses_are_served(void **state)
{
    (void)state;
    struct http_server *s;
    struct http_server_options o = { .address = "::",
                                     .routes = routes,
                                     .route_count =
                                         sizeof routes / sizeof routes[0],
                                     .family = family };
    struct why w = { "" };
    if (http_server_start(&o, &s, &w) != OK) {
        print_message("no IPv6 here: %s\n", w.text);
        skip();
    }
    struct str got = talk(s, "GET /show/v4 HTTP/1.1\r\n" END);
    assert_true(str_ends(got, STR("\r\n\r\nv4||127.0.0.1")));
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_port = htons(http_server_port(s)),
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    put(fd, STR("GET /show/v6 HTTP/1.1\r\n" END));
    assert_true(str_ends(get_all(fd), STR("\r\n\r\nv6||::1")));
    http_server_stop(s, 1000);
}

static void a_head_has_the_headers_of_get_and_no_body(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "HEAD /hello HTTP/1.1\r\n" END);
    assert_true(has(got, "Content-Length: 5\r\n"));
    assert_true(str_ends(got, STR("\r\n\r\n")));
    http_server_stop(s, 1000);
}

static void a_failure_is_rendered_by_the_family(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /fail HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 409 ")));
    assert_true(str_ends(got, STR("family: somebody was faster")));
    assert_false(has(got, "X-Half"));
    http_server_stop(s, 1000);
}

static void a_header_with_a_line_break_becomes_a_500(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /split HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 500 ")));
    assert_false(has(got, "Set-Cookie"));
    http_server_stop(s, 1000);
}

static void unknown_paths_are_404_and_other_methods_405_with_allow(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /nothing HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 404 ")));
    got = talk(s, "DELETE /hello HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 405 ")));
    assert_true(has(got, "Allow: GET, HEAD\r\n"));
    got = talk(s, "BREW /hello HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 501 ")));
    http_server_stop(s, 1000);
}

static void ambiguous_framing_is_refused_and_closed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5x\r\n",
        "Host: y\r\n",
    };
    struct http_server *s = start((struct http_server_options){ 0 });
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1000] = "POST /echo HTTP/1.1\r\nHost: x\r\n";
        strncat(text, bad[i], 200);
        strncat(text, "\r\nhelloGET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 200);
        struct str got = talk(s, text);
        assert_true(str_starts(got, STR("HTTP/1.1 400 ")));
        assert_false(has(got, "HTTP/1.1 200 "));
    }
    http_server_stop(s, 1000);
}

static void bodies_come_whole_by_length_and_by_chunks(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got =
        talk(s, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" END "12345");
    assert_true(str_ends(got, STR("\r\n\r\n12345")));
    got = talk(s, "POST /pooled HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_true(str_ends(got, STR("\r\n\r\nabcde")));
    http_server_stop(s, 1000);
}

static void a_body_past_the_limit_is_a_413(void **state)
{
    (void)state;
    struct http_server *s =
        start((struct http_server_options){ .body_max_bytes = 10 });
    struct str got =
        talk(s, "POST /echo HTTP/1.1\r\nContent-Length: 11\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 413 ")));
    got = talk(s, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                  "Host: x\r\n\r\n"
                  "6\r\nabcdef\r\n6\r\nghijkl\r\n0\r\n\r\n");
    assert_true(str_starts(got, STR("HTTP/1.1 413 ")));
    got = talk(s, "POST /echo HTTP/1.1\r\nContent-Length: 10\r\n" END
                  "0123456789");
    assert_true(str_starts(got, STR("HTTP/1.1 200 ")));
    http_server_stop(s, 1000);

    s = start((struct http_server_options){ 0 });
    got = talk(s, "POST /small HTTP/1.1\r\nContent-Length: 1048577\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 413 ")));
    http_server_stop(s, 1000);
}

static void too_many_headers_are_a_431(void **state)
{
    (void)state;
    char text[4000] = "GET /hello HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        strncat(text, "X: y\r\n", 7);
    strncat(text, "\r\n", 3);
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, text);
    assert_true(str_starts(got, STR("HTTP/1.1 431 ")));
    http_server_stop(s, 1000);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(
        s, "GET /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"
           "POST /pooled HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
           "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
           "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
           "GET /show/4 HTTP/1.1\r\n" END);
    assert_int_equal(times(got, "HTTP/1.1 200 "), 3);
    assert_int_equal(times(got, "HTTP/1.1 404 "), 2);
    assert_true(str_search(got, STR("1||127")) < str_search(got, STR("abc")));
    assert_true(str_ends(got, STR("4||127.0.0.1")));
    http_server_stop(s, 1000);
}

static void a_stream_comes_whole_and_a_broken_one_is_cut(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    atomic_store(&produced_calls, 0);
    struct str got = talk(s, "GET /stream/good HTTP/1.1\r\n" END);
    assert_true(has(got, "Transfer-Encoding: chunked\r\n"));
    assert_true(str_ends(got, STR("\r\n0\r\n\r\n")));
    assert_true(got.n > 1000000);
    got = talk(s, "GET /stream/bad HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 200 ")));
    assert_false(str_ends(got, STR("\r\n0\r\n\r\n")));
    got = talk(s, "HEAD /stream/good HTTP/1.1\r\n" END);
    assert_true(has(got, "Connection: close\r\n"));
    assert_false(has(got, "0123456789"));
    http_server_stop(s, 1000);
    assert_int_equal(atomic_load(&produced_calls), 3);
}

static void cors_is_open_where_it_may_be(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct str got = talk(s, "GET /api/hello HTTP/1.1\r\n"
                             "Origin: https://app.example\r\n" END);
    assert_true(
        has(got, "Access-Control-Allow-Origin: https://app.example\r\n"));
    assert_true(has(got, "Access-Control-Allow-Credentials: true\r\n"));
    assert_true(has(got, "Vary: Origin\r\n"));
    assert_true(has(got, "Cache-Control: no-store\r\n"));
    assert_true(has(got, "Referrer-Policy: no-referrer\r\n"));
    got = talk(s, "GET /api/hello HTTP/1.1\r\n" END);
    assert_true(has(got, "Access-Control-Allow-Origin: *\r\n"));
    got = talk(s, "OPTIONS /api/anything HTTP/1.1\r\n"
                  "Origin: https://app.example\r\n"
                  "Access-Control-Request-Method: PUT\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 204 ")));
    assert_true(has(got, "Access-Control-Allow-Methods: GET, HEAD, POST"));
    assert_true(has(got, "Access-Control-Allow-Headers: Authorization"));
    got = talk(s, "OPTIONS /hello HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 204 ")));
    assert_true(has(got, "Allow: GET, HEAD\r\n"));
    got = talk(s, "OPTIONS /nothing HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 404 ")));
    got = talk(s, "GET /hello HTTP/1.1\r\nOrigin: https://app.example\r\n" END);
    assert_false(has(got, "Access-Control-"));
    http_server_stop(s, 1000);
}

static void wait_for(unsigned n)
{
    GUARD(&gate_mutex);
    while (waiting < n)
        pthread_cond_wait(&gate_moved, &gate_mutex);
}

static void open_gate(void)
{
    GUARD(&gate_mutex);
    is_open = true;
    pthread_cond_broadcast(&gate_moved);
}

static void a_full_pool_says_503_and_others_are_not_held_up(void **state)
{
    (void)state;
    enum { QUEUE = 8 };
    struct http_server *s = start((struct http_server_options){ .workers = 1 });
    int busy[QUEUE + 1];
    for (int i = 0; i <= QUEUE; i++) {
        busy[i] = open_to(s);
        put(busy[i], STR("GET /wait HTTP/1.1\r\n" END));
        if (i == 0)
            wait_for(1);
    }
    /* The queue is full once nine are in flight; ask until it is seen. */
    struct str got;
    do {
        AUTO_BUF b = BUF(1 << 20);
        http_server_metrics(s, &b);
        got = (struct str){ b.data, b.len };
        if (has(got, "tributary_http_pool_depth 9\n"))
            break;
    } while (true);
    got = talk(s, "GET /wait HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 503 ")));
    assert_true(has(got, "Retry-After: 1\r\n"));
    got = talk(s, "GET /hello HTTP/1.1\r\n" END);
    assert_true(str_starts(got, STR("HTTP/1.1 200 ")));
    open_gate();
    for (int i = 0; i <= QUEUE; i++)
        assert_true(str_ends(get_all(busy[i]), STR("hello")));
    http_server_stop(s, 1000);
}

static void *stop_it(void *server)
{
    http_server_stop(server, 60000);
    return NULL;
}

static void a_stop_lets_the_request_in_flight_finish(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    int fd = open_to(s);
    put(fd, STR("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_for(1);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_it, s), 0);
    open_gate();
    assert_true(str_ends(get_all(fd), STR("hello")));
    pthread_join(stopper, NULL);
}

static void a_dripping_request_meets_its_deadline(void **state)
{
    (void)state;
    struct http_server *s =
        start((struct http_server_options){ .request_seconds = 1 });
    int fd = open_to(s);
    put(fd,
        STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"));
    struct str got = get_all(fd); /* ends because the server shuts it down */
    assert_int_equal(got.n, 0);
    http_server_stop(s, 1000);
}

static enum err stream_forever(void *context, struct buf *b)
{
    (void)context;
    for (int i = 0; i < 100; i++)
        buf_add(b, STR("0123456789"));
    return OK;
}

static enum err endless(struct http_request *r, struct http_response *out)
{
    (void)r;
    out->produce = stream_forever;
    out->produced = count_end;
    return OK;
}

static void a_reader_that_stops_reading_meets_its_deadline(void **state)
{
    (void)state;
    static const struct http_route only[] = {
        { "GET", "/endless", endless, family, 0, "endless" },
    };
    struct http_server *s;
    struct http_server_options o = { .address = "127.0.0.1",
                                     .routes = only,
                                     .route_count = 1,
                                     .family = family,
                                     .request_seconds = 1 };
    assert_int_equal(http_server_start(&o, &s, NULL), OK);
    int fd = open_to(s);
    put(fd, STR("GET /endless HTTP/1.1\r\n" END));
    /* Reads nothing; the server ends it, and the request is counted. */
    for (;;) {
        AUTO_BUF b = BUF(1 << 20);
        http_server_metrics(s, &b);
        if (has((struct str){ b.data, b.len },
                "tributary_http_requests_total{route=\"endless\""))
            break;
        sched_yield();
    }
    close(fd);
    http_server_stop(s, 1000);
}

static void metrics_count_by_route_and_class(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    talk(s, "GET /hello HTTP/1.1\r\n" END);
    talk(s, "GET /also/hello HTTP/1.1\r\n" END); /* of the same name */
    talk(s, "GET /fail HTTP/1.1\r\n" END);
    talk(s, "GET /nothing HTTP/1.1\r\n" END);
    AUTO_BUF b = BUF(1 << 20);
    http_server_metrics(s, &b);
    struct str got = { b.data, b.len };
    assert_true(has(
        got,
        "tributary_http_requests_total{route=\"hello\",status=\"2xx\"} 2\n"));
    assert_true(has(
        got,
        "tributary_http_requests_total{route=\"fail\",status=\"4xx\"} 1\n"));
    assert_true(has(
        got,
        "tributary_http_requests_total{route=\"none\",status=\"4xx\"} 1\n"));
    assert_true(has(got,
                    "tributary_http_request_seconds_bucket{route=\"hello\","
                    "le=\"+Inf\"} 2\n"));
    assert_true(
        has(got, "tributary_http_response_bytes_total{route=\"hello\"} 10\n"));
    http_server_stop(s, 1000);
}

static void a_port_in_use_is_said_so(void **state)
{
    (void)state;
    struct http_server *s = start((struct http_server_options){ 0 });
    struct http_server *second;
    struct why w = { "" };
    struct http_server_options o = { .address = "127.0.0.1",
                                     .port = http_server_port(s) };
    assert_int_equal(http_server_start(&o, &second, &w), ERR_EXISTS);
    assert_true(has(str_of(w.text), "cannot listen on 127.0.0.1: "));
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_with_the_house_headers),
        cmocka_unit_test(captures_and_parameters_reach_the_handler_decoded),
        cmocka_unit_test(a_target_may_be_a_whole_url),
        cmocka_unit_test(both_families_of_addresses_are_served),
        cmocka_unit_test(a_head_has_the_headers_of_get_and_no_body),
        cmocka_unit_test(a_failure_is_rendered_by_the_family),
        cmocka_unit_test(a_header_with_a_line_break_becomes_a_500),
        cmocka_unit_test(
            unknown_paths_are_404_and_other_methods_405_with_allow),
        cmocka_unit_test(ambiguous_framing_is_refused_and_closed),
        cmocka_unit_test(bodies_come_whole_by_length_and_by_chunks),
        cmocka_unit_test(a_body_past_the_limit_is_a_413),
        cmocka_unit_test(too_many_headers_are_a_431),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_stream_comes_whole_and_a_broken_one_is_cut),
        cmocka_unit_test(cors_is_open_where_it_may_be),
        cmocka_unit_test(a_full_pool_says_503_and_others_are_not_held_up),
        cmocka_unit_test(a_stop_lets_the_request_in_flight_finish),
        cmocka_unit_test(a_dripping_request_meets_its_deadline),
        cmocka_unit_test(a_reader_that_stops_reading_meets_its_deadline),
        cmocka_unit_test(metrics_count_by_route_and_class),
        cmocka_unit_test(a_port_in_use_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
