#include "api/pages.h"

#include "api/access.h"
#include "api/routes.h"
#include "directory/system.h"
#include "fhir/outcome.h"
#include "ui/assets.h"
#include "ui/page_connect.h"
#include "ui/page_home.h"

bool pages_are_wanted(const struct http_request *r)
{
    struct str accept = http_header(r, STR("Accept"));
    return str_search(accept, STR("text/html")) < accept.n;
}

enum err pages_home(struct http_request *r, struct http_response *out)
{
    struct services *s = services_of(r);
    struct system_search ask = { .count = 1 };
    struct system *systems;
    size_t n;
    struct page_home home = { .public_base = s->public_base,
                              .version = s->version };
    enum err err =
        system_find(s->db, &ask, r->arena, &systems, &n, &home.systems);
    if (err == OK)
        page_home(out, &home);
    return err;
}

enum err pages_asset(struct http_request *r, struct http_response *out)
{
    struct asset asset;
    if (!asset_find(r->captures[0], r->captures[1], &asset))
        return why(&r->why, ERR_NOT_FOUND, "there is no such file");
    http_text(out, 200, asset.type, asset.bytes);
    http_set_header(out, STR("Cache-Control"),
                    STR("public, max-age=31536000, immutable"));
    return OK;
}

/* An inner failure's sentence may hold file names: not for strangers. */
static struct str detail_of(const struct http_request *r, enum err err)
{
    bool is_inner =
        outcome_status(err) >= 500 && err != ERR_UPSTREAM && err != ERR_TIMEOUT;
    return is_inner ? STR("") : str_of(r->why.text);
}

void pages_fail(struct http_request *r, struct http_response *out, enum err err,
                struct str code)
{
    family_json(r, out, err); /* status, headers and the log line */
    buf_cut(&out->body, 0);
    page_failed(out, &(struct page_failed){ .code = code,
                                            .system_name = STR(""),
                                            .retry_url = STR(""),
                                            .detail = detail_of(r, err),
                                            .request_id = str_of(r->id) });
}

static struct str code_of(enum err err)
{
    switch (err) {
    case ERR_UNAUTHENTICATED:
    case ERR_DENIED:
        return STR("link_expired");
    case ERR_NOT_FOUND:
    case ERR_GONE:
        return STR("not_found");
    case ERR_RATE:
        return STR("too_often");
    case ERR_UPSTREAM:
    case ERR_TIMEOUT:
        return STR("unreachable");
    default:
        return outcome_status(err) < 500 ? STR("not_understood")
                                         : STR("server_error");
    }
}

/* Programs that come by get JSON. */
void family_page(struct http_request *r, struct http_response *out,
                 enum err err)
{
    if (pages_are_wanted(r))
        pages_fail(r, out, err, code_of(err));
    else
        family_json(r, out, err);
}
