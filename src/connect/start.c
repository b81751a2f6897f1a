/* The way out: state, PKCE, and the URL of the system's sign-in. */
#include "connect/connect_int.h"

#include "base/rand.h"
#include "base/url.h"
#include "oauth/authorize.h"
#include "oauth/pkce.h"
#include "oauth/scope.h"

#define NONCE_BYTES 16

struct start {
    struct connect *c;
    const struct connect_ask *ask;
    struct arena *a;
    struct system system;
    struct vendor vendor;
    const struct system_endpoint *endpoint;
    struct discovery discovery;
    struct flow flow;
    bool is_second; /* the system refused the first list of scopes */
};

static enum err choose(struct start *s, struct why *w)
{
    enum err err = system_get(s->c->o.db, s->ask->system_id, s->a, &s->system);
    if (err == ERR_NOT_FOUND)
        return why(w, err, "there is no such health system");
    if (err == OK)
        err = system_vendor(&s->system, s->a, &s->vendor);
    if (err != OK)
        return err;
    s->endpoint = system_endpoint(&s->system, s->ask->fhir_version);
    if (s->endpoint == NULL)
        return why_of(w, ERR_UNSUPPORTED, s->system.name,
                      STR(" does not offer FHIR "), s->ask->fhir_version);
    return OK;
}

/* The directory's sign-in URLs win; the system's own word fills in, and is
 * enough. */
static enum err find_sign_in(struct start *s, struct why *w)
{
    const struct system_endpoint *e = s->endpoint;
    bool is_known = e->authorize_url.n > 0 && e->token_url.n > 0;
    enum err err = discover(s->c, e->base_url, s->a, &s->discovery, w);
    if (err != OK && !is_known)
        return err;
    if (err != OK) { /* what the system could have said in addition */
        s->discovery = (struct discovery){ .has_s256 = true };
        err = arena_err(s->a);
    }
    if (e->authorize_url.n > 0)
        s->discovery.authorize_url = e->authorize_url;
    if (e->token_url.n > 0)
        s->discovery.token_url = e->token_url;
    return err;
}

static struct str scope_of(struct start *s, struct str release,
                           struct str extra)
{
    unsigned flags = s->vendor.flags;
    if (s->is_second) { /* the other grammar, and nothing special */
        flags ^= VENDOR_WILDCARD_SCOPE;
        extra = STR("");
    }
    bool is_v2 = (flags & VENDOR_SCOPE_V2) ||
                 (s->discovery.has_scope_v2 && !s->discovery.has_scope_v1);
    struct scope_ask ask = {
        .release = release,
        .flags = (is_v2 ? SCOPE_V2 : 0u) |
                 (flags & VENDOR_WILDCARD_SCOPE ? SCOPE_WILDCARD : 0u) |
                 (flags & VENDOR_CLAIMS ? SCOPE_CLAIMS : 0u) |
                 (flags & VENDOR_NO_OFFLINE ? SCOPE_NO_OFFLINE : 0u) |
                 (flags & VENDOR_NO_FHIRUSER ? SCOPE_NO_FHIRUSER : 0u),
        .extra = extra,
        .supported = s->discovery.scopes,
        .supported_count = s->discovery.scope_count,
    };
    return scope_list(s->a, &ask);
}

static struct str aud_of(const struct start *s)
{
    const struct system_endpoint *e = s->endpoint;
    if (s->vendor.flags & VENDOR_NO_AUD)
        return STR("");
    if (e->aud.n > 0 && !(s->vendor.flags & VENDOR_AUD_NO_SLASH))
        return e->aud;
    return e->base_url;
}

/* Without a wish for a release, the older endpoints on the same host are read
 * too, so that programs of either age find the person's data.  The same
 * origin: the token goes to no other.  Their own types are asked for where the
 * system says which it knows. */
static void add_extras(struct start *s)
{
    struct url base, other;
    size_t n = 0;
    if (s->ask->fhir_version.n > 0 ||
        url_parse(s->endpoint->base_url, &base) != OK)
        return;
    for (size_t i = 0; i < s->system.endpoint_count && n < FLOW_EXTRA_MAX;
         i++) {
        const struct system_endpoint *e = &s->system.endpoints[i];
        if (e == s->endpoint || url_parse(e->base_url, &other) != OK ||
            !url_same_origin(&base, &other))
            continue;
        s->flow.extra_version[n] = e->fhir_version;
        s->flow.extra_base[n++] = e->base_url;
        if (s->discovery.scope_count > 0)
            s->flow.scope = scope_of(s, e->fhir_version, s->flow.scope);
    }
}

static void fill_flow(struct start *s)
{
    bool has_pkce =
        !(s->vendor.flags & VENDOR_NO_PKCE) || s->discovery.has_s256;
    s->flow = (struct flow){
        .user_id = s->ask->user_id,
        .app_id = s->ask->app_id,
        .system_id = s->system.id,
        .fhir_version = s->endpoint->fhir_version,
        .base_url = s->endpoint->base_url,
        .aud = aud_of(s),
        .token_url = s->discovery.token_url,
        .issuer = s->discovery.issuer,
        .verifier = has_pkce ? pkce_verifier(s->a) : STR(""),
        .nonce = s->vendor.flags & VENDOR_NONCE ? rand_hex(s->a, NONCE_BYTES)
                                                : STR(""),
        .scope = scope_of(s, s->endpoint->fhir_version, s->vendor.extra_scopes),
        .redirect_uri = s->ask->redirect_uri,
        .app_state = s->ask->app_state,
        .second = s->is_second ? STR("yes") : STR(""),
    };
    add_extras(s);
}

static enum err check_client(struct start *s, struct str *out_id, struct why *w)
{
    struct client_keys keys;
    enum err err = client_keys_get(s->c, &s->system, &s->vendor, s->a, &keys);
    if (err == ERR_NOT_FOUND)
        return why_of(w, ERR_UNSUPPORTED, s->system.name,
                      STR(" is not configured here: it needs a client id"));
    if (err != OK)
        return err;
    *out_id = keys.vault.client_id;
    vault_client_fini(&keys.vault);
    return OK;
}

static enum err start(struct start *s, struct str *out_url, struct why *w)
{
    struct str client_id, state;
    enum err err = choose(s, w);
    if (err == OK)
        err = check_client(s, &client_id, w);
    if (err == OK)
        err = find_sign_in(s, w);
    if (err != OK)
        return err;
    fill_flow(s);
    err = arena_err(s->a);
    if (err == OK)
        err = state_put(s->c, &s->flow, s->ask->browser, s->a, &state);
    if (err != OK)
        return err;
    struct authorize authorize = {
        .client_id = client_id,
        .redirect_uri = s->c->callback_url,
        .scope = s->flow.scope,
        .state = state,
        .aud = s->flow.aud,
        .challenge = s->flow.verifier.n > 0
                         ? pkce_challenge(s->a, s->flow.verifier)
                         : STR(""),
        .nonce = s->flow.nonce,
    };
    struct str url =
        authorize_url(s->a, s->discovery.authorize_url, &authorize);
    if (url.p == NULL)
        return ERR_LIMIT;
    *out_url = url;
    return OK;
}

enum err connect_start(struct connect *c, const struct connect_ask *ask,
                       struct arena *a, struct str *out_url, struct why *w)
{
    struct start s = { .c = c, .ask = ask, .a = a };
    enum err err = start(&s, out_url, w);
    if (err == OK)
        note_step(c, &s.flow, s.system.name, 0, STR("system-selected"), true,
                  STR("the person went to the system's sign-in"));
    return err;
}

enum err start_second(struct connect *c, const struct flow *flow,
                      struct str browser, struct arena *a, struct str *out_url)
{
    struct connect_ask ask = {
        .app_id = flow->app_id,
        .user_id = flow->user_id,
        .system_id = flow->system_id,
        .fhir_version = flow->fhir_version,
        .redirect_uri = flow->redirect_uri,
        .app_state = flow->app_state,
        .browser = browser,
    };
    struct start s = { .c = c, .ask = &ask, .a = a, .is_second = true };
    return start(&s, out_url, NULL);
}
