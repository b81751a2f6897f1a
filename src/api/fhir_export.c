/* $export's kick-off, status and manifest.  Contract 7.9; Bulk Data Access IG
 * 2.0. */
#include "api/fhir_export.h"

#include "api/fhir_prefer.h"
#include "base/clock.h"
#include "base/json.h"

#define URL_MAX ((size_t)1 << 20)

enum err export_begin(struct http_request *r, struct fhir *f,
                      struct str captures[EXPORT_CAPTURES])
{
    for (size_t i = 0; i < EXPORT_CAPTURES; i++) {
        captures[i] = r->captures[CAPTURE_TYPE + i];
        r->captures[CAPTURE_TYPE + i] = STR("");
    }
    enum err err = fhir_begin(r, INTERACTION_EXPORT, f);
    return err == ERR_NOT_ACCEPTABLE ? ERR_INVALID : err; /* as the IG says */
}

struct str export_sync_base(const struct fhir *f)
{
    return arena_cat(f->http->arena, f->services->public_base,
                     STR("/bulk-data/"), f->http->captures[CAPTURE_RELEASE]);
}

/* --- the manifest --------------------------------------------------------- */

struct manifest {
    const struct fhir *f;
    struct buf *b;
    struct str request;
    const struct bulk_ask *ask;
};

static void begin_manifest(const struct manifest *m)
{
    struct buf *b = m->b;
    json_object(b);
    buf_add(b, STR("\"transactionTime\":\""));
    clock_add_instant(b, m->ask->until_ms);
    buf_add_char(b, '"');
    json_member(b, STR("request"), m->request);
    json_member_bool(b, STR("requiresAccessToken"), true);
    json_key(b, STR("output"));
    json_array(b);
}

static void add_file(const struct manifest *m, struct str type, struct str url,
                     uint64_t count)
{
    json_object(m->b);
    json_member(m->b, STR("type"), type);
    json_member(m->b, STR("url"), url);
    json_member_i64(m->b, STR("count"), (int64_t)count);
    json_object_end(m->b);
}

/* What was asked, without secrets. */
static struct str request_url(const struct fhir *f)
{
    struct http_request *r = f->http;
    struct buf url = BUF_IN(r->arena, URL_MAX);
    struct str text = STR("");
    buf_add(&url, f->services->public_base);
    buf_add(&url, r->path);
    for (size_t i = 0; i < r->params.n; i++)
        if (!fhir_is_private(r->params.at[i].name))
            url_add_param(&url, r->params.at[i].name, r->params.at[i].value);
    return buf_view(&url, &text) == OK ? text : STR("");
}

/* --- at once -------------------------------------------------------------- */

static enum err answer_now(const struct fhir *f, struct bulk_ask *ask,
                           struct http_response *out)
{
    struct services *s = f->services;
    struct arena *a = f->http->arena;
    struct bulk_totals totals;
    ask->until_ms = export_moment(s->store, f->release, f->access.user_id);
    enum err err =
        bulk_count_all(s->store, s->db, f->access.principal.app_id,
                       f->access.user_id, ask, a, &totals, NULL, NULL);
    if (err != OK)
        return err;
    struct manifest m = { f, &out->body, request_url(f), ask };
    http_set_type(out, STR("application/json"));
    begin_manifest(&m);
    for (size_t i = 0; i < totals.type_count; i++) {
        struct str type = release_type_name(f->release, (uint16_t)i);
        if (totals.types[i].count > 0)
            add_file(&m, type,
                     arena_cat(a, export_sync_base(f), STR("/$export/"), type,
                               STR("/"),
                               export_file_token(f, ask, &totals.types[i]),
                               STR(".ndjson")),
                     totals.types[i].count);
    }
    json_array_end(m.b);
    if (totals.deleted > 0) {
        struct bulk_total deleted = { totals.deleted, STR(""), STR("") };
        json_key(m.b, STR("deleted"));
        json_array(m.b);
        add_file(&m, STR("Bundle"),
                 arena_cat(a, export_sync_base(f), STR("/$export/deleted/"),
                           export_file_token(f, ask, &deleted), STR(".ndjson")),
                 totals.deleted);
        json_array_end(m.b);
    }
    json_object_end(m.b);
    fhir_audit(f, 'E', 200);
    return arena_err(a);
}

/* --- later ---------------------------------------------------------------- */

static enum err answer_later(const struct fhir *f, const struct bulk_ask *ask,
                             struct http_response *out)
{
    struct services *s = f->services;
    struct export_row row = { .app_id = f->access.principal.app_id,
                              .user_id = f->access.user_id,
                              .request = request_url(f),
                              .ask = *ask };
    enum err err =
        export_start(s->exports, &row, f->http->arena, &f->http->why);
    if (err != OK)
        return err;
    if (s->jobs != NULL)
        jobs_wake(s->jobs);
    out->status = 202;
    http_set_header(
        out, STR("Content-Location"),
        arena_cat(f->http->arena, f->base, STR("/$export-status/"), row.id));
    fhir_audit(f, 'E', 202);
    return OK;
}

enum err fhir_export(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct bulk_ask ask;
    struct str captures[EXPORT_CAPTURES];
    bool has_sync = str_starts(r->path, STR("/bulk-data/"));
    enum err err = export_begin(r, &f, captures);
    if (err == OK && !has_sync && !prefer_is_async(r))
        err = why(&r->why, ERR_INVALID,
                  "an export is asked with Prefer: respond-async; below "
                  "/bulk-data it is answered at once without");
    if (err == OK)
        err = export_read_ask(&f, captures[0], &ask);
    if (err != OK)
        return err;
    return prefer_is_async(r) ? answer_later(&f, &ask, out)
                              : answer_now(&f, &ask, out);
}

/* --- status --------------------------------------------------------------- */

static enum err find_export(struct http_request *r, struct fhir *f,
                            struct export_row *row)
{
    struct str captures[EXPORT_CAPTURES];
    enum err err = export_begin(r, f, captures);
    if (err == OK)
        err = export_get(f->services->exports, f->access.principal.app_id,
                         f->access.user_id, captures[0], r->arena, row);
    if (err == OK && row->ask.release != f->release)
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND && r->why.text[0] == '\0')
        return why(&r->why, err, "there is no such export (any more)");
    return err;
}

static enum err add_outputs(const struct manifest *m,
                            const struct export_row *row)
{
    struct arena *a = m->f->http->arena;
    struct yyjson_val *root;
    int64_t deleted = 0, n;
    enum err err = json_parse(a, row->result, &root, NULL);
    if (err != OK)
        return err;
    struct str files =
        arena_cat(a, m->f->base, STR("/$export-file/"), row->id, STR("/"));
    for (JSON_MEMBERS(one, json_get(root, STR("types")))) {
        struct str type = json_key_of(&one);
        if (str_to_i64(json_text(one.value), &n))
            add_file(m, type, arena_cat(a, files, type, STR(".ndjson")),
                     (uint64_t)n);
    }
    json_array_end(m->b);
    json_key(m->b, STR("deleted"));
    json_array(m->b);
    if (json_get_i64(root, STR("deleted"), &deleted) && deleted > 0)
        add_file(m, STR("Bundle"), arena_cat(a, files, STR("deleted.ndjson")),
                 (uint64_t)deleted);
    json_array_end(m->b);
    return arena_err(a);
}

static enum err answer_done(const struct fhir *f, const struct export_row *row,
                            struct http_response *out)
{
    struct manifest m = { f, &out->body, row->request, &row->ask };
    struct buf expires = BUF_IN(f->http->arena, 64);
    struct str text;
    clock_add_http_date(&expires, row->expires_ms);
    if (buf_view(&expires, &text) == OK)
        http_set_header(out, STR("Expires"), text);
    http_set_type(out, STR("application/json"));
    begin_manifest(&m);
    enum err err = add_outputs(&m, row);
    json_key(m.b, STR("error"));
    json_array(m.b);
    json_array_end(m.b);
    json_object_end(m.b);
    return err;
}

enum err fhir_export_status(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct export_row row;
    enum err err = find_export(r, &f, &row);
    if (err != OK)
        return err;
    if (row.status == EXPORT_FAILED)
        return why(&r->why, ERR_IO, "the export failed; ask for it again");
    if (row.status == EXPORT_DONE)
        return answer_done(&f, &row, out);
    out->status = 202;
    http_set_header(out, STR("X-Progress"),
                    row.progress.n > 0 ? row.progress : STR("begun"));
    http_set_header(out, STR("Retry-After"), STR("1"));
    return OK;
}

enum err fhir_export_cancel(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct export_row row;
    enum err err = find_export(r, &f, &row);
    if (err == OK)
        err =
            export_cancel(f.services->exports, row.app_id, row.user_id, row.id);
    if (err == OK)
        out->status = 202;
    return err;
}
