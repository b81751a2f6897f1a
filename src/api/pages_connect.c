/* Design notes
 * A ticket shows how one connection's collecting goes: counts by kind, nothing
 * else.  It is (user, system, until when), sealed; so it needs no row, no
 * cookie, and no access token in a URL that stays in the browser's history. */
#include "api/pages.h"

#include "api/access.h"
#include "api/params.h"
#include "auth/app.h"
#include "base/base64.h"
#include "base/clock.h"
#include "crypto/seal.h"
#include "ingest/ingest.h"
#include "ui/page_connect.h"

#define TICKET_AAD "page|connected"
#define TICKET_MS  ((int64_t)60 * 60 * 1000)
#define TICKET_MAX 512
#define TYPES_MAX  200

/* ------------------------------------------------------------------ ticket */

static enum err make_ticket(struct http_request *r, int64_t user_id,
                            int64_t system_id, struct str *out)
{
    struct buf b = BUF_IN(r->arena, TICKET_MAX);
    struct str plain, sealed;
    buf_add_i64(&b, user_id);
    buf_add_char(&b, ' ');
    buf_add_i64(&b, system_id);
    buf_add_char(&b, ' ');
    buf_add_i64(&b, clock_now_ms() + TICKET_MS);
    enum err err = buf_view(&b, &plain);
    if (err == OK)
        err = seal_close(services_of(r)->seal, STR(TICKET_AAD), plain, r->arena,
                         &sealed);
    if (err != OK)
        return err;
    *out = base64url_encode(r->arena, sealed);
    return arena_err(r->arena);
}

static bool read_ticket_text(struct str text, int64_t *user_id,
                             int64_t *system_id)
{
    int64_t until;
    struct str part[3] = { { 0 } };
    for (size_t i = 0; i < 3; i++)
        if (!str_cut(&text, ' ', &part[i]))
            return false;
    return str_to_i64(part[0], user_id) && str_to_i64(part[1], system_id) &&
           str_to_i64(part[2], &until) && clock_now_ms() < until;
}

static enum err open_ticket(struct http_request *r, struct str ticket,
                            int64_t *user_id, int64_t *system_id)
{
    AUTO_SECRET plain = { 0 };
    struct str sealed;
    enum err err = base64_decode(r->arena, ticket, &sealed);
    if (err == OK)
        err = seal_open(services_of(r)->seal, STR(TICKET_AAD), sealed, &plain);
    if (err == OK &&
        !read_ticket_text(secret_reveal(&plain), user_id, system_id))
        err = ERR_INVALID;
    return err == OK
               ? OK
               : why(&r->why, ERR_UNAUTHENTICATED, "the link has expired");
}

/* --------------------------------------------------------------- collecting */

struct progress {
    int64_t user_id, system_id; /* system 0: the newest connection's */
    struct page_progress page;
    struct progress_row *rows;
};

static enum err choose_system(struct progress *p, const struct connection *all,
                              size_t n)
{
    int64_t newest = -1;
    for (size_t i = 0; i < n && p->system_id == 0; i++)
        newest = newest < 0 || all[i].created_ms > all[newest].created_ms
                     ? (int64_t)i
                     : newest;
    if (newest >= 0)
        p->system_id = all[newest].system_id;
    return p->system_id != 0 ? OK : ERR_NOT_FOUND;
}

/* Two connections of one system are the same record in two releases: one list
 * of kinds, the larger count, the less finished of two states. */
static void add_type(struct progress *p, const struct ingest_type_report *t)
{
    static const struct str order[] = { STR_INIT("running"),
                                        STR_INIT("waiting"), STR_INIT("failed"),
                                        STR_INIT("done") };
    struct progress_row *row = NULL;
    for (size_t i = 0; i < p->page.n && row == NULL; i++)
        if (str_eq(p->rows[i].type, t->type))
            row = &p->rows[i];
    if (row == NULL && p->page.n == TYPES_MAX)
        return;
    if (row == NULL) {
        row = &p->rows[p->page.n++];
        *row = (struct progress_row){ .type = t->type, .status = t->status };
    }
    if (t->got > row->got)
        row->got = t->got;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (str_eq(row->status, order[i]))
            return;
        if (str_eq(t->status, order[i])) {
            row->status = t->status;
            return;
        }
    }
}

static bool is_over(struct str status)
{
    return str_eq(status, STR("done")) || str_eq(status, STR("failed"));
}

static enum err add_connection(struct http_request *r, struct progress *p,
                               const struct connection *c)
{
    struct ingest_report report = { .status = STR("waiting") };
    struct str *status = &p->page.status;
    enum err err = ingest_report_get(services_of(r)->db, p->user_id, c->id,
                                     r->arena, &report);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    for (size_t i = 0; i < report.type_count; i++)
        add_type(p, &report.types[i]);
    /* What still runs counts before what ended, what worked before what did
     * not. */
    bool is_better = !is_over(report.status) || str_eq(*status, STR("failed"));
    if (status->n == 0 || (is_over(*status) && is_better))
        *status = report.status;
    return OK;
}

static void count(struct page_progress *page)
{
    page->total = page->n;
    page->done = 0;
    for (size_t i = 0; i < page->n; i++)
        page->done += !str_eq(page->rows[i].status, STR("waiting")) &&
                      !str_eq(page->rows[i].status, STR("running"));
}

static enum err collect(struct http_request *r, struct progress *p)
{
    struct services *s = services_of(r);
    struct connection *all;
    struct system system;
    size_t n;
    enum err err = connection_list(s->db, p->user_id, r->arena, &all, &n);
    if (err == OK)
        err = choose_system(p, all, n);
    if (err == OK)
        err = system_get(s->db, p->system_id, r->arena, &system);
    p->rows = arena_zalloc(r->arena, TYPES_MAX, sizeof *p->rows);
    if (err == OK && p->rows == NULL)
        err = arena_err(r->arena);
    bool is_there = false;
    for (size_t i = 0; err == OK && i < n; i++) {
        if (all[i].system_id != p->system_id)
            continue;
        is_there = true;
        err = add_connection(r, p, &all[i]);
    }
    if (err == OK && !is_there)
        err = why(&r->why, ERR_NOT_FOUND, "this system is not connected");
    if (err != OK)
        return err;
    p->page.system_name = system.name;
    p->page.rows = p->rows;
    count(&p->page);
    return OK;
}

static enum err who_asks(struct http_request *r, struct progress *p)
{
    struct principal principal;
    struct str ticket = url_param(&r->params, STR("t"));
    if (ticket.n > 0)
        return open_ticket(r, ticket, &p->user_id, &p->system_id);
    enum err err = access_token_of(r, &principal);
    if (err == OK && principal.user_id == 0)
        err = why(&r->why, ERR_UNAUTHENTICATED,
                  "a person's access token is needed");
    if (err != OK)
        return err;
    p->user_id = principal.user_id;
    if (!str_to_i64(url_param(&r->params, STR("system_id")), &p->system_id))
        p->system_id = 0;
    return OK;
}

enum err connected_page(struct http_request *r, struct http_response *out)
{
    struct progress p = { 0 };
    p.page.status = STR("");
    p.page.back_url = STR("");
    enum err err = who_asks(r, &p);
    if (err == OK)
        err = collect(r, &p);
    if (err != OK)
        return err;
    if (url_param(&r->params, STR("live")).n > 0)
        page_progress_live(out, &p.page);
    else
        page_progress(out, &p.page);
    return OK;
}

/* ------------------------------------------------------------ after connect */

enum err pages_after_connect(struct http_request *r, struct http_response *out,
                             const struct connect_result *result)
{
    struct system system = { .name = STR("") };
    struct buf b = BUF_IN(r->arena, (size_t)4096);
    struct str ticket, url;
    if (!result->is_connected) {
        if (system_get(services_of(r)->db, result->system_id, r->arena,
                       &system) != OK)
            system.name = STR("");
        page_failed(out, &(struct page_failed){ .code = result->error,
                                                .system_name = system.name,
                                                .request_id = str_of(r->id) });
        return OK;
    }
    enum err err = make_ticket(r, result->user_id, result->system_id, &ticket);
    if (err != OK)
        return err;
    buf_add(&b, services_of(r)->public_base);
    buf_add(&b, STR("/connected"));
    url_add_param(&b, STR("t"), ticket);
    err = buf_view(&b, &url);
    if (err == OK)
        http_redirect(out, 303, url);
    return err;
}

/* ------------------------------------------------------------ quick connect */

enum err connect_page(struct http_request *r, struct http_response *out)
{
    static const struct str kept[] = { STR_INIT("access_token"),
                                       STR_INIT("client_id"), STR_INIT("state"),
                                       STR_INIT("redirect_uri"),
                                       STR_INIT("fhirVersion") };
    struct url_param keep[sizeof kept / sizeof kept[0]];
    struct services *s = services_of(r);
    struct principal principal;
    struct system system;
    struct app app;
    char colour[7];
    int64_t id;
    if (!str_to_i64(r->captures[0], &id))
        return why(&r->why, ERR_NOT_FOUND, "there is no such health system");
    enum err err = access_token_of(r, &principal);
    if (err == OK && principal.user_id == 0)
        err = why(&r->why, ERR_UNAUTHENTICATED,
                  "a person's access token is needed");
    if (err == OK)
        err = app_by_id(s->db, principal.app_id, r->arena, &app);
    if (err == OK)
        err = system_get(s->db, id, r->arena, &system);
    if (err != OK)
        return err;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        keep[i] = (struct url_param){ kept[i], url_param(&r->params, kept[i]) };
    keep[0].value = http_bearer(r).p != NULL ? http_bearer(r) : keep[0].value;
    page_quick(
        out,
        &(struct page_quick){
            .system_id = id,
            .system_name = system.name,
            .address = STR(""),
            .is_available =
                s->connect != NULL &&
                connect_is_configured(s->connect, &system, r->arena),
            .app_name = app.name,
            .background = page_colour(url_param(&r->params, STR("bg")), colour),
            .keep = { keep, sizeof kept / sizeof kept[0] } });
    return OK;
}
