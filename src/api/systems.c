#include "api/systems.h"

#include "api/access.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/systems_int.h"
#include "audit/audit.h"
#include "base/json.h"
#include "connect/connect.h"
#include "fhir/outcome.h"

#define JSON_TYPE   STR("application/json; charset=utf-8")
#define PAGE_ROWS   20
#define STREAM_ROWS 200
#define PAGE_MEMORY ((size_t)16 * 1024 * 1024)
#define QUERY_MAX   200

/* This sentence is compared by a client before it refreshes its token. */
#define TOKEN_FAILED "An error occurred when processing the access token."

void family_systems(struct http_request *r, struct http_response *out,
                    enum err err)
{
    if (err == ERR_DENIED || err == ERR_RATE || outcome_status(err) >= 500) {
        family_json(r, out, err);
        return;
    }
    struct str text = err == ERR_UNAUTHENTICATED ? STR(TOKEN_FAILED)
                      : r->why.text[0] != '\0'   ? str_of(r->why.text)
                                                 : STR("the request is wrong");
    buf_cut(&out->body, 0);
    out->produce = NULL;
    out->status = outcome_status(err);
    http_set_type(out, JSON_TYPE);
    json_object(&out->body);
    json_member_bool(&out->body, STR("success"), false);
    json_member(&out->body, STR("message"), text);
    json_object_end(&out->body);
}

/* ------------------------------------------------------------ what is asked */

/* "HealthSystem", "PayerPatientAccess", "Payer Patient Access" ...; "" : both.
 */
static struct str kind_of(const struct params *p)
{
    static const struct {
        struct str word, kind;
    } words[] = {
        { STR_INIT("HealthSystem"), STR_INIT("health_system") },
        { STR_INIT("Health System"), STR_INIT("health_system") },
        { STR_INIT("PayerPatientAccess"), STR_INIT("health_plan") },
        { STR_INIT("Payer Patient Access"), STR_INIT("health_plan") },
        { STR_INIT("Payer2Payer"), STR_INIT("health_plan") },
    };
    struct str asked = params_get(p, STR("system_type"));
    if (asked.n == 0)
        asked = params_get(p, STR("systemType"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(words[i].word, asked))
            return words[i].kind;
    return STR("");
}

/* Letters of any script, digits, blank and apostrophe (contract 9.1). */
static enum err check_query(struct http_request *r, struct str query)
{
    if (query.n > QUERY_MAX)
        return why(&r->why, ERR_INVALID, "query is too long");
    for (size_t i = 0; i < query.n; i++) {
        char c = query.p[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != ' ' && c != '\'' &&
            (unsigned char)c < 0x80)
            return why(&r->why, ERR_INVALID,
                       "query may have letters, digits, blanks and "
                       "apostrophes");
    }
    return OK;
}

static enum err read_offset(struct http_request *r, const struct params *p,
                            int64_t *out)
{
    struct str text = params_get(p, STR("offset"));
    *out = 0;
    if (text.n > 0 && (!str_to_i64(text, out) || *out < 0))
        return why(&r->why, ERR_INVALID, "offset is a number of rows");
    return OK;
}

struct found {
    struct system *systems;
    size_t n;
    int64_t total;
};

static enum err find(struct services *s, const struct system_search *ask,
                     struct arena *a, struct found *out)
{
    enum err err =
        system_find(s->db, ask, a, &out->systems, &out->n, &out->total);
    for (size_t i = 0; err == OK && i < out->n; i++)
        out->systems[i].is_configured =
            s->connect != NULL &&
            connect_is_configured(s->connect, &out->systems[i], a);
    return err;
}

typedef void add_system(struct buf *b, const struct system *s);

static void add_array(struct buf *b, const struct found *f, add_system *add)
{
    json_array(b);
    for (size_t i = 0; i < f->n; i++)
        add(b, &f->systems[i]);
    json_array_end(b);
}

/* ------------------------------------------------------------ the whole list
 */

/* All systems a page at a time, so that no list is ever whole in memory. */
struct stream {
    struct services *s;
    struct system_search ask;
    struct arena page;
    add_system *add;
    bool has_begun, has_ended;
};

static enum err produce(void *context, struct buf *b)
{
    struct stream *x = context;
    struct found f;
    if (x->has_ended)
        return OK;
    arena_reset(&x->page);
    enum err err = find(x->s, &x->ask, &x->page, &f);
    if (err != OK)
        return err;
    if (!x->has_begun)
        buf_add_char(b, '[');
    for (size_t i = 0; i < f.n; i++) {
        if (x->has_begun)
            buf_add_char(b, ',');
        x->add(b, &f.systems[i]);
        x->has_begun = true;
    }
    x->has_begun = true;
    x->ask.offset += (int64_t)f.n;
    x->has_ended = f.n < x->ask.count;
    if (x->has_ended)
        buf_add_char(b, ']');
    return b->err;
}

static void produced(void *context)
{
    struct stream *x = context;
    arena_fini(&x->page);
}

static enum err stream_all(struct http_request *r, struct http_response *out,
                           struct str kind, add_system *add)
{
    struct stream *x = arena_zalloc(r->arena, 1, sizeof *x);
    if (x == NULL)
        return ERR_NOMEM;
    *x = (struct stream){ .s = services_of(r),
                          .ask = { .kind = kind, .count = STREAM_ROWS },
                          .page = ARENA(PAGE_MEMORY),
                          .add = add };
    http_set_type(out, JSON_TYPE);
    out->produce = produce;
    out->produced = produced;
    out->context = x;
    return OK;
}

static enum err answer_page(struct http_request *r, struct http_response *out,
                            const struct system_search *ask, add_system *add)
{
    struct found f;
    enum err err = find(services_of(r), ask, r->arena, &f);
    if (err != OK)
        return err;
    http_set_type(out, JSON_TYPE);
    add_array(&out->body, &f, add);
    return OK;
}

/* ---------------------------------------------------------- connect/system */

/* Client keys, also by the names that the old documentation misprints. */
static enum err check_app(struct http_request *r, struct params *p)
{
    struct app app;
    struct str id = params_get(p, STR("clientid"));
    struct str secret = params_get(p, STR("clientsecret"));
    if (params_get(p, STR("client_id")).p != NULL || id.p == NULL ||
        secret.p == NULL)
        return access_app(r, p, &app);
    enum err err =
        app_authenticate(services_of(r)->db, id, secret, r->arena, &app);
    return err == ERR_UNAUTHENTICATED ? access_failed(r, err, "Unauthorized")
                                      : err;
}

/* A browser with a token and no secret wants the page. */
static enum err go_to_page(struct http_request *r, const struct params *p,
                           struct http_response *out)
{
    static const struct str kept[] = { STR_INIT("access_token"),
                                       STR_INIT("client_id"), STR_INIT("state"),
                                       STR_INIT("redirect_uri") };
    struct buf b = BUF_IN(r->arena, (size_t)16 * 1024);
    struct str url;
    buf_add(&b, services_of(r)->public_base);
    buf_add(&b, STR("/search"));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (params_get(p, kept[i]).n > 0)
            url_add_param(&b, kept[i], params_get(p, kept[i]));
    enum err err = buf_view(&b, &url);
    if (err == OK)
        http_redirect(out, 302, url);
    return err;
}

enum err systems_clinical(struct http_request *r, struct http_response *out)
{
    struct params p;
    enum err err = params_read(r, &p);
    if (err != OK)
        return err;
    if (params_get(&p, STR("access_token")).n > 0 &&
        params_get(&p, STR("client_secret")).p == NULL)
        return go_to_page(r, &p, out);
    struct system_search ask = { .kind = kind_of(&p), .count = PAGE_ROWS };
    err = check_app(r, &p);
    if (err == OK)
        err = read_offset(r, &p, &ask.offset);
    if (err != OK)
        return err;
    if (params_get(&p, STR("offset")).n == 0)
        return stream_all(r, out, ask.kind, system_add_full);
    return answer_page(r, out, &ask, system_add_full);
}

enum err systems_device(struct http_request *r, struct http_response *out)
{
    struct params p;
    enum err err = params_read(r, &p);
    if (err == OK)
        err = check_app(r, &p);
    if (err == OK)
        http_text(out, 200, JSON_TYPE, STR("[]"));
    return err;
}

enum err systems_provider(struct http_request *r, struct http_response *out)
{
    struct params p;
    struct principal principal;
    struct found f;
    struct system_search ask = { .count = PAGE_ROWS };
    enum err err = params_read(r, &p);
    if (err == OK)
        err = access_token_of(r, &principal);
    if (err != OK)
        return err;
    ask.query = params_get(&p, STR("query"));
    if (ask.query.p == NULL)
        ask.query = params_get(&p, STR("q"));
    if (ask.query.p == NULL)
        ask.query = http_header(r, STR("query"));
    err = check_query(r, ask.query);
    if (err == OK)
        err = read_offset(r, &p, &ask.offset);
    if (err == OK)
        err = find(services_of(r), &ask, r->arena, &f);
    if (err != OK)
        return err;
    struct buf *b = &out->body;
    http_set_type(out, STR("application/fhir+json; charset=utf-8"));
    json_object(b);
    json_member(b, STR("resourceType"), STR("Bundle"));
    json_member(b, STR("type"), STR("searchset"));
    json_member_i64(b, STR("total"), f.total);
    json_key(b, STR("entry"));
    json_array(b);
    for (size_t i = 0; i < f.n; i++) {
        json_object(b);
        json_key(b, STR("resource"));
        system_add_organization(b, &f.systems[i]);
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    return OK;
}

/* ------------------------------------------------------------ system search */

static void note_search(struct http_request *r, const struct principal *p,
                        int64_t total)
{
    struct services *s = services_of(r);
    struct audit_step step = {
        .user_id = p->user_id,
        .app_id = p->app_id,
        .step = STR(AUDIT_SEARCH_RESULTS),
        .outcome = STR("0"),
        .detail = STR("a search for health systems"),
        .type = STR(""),
        .count = total,
    };
    if (s->audit != NULL && p->user_id != 0 &&
        audit_record_step(s->audit, &step) != OK)
        return; /* the person's search matters more than the note */
}

/* {"systemList":{"5153":{...}}}, April 2020 */
static void add_system_list(struct buf *b, const struct found *f)
{
    json_object(b);
    json_key(b, STR("systemList"));
    json_object(b);
    for (size_t i = 0; i < f->n; i++) {
        AUTO_BUF id = BUF(32);
        struct str text;
        buf_add_i64(&id, f->systems[i].id);
        if (buf_view(&id, &text) != OK)
            continue;
        json_key(b, text);
        system_add_full(b, &f->systems[i]);
    }
    json_object_end(b);
    json_object_end(b);
}

enum err systems_search(struct http_request *r, struct http_response *out)
{
    struct params p;
    struct principal principal;
    struct found f;
    enum err err = params_read(r, &p);
    if (err == OK)
        err = access_token_of(r, &principal);
    if (err != OK)
        return err;
    struct system_search ask = { .query = params_get(&p, STR("query")),
                                 .kind = kind_of(&p),
                                 .count = PAGE_ROWS };
    err = check_query(r, ask.query);
    if (err == OK)
        err = read_offset(r, &p, &ask.offset);
    if (err == OK)
        err = find(services_of(r), &ask, r->arena, &f);
    if (err != OK)
        return err;
    if (ask.query.n > 0 && ask.offset == 0)
        note_search(r, &principal, f.total);
    http_set_type(out, JSON_TYPE);
    bool is_in_form = ask.query.p != NULL &&
                      url_param(&p.query, STR("query")).p == NULL &&
                      !http_is_type(r, STR("application/json"));
    if (params_get(&p, STR("only_health_systems")).p != NULL)
        add_array(&out->body, &f, system_add_old_page);
    else if (is_in_form)
        add_system_list(&out->body, &f);
    else
        add_array(&out->body, &f, system_add_flat);
    return OK;
}

/* "33140" or "33140-1234" */
static bool is_zip(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (i == 5 ? s.p[i] != '-' : !char_is_digit(s.p[i]))
            return false;
    return s.n == 5 || s.n == 10;
}

enum err systems_by_zip(struct http_request *r, struct http_response *out)
{
    struct params p;
    struct principal principal;
    enum err err = params_read(r, &p);
    if (err == OK)
        err = access_token_of(r, &principal);
    if (err != OK)
        return err;
    struct system_search ask = { .zip = r->captures[0],
                                 .kind = kind_of(&p),
                                 .count = PAGE_ROWS };
    if (!is_zip(ask.zip))
        return why(&r->why, ERR_INVALID,
                   "a postal code has five digits, or five and four");
    err = read_offset(r, &p, &ask.offset);
    return err == OK ? answer_page(r, out, &ask, system_add_flat) : err;
}

enum err systems_all(struct http_request *r, struct http_response *out)
{
    struct params p;
    enum err err = params_read(r, &p);
    if (err == OK)
        err = check_app(r, &p);
    if (err != OK)
        return err;
    return stream_all(r, out, kind_of(&p), system_add_flat);
}
