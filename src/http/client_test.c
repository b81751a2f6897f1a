#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/server.h"

struct world {
    struct http_server *server;
    struct http_gate *gate, *strict;
    struct http_client *client, *strict_client;
    char base[64];
};

static enum err say(struct http_request *r, struct http_response *out)
{
    struct str auth = http_header(r, STR("Authorization"));
    http_set_header(out, STR("X-Said"), STR("yes"));
    buf_add(&out->body, r->captures[0]);
    buf_add(&out->body, auth);
    buf_add(&out->body, r->body);
    return OK;
}

static enum err hop(struct http_request *r, struct http_response *out)
{
    http_redirect(out, 302, url_param(&r->params, STR("to")));
    return OK;
}

static enum err large(struct http_request *r, struct http_response *out)
{
    (void)r;
    for (int i = 0; i < 100000; i++)
        buf_add(&out->body, STR("0123456789"));
    return OK;
}

static enum err cut(void *context, struct buf *b)
{
    int *calls = context;
    if ((*calls)++ > 0)
        return ERR_IO;
    buf_add(b, STR("{\"half\":"));
    return OK;
}
static int cuts;
static enum err half(struct http_request *r, struct http_response *out)
{
    (void)r;
    cuts = 0;
    out->produce = cut;
    out->context = &cuts;
    return OK;
}

static void family(struct http_request *r, struct http_response *out,
                   enum err err)
{
    (void)r;
    (void)err;
    out->status = 404;
}

static const struct http_route routes[] = {
    { "GET", "/say/:what", say, family, 0, "say" },
    { "POST", "/say/:what", say, family, 0, "say" },
    { "GET", "/hop", hop, family, 0, "hop" },
    { "GET", "/large", large, family, 0, "large" },
    { "GET", "/half", half, family, 0, "half" },
};

static struct world world;

static int set_up(void **state)
{
    char allow[64];
    struct why w = { 0 };
    struct http_server_options o = { .address = "127.0.0.1",
                                     .routes = routes,
                                     .route_count =
                                         sizeof routes / sizeof routes[0],
                                     .family = family };
    assert_int_equal(http_server_start(&o, &world.server, &w), OK);
    unsigned port = http_server_port(world.server);
    snprintf(world.base, sizeof world.base, "http://127.0.0.1:%u", port);
    snprintf(allow, sizeof allow, "127.0.0.1:%u", port);
    assert_int_equal(http_gate_new(str_of(allow), &world.gate, &w), OK);
    assert_int_equal(http_gate_new(STR(""), &world.strict, &w), OK);
    struct http_client_options c = { .gate = world.gate };
    assert_int_equal(http_client_start(&c, &world.client, &w), OK);
    c.gate = world.strict;
    assert_int_equal(http_client_start(&c, &world.strict_client, &w), OK);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_stop(world.client);
    http_client_stop(world.strict_client);
    http_server_stop(world.server, 5000);
    http_gate_free(world.gate);
    http_gate_free(world.strict);
    return 0;
}

static enum err get(struct http_client *c, struct arena *a, const char *path,
                    struct http_call *call)
{
    call->arena = a;
    call->url = arena_cat(a, str_of(world.base), str_of(path));
    return http_client_run(c, call);
}

static void an_answer_comes_with_status_headers_and_body(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)1 << 20);
    struct http_call call = { .method = HTTP_POST, .body = STR("-body") };
    assert_int_equal(get(world.client, &a, "/say/hi", &call), OK);
    assert_int_equal(call.status, 200);
    assert_true(str_eq(call.answer, STR("hi-body")));
    assert_true(str_eq(http_call_header(&call, STR("x-said")), STR("yes")));
}

static void the_gate_refuses_private_addresses_and_plain_http(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)1 << 20);
    static const char *const urls[] = {
        "http://example.org/", "https://127.0.0.1/", "https://localhost/",
        "https://[::1]/",      "https://10.0.0.1/",  "https://169.254.169.254/",
        "file:///etc/passwd",  "https://u@x.test/"
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_call call = { .arena = &a,
                                  .url = str_of(urls[i]),
                                  .timeout_ms = 3000 };
        enum err err = http_client_run(world.strict_client, &call);
        if (err != ERR_DENIED && err != ERR_INVALID)
            fail_msg("%s: %s", urls[i], err_name(err));
    }
}

static void a_redirect_passes_the_gate_again(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)1 << 20);
    struct http_call call = { .redirects_max = 3 };
    assert_int_equal(get(world.client, &a, "/hop?to=https://10.0.0.1/x", &call),
                     ERR_DENIED);
}

static void redirects_are_followed_when_asked(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)1 << 20);
    struct http_call call = { .redirects_max = 3 }, not = { 0 };
    assert_int_equal(get(world.client, &a, "/hop?to=/say/there", &call), OK);
    assert_true(str_eq(call.answer, STR("there")));
    assert_int_equal(get(world.client, &a, "/hop?to=/say/there", &not ), OK);
    assert_int_equal(not .status, 302);
}

static void an_answer_over_its_limit_is_too_large(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)8 << 20);
    struct http_call call = { .answer_max_bytes = 1000 };
    assert_int_equal(get(world.client, &a, "/large", &call), ERR_TOO_LARGE);
}

static void a_cut_answer_is_an_upstream_failure(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA((size_t)1 << 20);
    struct http_call call = { 0 };
    assert_int_equal(get(world.client, &a, "/half", &call), ERR_UPSTREAM);
}

#define CALLS 50

static void a_batch_gives_back_every_call(void **state)
{
    (void)state;
    static struct http_call calls[CALLS];
    static struct arena arenas[CALLS];
    struct http_batch *b = NULL;
    assert_int_equal(http_batch_new(world.client, &b), OK);
    for (size_t i = 0; i < CALLS; i++) {
        arenas[i] = ARENA((size_t)1 << 20);
        calls[i] = (struct http_call){ .arena = &arenas[i] };
        calls[i].url = arena_cat(&arenas[i], str_of(world.base), STR("/say/x"));
        http_batch_start(b, &calls[i]);
    }
    size_t n = 0;
    struct http_call *call;
    while ((call = http_batch_next(b)) != NULL) {
        assert_int_equal(call->err, OK);
        assert_true(str_eq(call->answer, STR("x")));
        n++;
    }
    assert_int_equal(n, CALLS);
    http_batch_free(b);
    for (size_t i = 0; i < CALLS; i++)
        arena_fini(&arenas[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_status_headers_and_body),
        cmocka_unit_test(the_gate_refuses_private_addresses_and_plain_http),
        cmocka_unit_test(a_redirect_passes_the_gate_again),
        cmocka_unit_test(redirects_are_followed_when_asked),
        cmocka_unit_test(an_answer_over_its_limit_is_too_large),
        cmocka_unit_test(a_cut_answer_is_an_upstream_failure),
        cmocka_unit_test(a_batch_gives_back_every_call),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
