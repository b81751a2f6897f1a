#include "http/response.h"

#define HEADERS_MAX                                                            \
    (sizeof(((struct http_response *)0)->headers) / sizeof(struct http_header))

static bool is_clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

void http_add_header(struct http_response *r, struct str name, struct str value)
{
    if (!is_clean(value) || !is_clean(name) || value.p == NULL ||
        r->header_count == HEADERS_MAX) {
        if (r->body.err == OK)
            r->body.err = ERR_INVALID;
        return;
    }
    r->headers[r->header_count++] = (struct http_header){ name, value };
}

void http_set_header(struct http_response *r, struct str name, struct str value)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (!str_eq_nocase(r->headers[i].name, name))
            continue;
        if (!is_clean(value) || value.p == NULL)
            break;
        r->headers[i].value = value;
        return;
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
    buf_cut(&r->body, 0);
    http_set_header(r, STR("Location"), location);
}

void http_text(struct http_response *r, int status, struct str type,
               struct str text)
{
    r->status = status;
    http_set_type(r, type);
    buf_cut(&r->body, 0);
    buf_add(&r->body, text);
}
