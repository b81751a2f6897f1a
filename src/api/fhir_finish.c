/* What every FHIR answer gets last: _pretty, and DSTU2's media type. */
#include "api/routes.h"

#include "api/fhir.h"
#include "base/json.h"

static struct str type_of(const struct http_response *out)
{
    for (size_t i = 0; i < out->header_count; i++)
        if (str_eq_nocase(out->headers[i].name, STR("Content-Type")))
            return out->headers[i].value;
    return STR_NONE;
}

static void make_pretty(struct http_request *r, struct http_response *out)
{
    struct str text;
    struct buf pretty = BUF_IN(r->arena, HTTP_BODY_MAX);
    if (buf_view(&out->body, &text) != OK)
        return;
    json_pretty(text, &pretty);
    if (pretty.err == OK)
        out->body = pretty;
}

void api_finish(struct http_request *r, struct http_response *out)
{
    enum release release;
    if (r->route == NULL || r->route->family != family_fhir ||
        !str_eq(type_of(out), FHIR_TYPE))
        return;
    if (out->produce == NULL && out->body.len > 0 &&
        str_eq(url_param(&r->params, STR("_pretty")), STR("true")))
        make_pretty(r, out);
    /* DSTU2 section 2.1.0.3: application/json+fhir */
    if (release_find(r->captures[CAPTURE_RELEASE], &release) &&
        release == DSTU2)
        http_set_type(out, STR("application/json+fhir; charset=utf-8"));
}
