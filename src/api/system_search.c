#include "api/pages.h"

#include "api/access.h"
#include "api/params.h"
#include "audit/audit.h"
#include "ui/page_search.h"

#define QUERY_MAX 100

/* What goes on with the person: to the next page, to the health system. */
static const struct str kept[] = { STR_INIT("client_id"), STR_INIT("state"),
                                   STR_INIT("redirect_uri"),
                                   STR_INIT("fhirVersion") };
#define KEPT (sizeof kept / sizeof kept[0])

struct view {
    struct principal principal;
    struct params params;
    struct url_param keep[KEPT + 1];
    struct page_search page;
};

static void keep_params(struct http_request *r, struct view *v)
{
    struct str token = http_bearer(r);
    if (token.p == NULL)
        token = params_get(&v->params, STR("access_token"));
    v->keep[0] = (struct url_param){ STR("access_token"), token };
    for (size_t i = 0; i < KEPT; i++)
        v->keep[i + 1] =
            (struct url_param){ kept[i], params_get(&v->params, kept[i]) };
    v->page.keep = (struct page_keep){ v->keep, KEPT + 1 };
}

/* Other characters than a search knows become blanks (contract 10.1). */
static struct str clean(struct arena *a, struct str query)
{
    char *text = arena_cstr(a, str_slice(query, 0, QUERY_MAX));
    if (text == NULL)
        return STR("");
    struct str out = str_of(text);
    for (size_t i = 0; i < out.n; i++)
        if (!char_is_alpha(text[i]) && !char_is_digit(text[i]) &&
            text[i] != '\'' && (unsigned char)text[i] < 0x80)
            text[i] = ' ';
    return str_trim(out);
}

static bool is_zip(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_digit(s.p[i]))
            return false;
    return s.n == 5;
}

static struct str kind_of(struct str word)
{
    if (str_eq(word, STR("health_plan")) ||
        str_starts_nocase(word, STR("Payer")))
        return STR("health_plan");
    if (str_eq(word, STR("health_system")) ||
        str_eq_nocase(word, STR("HealthSystem")))
        return STR("health_system");
    return STR("");
}

static void add_part(struct buf *b, struct str before, struct str part)
{
    if (part.n == 0)
        return;
    if (b->len > 0)
        buf_add(b, before);
    buf_add(b, part);
}

/* "4300 Alton Rd, Miami Beach, FL 33140" */
static struct str address_of(struct arena *a, const struct system *s)
{
    struct str text = STR("");
    struct buf b = BUF_IN(a, 1024);
    if (s->location_count == 0)
        return text;
    const struct system_location *l = &s->locations[0];
    add_part(&b, STR(""), l->line);
    add_part(&b, STR(", "), l->city);
    add_part(&b, STR(", "), l->state);
    add_part(&b, STR(" "), l->postal_code);
    return b.len > 0 && buf_view(&b, &text) == OK ? text : STR("");
}

static struct search_row row_of(struct http_request *r, const struct system *s)
{
    struct connect *connect = services_of(r)->connect;
    const struct vendor *vendor = vendor_find(s->vendor);
    return (struct search_row){
        .id = s->id,
        .name = s->name,
        .address = address_of(r->arena, s),
        .vendor = vendor->title,
        .is_plan = str_eq(s->kind, STR("health_plan")),
        .is_available =
            connect != NULL && connect_is_configured(connect, s, r->arena),
    };
}

static enum err find(struct http_request *r, struct view *v)
{
    struct page_search *page = &v->page;
    struct system_search ask = { .kind = page->kind,
                                 .offset = page->offset,
                                 .count = PAGE_SEARCH_ROWS };
    struct system *systems;
    size_t n;
    if (is_zip(page->query))
        ask.zip = page->query;
    else
        ask.query = page->query;
    enum err err = system_find(services_of(r)->db, &ask, r->arena, &systems, &n,
                               &page->total);
    if (err != OK)
        return err;
    struct search_row *rows = arena_zalloc(r->arena, n + 1, sizeof *rows);
    if (rows == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < n; i++)
        rows[i] = row_of(r, &systems[i]);
    page->rows = rows;
    page->n = n;
    return OK;
}

/* The app sees in its feed that the person searched; not each typed letter. */
static void note(struct http_request *r, const struct view *v)
{
    struct services *s = services_of(r);
    struct audit_step step = {
        .user_id = v->principal.user_id,
        .app_id = v->principal.app_id,
        .step = STR(AUDIT_SEARCH_RESULTS),
        .outcome = STR("0"),
        .detail = STR("a search for health systems"),
        .type = STR(""),
        .count = v->page.total,
    };
    bool is_typed = params_get(&v->params, STR("typed")).n > 0;
    if (s->audit != NULL && v->page.query.n > 0 && v->page.offset == 0 &&
        !is_typed && audit_record_step(s->audit, &step) != OK)
        return; /* the person's search matters more than the note */
}

static enum err begin(struct http_request *r, struct view *v)
{
    enum err err = params_read(r, &v->params);
    if (err != OK)
        return err;
    keep_params(r, v);
    struct page_search *page = &v->page;
    page->query = clean(r->arena, params_get(&v->params, STR("query")));
    struct str kind = params_get(&v->params, STR("kind"));
    if (kind.p == NULL)
        kind = params_get(&v->params, STR("system_type"));
    page->kind = kind_of(kind);
    if (!params_get_i64(&v->params, STR("offset"), &page->offset) ||
        page->offset < 0)
        page->offset = 0;
    return OK;
}

/* A person's token; ERR_UNAUTHENTICATED also for an app's own. */
static enum err check(struct http_request *r, struct view *v)
{
    enum err err = access_token_of(r, &v->principal);
    if (err == OK && v->principal.user_id == 0)
        return why(&r->why, ERR_UNAUTHENTICATED,
                   "a person's access token is needed");
    return err;
}

enum err search_page(struct http_request *r, struct http_response *out)
{
    struct view v = { 0 };
    enum err err = begin(r, &v);
    if (err != OK)
        return err;
    err = check(r, &v);
    v.page.is_signed_in = err == OK;
    v.page.was_refused = err == ERR_UNAUTHENTICATED && v.keep[0].value.n > 0;
    if (err == OK)
        err = find(r, &v);
    else if (err == ERR_UNAUTHENTICATED)
        err = OK; /* the page says so, and may still get a token */
    if (err != OK)
        return err;
    if (v.page.is_signed_in)
        note(r, &v);
    if (v.page.was_refused)
        out->status = 401;
    page_search(out, &v.page);
    return OK;
}

enum err search_results(struct http_request *r, struct http_response *out)
{
    struct view v = { 0 };
    enum err err = begin(r, &v);
    if (err == OK)
        err = check(r, &v);
    if (err == OK)
        err = find(r, &v);
    if (err != OK)
        return err;
    note(r, &v);
    page_search_results(out, &v.page);
    return OK;
}
