#include "http/response.h"

#define HEADERS_MAX                                                            \
    (sizeof((struct http_response *)0)->headers / sizeof(struct http_header))

static bool is_clean(struct str value)
{
    return str_find(value, '\r') == value.n &&
           str_find(value, '\n') == value.n && str_find(value, '\0') == value.n;
}

void http_add_header(struct http_response *r, struct str name, struct str value)
{
    if (!is_clean(value) || !is_clean(name) || name.n == 0) {
        r->err = r->err == OK ? ERR_INVALID : r->err;
        return;
    }
    if (r->header_count == HEADERS_MAX) {
        r->err = r->err == OK ? ERR_LIMIT : r->err;
        return;
    }
    r->headers[r->header_count++] = (struct http_header){ name, value };
}

void http_set_header(struct http_response *r, struct str name, struct str value)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (!str_eq_nocase(r->headers[i].name, name))
            continue;
        r->headers[i] = r->headers[--r->header_count];
        break;
    }
    http_add_header(r, name, value);
}

void http_set_type(struct http_response *r, struct str type)
{
    http_set_header(r, STR("Content-Type"), type);
}

void http_redirect(struct http_response *r, int status, struct str location)
{
    r->status = status;
    http_set_header(r, STR("Location"), location);
    buf_cut(&r->body, 0);
}

void http_text(struct http_response *r, int status, struct str type,
               struct str text)
{
    r->status = status;
    http_set_type(r, type);
    buf_cut(&r->body, 0);
    buf_add(&r->body, text);
}

int http_status_of(enum err err)
{
    static const short statuses[ERR_COUNT_] = {
        [OK] = 200,
        [ERR_NOMEM] = 503,
        [ERR_LIMIT] = 400,
        [ERR_FORMAT] = 400,
        [ERR_INVALID] = 422,
        [ERR_NOT_FOUND] = 404,
        [ERR_GONE] = 410,
        [ERR_EXISTS] = 409,
        [ERR_CONFLICT] = 409,
        [ERR_PRECONDITION] = 412,
        [ERR_MULTIPLE] = 412,
        [ERR_UNAUTHENTICATED] = 401,
        [ERR_DENIED] = 403,
        [ERR_UNSUPPORTED] = 501,
        [ERR_TOO_LARGE] = 413,
        [ERR_RATE] = 429,
        [ERR_BUSY] = 503,
        [ERR_TIMEOUT] = 504,
        [ERR_UPSTREAM] = 502,
        [ERR_IO] = 500,
        [ERR_CRYPTO] = 500,
        [ERR_STOPPING] = 503,
        [ERR_METHOD] = 405,
        [ERR_NOT_ACCEPTABLE] = 406,
        [ERR_MEDIA_TYPE] = 415,
        [ERR_UNPROCESSABLE] = 422,
    };
    return (unsigned)err < ERR_COUNT_ ? statuses[err] : 500;
}
