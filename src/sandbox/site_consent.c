/* The person's yes or no, and the way back to the app. */
#include "base/url.h"
#include "oauth/scope.h"
#include "sandbox/site_int.h"

#define URL_MAX ((size_t)16 * 1024)

enum err site_send_back(struct http_request *r, struct http_response *out,
                        struct str redirect_uri, struct str state,
                        const struct url_param *params, size_t n)
{
    struct buf b = BUF_IN(r->arena, URL_MAX);
    buf_add(&b, redirect_uri);
    for (size_t i = 0; i < n; i++)
        if (params[i].value.n > 0)
            url_add_param(&b, params[i].name, params[i].value);
    if (state.n > 0)
        url_add_param(&b, STR("state"), state);
    struct str url;
    enum err err = buf_view(&b, &url);
    if (err == OK)
        http_redirect(out, 302, url);
    return err;
}

enum err site_deny(struct http_request *r, struct http_response *out,
                   struct str ask)
{
    struct grant *g;
    if (grants_deny(site_of(r)->grants, ask, &g) != OK)
        return why(&r->why, ERR_NOT_FOUND, "This sign-in is over.");
    const struct url_param params[] = {
        { STR("error"), STR("access_denied") },
        { STR("error_description"), STR("The person said no.") },
    };
    return site_send_back(r, out, g->redirect_uri, g->state, params, 2);
}

static void scope_item(struct buf *b, struct str text)
{
    buf_add(b, STR("<li>"));
    site_html(b, text);
    buf_add(b, STR("</li>"));
}

/* What the person is asked, in words where there are words. */
static void scope_list_html(struct buf *b, struct str scopes)
{
    struct str rest = scopes, scope;
    buf_add(b, STR("<ul class=\"scopes\">"));
    if (scope_has(scopes, STR("openid")) || scope_has(scopes, STR("profile")))
        scope_item(b, STR("Who you are"));
    if (scope_has(scopes, STR("offline_access")))
        scope_item(b, STR("Access while you are away"));
    while (scope_next(&rest, &scope)) {
        size_t slash = str_find(scope, '/');
        struct str type = str_slice(scope, slash + 1, str_rfind(scope, '.'));
        if (!str_starts(scope, STR("patient/")))
            continue;
        scope_item(b, str_eq(type, STR("*")) ? STR("Your whole record") : type);
    }
    buf_add(b, STR("</ul>"));
}

void site_consent_page(struct http_response *out, const struct grant *g,
                       struct str ask, struct str name)
{
    struct buf *b = &out->body;
    site_page_head(out, g->system, STR("Share your record?"));
    buf_add(b, STR("<main><h1>Share your record?</h1><p>Signed in as <b>"));
    site_html(b, name);
    buf_add(b, STR("</b>. The app <b>Tributary</b> asks to read:</p>"));
    scope_list_html(b, g->scope);
    buf_add(b, STR("<form method=\"post\" action=\"consent\"><input "
                   "type=\"hidden\" name=\"ask\" value=\""));
    site_html(b, ask);
    buf_add(b, STR("\"><div class=\"row\"><button class=\"main\" "
                   "id=\"allowButton\" type=\"submit\" name=\"answer\" "
                   "value=\"allow\">Allow</button><button id=\"denyButton\" "
                   "type=\"submit\" name=\"answer\" value=\"deny\">Do not "
                   "allow</button></div></form></main>"));
    site_page_foot(out);
}

enum err site_consent(struct http_request *r, struct http_response *out)
{
    struct site *s = site_of(r);
    struct url_params form;
    enum err err = http_form(r, &form);
    if (err != OK)
        return err;
    struct str ask = url_param(&form, STR("ask"));
    if (!str_eq(url_param(&form, STR("answer")), STR("allow")))
        return site_deny(r, out, ask);
    struct grant *g;
    struct str code;
    if (grants_allow(s->grants, r->arena, ask, &code, &g) != OK)
        return why(&r->why, ERR_NOT_FOUND, "This sign-in is over.");
    const struct url_param params[] = { { STR("code"), code } };
    return site_send_back(r, out, g->redirect_uri, g->state, params, 1);
}
