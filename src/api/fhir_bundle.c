/* Transactions (all or nothing) and batches: reading the Bundle, rendering the
 * answer.  FHIR R4 section 3.1.0.11.
 *
 * A transaction: every entry is parsed and settled (ids, criteria), the
 * references between entries are pointed at those ids, and all of it is one
 * commit.  The record may have changed between look and commit; then it is done
 * again.  Reads are asked last, as requests of their own.
 */
#include "api/fhir_bundle_int.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"

enum err fhir_transaction_blame(const struct transaction *t, size_t i,
                                enum err err)
{
    struct why inner = t->f->http->why;
    AUTO_BUF n = BUF(32);
    buf_add_u64(&n, i);
    if (err == OK || str_starts(str_of(inner.text), STR("Bundle.entry[")))
        return err;
    return why_of(&t->f->http->why, err, STR("Bundle.entry["),
                  (struct str){ n.data, n.len }, STR("]: "),
                  str_of(inner.text));
}

static enum err bad(const struct transaction *t, enum err err, struct str text)
{
    return why_of(&t->f->http->why, err, text);
}

/* Splits an entry's text into what we need of it; views, nothing copied. */
static enum err read_entry(struct transaction *t, size_t i)
{
    struct entry *e = &t->entries[i];
    struct arena *a = t->f->http->arena;
    struct json_member_text m;
    struct yyjson_val *v;
    struct str inside = json_inside(e->raw), request = STR_NONE;
    while (json_next_member(&inside, &m)) {
        if (str_eq(m.name, STR("resource")))
            e->text = m.value;
        else if (str_eq(m.name, STR("request")))
            request = m.value;
        else if (str_eq(m.name, STR("fullUrl")) &&
                 json_parse(a, m.value, &v, NULL) == OK)
            e->full_url = json_text(v);
    }
    if (request.p == NULL || json_parse(a, request, &v, NULL) != OK)
        return bad(t, ERR_INVALID, STR("has no request"));
    e->method = json_get_text(v, STR("method"));
    e->url = json_get_text(v, STR("url"));
    e->if_none_exist = json_get_text(v, STR("ifNoneExist"));
    e->if_match = json_get_text(v, STR("ifMatch"));
    e->if_none_match = json_get_text(v, STR("ifNoneMatch"));
    e->if_modified_since = json_get_text(v, STR("ifModifiedSince"));
    if (e->method.n == 0 || e->url.n == 0)
        return bad(t, ERR_INVALID, STR("request without method, url"));
    e->is_read =
        str_eq(e->method, STR("GET")) || str_eq(e->method, STR("HEAD"));
    return arena_err(a);
}

/* Type, id and criteria that a request.url names. */
static enum err split_url(const struct transaction *t, const struct entry *e,
                          struct change *c)
{
    struct str url = e->url;
    size_t mark = str_find(url, '?');
    if (mark < url.n)
        c->criteria = str_from(url, mark + 1);
    url = str_slice(url, 0, mark);
    if (str_starts(url, t->f->base))
        url = str_from(url, t->f->base.n);
    if (url.n > 0 && url.p[0] == '/')
        url = str_from(url, 1);
    size_t slash = str_find(url, '/');
    c->type = release_type_find(t->f->release, str_slice(url, 0, slash),
                                !t->f->info->is_case_sensitive);
    c->id = str_from(url, slash + 1);
    if (c->type == TYPE_NONE)
        return why_of(&t->f->http->why, ERR_INVALID, STR("request.url "),
                      e->url, STR(" names no resource type"));
    if (c->id.n > 0 && !resource_is_id(c->id))
        return bad(t, ERR_INVALID, STR("request.url has no FHIR id"));
    if (t->f->release == R4 &&
        str_eq(release_type_name(R4, c->type), STR("AuditEvent")))
        return bad(t, ERR_METHOD,
                   STR("AuditEvents are written by the server alone"));
    if (c->id.n > 0)
        c->criteria = STR_NONE;
    return OK;
}

static enum err parse_resource(const struct transaction *t,
                               const struct entry *e, struct change *c)
{
    if (e->text.p == NULL)
        return bad(t, ERR_INVALID, STR("has no resource"));
    enum err err = change_parse(t->f, e->text, &c->resource);
    if (err != OK)
        return err;
    if (c->resource.type != c->type)
        return bad(t, ERR_INVALID, STR("request.url names another type"));
    return OK;
}

static enum err plan_create(const struct transaction *t, const struct entry *e,
                            struct change *c)
{
    if (c->id.n > 0 || c->criteria.p != NULL)
        return bad(t, ERR_UNSUPPORTED,
                   STR("POST to this url is not offered in a Bundle"));
    enum err err = parse_resource(t, e, c);
    if (err != OK)
        return err;
    c->verb = CHANGE_CREATE;
    if (e->if_none_exist.n > 0)
        c->criteria =
            str_from(e->if_none_exist, str_starts(e->if_none_exist, STR("?")));
    if (t->f->info->keeps_ids_on_post && resource_is_id(c->resource.id)) {
        c->keeps_id = true;
        c->id = c->resource.id;
    }
    return OK;
}

static enum err plan_update(const struct transaction *t, const struct entry *e,
                            struct change *c)
{
    enum err err = parse_resource(t, e, c);
    c->verb = CHANGE_UPDATE;
    if (err == OK && c->id.n == 0 && c->criteria.p == NULL) {
        c->id = c->resource.id;
        if (c->id.n == 0)
            return bad(t, ERR_INVALID,
                       STR("PUT needs an id or criteria in request.url"));
    }
    if (err == OK && c->id.n > 0 && c->resource.id.n > 0 &&
        !str_eq(c->id, c->resource.id))
        return bad(t, ERR_INVALID, STR("request.url names another id"));
    return err;
}

/* The patch is a Binary with JSON Patch in it, or a Parameters resource. */
static enum err plan_patch(const struct transaction *t, const struct entry *e,
                           struct change *c)
{
    struct arena *a = t->f->http->arena;
    struct yyjson_val *v;
    c->verb = CHANGE_PATCH;
    if (e->text.p == NULL || json_parse(a, e->text, &v, NULL) != OK)
        return bad(t, ERR_INVALID, STR("PATCH has no resource"));
    struct str type = json_get_text(v, STR("resourceType"));
    if (str_eq(type, STR("Parameters"))) {
        c->patch = e->text;
        c->patch_type = STR("application/fhir+json");
        return OK;
    }
    struct str data = json_get_text(v, STR("data"));
    if (data.p == NULL)
        data = json_get_text(v, STR("content"));
    if (!str_eq(type, STR("Binary")) || data.p == NULL)
        return bad(t, ERR_INVALID,
                   STR("PATCH takes a Binary with data, or Parameters"));
    c->patch_type = json_get_text(v, STR("contentType"));
    return base64_decode(a, data, &c->patch);
}

enum err fhir_transaction_plan(struct transaction *t, size_t i)
{
    struct entry *e = &t->entries[i];
    struct change *c = &t->changes[i];
    *e = (struct entry){ .raw = e->raw };
    *c = (struct change){ .type = TYPE_NONE };
    enum err err = read_entry(t, i);
    if (err != OK || e->is_read)
        return err;
    err = split_url(t, e, c);
    if (err != OK)
        return err;
    c->if_match = e->if_match;
    c->if_none_match = e->if_none_match;
    if (str_eq(e->method, STR("POST")))
        return plan_create(t, e, c);
    if (str_eq(e->method, STR("PUT")))
        return plan_update(t, e, c);
    if (c->id.n == 0 && c->criteria.p == NULL)
        return bad(t, ERR_INVALID, STR("request.url needs an id or criteria"));
    if (str_eq(e->method, STR("PATCH")))
        return plan_patch(t, e, c);
    if (!str_eq(e->method, STR("DELETE")))
        return why_of(&t->f->http->why, ERR_INVALID, STR("request.method "),
                      e->method, STR(" is not known"));
    c->verb = CHANGE_DELETE;
    return OK;
}

enum err fhir_transaction_admit(struct transaction *t, size_t i)
{
    static const enum interaction asks[] = {
        [CHANGE_CREATE] = INTERACTION_CREATE,
        [CHANGE_UPDATE] = INTERACTION_UPDATE,
        [CHANGE_PATCH] = INTERACTION_PATCH,
        [CHANGE_DELETE] = INTERACTION_DELETE,
    };
    enum err err = fhir_transaction_plan(t, i);
    const struct change *c = &t->changes[i];
    if (err == OK && !t->entries[i].is_read)
        err = policy_allows(&t->f->access.principal, asks[c->verb],
                            release_type_name(t->f->release, c->type),
                            &t->f->http->why);
    return fhir_transaction_blame(t, i, err);
}

static enum err check_bundle(struct transaction *t, struct str body)
{
    struct http_request *r = t->f->http;
    struct yyjson_val *checked;
    /* The whole is parsed once, only to know that it is JSON. */
    AUTO_ARENA check = ARENA((size_t)4 << 30);
    enum err err = json_parse(&check, body, &checked, &r->why);
    if (err != OK)
        return err;
    if (!str_eq(json_get_text(checked, STR("resourceType")), STR("Bundle")))
        return why(&r->why, ERR_INVALID, "the body is no Bundle");
    struct str type = json_get_text(checked, STR("type"));
    t->is_batch = str_eq(type, STR("batch"));
    if (!t->is_batch && !str_eq(type, STR("transaction")))
        return why(&r->why, ERR_INVALID,
                   "Bundle.type must be transaction or batch");
    t->n = json_count(json_get(checked, STR("entry")));
    if (t->n > TRANSACTION_ENTRIES_MAX)
        return why(&r->why, ERR_TOO_LARGE,
                   "the Bundle has more than 100000 entries");
    return OK;
}

enum err fhir_transaction_read(struct transaction *t, struct str body)
{
    struct http_request *r = t->f->http;
    enum err err = check_bundle(t, body);
    if (err != OK)
        return err;
    struct buf text = BUF_IN(r->arena, HTTP_BODY_MAX);
    buf_reserve(&text, body.n);
    err = json_minify(body, RESOURCE_DEPTH_MAX + 8, &text);
    t->entries = arena_zalloc(r->arena, t->n + 1, sizeof *t->entries);
    t->changes = arena_zalloc(r->arena, t->n + 1, sizeof *t->changes);
    if (err != OK || t->entries == NULL || t->changes == NULL)
        return err != OK ? err : arena_err(r->arena);
    struct str inside = json_inside((struct str){ text.data, text.len }), one;
    struct json_member_text m = { 0 };
    while (json_next_member(&inside, &m) && !str_eq(m.name, STR("entry")))
        ;
    if (!str_eq(m.name, STR("entry")))
        return OK;
    struct str list = json_inside(m.value);
    for (size_t i = 0; i < t->n && json_next_element(&list, &one); i++)
        t->entries[i].raw = one;
    return OK;
}

/* --- answer ---------------------------------------------------------------
 */

static struct str status_line(int status)
{
    switch (status) {
    case 200:
        return STR("200 OK");
    case 201:
        return STR("201 Created");
    case 202:
        return STR("202 Accepted");
    case 204:
        return STR("204 No Content");
    case 304:
        return STR("304 Not Modified");
    case 400:
        return STR("400 Bad Request");
    case 401:
        return STR("401 Unauthorized");
    case 403:
        return STR("403 Forbidden");
    case 404:
        return STR("404 Not Found");
    case 405:
        return STR("405 Method Not Allowed");
    case 406:
        return STR("406 Not Acceptable");
    case 409:
        return STR("409 Conflict");
    case 410:
        return STR("410 Gone");
    case 412:
        return STR("412 Precondition Failed");
    case 413:
        return STR("413 Content Too Large");
    case 415:
        return STR("415 Unsupported Media Type");
    case 422:
        return STR("422 Unprocessable Content");
    default:
        return status < 500 ? STR("400 Bad Request")
                            : STR("500 Internal Server Error");
    }
}

static int status_of(const struct entry *e, const struct change *c)
{
    if (e->status != 0)
        return e->status;
    if (c->verb == CHANGE_DELETE)
        return 204;
    return c->op_count > 0 && c->ops[0].outcome == STORED_CREATED ? 201 : 200;
}

/* Of what this Bundle wrote itself. */
static void add_written(struct buf *b, const struct fhir *f,
                        const struct change *c)
{
    if (c->op_count == 0 || c->ops[0].version_id == 0)
        return;
    buf_add(b, STR(",\"location\":\""));
    buf_add(b, release_type_name(f->release, c->type));
    buf_add_char(b, '/');
    buf_add(b, c->target);
    buf_add(b, STR("/_history/"));
    buf_add_i64(b, c->ops[0].version_id);
    buf_add(b, STR("\",\"etag\":\"W/\\\""));
    buf_add_i64(b, c->ops[0].version_id);
    buf_add(b, STR("\\\"\",\"lastModified\":\""));
    clock_add_instant(b, c->ops[0].last_updated_ms);
    buf_add_char(b, '"');
}

static void add_response(struct buf *b, const struct fhir *f,
                         const struct entry *e, const struct change *c)
{
    json_object(b);
    if (e->body.n > 0) {
        json_key(b, STR("resource"));
        json_raw(b, e->body);
    }
    json_key(b, STR("response"));
    json_object(b);
    json_member(b, STR("status"), status_line(status_of(e, c)));
    if (e->status == 0)
        add_written(b, f, c);
    if (e->location.n > 0)
        json_member(b, STR("location"), e->location);
    if (e->etag.n > 0)
        json_member(b, STR("etag"), e->etag);
    if (e->last_modified.n > 0)
        json_member(b, STR("lastModified"), e->last_modified);
    if (e->outcome.n > 0) {
        json_key(b, STR("outcome"));
        json_raw(b, e->outcome);
    }
    json_object_end(b);
    json_object_end(b);
}

static void render(const struct transaction *t, struct http_response *out)
{
    struct buf *b = &out->body;
    http_set_type(out, FHIR_TYPE);
    buf_reserve(b, t->n * 256 + 256);
    json_object(b);
    json_member(b, STR("resourceType"), STR("Bundle"));
    json_member(b, STR("type"),
                t->is_batch ? STR("batch-response")
                            : STR("transaction-response"));
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = 0; i < t->n; i++)
        add_response(b, t->f, &t->entries[i], &t->changes[i]);
    json_array_end(b);
    json_object_end(b);
}

enum err fhir_bundle(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    enum err err = fhir_begin(r, INTERACTION_BATCH, &f);
    if (err == OK && f.access.is_app_wide)
        err = why(&r->why, ERR_INVALID,
                  "name one user in x-oneup-user-id to write");
    if (err != OK)
        return err;
    struct transaction t = { .f = &f };
    err = fhir_transaction_read(&t, r->body);
    if (err == OK)
        err = t.is_batch ? fhir_batch_run(&t) : fhir_transaction_run(&t);
    if (err != OK)
        return err;
    render(&t, out);
    fhir_audit(&f, 'C', 200);
    return OK;
}
