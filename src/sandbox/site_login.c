/* The person's side of OAuth: authorize, sign in, consent. */
#include "base/clock.h"
#include "base/url.h"
#include "oauth/authorize.h"
#include "oauth/scope.h"
#include "sandbox/site_int.h"

#define SCOPE_MAX    ((size_t)64 * 1024)
#define PEOPLE_SHOWN 300

static enum err send_error(struct http_request *r, struct http_response *out,
                           const struct authorize *ask, const char *error,
                           const char *description)
{
    const struct url_param params[] = {
        { STR("error"), str_of(error) },
        { STR("error_description"), str_of(description) },
    };
    return site_send_back(r, out, ask->redirect_uri, ask->state, params, 2);
}

/* --- authorize -------------------------------------------------------------
 */

static bool is_registered(const struct site *s, struct str uri)
{
    struct url u;
    if (url_parse(uri, &u) != OK)
        return false;
    for (size_t i = 0; i < s->options.redirect_count; i++)
        if (str_eq(str_of(s->options.redirects[i]), uri))
            return true;
    return s->options.redirect_count == 0 && url_is_loopback(&u);
}

/* The release whose base aud is; a '/' at its end may be there or not. */
static bool find_aud(const struct site *s, struct arena *a,
                     const struct sandbox_system *system, struct str aud,
                     enum release *out)
{
    if (str_ends(aud, STR("/")))
        aud = str_slice(aud, 0, aud.n - 1);
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
        if ((system->releases & SYSTEM_RELEASE(r)) == 0 ||
            !str_eq(site_fhir_url(s, a, system, r), aud))
            continue;
        *out = r;
        return true;
    }
    return false;
}

static bool is_claims_scope(struct str scope)
{
    static const struct str known[] = {
        STR_INIT("openid"),
        STR_INIT("profile"),
        STR_INIT("launch/patient"),
        STR_INIT("patient/Patient.read"),
        STR_INIT("patient/Coverage.read"),
        STR_INIT("patient/ExplanationOfBenefit.read"),
        STR_INIT("patient/Patient.rs"),
        STR_INIT("patient/Coverage.rs"),
        STR_INIT("patient/ExplanationOfBenefit.rs"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(known[i], scope))
            return true;
    return false;
}

static const char *scope_fault(const struct sandbox_system *system,
                               struct str scopes)
{
    struct str scope;
    while (scope_next(&scopes, &scope)) {
        if ((system->flags & SYSTEM_NO_WILDCARD) != 0 &&
            str_find(scope, '*') < scope.n)
            return "wildcard scopes are not known here";
        if ((system->flags & SYSTEM_PLAIN_SCOPES) != 0 &&
            !is_claims_scope(scope))
            return "a scope is not known here";
    }
    return NULL;
}

/* What this system demands beyond RFC 6749; NULL: all is well. */
static const char *demand(const struct sandbox_system *system,
                          const struct authorize *ask, bool has_aud)
{
    if (ask->state.n == 0)
        return "state is missing";
    if ((system->flags & SYSTEM_PKCE) != 0 && ask->challenge.n == 0)
        return "code_challenge with S256 is required";
    if ((system->flags & SYSTEM_AUD) != 0 && !has_aud)
        return "aud must be the FHIR base URL";
    if (ask->aud.n > 0 && !has_aud)
        return "aud is not a FHIR base URL of this system";
    if ((system->flags & SYSTEM_NONCE) != 0 && ask->nonce.n == 0)
        return "nonce is required";
    return NULL;
}

/* All the types of the system: what apps with registered scopes get. */
static struct str all_scopes(struct arena *a,
                             const struct sandbox_system *system,
                             enum release release)
{
    struct buf b = BUF_IN(a, SCOPE_MAX);
    buf_add(&b, STR("openid fhirUser launch/patient offline_access"));
    const char *const *types = systems_types(system, release);
    for (size_t i = 0; types[i] != NULL; i++) {
        buf_add(&b, STR(" patient/"));
        buf_add(&b, str_of(types[i]));
        buf_add(&b, STR(".read"));
    }
    struct str text;
    return buf_view(&b, &text) == OK ? text : STR_NONE;
}

static void sign_in_page(struct http_request *r, struct http_response *out,
                         const struct sandbox_system *system, struct str ask,
                         struct str username, const char *complaint);

static enum err authorize(struct http_request *r, struct http_response *out,
                          const struct url_params *params)
{
    struct site *s = site_of(r);
    const struct sandbox_system *system = site_system(r);
    struct authorize ask;
    struct why w = { "" };
    if (system == NULL)
        return why(&r->why, ERR_NOT_FOUND, "there is no such system");
    atomic_fetch_add(&site_counts_of(s, system)->authorize, 1);
    enum err err = authorize_read(params, &ask, &w);
    if (!str_eq(ask.client_id, systems_client_id(r->arena, system)))
        return why(&r->why, ERR_INVALID,
                   "The app is not registered here: unknown client_id.");
    if (!is_registered(s, ask.redirect_uri))
        return why(&r->why, ERR_INVALID,
                   "The app's redirect_uri is not registered here.");
    if (err != OK)
        return send_error(r, out, &ask, "invalid_request", w.text);
    struct grant g = { .system = system,
                       .scope = ask.scope,
                       .redirect_uri = ask.redirect_uri,
                       .challenge = ask.challenge,
                       .nonce = ask.nonce,
                       .state = ask.state };
    g.has_release = find_aud(s, r->arena, system, ask.aud, &g.release);
    const char *fault = demand(system, &ask, g.has_release);
    if (fault != NULL)
        return send_error(r, out, &ask, "invalid_request", fault);
    fault = scope_fault(system, ask.scope);
    if (fault != NULL)
        return send_error(r, out, &ask, "invalid_scope", fault);
    struct str name = grants_ask(s->grants, r->arena, &g);
    if (name.p == NULL)
        return ERR_NOMEM;
    sign_in_page(r, out, system, name, STR(""), NULL);
    return OK;
}

enum err site_authorize(struct http_request *r, struct http_response *out)
{
    return authorize(r, out, &r->params);
}

enum err site_authorize_form(struct http_request *r, struct http_response *out)
{
    struct url_params form;
    enum err err = http_form(r, &form);
    return err == OK ? authorize(r, out, &form) : err;
}

/* --- signing in ------------------------------------------------------------
 */

static bool serves(const struct sandbox_system *system,
                   const struct account *account)
{
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++)
        if ((system->releases & SYSTEM_RELEASE(r)) != 0 &&
            account_has(account, r))
            return true;
    return false;
}

static void people_table(struct site *s, struct buf *b,
                         const struct sandbox_system *system)
{
    buf_add(b, STR("<details><summary>Who can sign in here</summary><table>"
                   "<tr><th>User name</th><th>Password</th><th>Person</th>"
                   "</tr>"));
    size_t shown = 0;
    for (size_t i = 0; i < accounts_count(s->accounts); i++) {
        const struct account *a = accounts_at(s->accounts, i);
        if (shown == PEOPLE_SHOWN || !serves(system, a))
            continue;
        buf_add(b, STR("<tr><td><code>"));
        site_html(b, a->username);
        buf_add(b, STR("</code></td><td><code>"));
        site_html(b, a->password);
        buf_add(b, STR("</code></td><td>"));
        site_html(b, a->title);
        buf_add(b, STR("</td></tr>"));
        shown++;
    }
    buf_add(b, STR("</table></details>"));
}

static void sign_in_page(struct http_request *r, struct http_response *out,
                         const struct sandbox_system *system, struct str ask,
                         struct str username, const char *complaint)
{
    struct buf *b = &out->body;
    site_page_head(out, system, STR("Sign in"));
    buf_add(b, STR("<main><h1>Sign in</h1><p>An app would like to read your "
                   "health record.</p>"));
    if (complaint != NULL) {
        buf_add(b, STR("<p class=\"bad\" role=\"alert\">"));
        site_html(b, str_of(complaint));
        buf_add(b, STR("</p>"));
    }
    buf_add(b, STR("<form method=\"post\" action=\"login\"><input "
                   "type=\"hidden\" name=\"ask\" value=\""));
    site_html(b, ask);
    buf_add(b, STR("\"><label for=\"u\">User name</label><input id=\"u\" "
                   "name=\"login_username\" autocomplete=\"username\" "
                   "autocapitalize=\"none\" spellcheck=\"false\" required "
                   "autofocus value=\""));
    site_html(b, username);
    buf_add(b, STR("\"><label for=\"p\">Password</label><input id=\"p\" "
                   "name=\"login_password\" type=\"password\" "
                   "autocomplete=\"current-password\" required><div "
                   "class=\"row\"><button class=\"main\" id=\"loginButton\" "
                   "type=\"submit\">Sign in</button><button id=\"cancelButton\""
                   " type=\"submit\" name=\"cancel\" value=\"1\" "
                   "formnovalidate>Cancel</button></div></form>"));
    people_table(site_of(r), b, system);
    buf_add(b, STR("</main>"));
    site_page_foot(out);
}

/* The release to serve: aud's, or the best that system and person have. */
static bool choose_release(const struct grant *g, const struct account *account,
                           enum release *out)
{
    if (g->has_release) {
        *out = g->release;
        return account_has(account, g->release);
    }
    for (int r = RELEASE_COUNT - 1; r >= 0; r--) {
        if ((g->system->releases & SYSTEM_RELEASE(r)) == 0 ||
            !account_has(account, (enum release)r))
            continue;
        *out = (enum release)r;
        return true;
    }
    return false;
}

static const char *find_person(struct site *s, const struct grant *g,
                               const struct url_params *form,
                               struct account **out, enum release *release,
                               uint64_t *faults)
{
    struct str name = url_param(form, STR("login_username"));
    struct str password = url_param(form, STR("login_password"));
    size_t plus = str_find(name, '+');
    const struct chart *chart;
    if (faults_parse(str_from(name, plus + 1), '+', faults, NULL) != OK)
        return "There is no such fault.";
    struct account *account =
        accounts_find(s->accounts, str_trim(str_slice(name, 0, plus)));
    if (account == NULL || !str_eq(account->password, password))
        return "User name or password is wrong.";
    if (!choose_release(g, account, release))
        return "This person has no record at this system.";
    if (accounts_chart(s->accounts, account, *release, &chart, NULL) != OK)
        return "This person's record cannot be read.";
    *out = account;
    return NULL;
}

enum err site_sign_in(struct http_request *r, struct http_response *out)
{
    struct site *s = site_of(r);
    const struct sandbox_system *system = site_system(r);
    struct url_params form;
    struct grant *g;
    enum err err = http_form(r, &form);
    if (err != OK)
        return err;
    struct str ask = url_param(&form, STR("ask"));
    if (url_param(&form, STR("cancel")).n > 0)
        return site_deny(r, out, ask);
    if (system == NULL || grants_peek(s->grants, ask, &g) != OK ||
        g->system != system)
        return why(&r->why, ERR_NOT_FOUND, "This sign-in is over.");
    struct account *account;
    enum release release;
    uint64_t faults;
    const char *complaint =
        find_person(s, g, &form, &account, &release, &faults);
    if (complaint != NULL) {
        out->status = 401;
        sign_in_page(r, out, system, ask,
                     url_param(&form, STR("login_username")), complaint);
        return OK;
    }
    struct str scope = (system->flags & SYSTEM_GRANTS_ALL) != 0
                           ? all_scopes(r->arena, system, release)
                           : g->scope;
    err = grants_sign_in(
        s->grants, r->arena,
        &(struct grants_person){ ask, account, release, faults, scope }, &ask,
        &g);
    if (err != OK)
        return err;
    atomic_fetch_add(&site_counts_of(s, system)->sign_ins, 1);
    const struct chart *chart;
    err = accounts_chart(s->accounts, account, release, &chart, &r->why);
    if (err == OK)
        site_consent_page(out, g, ask,
                          chart->name.n > 0 ? chart->name : account->username);
    return err;
}
