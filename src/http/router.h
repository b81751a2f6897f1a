/* router.h - a table of routes, and finding the one for a request. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

/* An error returned is rendered by the route's family from request->why; the
 * handler has then touched nothing but its own arena. */
typedef enum err http_handler(struct http_request *r,
                              struct http_response *out);
/* Renders err (not OK) in a family's shape: status, headers, body. */
typedef void http_family(struct http_request *r, struct http_response *out,
                         enum err err);

enum {
    HTTP_POOLED = 1,      /* may wait: runs on the worker pool, not on the
                             connection's thread */
    HTTP_NO_STORE = 2,    /* Cache-Control: no-store, Referrer-Policy:
                             no-referrer */
    HTTP_NO_CASE = 4,     /* literal parts of the path in any case */
    HTTP_REST = 8,        /* the last :name takes the rest of the path */
    HTTP_SMALL_BODY = 16, /* at most 1 MiB; else the server's body_max_bytes */
};

struct http_route {
    const char *method; /* "GET"; also answers HEAD */
    const char *path;   /* "/user-management/v1/user/:id"; "/" at the end of
                           the request's path is ignored */
    http_handler *handle;
    http_family *family;
    unsigned flags;
    const char *name; /* for the access log and metrics: "um.create" */
};

struct http_router;
/* Routes stay the caller's; earlier ones win.  Literal before :name. */
MUST_CHECK enum err http_router_new(const struct http_route *routes, size_t n,
                                    struct http_router **out);
void http_router_free(struct http_router *router);

/* Finds the route and sets r->route and r->captures.  ERR_NOT_FOUND; or
 * ERR_UNSUPPORTED when the path exists with other methods, which are then in
 * *allow ("GET, POST"). */
MUST_CHECK enum err http_route_find(const struct http_router *router,
                                    struct http_request *r, struct str *allow);

#endif
