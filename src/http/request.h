/* request.h - one HTTP request as its handler sees it.  All of it, and what
 * the handler makes, lives in the request's arena. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/url.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};
struct str http_method_name(enum http_method method);

#define HTTP_CAPTURES_MAX 8
#define HTTP_HEADERS_MAX  100
struct http_header {
    struct str name, value;
};

struct http_request {
    enum http_method method;
    struct str path;          /* as sent, not decoded, without the query */
    struct str query;         /* as sent, without '?' */
    struct url_params params; /* the query, decoded */
    const struct http_header *headers;
    size_t header_count;
    struct str body; /* whole, "" when none; in the arena, JSON_PADDING bytes
                        are spare behind it */
    struct str captures[HTTP_CAPTURES_MAX]; /* of the route's :names, decoded */
    struct str peer;                        /* address of the other end, text */
    bool is_tls;
    const struct http_route *route;
    struct arena *arena;
    struct why why;        /* filled by whom fails; rendered by the family */
    int64_t retry_after_s; /* goes with ERR_RATE, likewise; 0: not known */
    int64_t started_ns;    /* monotonic */
    char id[17];           /* 16 hex digits: X-Request-Id, log */
    void *server_context;  /* what http_server_options.context was */
    void *principal;       /* for api/: who asks, once known */
};

/* The header's value (name in any case); STR_NONE when absent. */
struct str http_header(const struct http_request *r, struct str name);
/* Content-Type without parameters, compared in any case. */
bool http_is_type(const struct http_request *r, struct str type);
/* The form body's parameters when the type is x-www-form-urlencoded; none
 * otherwise. */
MUST_CHECK enum err http_form(const struct http_request *r,
                              struct url_params *out);
/* A cookie's value; STR_NONE when absent. */
struct str http_cookie(const struct http_request *r, struct str name);
/* user and password of Authorization: Basic (RFC 7617). */
MUST_CHECK enum err http_basic(const struct http_request *r, struct str *user,
                               struct str *password);
/* The token of Authorization: Bearer (RFC 6750); STR_NONE when none. */
struct str http_bearer(const struct http_request *r);

#endif
