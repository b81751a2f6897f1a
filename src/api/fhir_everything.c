/* Patient/$everything: of one patient, of all of them, and its DELETE.
 * FHIR R4 Patient-everything; contract 7.4. */
#include "api/cursor.h"
#include "api/fhir_parameters.h"
#include "api/fhir_share.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "fhir/outcome.h"

#define BODY_GUESS 1536

struct ask {
    struct url_params params;
    struct record_everything record;
    uint64_t skip;
    struct str path;   /* of the links */
    struct place from; /* that a link of ours gave */
};

static enum err bad(struct http_request *r, struct str name, struct str value)
{
    return why_of(&r->why, ERR_INVALID, name, STR("="), value,
                  STR(" is not understood"));
}

/* _type=A,B into numbers; unknown names are an error. */
static enum err read_types(struct http_request *r, const struct fhir *f,
                           struct ask *ask)
{
    struct str list = url_param(&ask->params, STR("_type")), name;
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
        types[ask->record.type_count++] = type;
    }
    ask->record.types = types;
    return OK;
}

/* A link of ours, or "Observation/<id>". */
static enum err read_cursor(struct http_request *r, const struct fhir *f,
                            struct ask *ask)
{
    enum err err = place_read(f, ask->path, &ask->params, &ask->from);
    if (err != OK)
        return err;
    if (ask->from.id.p != NULL) {
        ask->record.after_type = ask->from.type;
        ask->record.after_id = ask->from.id;
        return OK;
    }
    struct str cursor = url_param(&ask->params, STR("_afterid"));
    if (cursor.p == NULL)
        return OK;
    size_t slash = str_find(cursor, '/');
    ask->record.after_type =
        release_type_find(f->release, str_slice(cursor, 0, slash), true);
    ask->record.after_id = str_from(cursor, slash + 1);
    if (slash == cursor.n || ask->record.after_type == TYPE_NONE ||
        !resource_is_id(ask->record.after_id))
        return why(&r->why, ERR_INVALID,
                   "_afterid: follow the next link as it was given");
    return OK;
}

static enum err read_number(struct http_request *r, const struct ask *ask,
                            struct str name, int64_t *out)
{
    struct str text = url_param(&ask->params, name);
    if (text.p == NULL || (str_to_i64(text, out) && *out >= 0))
        return OK;
    return bad(r, name, text);
}

static enum err read_dates(struct http_request *r, struct ask *ask)
{
    struct record_everything *e = &ask->record;
    int64_t other;
    struct str since = url_param(&ask->params, STR("_since"));
    struct str start = url_param(&ask->params, STR("start"));
    struct str end = url_param(&ask->params, STR("end"));
    if (since.p != NULL && clock_parse_instant(since, &e->since_ms) != OK &&
        date_range(since, &e->since_ms, &other) != OK)
        return bad(r, STR("_since"), since);
    e->has_start = start.p != NULL;
    if (e->has_start && date_range(start, &e->start_ms, &other) != OK)
        return bad(r, STR("start"), start);
    e->has_end = end.p != NULL;
    if (e->has_end && date_range(end, &other, &e->end_ms) != OK)
        return bad(r, STR("end"), end);
    return OK;
}

static enum err read_ask(struct http_request *r, const struct fhir *f,
                         struct ask *ask)
{
    int64_t count = FHIR_COUNT_DEFAULT, skip = 0;
    enum err err = fhir_parameters(r, &ask->params);
    if (err == OK)
        err = read_number(r, ask, STR("_count"), &count);
    if (err == OK)
        err = read_number(r, ask, STR("_skip"), &skip);
    if (err == OK)
        err = read_dates(r, ask);
    if (err == OK)
        err = read_types(r, f, ask);
    struct str id = r->captures[CAPTURE_ID];
    ask->path =
        arena_cat(r->arena, STR("/"), f->type_name,
                  id.n > 0 ? STR("/") : STR(""), id, STR("/$everything"));
    if (err == OK)
        err = read_cursor(r, f, ask);
    if (err != OK)
        return err;
    if (count == 0)
        count = FHIR_COUNT_DEFAULT;
    ask->record.patient_id = id;
    ask->record.count =
        count > f->info->count_max ? f->info->count_max : (size_t)count;
    ask->skip = (uint64_t)skip;
    return arena_err(r->arena);
}

static enum err render(const struct fhir *f, struct store_snapshot *snap,
                       const struct record_hits *hits, const struct ask *ask,
                       struct http_response *out)
{
    struct buf *b = &out->body;
    size_t first = ask->skip < hits->n ? (size_t)ask->skip : hits->n;
    uint64_t total = ask->from.id.p != NULL ? ask->from.total : hits->total;
    http_set_type(out, FHIR_TYPE);
    buf_reserve(b, (hits->n - first + 1) * BODY_GUESS);
    bundle_begin(b, STR("searchset"), (int64_t)total);
    for (size_t i = first; i < hits->n; i++) {
        if (fhir_is_hidden(f, f->access.user_id, hits->at[i].type))
            continue;
        enum err err =
            bundle_entry(b, f, snap, &hits->at[i], STR("match"), NULL);
        if (err != OK)
            return err;
    }
    struct str name = STR_NONE, cursor = STR_NONE;
    enum err err = OK;
    if (hits->has_next && hits->n > 0) {
        struct place last = { .owner = f->access.user_id,
                              .type = hits->at[hits->n - 1].type,
                              .id = hits->at[hits->n - 1].id,
                              .total = total };
        err = place_write(f, ask->path, &ask->params, &last, &name, &cursor);
    }
    bundle_end(b, f, ask->path, &ask->params, name, cursor);
    return err;
}

/* Whose, and that the patient is there. */
static enum err begin(struct http_request *r, enum interaction interaction,
                      struct fhir *f, struct store_snapshot **snap)
{
    struct record_entry patient;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = fhir_begin(r, interaction, f);
    if (err == OK && !str_eq(f->type_name, STR("Patient")))
        err = why_of(&r->why, ERR_NOT_FOUND, f->type_name,
                     STR(" has no $everything; Patient has"));
    if (err == OK && f->access.is_app_wide && id.n > 0)
        err = fhir_find_owner(f, id);
    if (err == OK && id.n > 0)
        err = fhir_follow_share(f, interaction, f->type, id);
    if (err == OK)
        err = fhir_open(f, snap);
    if (err != OK)
        return err;
    if (id.n > 0 && (!record_find(store_record(*snap), f->type, id, &patient) ||
                     patient.is_deleted))
        return why_of(&r->why, ERR_NOT_FOUND, STR("no Patient/"), id);
    return OK;
}

enum err fhir_everything(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    struct ask ask = { .record.after_type = TYPE_NONE };
    struct record_hits hits;
    AUTO_SNAPSHOT *snap = NULL;
    enum err err = begin(r, INTERACTION_EVERYTHING, &f, &snap);
    if (err == OK)
        err = read_ask(r, &f, &ask);
    if (err != OK)
        return err;
    ask.record.count += ask.skip;
    err = record_everything(store_record(snap), &ask.record, r->arena, &hits);
    if (err == OK)
        err = render(&f, snap, &hits, &ask, out);
    if (err == OK)
        fhir_audit(&f, 'E', 200);
    return err;
}

/* --- DELETE --------------------------------------------------------------- */

static enum err delete_all(const struct fhir *f, struct store_snapshot *snap,
                           size_t *n)
{
    struct http_request *r = f->http;
    struct record_everything ask = { .patient_id = r->captures[CAPTURE_ID],
                                     .only_own = true,
                                     .after_type = TYPE_NONE };
    struct record_hits hits;
    enum err err = record_everything(store_record(snap), &ask, r->arena, &hits);
    if (err != OK)
        return err;
    struct store_op *ops = arena_zalloc(r->arena, hits.n + 1, sizeof *ops);
    if (ops == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < hits.n; i++)
        ops[i] = (struct store_op){ .verb = STORE_DELETE,
                                    .type = hits.at[i].type,
                                    .id = hits.at[i].id };
    *n = hits.n;
    return store_commit(f->services->store, f->access.user_id, f->kind,
                        store_seq(snap), ops, hits.n, r->arena, NULL, NULL,
                        &r->why);
}

enum err fhir_everything_delete(struct http_request *r,
                                struct http_response *out)
{
    struct fhir f;
    size_t n = 0;
    enum err err = ERR_CONFLICT;
    for (int tries = 0; err == ERR_CONFLICT && tries < 20; tries++) {
        AUTO_SNAPSHOT *snap = NULL;
        err = begin(r, INTERACTION_DELETE, &f, &snap);
        if (err == OK) /* of every type, not of Patient alone */
            err = policy_allows(&f.access.principal, INTERACTION_DELETE,
                                STR(""), &r->why);
        if (err == OK)
            err = delete_all(&f, snap, &n);
    }
    if (err != OK)
        return err;
    struct buf number = BUF_IN(r->arena, 32);
    struct str text;
    buf_add_u64(&number, n);
    err = buf_view(&number, &text);
    if (err != OK)
        return err;
    struct outcome_issue issue = {
        .severity = STR("information"),
        .code = STR("informational"),
        .diagnostics =
            arena_cat(r->arena, STR("deleted "), text,
                      STR(" resources of Patient/"), r->captures[CAPTURE_ID]),
    };
    http_set_type(out, FHIR_TYPE);
    outcome_render(&out->body, f.release, &issue, 1);
    fhir_audit(&f, 'D', 200);
    return OK;
}
