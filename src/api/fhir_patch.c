/* PATCH: the current version, changed by JSON Patch or FHIRPath Patch.
 * FHIR R4 3.1.0.10; fhir-behaviour 4.2 E. */
#include "api/fhir_change.h"
#include "api/fhir_prefer.h"
#include "base/json.h"
#include "patch/patch.h"
#include "validate/validate.h"

enum patch_kind { PATCH_NONE, PATCH_JSON, PATCH_FHIRPATH };

/* Plain JSON says by its first byte which of the two it is. */
static enum patch_kind kind_of(struct str type, struct str body)
{
    struct str name = str_trim(str_slice(type, 0, str_find(type, ';')));
    body = str_trim(body);
    if (str_eq_nocase(name, STR("application/json-patch+json")))
        return PATCH_JSON;
    if (str_eq_nocase(name, STR("application/fhir+json")) ||
        str_eq_nocase(name, STR("application/json+fhir")))
        return PATCH_FHIRPATH;
    if (str_eq_nocase(name, STR("application/json")))
        return body.n > 0 && body.p[0] == '[' ? PATCH_JSON : PATCH_FHIRPATH;
    return PATCH_NONE;
}

static enum err current_text(const struct fhir *f, struct store_snapshot *snap,
                             const struct change *c, struct str *out)
{
    struct http_request *r = f->http;
    struct store_version v;
    struct buf b = BUF_IN(r->arena, RESOURCE_BYTES_MAX);
    enum err err = store_read(snap, c->type, c->target, &v);
    if (err == OK)
        err = store_body(snap, v.slot, &b);
    if (err == OK)
        err = buf_view(&b, out);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return why_of(&r->why, err, release_type_name(f->release, c->type),
                      STR("/"), c->target,
                      err == ERR_GONE ? STR(" was deleted")
                                      : STR(" is not there"));
    return err;
}

/* Prefer: handling=strict wants a sound resource, as for other writes. */
static enum err check_strictly(const struct fhir *f, const struct resource *r)
{
    struct validate_report report;
    enum err err =
        validate_resource(f->release, r->root, f->http->arena, &report);
    for (size_t i = 0; err == OK && report.has_errors && i < report.n; i++)
        if (report.at[i].is_error)
            return why_of(&f->http->why, ERR_INVALID,
                          STR("the patched resource is not sound: "),
                          report.at[i].expression, STR(": "),
                          report.at[i].text);
    return err;
}

enum err change_patch(const struct fhir *f, struct store_snapshot *snap,
                      struct change *c)
{
    struct http_request *r = f->http;
    struct str text, patched;
    if (f->release == DSTU2)
        return why(&r->why, ERR_METHOD, "DSTU2 has no PATCH");
    enum patch_kind kind = kind_of(c->patch_type, c->patch);
    if (kind == PATCH_NONE)
        return why(&r->why, ERR_MEDIA_TYPE,
                   "a patch is application/json-patch+json, or Parameters as "
                   "application/fhir+json");
    if (str_trim(c->patch).n == 0)
        return why(&r->why, ERR_FORMAT, "the patch is empty");
    enum err err = current_text(f, snap, c, &text);
    if (err == OK && kind == PATCH_JSON)
        err = patch_json(r->arena, text, c->patch, &patched, &r->why);
    else if (err == OK)
        err = patch_fhirpath(r->arena, f->release, text, c->patch, &patched,
                             &r->why);
    if (err != OK)
        return err;
    err = resource_parse(r->arena, f->release, patched, &c->resource, &r->why);
    return err == OK && prefer_is_strict(r) ? check_strictly(f, &c->resource)
                                            : err;
}
