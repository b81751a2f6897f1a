/* create, update, patch, delete as requests of their own.  FHIR R4 section
 * 3.1.0.8 and around. */
#include "api/fhir_change.h"

#include "api/fhir_prefer.h"
#include "api/fhir_validate.h"
#include "base/json.h"
#include "fhir/outcome.h"

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
        err = change_parse(f, text, out);
    if (err != OK)
        return err;
    if (out->type != f->type)
        return why_of(&r->why, ERR_INVALID, STR("the body is a "),
                      out->type_name, STR(", the URL names "), f->type_name);
    return OK;
}

/* --- answers -------------------------------------------------------------- */

static enum err location(const struct fhir *f, struct str id, int64_t version,
                         struct http_response *out)
{
    struct arena *a = f->http->arena;
    struct buf b = BUF_IN(a, 1024);
    struct str text;
    buf_add(&b, f->base);
    buf_add_char(&b, '/');
    buf_add(&b, f->type_name);
    buf_add_char(&b, '/');
    buf_add(&b, id);
    buf_add(&b, STR("/_history/"));
    buf_add_i64(&b, version);
    enum err err = buf_view(&b, &text);
    if (err == OK)
        http_set_header(out, STR("Location"), text);
    return err;
}

static void say(const struct fhir *f, struct http_response *out,
                struct str what, struct str id)
{
    struct outcome_issue issue = {
        .severity = STR("information"),
        .code = STR("informational"),
        .diagnostics = arena_cat(f->http->arena, what, STR(" "), f->type_name,
                                 STR("/"), id),
    };
    http_set_type(out, FHIR_TYPE);
    outcome_render(&out->body, f->release, &issue, 1);
}

static enum err answer_body(const struct fhir *f, const struct change *c,
                            struct store_snapshot *snap,
                            const struct store_version *v,
                            struct http_response *out)
{
    enum prefer_return want = prefer_return(f->http);
    if (want == PREFER_MINIMAL)
        return OK;
    if (want == PREFER_OUTCOME) {
        say(f, out,
            c->is_existing       ? STR("found")
            : out->status == 201 ? STR("created")
                                 : STR("updated"),
            v->id);
        return OK;
    }
    http_set_type(out, FHIR_TYPE);
    bool is_stored = c->op_count == 0 || c->ops[0].outcome == STORED_SAME;
    if (is_stored && snap != NULL)
        return store_body(snap, v->slot, &out->body);
    struct buf version = BUF_IN(f->http->arena, 32);
    struct str version_id;
    buf_add_i64(&version, v->version_id);
    enum err err = buf_view(&version, &version_id);
    if (err == OK)
        resource_render(
            &c->resource,
            &(struct resource_stamp){ v->id, version_id, v->last_updated_ms },
            &out->body);
    return err;
}

/* The resource as it stands now, with its headers. */
static enum err answer(const struct fhir *f, const struct change *c,
                       struct http_response *out)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v = { .id = c->target };
    out->status = 200;
    if (c->op_count == 0) { /* the one that was there */
        enum err err = fhir_open(f, &snap);
        if (err == OK)
            err = store_read(snap, c->type, c->target, &v);
        if (err != OK)
            return err;
    } else {
        v.version_id = c->ops[0].version_id;
        v.last_updated_ms = c->ops[0].last_updated_ms;
        out->status = c->ops[0].outcome == STORED_CREATED ? 201 : 200;
    }
    fhir_version_headers(out, &v);
    enum err err = location(f, v.id, v.version_id, out);
    return err == OK ? answer_body(f, c, snap, &v, out) : err;
}

static void answer_deleted(const struct fhir *f, const struct change *c,
                           struct http_response *out)
{
    struct arena *a = f->http->arena;
    if (c->op_count == 1 && c->ops[0].outcome == STORED_DELETED) {
        struct store_version v = { .version_id = c->ops[0].version_id,
                                   .last_updated_ms =
                                       c->ops[0].last_updated_ms };
        fhir_version_headers(out, &v);
    }
    if (c->criteria.p == NULL) {
        say(f, out, STR("deleted"), c->target);
        return;
    }
    struct buf n = BUF_IN(a, 32);
    struct str number = STR("");
    buf_add_u64(&n, c->op_count);
    if (buf_view(&n, &number) != OK)
        number = STR("");
    struct outcome_issue issue = {
        .severity = STR("information"),
        .code = STR("informational"),
        .diagnostics =
            arena_cat(a, STR("deleted "), number, STR(" "), f->type_name),
    };
    http_set_type(out, FHIR_TYPE);
    outcome_render(&out->body, f->release, &issue, 1);
}

/* --- handlers ------------------------------------------------------------- */

static enum err begin(struct http_request *r, enum interaction interaction,
                      struct fhir *f, struct change *c)
{
    enum err err = fhir_begin(r, interaction, f);
    if (err != OK)
        return err;
    if (f->type == TYPE_NONE)
        return why_of(&r->why, ERR_NOT_FOUND, f->info->name,
                      STR(" has no resource type "), f->type_name);
    if (f->kind == RECORD_AUDIT)
        return why(&r->why, ERR_METHOD,
                   "AuditEvents are written by the server alone");
    if (interaction == INTERACTION_PATCH && f->release == DSTU2)
        return why(&r->why, ERR_METHOD, "DSTU2 has no patch");
    if (f->access.is_app_wide)
        return why(&r->why, ERR_INVALID,
                   "name one user in x-oneup-user-id to write");
    *c = (struct change){ .type = f->type,
                          .id = r->captures[CAPTURE_ID],
                          .if_match = http_header(r, STR("If-Match")),
                          .if_none_match =
                              http_header(r, STR("If-None-Match")) };
    err = f->release == R4 && interaction != INTERACTION_PATCH
              ? prefer_check_body(r)
              : OK;
    return err == OK ? prefer_check(r) : err;
}

/* By id, or by criteria in the query: then there must be some. */
static enum err take_criteria(struct http_request *r, struct change *c)
{
    if (c->id.n > 0)
        return resource_is_id(c->id)
                   ? OK
                   : why_of(&r->why, ERR_INVALID, c->id, STR(" is no FHIR id"));
    c->criteria = r->query;
    return r->query.n > 0
               ? OK
               : why(&r->why, ERR_INVALID, "name an id, or search criteria");
}

enum err fhir_create(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct change c;
    enum err err = begin(r, INTERACTION_CREATE, &f, &c);
    if (err == OK)
        err = read_body(&f, &c.resource);
    if (err != OK)
        return err;
    bool is_answered = false;
    if (prefer_is_strict(r))
        err = fhir_validate_write(&f, c.resource.root, out, &is_answered);
    if (err != OK || is_answered)
        return err;
    c.verb = CHANGE_CREATE;
    c.if_match = c.if_none_match = STR("");
    if (f.info->keeps_ids_on_post && c.resource.id.n > 0) {
        c.id = c.resource.id; /* posted again: an update (contract 7.1) */
        c.keeps_id = true;
    }
    struct str exists = http_header(r, STR("If-None-Exist"));
    c.criteria = STR_NONE;
    if (exists.p != NULL)
        c.criteria = str_from(exists, str_starts(exists, STR("?")));
    err = change_do(&f, &c);
    if (err == OK)
        err = answer(&f, &c, out);
    if (err == OK)
        fhir_audit(&f, 'C', out->status);
    return err;
}

static enum err check_id(const struct fhir *f, const struct change *c)
{
    if (c->id.n == 0)
        return OK;
    struct str own = c->resource.id;
    if (own.n > 0 ? !str_eq(own, c->id) : f->release == R4)
        return why(&f->http->why, ERR_INVALID,
                   "the id in the body is not the id in the URL");
    return OK;
}

enum err fhir_update(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct change c;
    enum err err = begin(r, INTERACTION_UPDATE, &f, &c);
    if (err == OK)
        err = take_criteria(r, &c);
    if (err == OK)
        err = read_body(&f, &c.resource);
    if (err == OK)
        err = check_id(&f, &c);
    if (err != OK)
        return err;
    bool is_answered = false;
    if (prefer_is_strict(r))
        err = fhir_validate_write(&f, c.resource.root, out, &is_answered);
    if (err != OK || is_answered)
        return err;
    c.verb = CHANGE_UPDATE;
    err = change_do(&f, &c);
    if (err == OK)
        err = answer(&f, &c, out);
    if (err == OK)
        fhir_audit(&f, 'U', out->status);
    return err;
}

enum err fhir_patch(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct change c;
    enum err err = begin(r, INTERACTION_PATCH, &f, &c);
    if (err == OK)
        err = take_criteria(r, &c);
    if (err != OK)
        return err;
    c.verb = CHANGE_PATCH;
    c.patch = r->body;
    c.patch_type = http_header(r, STR("Content-Type"));
    err = change_do(&f, &c);
    if (err == OK)
        err = answer(&f, &c, out);
    if (err == OK)
        fhir_audit(&f, 'U', out->status);
    return err;
}

enum err fhir_delete(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct change c;
    enum err err = begin(r, INTERACTION_DELETE, &f, &c);
    if (err == OK)
        err = take_criteria(r, &c);
    if (err != OK)
        return err;
    c.verb = CHANGE_DELETE;
    err = change_do(&f, &c);
    if (err != OK)
        return err;
    answer_deleted(&f, &c, out);
    fhir_audit(&f, 'D', out->status);
    return OK;
}
