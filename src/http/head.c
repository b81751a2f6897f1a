#include <string.h>

#include "base/json.h"
#include "http/server_int.h"

#define SMALL_BODY_MAX ((size_t)1024 * 1024)
/* A refused body of up to this size is read to its end, so that the connection
 * can go on. */
#define SKIPPED_BODY_MAX ((uint64_t)64 * 1024)

struct framing {
    struct exchange *ex;
    unsigned lengths, codings, hosts;
    bool is_bad;
    uint64_t length;
};

/* RFC 9112 section 6: what two readers could cut differently is refused. */
static void look_at(struct framing *f, struct str name, struct str value)
{
    if (str_eq_nocase(name, STR("Content-Length"))) {
        f->lengths++;
        f->is_bad |= !str_to_u64(value, &f->length);
    } else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
        f->codings++;
        f->is_bad |= !str_eq_nocase(value, STR("chunked"));
    } else if (str_eq_nocase(name, STR("Host"))) {
        f->hosts++;
    }
}

static enum MHD_Result on_header(void *framing, enum MHD_ValueKind kind,
                                 const char *name, size_t name_size,
                                 const char *value, size_t value_size)
{
    struct framing *f = framing;
    struct http_request *r = &f->ex->request;
    (void)kind;
    if (r->header_count == HTTP_HEADERS_MAX) {
        f->ex->err = ERR_LIMIT;
        f->ex->status = 431;
        return MHD_NO;
    }
    struct http_header header = { { name, name_size },
                                  { value == NULL ? "" : value, value_size } };
    f->ex->headers[r->header_count++] = header;
    /* The three names that count are 4, 14 and 17 long. */
    if (name_size == 4 || name_size == 14 || name_size == 17)
        look_at(f, header.name, header.value);
    return MHD_YES;
}

static void refuse(struct exchange *ex, enum err err, int status,
                   const char *text)
{
    ex->err = why(&ex->request.why, err, text);
    ex->status = status;
}

static bool read_method(struct exchange *ex, const char *method)
{
    struct str sent = str_of(method);
    for (int i = HTTP_GET; i <= HTTP_OPTIONS; i++) {
        if (!str_eq(http_method_name((enum http_method)i), sent))
            continue;
        ex->request.method = (enum http_method)i;
        return true;
    }
    refuse(ex, ERR_UNSUPPORTED, 501, "this method is not known here");
    return false;
}

static void find_route(struct exchange *ex)
{
    struct http_request *r = &ex->request;
    const struct http_server_options *o = &ex->server->options;
    enum err err = http_route_find(ex->server->router, r, &ex->allow);
    bool is_open = o->is_cors_open != NULL && o->is_cors_open(r->path);
    if (r->method == HTTP_OPTIONS && (is_open || err == ERR_UNSUPPORTED))
        ex->is_preflight = err != OK; /* answered without a handler */
    else if (err == ERR_UNSUPPORTED)
        refuse(ex, err, 405, "this path does not answer that method");
    else if (err == ERR_NOT_FOUND)
        refuse(ex, err, 404, "nothing is served at this path");
    else if (err == ERR_FORMAT)
        refuse(ex, err, 400, "the path is not well formed");
    else
        ex->err = err;
}

static void check_length(struct exchange *ex, const struct framing *f)
{
    const struct http_route *route = ex->request.route;
    ex->body_max = ex->server->options.body_max_bytes;
    if (route != NULL && (route->flags & HTTP_SMALL_BODY) != 0 &&
        ex->body_max > SMALL_BODY_MAX)
        ex->body_max = SMALL_BODY_MAX;
    if (f->length > ex->body_max) {
        refuse(ex, ERR_TOO_LARGE, 413, "the body is too large");
        ex->must_close = true;
    }
    if (ex->err != OK && f->length > SKIPPED_BODY_MAX)
        ex->must_close = true;
    ex->body = BUF_IN(&ex->arena, ex->body_max + JSON_PADDING);
    if (ex->err == OK && f->length > 0)
        buf_reserve(&ex->body, (size_t)f->length + JSON_PADDING);
}

void exchange_read_head(struct exchange *ex, const char *method,
                        const char *version)
{
    struct framing f = { .ex = ex };
    struct http_request *r = &ex->request;
    r->headers = ex->headers;
    MHD_get_connection_values_n(ex->mhd, MHD_HEADER_KIND, on_header, &f);
    bool is_old = strcmp(version, MHD_HTTP_VERSION_1_1) != 0;
    if (f.lengths > 1 || f.codings > 1 || f.hosts > 1 || f.is_bad ||
        (f.codings > 0 && (f.lengths > 0 || is_old))) {
        refuse(ex, ERR_FORMAT, 400, "the message's framing is ambiguous");
        ex->must_close = true;
    }
    if (ex->status == 431) {
        refuse(ex, ERR_LIMIT, 431, "too many headers");
        ex->must_close = true;
    }
    if (ex->err == OK && read_method(ex, method))
        find_route(ex);
    check_length(ex, &f);
}
