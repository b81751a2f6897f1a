/* What only a test or an operator of the sandbox asks: health, the front page,
 * what was asked so far, faults on and off. */
#include "base/json.h"
#include "sandbox/site_int.h"

#define PEOPLE_SHOWN 300

enum err site_health(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 200, STR("application/json"), STR("{\"status\":\"ok\"}"));
    return OK;
}

/* The list that `tributary system import` takes. */
enum err site_list(struct http_request *r, struct http_response *out)
{
    http_set_type(out, STR("application/json"));
    systems_print(&out->body, site_base_url(site_of(r)));
    return OK;
}

static void systems_table(struct http_request *r, struct buf *b)
{
    struct site *s = site_of(r);
    buf_add(b, STR("<h1>Systems</h1><table><tr><th>Id</th><th>Name</th><th>"
                   "FHIR base</th></tr>"));
    for (unsigned i = 0; i < systems_count; i++) {
        const struct sandbox_system *system = &systems_all[i];
        buf_add(b, STR("<tr><td>"));
        buf_add_i64(b, system->id);
        buf_add(b, STR("</td><td>"));
        site_html(b, str_of(system->name));
        buf_add(b, STR("</td><td>"));
        for (enum release v = DSTU2; v < RELEASE_COUNT; v++) {
            if ((system->releases & SYSTEM_RELEASE(v)) == 0)
                continue;
            buf_add(b, STR("<code>"));
            site_html(b, site_fhir_url(s, r->arena, system, v));
            buf_add(b, STR("</code><br>"));
        }
        buf_add(b, STR("</td></tr>"));
    }
    buf_add(b, STR("</table>"));
}

static void people_table(struct site *s, struct buf *b)
{
    buf_add(b, STR("<h1>People</h1><table><tr><th>User name</th><th>Password"
                   "</th><th>Person</th><th>Records</th></tr>"));
    size_t n = accounts_count(s->accounts);
    for (size_t i = 0; i < n && i < PEOPLE_SHOWN; i++) {
        const struct account *a = accounts_at(s->accounts, i);
        buf_add(b, STR("<tr><td><code>"));
        site_html(b, a->username);
        buf_add(b, STR("</code></td><td><code>"));
        site_html(b, a->password);
        buf_add(b, STR("</code></td><td>"));
        site_html(b, a->title);
        buf_add(b, STR("</td><td>"));
        for (enum release v = DSTU2; v < RELEASE_COUNT; v++) {
            if (!account_has(a, v))
                continue;
            buf_add(b, systems_release_name(v));
            buf_add_char(b, ' ');
        }
        buf_add(b, STR("</td></tr>"));
    }
    buf_add(b, STR("</table>"));
}

enum err site_index(struct http_request *r, struct http_response *out)
{
    site_page_head(out, NULL, STR("Tributary sandbox"));
    buf_add(&out->body, STR("<main class=\"wide\">"));
    systems_table(r, &out->body);
    people_table(site_of(r), &out->body);
    buf_add(&out->body, STR("</main>"));
    site_page_foot(out);
    return OK;
}

static void add_count(struct buf *b, const char *name, atomic_ulong *count)
{
    json_member_i64(b, str_of(name), (int64_t)atomic_load(count));
}

/* {"leaks":0,"systems":{"epic":{"authorize":1, ...}}}: what was asked. */
enum err site_log(struct http_request *r, struct http_response *out)
{
    struct site *s = site_of(r);
    struct buf *b = &out->body;
    http_set_type(out, STR("application/json"));
    json_object(b);
    add_count(b, "leaks", &s->leaks);
    json_key(b, STR("systems"));
    json_object(b);
    for (unsigned i = 0; i < systems_count; i++) {
        struct site_counts *c = &s->counts[i];
        json_key(b, str_of(systems_all[i].slug));
        json_object(b);
        add_count(b, "authorize", &c->authorize);
        add_count(b, "sign_ins", &c->sign_ins);
        add_count(b, "codes", &c->codes);
        add_count(b, "refreshes", &c->refreshes);
        add_count(b, "fhir", &c->fhir);
        add_count(b, "faulted", &c->faulted);
        json_object_end(b);
    }
    json_object_end(b);
    json_object_end(b);
    return OK;
}

/* POST set="epic:slow,429 oracle:" in a form. */
enum err site_faults(struct http_request *r, struct http_response *out)
{
    struct url_params form;
    enum err err = http_form(r, &form);
    if (err == OK)
        err =
            site_set_faults(site_of(r), url_param(&form, STR("set")), &r->why);
    if (err == OK)
        http_text(out, 200, STR("application/json"), STR("{\"ok\":true}"));
    return err;
}

/* POST a resource: the person's record has it from now on, on all systems; its
 * meta.lastUpdated says since when. */
enum err site_change(struct http_request *r, struct http_response *out)
{
    struct site *s = site_of(r);
    enum release release;
    struct account *account = accounts_find(s->accounts, r->captures[0]);
    if (account == NULL || !systems_release_find(r->captures[1], &release) ||
        !account_has(account, release))
        return why(&r->why, ERR_NOT_FOUND, "nobody has a record there");
    enum err err =
        accounts_change(s->accounts, account, release, r->body, &r->why);
    if (err == OK)
        http_text(out, 200, STR("application/json"), STR("{\"ok\":true}"));
    return err;
}

/* Where redirect-away sends people; a bearer has no business here. */
enum err site_trap(struct http_request *r, struct http_response *out)
{
    if (http_bearer(r).n > 0)
        atomic_fetch_add(&site_of(r)->leaks, 1);
    http_text(out, 404, STR("text/plain"), STR("nothing here"));
    return OK;
}
