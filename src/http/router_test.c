#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum err handle(struct http_request *r, struct http_response *out)
{
    (void)r;
    (void)out;
    return OK;
}

#define ROUTE(method_, path_, flags_, name_)                                   \
    {                                                                          \
        .method = method_, .path = path_, .handle = handle, .flags = flags_,   \
        .name = name_                                                          \
    }
static const struct http_route table[] = {
    ROUTE("GET", "/", 0, "root"),
    ROUTE("GET", "/health", 0, "health"),
    ROUTE("GET", "/r4/:type", 0, "search"),
    ROUTE("POST", "/r4/:type", 0, "create"),
    ROUTE("GET", "/r4/:type/:id", 0, "read"),
    ROUTE("GET", "/r4/Patient/:id/$everything", 0, "everything"),
    ROUTE("POST", "/r4/Patient/:id", 0, "odd"),
    ROUTE("GET", "/r4/metadata", 0, "metadata"),
    ROUTE("GET", "/dstu2/Patient/:id", HTTP_NO_CASE, "old"),
    ROUTE("GET", "/r4/:type/:id/_history/:version", 0, "vread"),
    ROUTE("DELETE", "/r4/:type/:id", 0, "delete"),
    ROUTE("GET", "/assets/:file", HTTP_REST, "asset"),
    ROUTE("GET", "/r4/:type/:id", 0, "shadowed"),
};

struct found {
    enum err err;
    const char *name;
    struct str first, second, allow;
};

static struct arena arena = { .limit = 1 << 20 };

static struct found find(enum http_method method, const char *path)
{
    struct http_router *router;
    assert_int_equal(
        http_router_new(table, sizeof table / sizeof table[0], &router), OK);
    struct http_request r = { .method = method,
                              .path = str_of(path),
                              .arena = &arena };
    struct found f = { .name = "" };
    f.err = http_route_find(router, &r, &f.allow);
    if (f.err == OK) {
        f.name = r.route->name;
        f.first = r.captures[0];
        f.second = r.captures[1];
    }
    http_router_free(router);
    return f;
}

static int forget(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#define assert_str(got_, want_) assert_true(str_eq((got_), str_of(want_)))

static void each_path_finds_its_route(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *path, *name, *first, *second;
    } cases[] = {
        { HTTP_GET, "/", "root", NULL, NULL },
        { HTTP_GET, "/health", "health", NULL, NULL },
        { HTTP_GET, "//health", "health", NULL, NULL },
        { HTTP_GET, "/r4//Patient///7", "read", "Patient", "7" },
        { HTTP_GET, "/health/", "health", NULL, NULL },
        { HTTP_HEAD, "/health", "health", NULL, NULL },
        { HTTP_GET, "/r4/Patient", "search", "Patient", NULL },
        { HTTP_GET, "/r4/metadata", "metadata", NULL, NULL },
        { HTTP_POST, "/r4/metadata", "create", "metadata", NULL },
        { HTTP_GET, "/r4/Patient/7", "read", "Patient", "7" },
        { HTTP_GET, "/r4/Patient/7/", "read", "Patient", "7" },
        { HTTP_POST, "/r4/Patient/7", "odd", "7", NULL },
        { HTTP_DELETE, "/r4/Patient/7", "delete", "Patient", "7" },
        { HTTP_GET, "/r4/Patient/7/$everything", "everything", "7", NULL },
        { HTTP_GET, "/r4/Patient/7/%24everything", "everything", "7", NULL },
        { HTTP_GET, "/r4/Patient/a%20b", "read", "Patient", "a b" },
        { HTTP_GET, "/DSTU2/patient/x", "old", "x", NULL },
        { HTTP_GET, "/assets/js/a%2520b.js", "asset", "js/a%20b.js", NULL },
        { HTTP_GET, "/assets/one", "asset", "one", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct found f = find(cases[i].method, cases[i].path);
        assert_int_equal(f.err, OK);
        assert_string_equal(f.name, cases[i].name);
        assert_str(f.first, cases[i].first);
        assert_str(f.second, cases[i].second);
    }
}

static void what_no_route_takes_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/nothing", "/R4/Patient", "/r4/Patient/7/x", "*",
        "",         "/assets",     "/health/x",       "/r4/%20/7/x",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(find(HTTP_GET, paths[i]).err, ERR_NOT_FOUND);
}

static void another_method_is_told_which_ones_there_are(void **state)
{
    (void)state;
    struct found f = find(HTTP_PUT, "/r4/Patient/7");
    assert_int_equal(f.err, ERR_UNSUPPORTED);
    assert_str(f.allow, "GET, HEAD, POST, DELETE");
}

static void a_nul_in_the_path_is_refused(void **state)
{
    (void)state;
    assert_int_equal(find(HTTP_GET, "/r4/Patient/%00").err, ERR_FORMAT);
    assert_int_equal(find(HTTP_GET, "/assets/a/%00b").err, ERR_FORMAT);
}

static void a_deep_path_ends_at_the_limit(void **state)
{
    (void)state;
    char path[4001] = "/assets";
    for (size_t i = 7; i < 4000; i += 2) {
        path[i] = '/';
        path[i + 1] = 'x';
    }
    path[4000] = '\0';
    struct found f = find(HTTP_GET, path);
    assert_int_equal(f.err, OK);
    assert_int_equal(f.first.n, 4000 - 8 - 1); /* its last is a slash */
    path[1] = 'b';
    assert_int_equal(find(HTTP_GET, path).err, ERR_NOT_FOUND);
}

static void a_bad_table_is_refused(void **state)
{
    (void)state;
    static const struct http_route bad[] = {
        ROUTE("FETCH", "/a", 0, "method"),
        ROUTE("GET", "a", 0, "slash"),
        ROUTE("GET", "/:1/:2/:3/:4/:5/:6/:7/:8/:9", 0, "captures"),
    };
    struct http_router *router;
    assert_int_equal(http_router_new(&bad[0], 1, &router), ERR_INVALID);
    assert_int_equal(http_router_new(&bad[1], 1, &router), ERR_INVALID);
    assert_int_equal(http_router_new(&bad[2], 1, &router), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_finds_its_route),
        cmocka_unit_test(what_no_route_takes_is_not_found),
        cmocka_unit_test(another_method_is_told_which_ones_there_are),
        cmocka_unit_test(a_nul_in_the_path_is_refused),
        cmocka_unit_test(a_deep_path_ends_at_the_limit),
        cmocka_unit_test(a_bad_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
