/* Content codings: gzip in and out (RFC 9110 section 8.4).  Only for those who
 * ask: programs of old take what comes. */
#include "base/file.h"
#include "base/gzip.h"
#include "base/json.h"
#include "http/server_int.h"

#define WORTH_IT 1024 /* bytes; less is sent as it is */

/* "gzip;q=0.5, br": gzip with a weight that is not 0. */
static bool takes_gzip(const struct http_request *r)
{
    struct str rest = http_header(r, STR("Accept-Encoding")), one;
    while (str_cut(&rest, ',', &one)) {
        struct str name;
        str_cut(&one, ';', &name);
        name = str_trim(name);
        if (!str_eq_nocase(name, STR("gzip")) && !str_eq(name, STR("*")))
            continue;
        one = str_trim(one);
        return !str_eq(one, STR("q=0")) && !str_eq(one, STR("q=0.0")) &&
               !str_eq(one, STR("q=0.00")) && !str_eq(one, STR("q=0.000"));
    }
    return false;
}

static struct str header_of(const struct http_response *out, struct str name)
{
    for (size_t i = 0; i < out->header_count; i++)
        if (str_eq_nocase(out->headers[i].name, name))
            return out->headers[i].value;
    return STR_NONE;
}

/* What gets smaller. */
static bool is_text(struct str type)
{
    return str_starts(type, STR("text/")) ||
           str_search(type, STR("json")) < type.n ||
           str_search(type, STR("javascript")) < type.n ||
           str_search(type, STR("svg")) < type.n;
}

static void pack_whole(struct exchange *ex)
{
    struct http_response *out = &ex->response;
    struct buf packed = BUF_IN(&ex->arena, HTTP_BODY_MAX);
    struct gzip *g;
    if (gzip_new(&g) != OK)
        return; /* then it goes as it is */
    enum err err = gzip_add(g, (struct str){ out->body.data, out->body.len },
                            true, &packed);
    gzip_free(g);
    if (err != OK || packed.len >= out->body.len)
        return;
    out->body = packed;
    http_set_header(out, STR("Content-Encoding"), STR("gzip"));
}

void coding_pack(struct exchange *ex)
{
    struct http_response *out = &ex->response;
    struct str type = header_of(out, STR("Content-Type"));
    if (!is_text(type) || header_of(out, STR("Content-Encoding")).p != NULL)
        return;
    ex->varies = true;
    if (!takes_gzip(&ex->request))
        return;
    if (out->produce == NULL && out->body.len >= WORTH_IT)
        pack_whole(ex);
    else if (out->produce != NULL && gzip_new(&ex->gzip) == OK)
        http_set_header(out, STR("Content-Encoding"), STR("gzip"));
}

enum err coding_produce(struct exchange *ex, struct buf *part)
{
    struct http_response *out = &ex->response;
    if (ex->gzip == NULL)
        return out->produce(out->context, part);
    AUTO_BUF plain = BUF(HTTP_BODY_MAX);
    while (part->len == 0 && !ex->is_packed) {
        buf_cut(&plain, 0);
        enum err err = out->produce(out->context, &plain);
        if (err == OK)
            err = plain.err;
        ex->is_packed = plain.len == 0;
        if (err == OK)
            err = gzip_add(ex->gzip, (struct str){ plain.data, plain.len },
                           ex->is_packed, part);
        if (err != OK)
            return err;
    }
    return OK;
}

void coding_end(struct exchange *ex)
{
    gzip_free(ex->gzip);
    ex->gzip = NULL;
    ex->is_packed = ex->varies = false;
}

void coding_unpack(struct exchange *ex)
{
    struct http_request *r = &ex->request;
    struct str coding = str_trim(http_header(r, STR("Content-Encoding")));
    if (ex->err != OK || ex->body.len == 0 || coding.n == 0 ||
        str_eq_nocase(coding, STR("identity")))
        return;
    if (!str_eq_nocase(coding, STR("gzip")) &&
        !str_eq_nocase(coding, STR("x-gzip"))) {
        ex->err = why_of(&r->why, ERR_MEDIA_TYPE, STR("Content-Encoding "),
                         coding, STR(" is not taken; gzip is"));
        ex->status = 415;
        return;
    }
    struct buf plain = BUF_IN(&ex->arena, ex->body_max);
    enum err err =
        file_gunzip((struct str){ ex->body.data, ex->body.len }, &plain);
    if (err == ERR_LIMIT) {
        ex->err = why(&r->why, ERR_TOO_LARGE, "the body is too large unpacked");
        ex->status = 413;
    } else if (err == ERR_FORMAT) {
        ex->err = why(&r->why, err, "the body is no sound gzip");
        ex->status = 400;
    } else if (err != OK) {
        ex->err = err;
    }
    plain.limit += JSON_PADDING;
    ex->body = plain;
}
