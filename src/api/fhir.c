#include "api/fhir.h"

#include "api/fhir_prefer.h"
#include "api/fhir_shape.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/json.h"

enum err fhir_begin_open(struct http_request *r, struct fhir *out)
{
    struct fhir f = { .http = r,
                      .services = services_of(r),
                      .type = TYPE_NONE };
    if (!release_find(r->captures[CAPTURE_RELEASE], &f.release))
        return why_of(&r->why, ERR_NOT_FOUND, STR("nothing is served at "),
                      r->path);
    f.info = release_info(f.release);
    f.kind = (enum record_kind)f.release;
    bool has_prefix = str_starts(r->path, STR("/fhir/"));
    f.base = arena_cat(r->arena, f.services->public_base,
                       has_prefix ? STR("/fhir/") : STR("/"),
                       r->captures[CAPTURE_RELEASE]);
    if (f.base.p == NULL)
        return arena_err(r->arena);
    *out = f;
    return OK;
}

static bool is_known_elsewhere(struct str name)
{
    for (unsigned i = 0; i < RELEASE_COUNT; i++)
        if (release_type_find((enum release)i, name, true) != TYPE_NONE)
            return true;
    return false;
}

static enum err resolve_type(struct fhir *f, struct str name)
{
    if (name.n == 0)
        return OK;
    f->type = release_type_find(f->release, name, !f->info->is_case_sensitive);
    if (f->type != TYPE_NONE) {
        f->type_name = release_type_name(f->release, f->type);
        if (f->release == R4 && str_eq(f->type_name, STR("AuditEvent")))
            f->kind = RECORD_AUDIT;
        return OK;
    }
    f->type_name = name;
    f->is_foreign_type =
        f->info->empty_for_other_types && is_known_elsewhere(name);
    if (f->is_foreign_type)
        return OK;
    return why_of(&f->http->why, ERR_NOT_FOUND, f->info->name,
                  STR(" has no resource type "), name);
}

/* Who asked for what, for the trace of a failure. */
struct asker {
    struct access_trace trace; /* first: r->principal is one */
    struct fhir f;
    enum interaction interaction;
};

static void audit_failure(const struct http_request *r, int status)
{
    static const char letters[] = {
        [INTERACTION_READ] = 'R',       [INTERACTION_VREAD] = 'R',
        [INTERACTION_SEARCH] = 'S',     [INTERACTION_HISTORY] = 'R',
        [INTERACTION_CREATE] = 'C',     [INTERACTION_UPDATE] = 'U',
        [INTERACTION_PATCH] = 'U',      [INTERACTION_DELETE] = 'D',
        [INTERACTION_EVERYTHING] = 'E', [INTERACTION_EXPORT] = 'E',
        [INTERACTION_BATCH] = 'C',      [INTERACTION_SHARE] = 'U',
    };
    const struct asker *asker = r->principal;
    if (asker != NULL && !asker->f.access.is_app_wide)
        fhir_audit(&asker->f, letters[asker->interaction], status);
}

static enum err keep_asker(struct http_request *r, const struct fhir *f,
                           enum interaction interaction)
{
    struct asker *asker = arena_alloc(r->arena, sizeof *asker);
    if (asker == NULL)
        return arena_err(r->arena);
    *asker = (struct asker){ { audit_failure }, *f, interaction };
    r->principal = asker;
    return OK;
}

enum err fhir_begin(struct http_request *r, enum interaction interaction,
                    struct fhir *out)
{
    struct fhir f;
    enum err err = fhir_begin_open(r, &f);
    if (err == OK)
        err = access_fhir(r, &f.access);
    if (err == OK)
        err = keep_asker(r, &f, interaction);
    if (err == OK)
        err = resolve_type(&f, r->captures[CAPTURE_TYPE]);
    if (err == OK && !str_eq(f.type_name, STR("Binary")))
        err = prefer_check_format(r);
    if (err == OK && interaction != INTERACTION_EXPORT) /* asks by type */
        err = policy_allows(&f.access.principal, interaction, f.type_name,
                            &r->why);
    if (err == OK)
        *out = f;
    return err;
}

enum err fhir_open(const struct fhir *f, struct store_snapshot **out)
{
    if (f->access.is_app_wide)
        return why(&f->http->why, ERR_INVALID,
                   "name one user in x-oneup-user-id for this interaction");
    return store_open(f->services->store, f->access.user_id, f->kind, out);
}

void fhir_close(struct store_snapshot **snap)
{
    store_close(*snap);
}

void fhir_audit(const struct fhir *f, char interaction, int status)
{
    if (f->services->audit == NULL)
        return;
    struct audit_access access = {
        .user_id = f->access.user_id,
        .app_id = f->access.principal.app_id,
        .interaction = interaction,
        .kind = f->kind,
        .type = f->type,
        .peer = f->http->peer,
        .status = status,
    };
    audit_record_access(f->services->audit, &access);
}

void fhir_version_headers(struct http_response *out,
                          const struct store_version *v)
{
    struct buf tag = BUF_IN(out->arena, 64);
    buf_add(&tag, STR("W/\""));
    buf_add_i64(&tag, v->version_id);
    buf_add_char(&tag, '"');
    struct buf date = BUF_IN(out->arena, 64);
    clock_add_http_date(&date, v->last_updated_ms);
    struct str text;
    if (buf_view(&tag, &text) == OK)
        http_set_header(out, STR("ETag"), text);
    if (buf_view(&date, &text) == OK)
        http_set_header(out, STR("Last-Modified"), text);
}

bool fhir_etag_version(struct str etag, int64_t *out)
{
    etag = str_trim(etag);
    if (str_starts(etag, STR("W/")))
        etag = str_from(etag, 2);
    if (etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"')
        etag = str_slice(etag, 1, etag.n - 1);
    return etag.n > 0 && str_to_i64(etag, out);
}

void bundle_begin(struct buf *b, struct str type, int64_t total)
{
    json_object(b);
    json_member(b, STR("resourceType"), STR("Bundle"));
    json_member(b, STR("type"), type);
    if (total >= 0)
        json_member_i64(b, STR("total"), total);
    json_key(b, STR("entry"));
    json_array(b);
}

enum err bundle_entry(struct buf *b, const struct fhir *f,
                      struct store_snapshot *snap,
                      const struct record_entry *entry, struct str mode,
                      const struct fhir_shape *shape)
{
    json_object(b);
    buf_add(b, STR("\"fullUrl\":\""));
    buf_add(b, f->base);
    buf_add_char(b, '/');
    buf_add(b, release_type_name(f->release, entry->type));
    buf_add_char(b, '/');
    buf_add(b, entry->id);
    buf_add(b, STR("\",\"search\":{\"mode\":\""));
    buf_add(b, mode);
    buf_add(b, STR("\"},\"resource\":"));
    enum err err = shape == NULL
                       ? store_body(snap, entry->slot, b)
                       : fhir_shape_add(f, shape, snap, entry->slot, b);
    buf_add_char(b, '}');
    return err;
}

bool fhir_is_private(struct str name)
{
    static const struct str names[] = {
        STR_INIT("access_token"),
        STR_INIT("amp;access_token"),
        STR_INIT("client_id"),
        STR_INIT("client_secret"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

bool fhir_is_cursor(struct str name)
{
    return str_eq(name, STR("_afterid")) || str_eq(name, STR("_skip")) ||
           str_eq(name, STR("_page")) || str_eq(name, STR("_offset")) ||
           str_eq(name, STR("_getpagesoffset"));
}

static void add_link(struct buf *b, const struct fhir *f, struct str relation,
                     struct str path, const struct url_params *params,
                     struct str cursor_name, struct str cursor)
{
    struct buf url = BUF_IN(f->http->arena, (size_t)1 << 20);
    buf_add(&url, f->base);
    buf_add(&url, path);
    for (size_t i = 0; i < params->n; i++) {
        struct str name = params->at[i].name;
        if (!fhir_is_private(name) &&
            !(cursor.p != NULL && fhir_is_cursor(name)))
            url_add_param(&url, name, params->at[i].value);
    }
    if (cursor.p != NULL)
        url_add_param(&url, cursor_name, cursor);
    struct str text = STR("");
    if (buf_view(&url, &text) != OK)
        return;
    json_object(b);
    json_member(b, STR("relation"), relation);
    json_member(b, STR("url"), text);
    json_object_end(b);
}

void bundle_end(struct buf *b, const struct fhir *f, struct str path,
                const struct url_params *params, struct str cursor_name,
                struct str next_cursor)
{
    json_array_end(b);
    if (next_cursor.p != NULL || f->info->always_links_self) {
        json_key(b, STR("link"));
        json_array(b);
        add_link(b, f, STR("self"), path, params, STR_NONE, STR_NONE);
        if (next_cursor.p != NULL)
            add_link(b, f, STR("next"), path, params, cursor_name, next_cursor);
        json_array_end(b);
    }
    json_object_end(b);
}
