#include "api/fhir_shape.h"
#include "api/fhir_share.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"

/* Binary's bytes themselves, when the caller's Accept wants no JSON. */
static enum err answer_bytes(const struct fhir *f, struct http_response *out)
{
    struct arena *a = f->http->arena;
    struct str body, bytes;
    struct yyjson_val *root;
    enum err err = buf_view(&out->body, &body);
    if (err == OK)
        err = json_parse(a, body, &root, NULL);
    if (err != OK)
        return err;
    struct str data = json_get_text(root, STR("data"));
    if (data.p == NULL)
        data = json_get_text(root, STR("content"));
    struct str type = json_get_text(root, STR("contentType"));
    if (data.p == NULL || base64_decode(a, data, &bytes) != OK)
        return OK; /* no bytes to give: the JSON stays */
    buf_cut(&out->body, 0);
    buf_add(&out->body, bytes);
    http_set_type(out, type.n > 0 ? type : STR("application/octet-stream"));
    http_set_header(out, STR("Content-Disposition"), STR("attachment"));
    return OK;
}

static bool wants_bytes(const struct fhir *f)
{
    struct str accept = http_header(f->http, STR("Accept"));
    return str_eq(f->type_name, STR("Binary")) && accept.n > 0 &&
           str_search(accept, STR("json")) == accept.n &&
           str_search(accept, STR("*/*")) == accept.n &&
           str_search(accept, STR("text/html")) == accept.n;
}

/* If-None-Match, else If-Modified-Since (RFC 9110 section 13.2.2). */
static bool is_known(const struct http_request *r,
                     const struct store_version *v)
{
    struct str rest = http_header(r, STR("If-None-Match")), one;
    int64_t ms;
    if (rest.p != NULL) {
        while (str_cut(&rest, ',', &one)) {
            int64_t version;
            if (str_eq(str_trim(one), STR("*")) ||
                (fhir_etag_version(one, &version) && version == v->version_id))
                return true;
        }
        return false;
    }
    struct str since = http_header(r, STR("If-Modified-Since"));
    return since.p != NULL && clock_parse_http_date(since, &ms) == OK &&
           v->last_updated_ms / 1000 <= ms / 1000;
}

static enum err answer(const struct fhir *f, struct store_snapshot *snap,
                       const struct store_version *v, struct http_response *out)
{
    fhir_version_headers(out, v);
    if (is_known(f->http, v)) {
        out->status = 304;
        return OK;
    }
    http_set_type(out, FHIR_TYPE);
    struct fhir_shape shape;
    enum err err = fhir_shape_read(f, &shape);
    if (err == OK)
        err = fhir_shape_add(f, &shape, snap, v->slot, &out->body);
    if (err == OK && wants_bytes(f))
        err = answer_bytes(f, out);
    fhir_audit(f, 'R', out->status);
    return err;
}

/* Names what was not there, or was deleted. */
static enum err absent(const struct fhir *f, enum err err, struct str id)
{
    if (err == ERR_NOT_FOUND)
        return why_of(&f->http->why, err, STR("no "), f->type_name, STR("/"),
                      id);
    if (err == ERR_GONE)
        return why_of(&f->http->why, err, f->type_name, STR("/"), id,
                      STR(" was deleted"));
    return err;
}

static enum err begin(struct http_request *r, enum interaction interaction,
                      struct fhir *f, struct store_snapshot **snap)
{
    struct str id = r->captures[CAPTURE_ID];
    enum err err = fhir_begin(r, interaction, f);
    if (err == OK && f->is_foreign_type)
        err = absent(f, ERR_NOT_FOUND, id);
    if (err == OK && f->access.is_app_wide)
        err = fhir_find_owner(f, id);
    if (err == OK)
        err = fhir_follow_share(f, interaction, f->type, id);
    return err == OK ? fhir_open(f, snap) : err;
}

enum err fhir_read(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = begin(r, INTERACTION_READ, &f, &snap);
    if (err != OK)
        return err;
    err = store_read(snap, f.type, id, &v);
    if (err != OK)
        return absent(&f, err, id);
    return answer(&f, snap, &v, out);
}

enum err fhir_vread(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    int64_t number = 0;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = begin(r, INTERACTION_VREAD, &f, &snap);
    if (err != OK)
        return err;
    if (!str_to_i64(r->captures[CAPTURE_VERSION], &number))
        return absent(&f, ERR_NOT_FOUND, id);
    err = store_vread(snap, f.type, id, number, r->arena, &v);
    if (err != OK)
        return absent(&f, err, id);
    return answer(&f, snap, &v, out);
}
