#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/file_testing.h"
#include "http/server.h"
#include "http/tls_testing.h"

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
    uint64_t status = 302;
    str_to_u64(url_param(&r->params, STR("status")), &status);
    http_redirect(out, (int)status, url_param(&r->params, STR("to")));
    return OK;
}

static enum err circle(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_redirect(out, 302, STR("/circle"));
    return OK;
}

static enum err show(struct http_request *r, struct http_response *out)
{
    buf_add(&out->body, http_method_name(r->method));
    buf_add(&out->body, STR("|"));
    buf_add(&out->body, http_header(r, STR("Authorization")));
    buf_add(&out->body, STR("|"));
    buf_add(&out->body, http_header(r, STR("Content-Type")));
    buf_add(&out->body, STR("|"));
    buf_add(&out->body, r->body);
    return OK;
}

static pthread_mutex_t door_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t door_moved = PTHREAD_COND_INITIALIZER;
static bool is_open;
static unsigned waiting;

/* Answers once the test opens the door. */
static enum err slow(struct http_request *r, struct http_response *out)
{
    (void)r;
    (void)out;
    GUARD(&door_mutex);
    waiting++;
    pthread_cond_broadcast(&door_moved);
    while (!is_open)
        pthread_cond_wait(&door_moved, &door_mutex);
    return OK;
}

/* Ten megabytes of zeros in ten kilobytes of gzip. */
static enum err bomb(struct http_request *r, struct http_response *out)
{
    static const char zeros[10 << 20];
    (void)r;
    http_set_header(out, STR("Content-Encoding"), STR("gzip"));
    file_testing_gzip(&out->body, (struct str){ zeros, sizeof zeros });
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
    { "POST", "/hop", hop, family, 0, "hop" },
    { "GET", "/circle", circle, family, 0, "circle" },
    { "GET", "/show", show, family, 0, "show" },
    { "POST", "/show", show, family, 0, "show" },
    { "GET", "/slow", slow, family, HTTP_POOLED, "slow" },
    { "GET", "/bomb", bomb, family, 0, "bomb" },
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
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_call call = { .method = HTTP_POST, .body = STR("-body") };
    assert_int_equal(get(world.client, &a, "/say/hi", &call), OK);
    assert_int_equal(call.status, 200);
    assert_true(str_eq(call.answer, STR("hi-body")));
    assert_true(str_eq(http_call_header(&call, STR("x-said")), STR("yes")));
}

static void the_gate_refuses_private_addresses_and_plain_http(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
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
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_call call = { .redirects_max = 3 };
    assert_int_equal(get(world.client, &a, "/hop?to=https://10.0.0.1/x", &call),
                     ERR_DENIED);
}

static void redirects_are_followed_when_asked(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_call call = { .redirects_max = 3 }, not = { 0 };
    assert_int_equal(get(world.client, &a, "/hop?to=/say/there", &call), OK);
    assert_true(str_eq(call.answer, STR("there")));
    assert_int_equal(get(world.client, &a, "/hop?to=/say/there", &not ), OK);
    assert_int_equal(not .status, 302);
}

static void an_answer_over_its_limit_is_too_large(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)8 << 20);
    struct http_call call = { .answer_max_bytes = 1000 };
    assert_int_equal(get(world.client, &a, "/large", &call), ERR_TOO_LARGE);
}

static void a_cut_answer_is_an_upstream_failure(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
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

/* --- redirects ------------------------------------------------------------ */

/* A second server: another origin. */
static struct http_server *start_other(const char *cert, const char *key,
                                       char *base, size_t n)
{
    struct http_server *other;
    struct why w = { "" };
    struct http_server_options o = { .address = "127.0.0.1",
                                     .cert_file = cert,
                                     .key_file = key,
                                     .routes = routes,
                                     .route_count =
                                         sizeof routes / sizeof routes[0],
                                     .family = family };
    if (http_server_start(&o, &other, &w) != OK)
        fail_msg("%s", w.text);
    snprintf(base, n, "%s://127.0.0.1:%u", cert == NULL ? "http" : "https",
             http_server_port(other));
    return other;
}

/* A client that may ask everything. */
static struct http_client *start_free_client(struct http_gate **gate,
                                             const char *ca_file)
{
    struct http_client *c;
    assert_int_equal(http_gate_new(STR("*:*"), gate, NULL), OK);
    struct http_client_options o = { .gate = *gate, .ca_file = ca_file };
    assert_int_equal(http_client_start(&o, &c, NULL), OK);
    return c;
}

static void a_redirect_elsewhere_takes_no_token_and_no_body_along(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        bool is_elsewhere;
        int want_status;
        const char *want;
    } cases[] = {
        { "302", false, 200, "GET|Bearer t||" },
        { "303", false, 200, "GET|Bearer t||" },
        { "307", false, 200, "POST|Bearer t|text/plain|body" },
        { "302", true, 200, "GET|||" },
        { "307", true, 307, "" },
        { "308", true, 308, "" },
    };
    char other_base[64];
    struct http_gate *gate;
    struct http_client *c = start_free_client(&gate, NULL);
    struct http_server *other =
        start_other(NULL, NULL, other_base, sizeof other_base);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA a = ARENA((size_t)1 << 20);
        struct str to = str_of(cases[i].is_elsewhere ? other_base : "");
        struct http_call call = { .arena = &a,
                                  .method = HTTP_POST,
                                  .body = STR("body"),
                                  .redirects_max = 3 };
        call.url =
            arena_cat(&a, str_of(world.base), STR("/hop?status="),
                      str_of(cases[i].status), STR("&to="), to, STR("/show"));
        http_call_add_header(&call, STR("Authorization"), STR("Bearer t"));
        http_call_add_header(&call, STR("Content-Type"), STR("text/plain"));
        assert_int_equal(http_client_run(c, &call), OK);
        assert_int_equal(call.status, cases[i].want_status);
        assert_true(str_eq(call.answer, str_of(cases[i].want)));
    }
    http_client_stop(c);
    http_server_stop(other, 1000);
    http_gate_free(gate);
}

static void a_circle_of_redirects_ends(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_call call = { .redirects_max = 3 };
    assert_int_equal(get(world.client, &a, "/circle", &call), ERR_UPSTREAM);
    assert_non_null(strstr(call.why.text, "redirects too often"));
}

/* --- TLS ------------------------------------------------------------------ */

static enum err ask_tls(const char *names, bool is_trusted)
{
    struct tls_files f;
    char base[64];
    struct http_gate *gate;
    make_tls_files(&f, names);
    struct http_server *s = start_other(f.cert, f.key, base, sizeof base);
    struct http_client *c =
        start_free_client(&gate, is_trusted ? f.cert : NULL);
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_call call = { .arena = &a };
    call.url = arena_cat(&a, str_of(base), STR("/say/secretly"));
    enum err err = http_client_run(c, &call);
    if (err == OK)
        assert_true(str_eq(call.answer, STR("secretly")));
    http_client_stop(c);
    http_server_stop(s, 1000);
    http_gate_free(gate);
    remove_tls_files(&f);
    return err;
}

static void tls_needs_a_trusted_certificate_of_the_right_name(void **state)
{
    (void)state;
    assert_int_equal(ask_tls("IP:127.0.0.1", true), OK);
    assert_int_equal(ask_tls("IP:127.0.0.1", false), ERR_UPSTREAM);
    assert_int_equal(ask_tls("DNS:other.example", true), ERR_UPSTREAM);
}

static void a_server_with_half_of_its_tls_files_does_not_start(void **state)
{
    (void)state;
    struct tls_files f;
    struct http_server *s;
    struct why w = { "" };
    make_tls_files(&f, "IP:127.0.0.1");
    struct http_server_options o = { .address = "127.0.0.1",
                                     .cert_file = f.cert };
    assert_int_equal(http_server_start(&o, &s, &w), ERR_INVALID);
    o.key_file = "/nonexistent";
    assert_int_equal(http_server_start(&o, &s, &w), ERR_NOT_FOUND);
    o.key_file = f.cert; /* PEM, but no key */
    assert_int_equal(http_server_start(&o, &s, &w), ERR_IO);
    remove_tls_files(&f);
}

/* --- time, size, reuse ---------------------------------------------------- */

static void open_door(bool open)
{
    GUARD(&door_mutex);
    is_open = open;
    pthread_cond_broadcast(&door_moved);
}

static void wait_for(unsigned n)
{
    GUARD(&door_mutex);
    while (waiting < n)
        pthread_cond_wait(&door_moved, &door_mutex);
}

static void a_slow_answer_times_out(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    open_door(false);
    struct http_call call = { .timeout_ms = 50 };
    assert_int_equal(get(world.client, &a, "/slow", &call), ERR_TIMEOUT);
    assert_in_range(call.took_ms, 49, 30000);
    open_door(true);
}

static void freeing_a_batch_cancels_what_is_under_way(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_batch *b;
    open_door(false);
    unsigned before = waiting;
    struct http_call call = { .arena = &a };
    call.url = arena_cat(&a, str_of(world.base), STR("/slow"));
    assert_int_equal(http_batch_new(world.client, &b), OK);
    http_batch_start(b, &call);
    wait_for(before + 1);
    assert_false(http_batch_is_ready(b));
    http_batch_free(b);
    assert_int_equal(call.err, ERR_STOPPING);
    open_door(true);
}

static void *run_call(void *context)
{
    struct http_call *call = context;
    (void)!http_client_run(call->context, call);
    return NULL;
}

static void stopping_a_client_fails_what_is_under_way(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct http_gate *gate;
    struct http_client *c = start_free_client(&gate, NULL);
    pthread_t thread;
    open_door(false);
    unsigned before = waiting;
    struct http_call call = { .arena = &a, .context = c };
    call.url = arena_cat(&a, str_of(world.base), STR("/slow"));
    assert_int_equal(pthread_create(&thread, NULL, run_call, &call), 0);
    wait_for(before + 1);
    http_client_stop(c);
    pthread_join(thread, NULL);
    assert_int_equal(call.err, ERR_STOPPING);
    open_door(true);
    http_gate_free(gate);
}

static void a_packed_answer_is_measured_unpacked(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct http_call small = { .answer_max_bytes = 1 << 20 }, enough = { 0 };
    assert_int_equal(get(world.client, &a, "/bomb", &small), ERR_TOO_LARGE);
    assert_int_equal(get(world.client, &a, "/bomb", &enough), OK);
    assert_int_equal(enough.answer.n, 10 << 20);
}

static void connections_are_used_again_and_limited(void **state)
{
    (void)state;
    static struct http_call calls[CALLS];
    static struct arena arenas[CALLS];
    char base[64];
    struct http_gate *gate;
    struct http_batch *b;
    struct http_client *c = start_free_client(&gate, NULL);
    struct http_server *s = start_other(NULL, NULL, base, sizeof base);
    assert_int_equal(http_batch_new(c, &b), OK);
    for (size_t i = 0; i < CALLS; i++) {
        arenas[i] = ARENA((size_t)1 << 20);
        calls[i] = (struct http_call){ .arena = &arenas[i] };
        calls[i].url = arena_cat(&arenas[i], str_of(base), STR("/say/x"));
        http_batch_start(b, &calls[i]);
    }
    while (http_batch_next(b) != NULL)
        ;
    http_batch_free(b);
    AUTO_BUF text = BUF(1 << 20);
    http_server_metrics(s, &text);
    const char *line = strstr(text.data, "\ntributary_http_connections ");
    assert_non_null(line);
    uint64_t n;
    struct str number = str_of(line + strlen("\ntributary_http_connections "));
    assert_true(str_to_u64(str_slice(number, 0, str_find(number, '\n')), &n));
    assert_in_range(n, 1, 6);
    http_client_stop(c);
    http_server_stop(s, 1000);
    http_gate_free(gate);
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
        cmocka_unit_test(a_redirect_elsewhere_takes_no_token_and_no_body_along),
        cmocka_unit_test(a_circle_of_redirects_ends),
        cmocka_unit_test(tls_needs_a_trusted_certificate_of_the_right_name),
        cmocka_unit_test(a_server_with_half_of_its_tls_files_does_not_start),
        cmocka_unit_test(a_slow_answer_times_out),
        cmocka_unit_test(freeing_a_batch_cancels_what_is_under_way),
        cmocka_unit_test(stopping_a_client_fails_what_is_under_way),
        cmocka_unit_test(a_packed_answer_is_measured_unpacked),
        cmocka_unit_test(connections_are_used_again_and_limited),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
