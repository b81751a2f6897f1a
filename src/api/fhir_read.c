#include "api/fhir.h"

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

static enum err answer(const struct fhir *f, struct store_snapshot *snap,
                       const struct store_version *v, struct http_response *out)
{
    int64_t known;
    struct str none_match = http_header(f->http, STR("If-None-Match"));
    fhir_version_headers(out, v);
    if (fhir_etag_version(none_match, &known) && known == v->version_id) {
        out->status = 304;
        return OK;
    }
    http_set_type(out, FHIR_TYPE);
    enum err err = store_body(snap, v->slot, &out->body);
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

static enum err history_entry(struct buf *b, const struct fhir *f,
                              struct store_snapshot *snap,
                              const struct store_version *v)
{
    struct str type = release_type_name(f->release, v->type);
    json_object(b);
    json_member(
        b, STR("fullUrl"),
        arena_cat(f->http->arena, f->base, STR("/"), type, STR("/"), v->id));
    enum err err = OK;
    if (!v->is_deleted) {
        buf_add(b, STR(",\"resource\":"));
        err = store_body(snap, v->slot, b);
    }
    json_key(b, STR("request"));
    json_object(b);
    json_member(b, STR("method"), v->is_deleted ? STR("DELETE") : STR("PUT"));
    json_member(b, STR("url"),
                arena_cat(f->http->arena, type, STR("/"), v->id));
    json_object_end(b);
    json_key(b, STR("response"));
    json_object(b);
    json_member(b, STR("status"),
                v->is_deleted ? STR("204")
                              : (v->is_first ? STR("201") : STR("200")));
    buf_add(b, STR(",\"etag\":\"W/\\\""));
    buf_add_i64(b, v->version_id);
    buf_add(b, STR("\\\"\",\"lastModified\":\""));
    clock_add_instant(b, v->last_updated_ms);
    buf_add(b, STR("\"}"));
    json_object_end(b);
    return err;
}

/* count and skip of a history, from the query. */
static void history_page(const struct http_request *r, const struct fhir *f,
                         size_t *count, size_t *skip)
{
    int64_t n;
    *count = FHIR_COUNT_DEFAULT;
    *skip = 0;
    if (str_to_i64(url_param(&r->params, STR("_count")), &n) && n > 0)
        *count = n > f->info->count_max ? f->info->count_max : (size_t)n;
    if (str_to_i64(url_param(&r->params, STR("_skip")), &n) && n > 0)
        *skip = (size_t)n;
}

enum err fhir_history(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    AUTO_SNAPSHOT *snap = NULL;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = begin(r, INTERACTION_HISTORY, &f, &snap);
    if (err != OK)
        return err;
    int64_t since_ms = 0;
    struct str since = url_param(&r->params, STR("_since"));
    if (since.p != NULL && clock_parse_instant(since, &since_ms) != OK)
        return why(&r->why, ERR_INVALID, "_since is no instant");
    size_t count, skip, n, total;
    struct store_version *versions;
    history_page(r, &f, &count, &skip);
    err = store_history(snap, f.type, id, since_ms, skip, count, r->arena,
                        &versions, &n, &total);
    if (err == OK && total == 0 && id.n > 0 && since_ms == 0)
        err = ERR_NOT_FOUND;
    if (err != OK)
        return absent(&f, err, id);
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("history"), (int64_t)total);
    for (size_t i = 0; err == OK && i < n; i++)
        err = history_entry(&out->body, &f, snap, &versions[i]);
    struct buf next = BUF_IN(r->arena, 32);
    struct str cursor = STR_NONE;
    buf_add_u64(&next, skip + n);
    if (err == OK && skip + n < total)
        err = buf_view(&next, &cursor);
    bundle_end(&out->body, &f,
               arena_cat(r->arena, STR("/"), f.type_name,
                         id.n > 0 ? STR("/") : STR(""), id, STR("/_history")),
               &r->params, STR("_skip"), cursor);
    fhir_audit(&f, 'R', 200);
    return err;
}
