#include "api/fhir.h"

#include "base/clock.h"

#define BODY_GUESS 1536

/* _type=A,B into numbers; unknown names are an error. */
static enum err read_types(struct http_request *r, const struct fhir *f,
                           struct record_everything *ask)
{
    struct str list = url_param(&r->params, STR("_type")), name;
    if (list.p == NULL)
        return OK;
    uint16_t *types = arena_zalloc(r->arena, list.n + 1, sizeof *types);
    if (types == NULL)
        return arena_err(r->arena);
    while (str_cut(&list, ',', &name)) {
        uint16_t type = release_type_find(f->release, str_trim(name),
                                          !f->info->is_case_sensitive);
        if (type == TYPE_NONE)
            return why_of(&r->why, ERR_INVALID, STR("_type: "), f->info->name,
                          STR(" has no resource type "), name);
        types[ask->type_count++] = type;
    }
    ask->types = types;
    return OK;
}

/* "Observation/<id>", or a bare id of the whole order. */
static enum err read_cursor(struct http_request *r, const struct fhir *f,
                            struct record_everything *ask)
{
    struct str cursor = url_param(&r->params, STR("_afterid"));
    if (cursor.p == NULL)
        return OK;
    size_t slash = str_find(cursor, '/');
    ask->after_type =
        release_type_find(f->release, str_slice(cursor, 0, slash), true);
    ask->after_id = str_from(cursor, slash + 1);
    if (slash == cursor.n || ask->after_type == TYPE_NONE)
        return why(&r->why, ERR_INVALID,
                   "_afterid: follow the next link as it was given");
    return OK;
}

static enum err read_ask(struct http_request *r, const struct fhir *f,
                         struct record_everything *ask, uint64_t *skip)
{
    int64_t n;
    struct str since = url_param(&r->params, STR("_since"));
    ask->patient_id = r->captures[CAPTURE_ID];
    ask->count = FHIR_COUNT_DEFAULT;
    if (str_to_i64(url_param(&r->params, STR("_count")), &n) && n > 0)
        ask->count = n > f->info->count_max ? f->info->count_max : (size_t)n;
    if (str_to_i64(url_param(&r->params, STR("_skip")), &n) && n > 0)
        *skip = (uint64_t)n;
    if (since.p != NULL && clock_parse_instant(since, &ask->since_ms) != OK)
        return why(&r->why, ERR_INVALID, "_since is no instant");
    enum err err = read_types(r, f, ask);
    return err == OK ? read_cursor(r, f, ask) : err;
}

static enum err render(const struct fhir *f, struct store_snapshot *snap,
                       const struct record_hits *hits, uint64_t skip,
                       struct http_response *out)
{
    struct http_request *r = f->http;
    struct buf *b = &out->body;
    http_set_type(out, FHIR_TYPE);
    buf_reserve(b, (hits->n - (size_t)skip + 1) * BODY_GUESS);
    bundle_begin(b, STR("searchset"), (int64_t)hits->total);
    for (size_t i = (size_t)skip; i < hits->n; i++) {
        enum err err =
            bundle_entry(b, f, snap, &hits->at[i], STR("match"), NULL);
        if (err != OK)
            return err;
    }
    struct str cursor = STR_NONE;
    if (hits->has_next && hits->n > 0) {
        const struct record_entry *last = &hits->at[hits->n - 1];
        cursor = arena_cat(r->arena, release_type_name(f->release, last->type),
                           STR("/"), last->id);
    }
    bundle_end(b, f,
               arena_cat(r->arena, STR("/"), f->type_name, STR("/"),
                         r->captures[CAPTURE_ID], STR("/$everything")),
               &r->params, STR("_afterid"), cursor);
    return OK;
}

enum err fhir_everything(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct record_everything ask = { .after_type = TYPE_NONE };
    struct record_entry patient;
    struct record_hits hits;
    uint64_t skip = 0;
    AUTO_SNAPSHOT *snap = NULL;
    enum err err = fhir_begin(r, INTERACTION_EVERYTHING, &f);
    if (err == OK && !str_eq(f.type_name, STR("Patient")))
        err = why(&r->why, ERR_UNSUPPORTED, "$everything is Patient's");
    if (err == OK && f.access.is_app_wide)
        err = fhir_find_owner(&f, r->captures[CAPTURE_ID]);
    if (err == OK)
        err = read_ask(r, &f, &ask, &skip);
    if (err == OK)
        err = fhir_open(&f, &snap);
    if (err != OK)
        return err;
    const struct record *record = store_record(snap);
    if (!record_find(record, f.type, ask.patient_id, &patient) ||
        patient.is_deleted)
        return why_of(&r->why, ERR_NOT_FOUND, STR("no Patient/"),
                      ask.patient_id);
    ask.count += skip;
    err = record_everything(record, &ask, r->arena, &hits);
    if (err == OK)
        err = render(&f, snap, &hits, skip < hits.n ? skip : hits.n, out);
    if (err == OK)
        fhir_audit(&f, 'E', 200);
    return err;
}
