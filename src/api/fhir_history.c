/* history of an instance, a type, the whole record.  FHIR R4 section 3.1.0.13.
 */
#include "api/cursor.h"
#include "api/fhir_prefer.h"

#include "base/clock.h"
#include "base/json.h"
#include "fhir/date.h"

#define CURSOR STR("_page")

static enum err entry(struct buf *b, const struct fhir *f,
                      struct store_snapshot *snap,
                      const struct store_version *v)
{
    struct arena *a = f->http->arena;
    struct str type = release_type_name(f->release, v->type);
    struct str url = arena_cat(a, type, STR("/"), v->id);
    json_object(b);
    json_member(b, STR("fullUrl"), arena_cat(a, f->base, STR("/"), url));
    enum err err = OK;
    if (!v->is_deleted) {
        buf_add(b, STR(",\"resource\":"));
        err = store_body(snap, v->slot, b);
    }
    json_key(b, STR("request"));
    json_object(b);
    json_member(b, STR("method"), v->is_deleted ? STR("DELETE") : STR("PUT"));
    json_member(b, STR("url"), url);
    json_object_end(b);
    json_key(b, STR("response"));
    json_object(b);
    json_member(b, STR("status"),
                v->is_deleted ? STR("204")
                              : (v->is_first ? STR("201") : STR("200")));
    buf_add(b, STR(",\"etag\":\"W/\\\""));
    buf_add_i64(b, v->version_id);
    buf_add(b, STR("\\\"\",\"lastModified\":\""));
    clock_add_instant(b, v->last_updated_ms);
    buf_add(b, STR("\"}"));
    json_object_end(b);
    return err;
}

static enum err bad(struct http_request *r, struct str name, struct str value)
{
    return why_of(&r->why, ERR_INVALID, name, STR("="), value,
                  STR(" is not understood"));
}

/* A number; absent: *out stays. */
static enum err read_number(struct http_request *r, struct str name,
                            int64_t *out)
{
    struct str text = url_param(&r->params, name);
    if (text.p == NULL || (str_to_i64(text, out) && *out >= 0))
        return OK;
    return bad(r, name, text);
}

static enum err read_instant(struct http_request *r, struct str name,
                             int64_t *low, int64_t *high)
{
    struct str text = url_param(&r->params, name);
    if (text.p == NULL || date_range(text, low, high) == OK)
        return OK;
    return bad(r, name, text);
}

static enum err read_times(struct http_request *r,
                           struct store_history_ask *ask)
{
    int64_t high = 0, before_high = 0;
    enum err err = read_instant(r, STR("_since"), &ask->since_ms, &high);
    if (err == OK)
        err = read_instant(r, STR("_at"), &ask->at_low_ms, &ask->at_high_ms);
    if (err == OK)
        err = read_instant(r, STR("_before"), &ask->before_ms, &before_high);
    if (err == OK && ask->before_ms > clock_now_ms())
        err = why(&r->why, ERR_INVALID, "_before lies in the future");
    struct str sort = url_param(&r->params, STR("_sort"));
    if (err == OK && sort.p != NULL && !str_eq(sort, STR("-_lastUpdated")))
        err = why(&r->why, ERR_INVALID,
                  "a history is sorted by -_lastUpdated, newest first");
    return err;
}

static enum err read_ask(const struct fhir *f, struct str purpose,
                         struct store_history_ask *ask)
{
    struct http_request *r = f->http;
    int64_t count = FHIR_COUNT_DEFAULT, skip = 0;
    uint64_t place = 0;
    struct str cursor = url_param(&r->params, CURSOR);
    enum err err = prefer_check(r);
    if (err == OK)
        err = read_number(r, STR("_count"), &count);
    if (err == OK)
        err = read_number(r, STR("_skip"), &skip);
    if (err == OK)
        err = read_times(r, ask);
    if (err == OK && cursor.p != NULL)
        err = cursor_read(f, purpose, cursor, &place);
    if (err != OK)
        return err;
    ask->type = f->type;
    ask->id = r->captures[CAPTURE_ID];
    ask->has_cursor = cursor.p != NULL;
    ask->after_slot = (uint32_t)place;
    ask->skip = (size_t)skip;
    ask->count =
        count > f->info->count_max ? f->info->count_max : (size_t)count;
    return OK;
}

struct page {
    struct store_version *at;
    size_t n, total;
};

/* Whether a page follows is known by one version more than it has. */
static enum err answer(const struct fhir *f, struct store_snapshot *snap,
                       struct str path, const struct page *p, size_t count,
                       struct http_response *out)
{
    struct http_request *r = f->http;
    struct str cursor = STR_NONE;
    enum err err = OK;
    size_t n = p->n < count ? p->n : count;
    if (p->n > count && n > 0)
        err = cursor_write(f, path, p->at[n - 1].slot, &cursor);
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("history"), (int64_t)p->total);
    for (size_t i = 0; err == OK && i < n; i++)
        err = entry(&out->body, f, snap, &p->at[i]);
    bundle_end(&out->body, f, path, &r->params, CURSOR, cursor);
    return err;
}

enum err fhir_history(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    AUTO_SNAPSHOT *snap = NULL;
    struct store_history_ask ask = { 0 };
    struct page page;
    struct str id = r->captures[CAPTURE_ID];
    enum err err = fhir_begin(r, INTERACTION_HISTORY, &f);
    if (err == OK && f.access.is_app_wide && id.n > 0)
        err = fhir_find_owner(&f, id);
    if (err != OK)
        return err;
    struct str path =
        arena_cat(r->arena, f.type_name.n > 0 ? STR("/") : STR(""), f.type_name,
                  id.n > 0 ? STR("/") : STR(""), id, STR("/_history"));
    err = read_ask(&f, path, &ask);
    if (err == OK)
        err = fhir_open(&f, &snap);
    if (err != OK)
        return err;
    size_t count = ask.count++;
    err = f.is_foreign_type ? ERR_NOT_FOUND
                            : store_history(snap, &ask, r->arena, &page.at,
                                            &page.n, &page.total);
    if (err == ERR_NOT_FOUND)
        return why_of(&r->why, err, STR("no "), f.type_name, STR("/"), id);
    if (err == OK)
        err = answer(&f, snap, path, &page, count, out);
    if (err == OK)
        fhir_audit(&f, 'R', 200);
    return err;
}
