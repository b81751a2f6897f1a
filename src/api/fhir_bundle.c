/* Transactions (all or nothing) and batches.  FHIR R4 section 3.1.0.11.
 *
 * A transaction: every entry is parsed, gets its id, the references between
 * entries are pointed at those ids, conditional references and If-None-Exist
 * are looked up, and all of it is one commit.  The record may have changed
 * between look and commit; then it is done again.
 */
#include "api/fhir_bundle_int.h"

#include "base/clock.h"
#include "base/json.h"

#define CONFLICT_TRIES 20

static enum err bad_entry(const struct transaction *t, size_t i, enum err err,
                          struct str text)
{
    struct buf n = BUF_IN(t->f->http->arena, 32);
    struct str number = STR("");
    buf_add_u64(&n, i);
    if (buf_view(&n, &number) != OK)
        return arena_err(t->f->http->arena);
    return why_of(&t->f->http->why, err, STR("Bundle.entry["), number,
                  STR("]: "), text);
}

/* Splits an entry's text into what we need of it; views, nothing copied. */
static enum err read_entry(struct transaction *t, size_t i, struct str text)
{
    struct entry *e = &t->entries[i];
    struct arena *a = t->f->http->arena;
    struct json_member_text m;
    struct yyjson_val *v;
    struct str inside = json_inside(text), request = STR_NONE;
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
        return bad_entry(t, i, ERR_INVALID, STR("has no request"));
    e->method = json_get_text(v, STR("method"));
    e->url = json_get_text(v, STR("url"));
    e->if_none_exist = json_get_text(v, STR("ifNoneExist"));
    e->if_match = json_get_text(v, STR("ifMatch"));
    if (e->method.n == 0 || e->url.n == 0)
        return bad_entry(t, i, ERR_INVALID, STR("request without method, url"));
    return arena_err(a);
}

/* Type and id that a request.url names; a query is kept apart. */
static enum err split_url(struct transaction *t, size_t i)
{
    struct entry *e = &t->entries[i];
    struct str url = e->url;
    size_t mark = str_find(url, '?');
    e->url_query = str_from(url, mark + 1);
    url = str_slice(url, 0, mark);
    if (url.n > 0 && url.p[0] == '/')
        url = str_from(url, 1);
    if (str_starts(url, t->f->base))
        url = str_from(url, t->f->base.n + 1);
    size_t slash = str_find(url, '/');
    e->type = release_type_find(t->f->release, str_slice(url, 0, slash),
                                !t->f->info->is_case_sensitive);
    e->url_id = str_from(url, slash + 1);
    if (e->type == TYPE_NONE)
        return bad_entry(t, i, ERR_INVALID,
                         arena_cat(t->f->http->arena, STR("request.url "),
                                   e->url, STR(" names no resource type")));
    if (e->url_id.n > 0 && !resource_is_id(e->url_id))
        return bad_entry(t, i, ERR_INVALID, STR("request.url has no FHIR id"));
    return OK;
}

static enum err parse_resource(struct transaction *t, size_t i)
{
    struct entry *e = &t->entries[i];
    struct http_request *r = t->f->http;
    if (e->text.p == NULL)
        return bad_entry(t, i, ERR_INVALID, STR("has no resource"));
    enum err err =
        resource_parse(r->arena, t->f->release, e->text, &e->resource, &r->why);
    if (err != OK) {
        struct why inner = r->why;
        return bad_entry(t, i, err, str_of(inner.text));
    }
    if (e->resource.type != e->type)
        return bad_entry(t, i, ERR_INVALID,
                         STR("request.url names another type"));
    return OK;
}

static enum err plan_entry(struct transaction *t, size_t i)
{
    struct entry *e = &t->entries[i];
    enum err err = split_url(t, i);
    if (err != OK)
        return err;
    bool is_post = str_eq(e->method, STR("POST"));
    bool is_put = str_eq(e->method, STR("PUT"));
    if (is_post || is_put)
        err = parse_resource(t, i);
    if (err != OK)
        return err;
    if (is_post) {
        e->verb = ENTRY_CREATE;
        bool keeps =
            t->f->info->keeps_ids_on_post && resource_is_id(e->resource.id);
        e->id = keeps ? e->resource.id
                      : store_new_id(t->f->http->arena, e->resource.type_name,
                                     STR(""));
        e->keeps_id = keeps;
    } else if (is_put) {
        e->verb = ENTRY_UPDATE;
        e->id = e->url_id.n > 0 ? e->url_id : e->resource.id;
        if (e->id.n == 0)
            return bad_entry(t, i, ERR_UNSUPPORTED,
                             STR("PUT without an id in request.url"));
    } else if (str_eq(e->method, STR("DELETE")) && e->url_id.n > 0) {
        e->verb = ENTRY_DELETE;
        e->id = e->url_id;
    } else if (str_eq(e->method, STR("GET")) && e->url_id.n > 0) {
        e->verb = ENTRY_READ;
        e->id = e->url_id;
    } else {
        return bad_entry(
            t, i, ERR_UNSUPPORTED,
            STR("this method and url are not offered in a Bundle"));
    }
    if (e->if_match.n > 0 && !fhir_etag_version(e->if_match, &e->if_version))
        return bad_entry(t, i, ERR_INVALID, STR("ifMatch is no W/\"version\""));
    return OK;
}

enum err fhir_transaction_read(struct transaction *t, struct str body)
{
    struct http_request *r = t->f->http;
    struct yyjson_val *checked;
    enum err err;
    {
        /* The whole is parsed once, only to know that it is JSON. */
        AUTO_ARENA check = ARENA((size_t)4 << 30);
        err = json_parse(&check, body, &checked, &r->why);
        if (err == OK &&
            !str_eq(json_get_text(checked, STR("resourceType")), STR("Bundle")))
            err = why(&r->why, ERR_INVALID, "the body is no Bundle");
        if (err != OK)
            return err;
        struct str type = json_get_text(checked, STR("type"));
        t->is_batch = str_eq(type, STR("batch"));
        if (!t->is_batch && !str_eq(type, STR("transaction")))
            return why(&r->why, ERR_INVALID,
                       "Bundle.type must be transaction or batch");
        t->n = json_count(json_get(checked, STR("entry")));
    }
    if (t->n > TRANSACTION_ENTRIES_MAX)
        return why(&r->why, ERR_TOO_LARGE, "the Bundle has too many entries");
    struct buf text = BUF_IN(r->arena, HTTP_BODY_MAX);
    buf_reserve(&text, body.n);
    err = json_minify(body, RESOURCE_DEPTH_MAX + 8, &text);
    t->entries = arena_zalloc(r->arena, t->n + 1, sizeof *t->entries);
    if (err != OK || t->entries == NULL)
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

enum err fhir_transaction_plan_entry(struct transaction *t, size_t i)
{
    enum err err = read_entry(t, i, t->entries[i].raw);
    return err == OK ? plan_entry(t, i) : err;
}

/* --- answer ----------------------------------------------------------------
 */

static struct str status_of(const struct entry *e)
{
    if (e->failed != OK)
        return STR("400 Bad Request");
    if (e->verb == ENTRY_DELETE)
        return STR("204 No Content");
    return e->op.outcome == STORED_CREATED && e->verb != ENTRY_READ &&
                   !e->is_existing
               ? STR("201 Created")
               : STR("200 OK");
}

static void add_response(struct buf *b, const struct fhir *f,
                         const struct entry *e)
{
    json_object(b);
    if (e->body.n > 0) {
        json_key(b, STR("resource"));
        json_raw(b, e->body);
    }
    json_key(b, STR("response"));
    json_object(b);
    json_member(b, STR("status"), status_of(e));
    if (e->failed == OK && e->op.version_id != 0) {
        buf_add(b, STR(",\"location\":\""));
        buf_add(b, release_type_name(f->release, e->type));
        buf_add_char(b, '/');
        buf_add(b, e->id);
        buf_add(b, STR("/_history/"));
        buf_add_i64(b, e->op.version_id);
        buf_add(b, STR("\",\"etag\":\"W/\\\""));
        buf_add_i64(b, e->op.version_id);
        buf_add(b, STR("\\\"\",\"lastModified\":\""));
        clock_add_instant(b, e->op.last_updated_ms);
        buf_add_char(b, '"');
    }
    if (e->failed != OK) {
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
        add_response(b, t->f, &t->entries[i]);
    json_array_end(b);
    json_object_end(b);
}

static enum err run(struct transaction *t)
{
    for (int tries = 0; tries < CONFLICT_TRIES; tries++) {
        enum err err =
            t->is_batch ? fhir_batch_run(t) : fhir_transaction_run(t);
        if (err != ERR_CONFLICT)
            return err;
    }
    return why(&t->f->http->why, ERR_CONFLICT,
               "others keep changing this record; try again");
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
        err = run(&t);
    if (err != OK)
        return err;
    render(&t, out);
    fhir_audit(&f, 'C', 200);
    return OK;
}
