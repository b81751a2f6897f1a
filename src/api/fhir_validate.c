/* $validate.  FHIR R4, operation Resource-validate. */
#include "api/fhir_validate.h"

#include "base/json.h"
#include "fhir/resource.h"
#include "validate/validate.h"

#define BASE_PROFILES STR("http://hl7.org/fhir/StructureDefinition/")

static void add_issue(struct buf *b, enum release release, struct str severity,
                      const struct validate_issue *issue)
{
    json_object(b);
    json_member(b, STR("severity"), severity);
    json_member(b, STR("code"), issue->code);
    json_key(b, STR("details"));
    json_object(b);
    json_member(b, STR("text"), issue->text);
    json_object_end(b);
    json_member(b, STR("diagnostics"), issue->text);
    if (issue->expression.n > 0) {
        json_key(b, release == DSTU2 ? STR("location") : STR("expression"));
        json_array(b);
        json_string(b, issue->expression);
        json_array_end(b);
    }
    json_object_end(b);
}

static void begin_outcome(struct buf *b)
{
    json_object(b);
    json_member(b, STR("resourceType"), STR("OperationOutcome"));
    json_key(b, STR("issue"));
    json_array(b);
}

static void add_report(struct buf *b, const struct fhir *f,
                       const struct validate_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        add_issue(b, f->release,
                  report->at[i].is_error ? STR("error") : STR("warning"),
                  &report->at[i]);
    if (report->is_cut)
        add_issue(b, f->release, STR("warning"),
                  &(struct validate_issue){
                      .code = STR("too-costly"),
                      .text = STR("there are more; these are the first") });
}

static void end_outcome(struct buf *b)
{
    json_array_end(b);
    json_object_end(b);
}

enum err fhir_validate_write(const struct fhir *f, struct yyjson_val *root,
                             struct http_response *out, bool *is_answered)
{
    struct validate_report report;
    *is_answered = false;
    enum err err = validate_resource(f->release, root, f->http->arena, &report);
    if (err != OK || !report.has_errors)
        return err;
    *is_answered = true;
    out->status = 400;
    http_set_type(out, FHIR_TYPE);
    begin_outcome(&out->body);
    add_report(&out->body, f, &report);
    end_outcome(&out->body);
    return OK;
}

/* --- the operation -------------------------------------------------------- */

struct asked {
    struct yyjson_val *resource;
    struct str profile;
};

/* A resource, or Parameters with one and a profile. */
static enum err read_body(const struct fhir *f, struct asked *ask)
{
    struct http_request *r = f->http;
    struct yyjson_val *root;
    enum err err = json_parse(r->arena, r->body, &root, &r->why);
    if (err != OK)
        return err;
    ask->resource = root;
    if (!str_eq(json_get_text(root, STR("resourceType")), STR("Parameters")) ||
        str_eq(f->type_name, STR("Parameters")))
        return OK;
    ask->resource = NULL;
    for (JSON_EACH(p, json_get(root, STR("parameter")))) {
        struct str name = json_get_text(p.now, STR("name"));
        if (str_eq(name, STR("resource")))
            ask->resource = json_get(p.now, STR("resource"));
        for (JSON_MEMBERS(m, p.now))
            if (str_eq(name, STR("profile")) &&
                str_starts(json_key_of(&m), STR("value")))
                ask->profile = json_text(m.value);
    }
    return ask->resource != NULL
               ? OK
               : why(&r->why, ERR_INVALID,
                     "the Parameters have no resource to validate");
}

/* What is stored under the id. */
static enum err read_stored(const struct fhir *f, struct asked *ask)
{
    struct http_request *r = f->http;
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    struct buf body = BUF_IN(r->arena, HTTP_BODY_MAX);
    enum err err = fhir_open(f, &snap);
    if (err == OK)
        err = store_read(snap, f->type, r->captures[CAPTURE_ID], &v);
    if (err == OK)
        err = store_body(snap, v.slot, &body);
    if (err != OK)
        return why_of(&r->why, err, STR("no "), f->type_name, STR("/"),
                      r->captures[CAPTURE_ID]);
    return json_parse(r->arena, (struct str){ body.data, body.len },
                      &ask->resource, &r->why);
}

/* Base definitions we have, other profiles not. */
static void add_profile(struct buf *b, const struct fhir *f,
                        const struct asked *ask, struct str type)
{
    struct arena *a = f->http->arena;
    if (ask->profile.n == 0 ||
        str_eq(ask->profile, arena_cat(a, BASE_PROFILES, type)))
        return;
    struct validate_issue issue = {
        .code = STR("not-supported"),
        .text = arena_cat(a, STR("the profile "), ask->profile,
                          STR(" is not known here; the base definition was "
                              "checked")),
    };
    add_issue(b, f->release, STR("error"), &issue);
}

static enum err answer(const struct fhir *f, const struct asked *ask,
                       struct http_response *out)
{
    struct validate_report report;
    struct buf *b = &out->body;
    struct str type = json_get_text(ask->resource, STR("resourceType"));
    enum err err =
        validate_resource(f->release, ask->resource, f->http->arena, &report);
    if (err != OK)
        return err;
    http_set_type(out, FHIR_TYPE);
    begin_outcome(b);
    add_profile(b, f, ask, type);
    if (f->type != TYPE_NONE && !str_eq(type, f->type_name)) {
        struct validate_issue issue = {
            .code = STR("invalid"),
            .text = arena_cat(f->http->arena, STR("the resource is a "), type,
                              STR(", the URL names "), f->type_name),
        };
        add_issue(b, f->release, STR("error"), &issue);
    }
    add_report(b, f, &report);
    if (report.n == 0)
        add_issue(b, f->release, STR("information"),
                  &(struct validate_issue){ .code = STR("informational"),
                                            .text = STR("all is well") });
    end_outcome(b);
    return OK;
}

enum err fhir_validate(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct asked ask = { .profile = STR("") };
    enum err err = fhir_begin(r, INTERACTION_READ, &f);
    if (err != OK)
        return err;
    struct str profile = url_param(&r->params, STR("profile"));
    if (str_trim(r->body).n > 0)
        err = read_body(&f, &ask);
    else if (r->captures[CAPTURE_ID].n > 0)
        err = read_stored(&f, &ask);
    else
        err = why(&r->why, ERR_INVALID, "there is no resource to validate");
    if (profile.p != NULL)
        ask.profile = profile;
    return err == OK ? answer(&f, &ask, out) : err;
}
