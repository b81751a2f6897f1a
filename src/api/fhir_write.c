#include "api/fhir.h"

#include "base/json.h"
#include "fhir/resource.h"

#define CONFLICT_TRIES 20

/* resourceType=Patient&id=1&gender=female: flat members, all of them text. */
static enum err form_to_json(struct http_request *r, struct str *out)
{
    struct url_params form;
    enum err err = url_parse_params(r->arena, r->body, &form);
    if (err != OK)
        return err;
    struct buf b = BUF_IN(r->arena, RESOURCE_BYTES_MAX);
    json_object(&b);
    for (size_t i = 0; i < form.n; i++)
        json_member(&b, form.at[i].name, form.at[i].value);
    json_object_end(&b);
    return buf_view(&b, out);
}

/* The resource in the body, of the type that the URL names. */
static enum err read_body(const struct fhir *f, struct resource *out)
{
    struct http_request *r = f->http;
    struct str text = r->body;
    enum err err = OK;
    if (f->info->takes_form_creates &&
        http_is_type(r, STR("application/x-www-form-urlencoded")) &&
        str_find(str_slice(str_trim(text), 0, 1), '{') != 0)
        err = form_to_json(r, &text);
    if (err == OK)
        err = resource_parse(r->arena, f->release, text, out, &r->why);
    if (err != OK)
        return err;
    if (out->type != f->type)
        return why_of(&r->why, ERR_INVALID, STR("the body is a "),
                      out->type_name, STR(", the URL names "), f->type_name);
    return OK;
}

/* The stored resource as answer; Prefer: return=minimal leaves it out. */
static enum err answer(const struct fhir *f, const struct store_op *op,
                       struct http_response *out)
{
    struct http_request *r = f->http;
    struct str prefer = http_header(r, STR("Prefer"));
    struct buf version = BUF_IN(r->arena, 32);
    struct str version_id;
    buf_add_i64(&version, op->version_id);
    enum err err = buf_view(&version, &version_id);
    if (err != OK)
        return err;
    struct store_version v = { .version_id = op->version_id,
                               .last_updated_ms = op->last_updated_ms };
    fhir_version_headers(out, &v);
    out->status = op->outcome == STORED_CREATED ? 201 : 200;
    http_set_header(out, STR("Location"),
                    arena_cat(r->arena, f->base, STR("/"), f->type_name,
                              STR("/"), op->id, STR("/_history/"), version_id));
    http_set_type(out, FHIR_TYPE);
    if (str_search(prefer, STR("return=minimal")) < prefer.n)
        return OK;
    struct resource_stamp stamp = { op->id, version_id, op->last_updated_ms };
    resource_render(op->resource, &stamp, &out->body);
    return OK;
}

static enum err commit(const struct fhir *f, int64_t if_seq,
                       struct store_op *op)
{
    struct http_request *r = f->http;
    enum err err = store_commit(f->services->store, f->access.user_id, f->kind,
                                if_seq, op, 1, r->arena, NULL, NULL, &r->why);
    if (err == ERR_PRECONDITION && r->why.text[0] == '\0')
        return why(&r->why, err, "If-Match names another version");
    return err;
}

/* What If-None-Exist finds: nothing (OK, *found false) or one resource;
 * ERR_PRECONDITION when several.  *seq is what was looked at. */
static enum err find_existing(const struct fhir *f, struct str criteria,
                              bool *found, struct record_entry *entry,
                              struct store_snapshot **snap)
{
    struct http_request *r = f->http;
    struct url_params params;
    struct query q;
    struct record_hits hits;
    enum err err = url_parse_params(r->arena, criteria, &params);
    if (err == OK)
        err = query_parse(r->arena, f->release, f->type, &params, QUERY_STRICT,
                          &q, &r->why);
    if (err == OK && q.clause_count == 0)
        err = why(&r->why, ERR_INVALID, "If-None-Exist has no criteria");
    if (err == OK)
        err = fhir_open(f, snap);
    if (err != OK)
        return err;
    q.count = 2;
    err = record_search(store_record(*snap), &q, r->arena, &hits, &r->why);
    if (err == OK && hits.total > 1)
        err = why(&r->why, ERR_PRECONDITION,
                  "several resources match the criteria");
    if (err != OK)
        return err;
    *found = hits.total == 1;
    if (*found)
        *entry = hits.at[0];
    return OK;
}

static enum err answer_existing(struct store_snapshot *snap,
                                const struct record_entry *entry,
                                struct http_response *out)
{
    struct store_version v;
    enum err err = store_read(snap, entry->type, entry->id, &v);
    if (err != OK)
        return err;
    fhir_version_headers(out, &v);
    http_set_type(out, FHIR_TYPE);
    return store_body(snap, v.slot, &out->body);
}

/* Looks, then creates only if nobody wrote in between. */
static enum err create_if_none(const struct fhir *f, struct str criteria,
                               struct store_op *op, struct http_response *out)
{
    for (int tries = 0; tries < CONFLICT_TRIES; tries++) {
        AUTO_SNAPSHOT *snap = NULL;
        struct record_entry entry;
        bool found;
        enum err err = find_existing(f, criteria, &found, &entry, &snap);
        if (err != OK)
            return err;
        if (found)
            return answer_existing(snap, &entry, out);
        err = commit(f, store_seq(snap), op);
        if (err != ERR_CONFLICT)
            return err == OK ? answer(f, op, out) : err;
    }
    return why(&f->http->why, ERR_CONFLICT,
               "others keep changing this record; try again");
}

static enum err begin(struct http_request *r, enum interaction interaction,
                      struct fhir *f)
{
    enum err err = fhir_begin(r, interaction, f);
    if (err != OK)
        return err;
    if (f->type == TYPE_NONE)
        return why_of(&r->why, ERR_NOT_FOUND, f->info->name,
                      STR(" has no resource type "), f->type_name);
    if (f->access.is_app_wide)
        return why(&r->why, ERR_INVALID,
                   "name one user in x-oneup-user-id to write");
    return OK;
}

enum err fhir_create(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct resource resource;
    enum err err = begin(r, INTERACTION_CREATE, &f);
    if (err == OK)
        err = read_body(&f, &resource);
    if (err != OK)
        return err;
    struct store_op op = { .verb = STORE_CREATE, .resource = &resource };
    if (f.info->keeps_ids_on_post && resource.id.n > 0 &&
        !resource_is_id(resource.id))
        return why_of(&r->why, ERR_INVALID, resource.id, STR(" is no FHIR id"));
    if (f.info->keeps_ids_on_post && resource.id.n > 0) {
        op.verb = STORE_PUT; /* posted again: an update (contract 7.1) */
        op.id = resource.id;
    } else {
        op.id = store_new_id(r->arena, f.type_name, STR(""));
    }
    struct str criteria = http_header(r, STR("If-None-Exist"));
    if (criteria.n > 0) {
        err = create_if_none(&f, criteria, &op, out);
    } else {
        err = commit(&f, -1, &op);
        if (err == OK)
            err = answer(&f, &op, out);
    }
    if (err == OK)
        fhir_audit(&f, 'C', out->status);
    return err;
}

static enum err if_match(const struct http_request *r, struct why *w,
                         int64_t *out)
{
    struct str etag = http_header(r, STR("If-Match"));
    if (etag.n == 0 || fhir_etag_version(etag, out))
        return OK;
    return why(w, ERR_PRECONDITION, "If-Match is no W/\"version\"");
}

enum err fhir_update(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct resource resource;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = begin(r, INTERACTION_UPDATE, &f);
    if (err == OK)
        err = read_body(&f, &resource);
    if (err != OK)
        return err;
    if (!resource_is_id(id))
        return why_of(&r->why, ERR_INVALID, id, STR(" is no FHIR id"));
    if (resource.id.n > 0 ? !str_eq(resource.id, id) : f.release == R4)
        return why(&r->why, ERR_INVALID,
                   "the id in the body is not the id in the URL");
    struct store_op op = { .verb = STORE_PUT, .resource = &resource, .id = id };
    err = if_match(r, &r->why, &op.if_version);
    if (err == OK)
        err = commit(&f, -1, &op);
    if (err == OK)
        err = answer(&f, &op, out);
    if (err == OK)
        fhir_audit(&f, 'U', out->status);
    return err;
}

static void answer_deleted(const struct fhir *f, struct http_response *out)
{
    struct buf *b = &out->body;
    http_set_type(out, FHIR_TYPE);
    json_object(b);
    json_member(b, STR("resourceType"), STR("OperationOutcome"));
    json_key(b, STR("issue"));
    json_array(b);
    json_object(b);
    json_member(b, STR("severity"), STR("information"));
    json_member(b, STR("code"), STR("informational"));
    json_member(b, STR("diagnostics"),
                arena_cat(f->http->arena, STR("deleted "), f->type_name,
                          STR("/"), f->http->captures[CAPTURE_ID]));
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
}

enum err fhir_delete(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    enum err err = begin(r, INTERACTION_DELETE, &f);
    if (err != OK)
        return err;
    struct store_op op = { .verb = STORE_DELETE,
                           .type = f.type,
                           .id = r->captures[CAPTURE_ID] };
    err = if_match(r, &r->why, &op.if_version);
    if (err == OK)
        err = commit(&f, -1, &op);
    if (err != OK)
        return err;
    struct store_version v = { .version_id = op.version_id,
                               .last_updated_ms = op.last_updated_ms };
    if (op.outcome == STORED_DELETED)
        fhir_version_headers(out, &v);
    answer_deleted(&f, out);
    fhir_audit(&f, 'D', out->status);
    return OK;
}
