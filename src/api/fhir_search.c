#include "api/fhir_explain.h"
#include "api/fhir_prefer.h"
#include "api/fhir_shape.h"
#include "api/fhir_share.h"
#include "api/fhir_wider.h"

#include "base/clock.h"
#include "base/json.h"
#include "fhir/outcome.h"
#include "record/segment.h"

#define WINDOW_MAX 10000
#define BODY_GUESS 1536 /* bytes of an entry, to reserve a page at once */

static enum err check_window(struct http_request *r, const struct query *q)
{
    if (q->skip == 0 || (uint64_t)q->skip + q->count <= WINDOW_MAX)
        return OK;
    AUTO_BUF n = BUF(32);
    buf_add_u64(&n, (uint64_t)q->skip + q->count);
    return why_of(&r->why, ERR_INVALID,
                  STR("illegal_argument_exception reason: Result window is too "
                      "large, from + size must be less than or equal to: "
                      "[10000] but was ["),
                  (struct str){ n.data, n.len },
                  STR("]. Use the next link to read on."));
}

/* A type that only another release has: an empty set, not an error. */
static enum err answer_empty(const struct fhir *f,
                             const struct url_params *params,
                             struct http_response *out)
{
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("searchset"), 0);
    bundle_end(&out->body, f, STR(""), params, STR_NONE, STR_NONE);
    return OK;
}

/* A search under way. */
struct search {
    struct fhir f;
    struct str path; /* of the links */
    const struct url_params *params;
    struct place from; /* a link of ours; id p NULL: the first page */
    struct query q;
    struct store_snapshot *snap; /* as it was at the first page of a sorted
                                    list... */
    struct record *now;          /* ...and as it is; or NULL */
};

static void search_fini(struct search *s)
{
    fhir_close(&s->snap);
    record_unref(s->now);
}
#define AUTO_SEARCH __attribute__((cleanup(search_fini))) struct search

static uint64_t total_of(const struct search *s, const struct record_hits *hits)
{
    return s->from.id.p != NULL ? s->from.total : hits->total;
}

/* Unsorted lists are live: an id keeps its place whatever is written.  Sorted
 * ones go on in the record as it was. */
static enum err next_cursor(const struct search *s,
                            const struct url_params *used,
                            const struct record_hits *hits, struct str *name,
                            struct str *value)
{
    *name = *value = STR_NONE;
    if (!hits->has_next || hits->match_count == 0)
        return OK;
    const struct record_entry *last = &hits->at[hits->match_count - 1];
    struct place place = { .owner = s->f.access.user_id,
                           .type = last->type,
                           .id = last->id,
                           .has_mark = s->q.sort_count > 0,
                           .mark = s->from.has_mark ? s->from.mark
                                                    : store_mark(s->snap),
                           .total = total_of(s, hits) };
    return place_write(&s->f, s->path, used, &place, name, value);
}

/* Lenient handling says what it did not understand. */
static void warn_of_ignored(struct buf *b, const struct fhir *f,
                            const struct query *q)
{
    struct arena *a = f->http->arena;
    struct outcome_issue *issues =
        arena_zalloc(a, q->ignored_count, sizeof *issues);
    if (issues == NULL)
        return;
    for (size_t i = 0; i < q->ignored_count; i++)
        issues[i] = (struct outcome_issue){
            .severity = STR("warning"),
            .code = STR("not-supported"),
            .diagnostics = arena_cat(a, q->ignored[i],
                                     STR(" is no search parameter here and was "
                                         "ignored")),
        };
    json_object(b);
    json_key(b, STR("search"));
    buf_add(b, STR("{\"mode\":\"outcome\"}"));
    json_key(b, STR("resource"));
    outcome_render(b, f->release, issues, q->ignored_count);
    json_object_end(b);
}

/* The self link has what was used. */
static struct url_params used_params(const struct fhir *f,
                                     const struct query *q,
                                     const struct url_params *params)
{
    struct url_params used = { .at = arena_zalloc(f->http->arena, params->n + 1,
                                                  sizeof *params->at) };
    if (q->ignored_count == 0 || used.at == NULL)
        return *params;
    for (size_t i = 0; i < params->n; i++) {
        bool is_used = true;
        for (size_t k = 0; k < q->ignored_count; k++)
            is_used &= !str_eq(params->at[i].name, q->ignored[k]);
        if (is_used)
            used.at[used.n++] = params->at[i];
    }
    return used;
}

static enum err render(const struct search *s, const struct record_hits *hits,
                       struct http_response *out)
{
    struct buf *b = &out->body;
    const struct fhir *f = &s->f;
    const struct query *q = &s->q;
    http_set_type(out, FHIR_TYPE);
    if (q->summary != SUMMARY_COUNT)
        buf_reserve(b, (hits->n + 1) * BODY_GUESS);
    bundle_begin(b, STR("searchset"),
                 q->total == TOTAL_NONE ? -1 : (int64_t)total_of(s, hits));
    struct fhir_shape shape = fhir_shape_of(q);
    for (size_t i = 0; q->summary != SUMMARY_COUNT && i < hits->n; i++) {
        enum err err = bundle_entry(
            b, f, s->snap, &hits->at[i],
            i < hits->match_count ? STR("match") : STR("include"), &shape);
        if (err != OK)
            return err;
    }
    if (q->ignored_count > 0 && f->info->warns_of_ignored)
        warn_of_ignored(b, f, q);
    struct str name, cursor;
    struct url_params used = used_params(f, q, s->params);
    enum err err = next_cursor(s, &used, hits, &name, &cursor);
    bundle_end(b, f, s->path, &used, name, cursor);
    return err;
}

/* With and without the prefix /fhir. */
static enum err own_bases(const struct fhir *f, struct str **out)
{
    struct arena *a = f->http->arena;
    struct str *bases = arena_zalloc(a, 2, sizeof *bases);
    if (bases == NULL)
        return arena_err(a);
    bases[0] = arena_cat(a, f->services->public_base, STR("/"), f->info->path);
    bases[1] =
        arena_cat(a, f->services->public_base, STR("/fhir/"), f->info->path);
    *out = bases;
    return arena_err(a);
}

static enum err parse(struct fhir *f, const struct url_params *params,
                      struct query *q)
{
    struct http_request *r = f->http;
    struct str *bases = NULL;
    enum err err = prefer_check(r);
    if (err == OK)
        err = own_bases(f, &bases);
    if (err == OK)
        err = query_parse_at(r->arena, f->release, f->type, params,
                             prefer_is_strict(r) ? QUERY_STRICT : 0, bases, 2,
                             q, &r->why);
    if (err == OK && !q->has_count && q->count == 0)
        q->count = FHIR_COUNT_DEFAULT;
    return err == OK ? check_window(r, q) : err;
}

/* Only what is of the owner's compartment. */
static enum err confine(const struct fhir *f, struct str owner, struct str id,
                        struct query *q)
{
    struct http_request *r = f->http;
    unsigned n = search_param_count(f->release);
    bool *rows = arena_zalloc(r->arena, n, sizeof *rows);
    if (rows == NULL)
        return arena_err(r->arena);
    q->compartment =
        release_type_find(f->release, owner, !f->info->is_case_sensitive);
    q->compartment_id = id;
    if (q->compartment == TYPE_NONE ||
        !search_param_compartment(f->release, q->compartment, rows))
        return why_of(&r->why, ERR_NOT_FOUND,
                      STR("there is no compartment of "), owner);
    uint16_t first = 0, count = (uint16_t)n;
    if (f->type != TYPE_NONE)
        count = search_param_rows(f->release, f->type, &first);
    bool has = f->type == q->compartment;
    for (uint16_t i = 0; i < count; i++)
        has |= rows[first + i];
    return has ? OK
               : why_of(&r->why, ERR_NOT_FOUND, f->type_name,
                        STR(" is not in the compartment of "), owner);
}

static struct str list_path(const struct fhir *f, struct str owner,
                            struct str id)
{
    struct arena *a = f->http->arena;
    struct str type = f->type == TYPE_NONE ? STR("") : f->type_name;
    if (owner.n > 0)
        return arena_cat(a, STR("/"), owner, STR("/"), id, STR("/"),
                         type.n > 0 ? type : STR("*"));
    return type.n == 0 ? STR("") : arena_cat(a, STR("/"), type);
}

/* The caller's record, at the moment that the page is of. */
static enum err open_record(struct search *s)
{
    const struct fhir *f = &s->f;
    enum err err = place_read(f, s->path, s->params, &s->from);
    if (err != OK || f->access.is_app_wide)
        return err;
    err = fhir_open(f, &s->snap);
    if (err == OK && s->from.has_mark && s->from.owner == f->access.user_id)
        err = place_rewind(f, &s->from, s->snap, &s->now);
    return err;
}

/* Instead of the answer. */
static enum err explain(const struct search *s, size_t share_count,
                        const int64_t times[3], struct http_response *out)
{
    struct fhir_explain e = {
        .f = &s->f,
        .q = &s->q,
        .path = s->path,
        .from = &s->from,
        .record = s->snap == NULL ? NULL : store_record(s->snap),
        .now = s->now,
        .share_count = share_count,
        .open_ns = times[1] - times[0],
        .parse_ns = times[2] - times[1],
    };
    enum err err = fhir_explain(&e, out);
    if (err == OK)
        fhir_audit(&s->f, 'S', 200);
    return err;
}

static enum err read_query(struct search *s, struct str owner, struct str id)
{
    struct fhir_wider wider = { .params = *s->params };
    enum err err = OK;
    if (s->snap != NULL && fhir_wider_needed(s->params))
        err = fhir_wider(&s->f, s->snap, s->params, &wider);
    if (err == OK)
        err = parse(&s->f, &wider.params, &s->q);
    if (err == OK && wider.clause_count > 0)
        err = fhir_wider_join(&s->f, &wider, &s->q);
    if (err == OK && owner.n > 0)
        err = confine(&s->f, owner, id, &s->q);
    if (err == OK && s->from.id.p != NULL)
        s->q.after_id = place_after(&s->f, &s->from);
    return err;
}

enum err fhir_search_in(struct http_request *r, struct str owner, struct str id,
                        const struct url_params *params,
                        struct http_response *out)
{
    AUTO_SEARCH s = { .params = params };
    enum err err = fhir_begin(r, INTERACTION_SEARCH, &s.f);
    if (err != OK)
        return err;
    if (s.f.is_foreign_type)
        return answer_empty(&s.f, params, out);
    bool is_explain = false;
    int64_t times[3] = { clock_monotonic_ns() };
    s.path = list_path(&s.f, owner, id);
    err = fhir_explain_asked(r, params, &is_explain);
    if (err == OK)
        err = open_record(&s);
    times[1] = clock_monotonic_ns();
    if (err == OK)
        err = read_query(&s, owner, id);
    times[2] = clock_monotonic_ns();
    struct share *shares = NULL;
    size_t share_count = 0;
    if (err == OK)
        err = fhir_shares(&s.f, INTERACTION_SEARCH, &shares, &share_count);
    if (err == OK && is_explain)
        return explain(&s, share_count, times, out);
    if (err == OK && (s.f.access.is_app_wide || share_count > 0))
        return fhir_search_wide(&s.f, &s.q, shares, share_count, s.path, params,
                                &s.from, out);
    if (err != OK)
        return err;
    struct record_hits hits;
    err = record_search_past(store_record(s.snap), s.now, &s.q, r->arena, &hits,
                             &r->why);
    if (err == OK)
        err = render(&s, &hits, out);
    if (err == OK)
        fhir_audit(&s.f, 'S', 200);
    return err;
}

enum err fhir_search(struct http_request *r, struct http_response *out)
{
    return fhir_search_in(r, STR(""), STR(""), &r->params, out);
}

/* Query and form together. */
static enum err both(struct http_request *r, struct url_params *out)
{
    struct url_params form = { 0 }, all = { 0 };
    struct str type = http_header(r, STR("Content-Type"));
    bool is_form = http_is_type(r, STR("application/x-www-form-urlencoded"));
    if (r->body.n > 0 && !is_form && type.n > 0)
        return why_of(&r->why, ERR_MEDIA_TYPE,
                      STR("_search takes a form, not "), type);
    enum err err = http_form(r, &form);
    if (err != OK)
        return err;
    all.at = arena_zalloc(r->arena, r->params.n + form.n + 1, sizeof *all.at);
    if (all.at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < r->params.n; i++)
        all.at[all.n++] = r->params.at[i];
    for (size_t i = 0; i < form.n; i++)
        all.at[all.n++] = form.at[i];
    *out = all;
    return OK;
}

enum err fhir_search_post(struct http_request *r, struct http_response *out)
{
    struct url_params all;
    enum err err = both(r, &all);
    return err == OK ? fhir_search_in(r, STR(""), STR(""), &all, out) : err;
}

/* [owner type]/[id]/[type or *] */
static enum err compartment(struct http_request *r,
                            const struct url_params *params,
                            struct http_response *out)
{
    struct str owner = r->captures[CAPTURE_TYPE];
    struct str member = r->captures[CAPTURE_MEMBER];
    r->captures[CAPTURE_TYPE] = str_eq(member, STR("*")) ? STR("") : member;
    return fhir_search_in(r, owner, r->captures[CAPTURE_ID], params, out);
}

enum err fhir_compartment(struct http_request *r, struct http_response *out)
{
    return compartment(r, &r->params, out);
}

enum err fhir_compartment_post(struct http_request *r,
                               struct http_response *out)
{
    struct url_params all;
    enum err err = both(r, &all);
    return err == OK ? compartment(r, &all, out) : err;
}
