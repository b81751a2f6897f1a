/* Any path finds a route whose captures it holds, or none, and no NUL gets
 * through.  The first byte chooses the method. */
#include <assert.h>
#include <stdint.h>

#include "http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err handle(struct http_request *r, struct http_response *out)
{
    (void)r;
    (void)out;
    return OK;
}

static const struct http_route routes[] = {
    { "GET", "/", handle, NULL, 0, "root" },
    { "GET", "/r4/:type", handle, NULL, 0, "search" },
    { "POST", "/r4/:type", handle, NULL, 0, "create" },
    { "GET", "/r4/:type/:id", handle, NULL, 0, "read" },
    { "POST", "/r4/Patient/:id", handle, NULL, 0, "odd" },
    { "GET", "/r4/:type/:id/_history/:version", handle, NULL, 0, "vread" },
    { "GET", "/r4/Patient/:id/$everything", handle, NULL, 0, "everything" },
    { "GET", "/dstu2/:type/:id", handle, NULL, HTTP_NO_CASE, "old" },
    { "GET", "/assets/:file", handle, NULL, HTTP_REST, "asset" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_router *router;
    AUTO_ARENA a = ARENA((size_t)4 << 20);
    struct str allow = STR_NONE;
    if (size == 0)
        return 0;
    if (router == NULL &&
        http_router_new(routes, sizeof routes / sizeof routes[0], &router) !=
            OK)
        return 0;
    struct http_request r = { .method = (enum http_method)(data[0] % 7),
                              .path = { (const char *)data + 1, size - 1 },
                              .arena = &a };
    enum err err = http_route_find(router, &r, &allow);
    assert(err == OK || err == ERR_NOT_FOUND || err == ERR_FORMAT ||
           err == ERR_UNSUPPORTED || arena_err(&a) != OK);
    assert((err == OK) == (r.route != NULL));
    assert((err == ERR_UNSUPPORTED) == (allow.n > 0));
    for (size_t i = 0; err == OK && i < HTTP_CAPTURES_MAX; i++) {
        assert(r.captures[i].n <= r.path.n);
        assert(str_find(r.captures[i], '\0') == r.captures[i].n);
    }
    return 0;
}
