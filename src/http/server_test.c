#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWER_MAX 200000

static enum err hello(struct http_request *r, struct http_response *out)
{
    http_set_type(out, STR("text/plain"));
    buf_add(&out->body, STR("hello "));
    buf_add(&out->body, r->captures[0]);
    buf_add(&out->body, url_param(&r->params, STR("q")));
    return OK;
}

static enum err echo(struct http_request *r, struct http_response *out)
{
    http_set_type(out, STR("text/plain"));
    buf_add(&out->body, r->body);
    return OK;
}

static enum err refuse(struct http_request *r, struct http_response *out)
{
    buf_add(&out->body, STR("half done"));
    return why(&r->why, ERR_DENIED, "no");
}

static enum err bad_header(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_set_header(out, STR("X-Evil"), STR("a\r\nSet-Cookie: b"));
    return OK;
}

static enum err count_down(void *context, struct buf *b)
{
    int *left = context;
    if ((*left)-- > 0)
        buf_add(b, STR("part "));
    return OK;
}

static int left;
static enum err stream(struct http_request *r, struct http_response *out)
{
    (void)r;
    left = 1000;
    out->produce = count_down;
    out->context = &left;
    return OK;
}

static void family(struct http_request *r, struct http_response *out,
                   enum err err)
{
    buf_cut(&out->body, 0);
    out->status = err == ERR_DENIED ? 403 : err == ERR_INVALID ? 500 : 400;
    buf_add(&out->body, STR("family: "));
    buf_add(&out->body, str_of(r->why.text));
}

static const struct http_route routes[] = {
    { "GET", "/hello/:name", hello, family, 0, "hello" },
    { "GET", "/hello/you", echo, family, 0, "you" },
    { "POST", "/echo", echo, family, 0, "echo" },
    { "POST", "/pooled", echo, family, HTTP_POOLED, "pooled" },
    { "POST", "/small", echo, family, HTTP_SMALL_BODY, "small" },
    { "GET", "/refuse", refuse, family, 0, "refuse" },
    { "GET", "/bad-header", bad_header, family, 0, "bad" },
    { "GET", "/stream", stream, family, 0, "stream" },
    { "GET", "/:a/:b/$op", hello, family, 0, "op" },
};

static bool all_open(struct str path)
{
    (void)path;
    return true;
}

static int set_up(void **state)
{
    struct http_server *s = NULL;
    struct why w = { 0 };
    struct http_server_options o = {
        .address = "127.0.0.1",
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .family = family,
        .body_max_bytes = 8 << 20,
        .is_cors_open = all_open,
    };
    assert_int_equal(http_server_start(&o, &s, &w), OK);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    http_server_stop(*state, 5000);
    return 0;
}

static int dial(const struct http_server *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(http_server_port(s)) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static char answer[ANSWER_MAX];

/* Sends text, reads until the other end closes. */
static const char *ask(const struct http_server *s, const char *text, size_t n)
{
    int fd = dial(s);
    while (n > 0) {
        ssize_t put = send(fd, text, n, MSG_NOSIGNAL);
        if (put <= 0)
            break;
        text += put;
        n -= (size_t)put;
    }
    size_t len = 0;
    ssize_t got;
    while ((got = read(fd, answer + len, ANSWER_MAX - 1 - len)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    close(fd);
    return answer;
}

#define ASK(s_, text_) ask((s_), (text_), sizeof(text_) - 1)
#define END            "Host: x\r\nConnection: close\r\n\r\n"

static void starts_with(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) != 0)
        fail_msg("%s does not start with %s", text, with);
}

static void contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s has no %s", text, part);
}

static void names_and_queries_reach_the_handler_decoded(void **state)
{
    const char *a = ASK(*state, "GET /hello/J%C3%B6?q=a%20b HTTP/1.1\r\n" END);
    starts_with(a, "HTTP/1.1 200");
    contains(a, "hello J\xc3\xb6"
                "a b");
}

static void a_literal_wins_over_a_name(void **state)
{
    assert_null(
        strstr(ASK(*state, "GET /hello/you HTTP/1.1\r\n" END), "hello you"));
}

static void an_escaped_literal_is_the_literal(void **state)
{
    contains(ASK(*state, "GET /a/b/%24op HTTP/1.1\r\n" END), "hello a");
}

static void unknown_paths_are_404_and_other_methods_405(void **state)
{
    starts_with(ASK(*state, "GET /nowhere HTTP/1.1\r\n" END), "HTTP/1.1 404");
    starts_with(ASK(*state, "DELETE /echo HTTP/1.1\r\n" END), "HTTP/1.1 405");
}

static void bodies_come_back_inline_and_pooled(void **state)
{
    contains(
        ASK(*state, "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n" END "abc"),
        "\r\n\r\nabc");
    contains(
        ASK(*state, "POST /pooled HTTP/1.1\r\nContent-Length: 3\r\n" END "abc"),
        "\r\n\r\nabc");
    contains(ASK(*state, "POST /pooled HTTP/1.1\r\nTransfer-Encoding: "
                         "chunked\r\n" END "3\r\nabc\r\n0\r\n\r\n"),
             "\r\n\r\nabc");
}

static void two_lengths_are_refused_and_closed(void **state)
{
    static const char *const cases[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length:"
        " 4\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        starts_with(ask(*state, cases[i], strlen(cases[i])), "HTTP/1.1 400");
}

static void a_body_over_the_limit_is_413(void **state)
{
    starts_with(ASK(*state, "POST /small HTTP/1.1\r\nContent-Length: "
                            "2000000\r\n" END),
                "HTTP/1.1 413");
}

static void a_failing_handler_leaves_nothing_of_its_body(void **state)
{
    const char *a = ASK(*state, "GET /refuse HTTP/1.1\r\n" END);
    starts_with(a, "HTTP/1.1 403");
    contains(a, "family: no");
    assert_null(strstr(a, "half"));
}

static void a_header_cannot_be_split(void **state)
{
    const char *a = ASK(*state, "GET /bad-header HTTP/1.1\r\n" END);
    starts_with(a, "HTTP/1.1 500");
    assert_null(strstr(a, "Set-Cookie"));
}

static void a_stream_arrives_whole(void **state)
{
    const char *a = ASK(*state, "GET /stream HTTP/1.1\r\n" END);
    size_t n = 0;
    starts_with(a, "HTTP/1.1 200");
    while ((a = strstr(a, "part ")) != NULL) {
        a += 5;
        n++;
    }
    assert_int_equal(n, 1000);
}

static void preflight_is_answered_without_a_handler(void **state)
{
    const char *a = ASK(*state, "OPTIONS /echo HTTP/1.1\r\nOrigin: "
                                "https://app.test\r\n" END);
    starts_with(a, "HTTP/1.1 204");
    contains(a, "Access-Control-Allow-Origin: https://app.test");
}

static void a_connection_serves_many_requests(void **state)
{
    static const char two[] = "GET /hello/a HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET /hello/b HTTP/1.1\r\n" END;
    const char *a = ask(*state, two, sizeof two - 1);
    contains(a, "hello a");
    contains(a, "hello b");
}

static void metrics_count_by_route(void **state)
{
    AUTO_BUF
    b = BUF(65536);
    ASK(*state, "GET /hello/x HTTP/1.1\r\n" END);
    http_server_metrics(*state, &b);
    contains(b.data, "tributary_http_requests_total{route=\"hello\","
                     "status=\"2xx\"} 1");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_and_queries_reach_the_handler_decoded),
        TEST(a_literal_wins_over_a_name),
        TEST(an_escaped_literal_is_the_literal),
        TEST(unknown_paths_are_404_and_other_methods_405),
        TEST(bodies_come_back_inline_and_pooled),
        TEST(two_lengths_are_refused_and_closed),
        TEST(a_body_over_the_limit_is_413),
        TEST(a_failing_handler_leaves_nothing_of_its_body),
        TEST(a_header_cannot_be_split),
        TEST(a_stream_arrives_whole),
        TEST(preflight_is_answered_without_a_handler),
        TEST(a_connection_serves_many_requests),
        TEST(metrics_count_by_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
