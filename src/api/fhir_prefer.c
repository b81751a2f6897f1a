#include "api/fhir_prefer.h"

/* The value of name= in Prefer's list (RFC 7240): "a; b, name=value". */
static struct str prefer_value(const struct http_request *r, struct str name)
{
    struct str all = http_header(r, STR("Prefer")), part;
    while (str_cut(&all, ',', &part)) {
        struct str one;
        while (str_cut(&part, ';', &one)) {
            one = str_trim(one);
            size_t eq = str_find(one, '=');
            if (!str_eq_nocase(str_trim(str_slice(one, 0, eq)), name))
                continue;
            struct str value = str_trim(str_from(one, eq + 1));
            if (value.n >= 2 && value.p[0] == '"' &&
                value.p[value.n - 1] == '"')
                value = str_slice(value, 1, value.n - 1);
            return eq == one.n ? STR("") : value;
        }
    }
    return STR_NONE;
}

enum prefer_return prefer_return(const struct http_request *r)
{
    struct str value = prefer_value(r, STR("return"));
    if (str_eq(value, STR("minimal")))
        return PREFER_MINIMAL;
    return str_eq_nocase(value, STR("OperationOutcome"))
               ? PREFER_OUTCOME
               : PREFER_REPRESENTATION;
}

bool prefer_is_strict(const struct http_request *r)
{
    return str_eq(prefer_value(r, STR("handling")), STR("strict"));
}

bool prefer_is_async(const struct http_request *r)
{
    return prefer_value(r, STR("respond-async")).p != NULL;
}

enum err prefer_check(struct http_request *r)
{
    struct str handling = prefer_value(r, STR("handling"));
    struct str want = prefer_value(r, STR("return"));
    if (handling.p != NULL && !str_eq(handling, STR("strict")) &&
        !str_eq(handling, STR("lenient")))
        return why_of(&r->why, ERR_INVALID, STR("Prefer: handling="), handling,
                      STR(" is neither strict nor lenient"));
    if (want.p != NULL && !str_eq(want, STR("minimal")) &&
        !str_eq(want, STR("representation")) &&
        !str_eq_nocase(want, STR("OperationOutcome")))
        return why_of(&r->why, ERR_INVALID, STR("Prefer: return="), want,
                      STR(" is none of minimal, representation, "
                          "OperationOutcome"));
    return OK;
}

/* The media type without its parameters. */
static struct str bare(struct str type)
{
    return str_trim(str_slice(type, 0, str_find(type, ';')));
}

static bool is_json(struct str type)
{
    static const struct str names[] = {
        STR_INIT("application/fhir+json"),   STR_INIT("application/json+fhir"),
        STR_INIT("application/json"),        STR_INIT("text/json"),
        STR_INIT("application/fhir+ndjson"), STR_INIT("application/ndjson"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(type, names[i]))
            return true;
    return false;
}

static bool is_any(struct str type)
{
    return str_eq(type, STR("*/*")) || str_eq(type, STR("*")) ||
           str_eq_nocase(type, STR("application/*"));
}

enum err prefer_check_format(struct http_request *r)
{
    struct str pretty = url_param(&r->params, STR("_pretty"));
    if (pretty.p != NULL && !str_eq(pretty, STR("true")) &&
        !str_eq(pretty, STR("false")))
        return why_of(&r->why, ERR_INVALID, STR("_pretty="), pretty,
                      STR(" is neither true nor false"));
    struct str format = url_param(&r->params, STR("_format"));
    if (format.n > 0) {
        /* "application/fhir+json" with its plus decoded to a blank */
        struct str type = bare(format);
        if (str_eq_nocase(type, STR("json")) || is_json(type) ||
            str_eq_nocase(type, STR("application/fhir json")) ||
            str_eq_nocase(type, STR("application/json fhir")))
            return OK;
        return why_of(&r->why, ERR_NOT_ACCEPTABLE, STR("_format="), format,
                      STR(" is not offered; application/fhir+json is"));
    }
    struct str accept = http_header(r, STR("Accept")), one;
    if (str_trim(accept).n == 0)
        return OK;
    struct str rest = accept;
    while (str_cut(&rest, ',', &one)) {
        struct str type = bare(one);
        /* a page in a browser may look at JSON too */
        if (is_json(type) || is_any(type) || type.n == 0 ||
            str_eq_nocase(type, STR("text/html")))
            return OK;
    }
    return why_of(&r->why, ERR_NOT_ACCEPTABLE, STR("Accept: "), accept,
                  STR(" is not offered; application/fhir+json is"));
}

enum err prefer_check_body(struct http_request *r)
{
    struct str type = bare(http_header(r, STR("Content-Type")));
    if (r->body.n == 0 || type.n == 0 || is_json(type) ||
        str_eq_nocase(type, STR("application/x-www-form-urlencoded")))
        return OK;
    return why_of(&r->why, ERR_MEDIA_TYPE, STR("Content-Type: "), type,
                  STR(" is not taken here; application/fhir+json is"));
}
