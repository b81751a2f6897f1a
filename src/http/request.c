#include "http/request.h"

#include "base/base64.h"

#define BASIC_MAX 8192

struct str http_method_name(enum http_method method)
{
    static const struct str names[] = {
        STR_INIT("GET"),     STR_INIT("HEAD"),  STR_INIT("POST"),
        STR_INIT("PUT"),     STR_INIT("PATCH"), STR_INIT("DELETE"),
        STR_INIT("OPTIONS"),
    };
    return names[method];
}

struct str http_header(const struct http_request *r, struct str name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return STR_NONE;
}

bool http_is_type(const struct http_request *r, struct str type)
{
    struct str value = http_header(r, STR("Content-Type"));
    value = str_slice(value, 0, str_find(value, ';'));
    return str_eq_nocase(str_trim(value), type);
}

enum err http_form(const struct http_request *r, struct url_params *out)
{
    if (!http_is_type(r, STR("application/x-www-form-urlencoded"))) {
        *out = (struct url_params){ NULL, 0 };
        return OK;
    }
    return url_parse_params(r->arena, r->body, out);
}

struct str http_cookie(const struct http_request *r, struct str name)
{
    struct str all = http_header(r, STR("Cookie")), one, key;
    while (all.n > 0 && str_cut(&all, ';', &one)) {
        one = str_trim(one);
        if (str_cut(&one, '=', &key) && str_eq(key, name))
            return one;
    }
    return STR_NONE;
}

/* What follows the scheme of Authorization; STR_NONE for another scheme. */
static struct str credentials(const struct http_request *r, struct str scheme)
{
    struct str value = str_trim(http_header(r, STR("Authorization")));
    if (value.n <= scheme.n || value.p[scheme.n] != ' ' ||
        !str_starts_nocase(value, scheme))
        return STR_NONE;
    return str_trim(str_from(value, scheme.n));
}

enum err http_basic(const struct http_request *r, struct str *user,
                    struct str *password)
{
    struct str text = credentials(r, STR("Basic")), plain, name;
    if (text.n == 0 || text.n > BASIC_MAX)
        return ERR_NOT_FOUND;
    enum err err = base64_decode(r->arena, text, &plain);
    if (err != OK)
        return err;
    size_t colon = str_find(plain, ':');
    if (colon == plain.n)
        return ERR_FORMAT;
    name = str_slice(plain, 0, colon);
    /* RFC 6749 2.3.1: both are form-encoded inside Basic. */
    *user = url_unescape(r->arena, name, true);
    *password = url_unescape(r->arena, str_from(plain, colon + 1), true);
    return arena_err(r->arena);
}

struct str http_bearer(const struct http_request *r)
{
    struct str token = credentials(r, STR("Bearer"));
    return token.n == 0 ? STR_NONE : token;
}
