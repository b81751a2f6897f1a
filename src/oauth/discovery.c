#include "oauth/discovery.h"

#include "base/json.h"
#include "base/url.h"

#define SCOPES_MAX 2000
#define OAUTH_URIS                                                             \
    "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

/* Vendors write URLs with blanks around; what is no URL counts as absent. */
static struct str url_member(struct yyjson_val *v, struct str name)
{
    struct str text = str_trim(json_get_text(v, name));
    struct url url;
    return url_parse(text, &url) == OK ? text : STR_NONE;
}

static bool has_word(struct yyjson_val *list, struct str word)
{
    for (JSON_EACH(item, list))
        if (str_eq_nocase(json_text(item.now), word))
            return true;
    return false;
}

/* v1 ends in .read or .*; v2 in letters out of "cruds". */
static void note_scope(struct discovery *d, struct str scope)
{
    if (str_find(scope, '/') == scope.n)
        return;
    struct str may = str_from(scope, str_rfind(scope, '.') + 1);
    may = str_slice(may, 0, str_find(may, '?'));
    if (str_eq(may, STR("read")) || str_eq(may, STR("*")))
        d->has_scope_v1 = true;
    else if (str_starts(may, STR("r")) || str_eq(may, STR("cruds")))
        d->has_scope_v2 = true;
}

static enum err read_scopes(struct arena *a, struct yyjson_val *list,
                            struct discovery *d)
{
    size_t n = json_count(list) < SCOPES_MAX ? json_count(list) : SCOPES_MAX;
    if (!json_is_array(list) || n == 0)
        return OK;
    d->scopes = arena_zalloc(a, n, sizeof *d->scopes);
    if (d->scopes == NULL)
        return ERR_NOMEM;
    for (JSON_EACH(item, list)) {
        struct str scope = json_text(item.now);
        if (scope.n == 0 || d->scope_count == n)
            continue;
        d->scopes[d->scope_count++] = scope;
        note_scope(d, scope);
    }
    return OK;
}

static enum err done(struct discovery *found, struct discovery *out,
                     struct why *w)
{
    if (found->authorize_url.n == 0 || found->token_url.n == 0)
        return why(w, ERR_UPSTREAM,
                   "the system does not say where its sign-in is");
    *out = *found;
    return OK;
}

enum err discovery_from_smart(struct arena *a, struct str json,
                              struct discovery *out, struct why *w)
{
    struct yyjson_val *v;
    struct discovery d = { 0 };
    enum err err = json_parse(a, json, &v, NULL);
    if (err == ERR_NOMEM || err == ERR_LIMIT)
        return err;
    if (err != OK || !json_is_object(v))
        return why(w, ERR_UPSTREAM,
                   "the system's smart-configuration is not JSON");
    d.authorize_url = url_member(v, STR("authorization_endpoint"));
    d.token_url = url_member(v, STR("token_endpoint"));
    d.revoke_url = url_member(v, STR("revocation_endpoint"));
    d.issuer = json_get_text(v, STR("issuer"));
    d.has_s256 = has_word(json_get(v, STR("code_challenge_methods_supported")),
                          STR("S256"));
    struct yyjson_val *auth =
        json_get(v, STR("token_endpoint_auth_methods_supported"));
    d.has_jwt = has_word(auth, STR("private_key_jwt"));
    d.has_basic = has_word(auth, STR("client_secret_basic"));
    d.has_post = has_word(auth, STR("client_secret_post"));
    struct yyjson_val *can = json_get(v, STR("capabilities"));
    d.has_scope_v1 = has_word(can, STR("permission-v1"));
    d.has_scope_v2 = has_word(can, STR("permission-v2"));
    err = read_scopes(a, json_get(v, STR("scopes_supported")), &d);
    return err == OK ? done(&d, out, w) : err;
}

static void read_oauth_uris(struct yyjson_val *extension, struct discovery *d)
{
    for (JSON_EACH(item, json_get(extension, STR("extension")))) {
        struct str name = json_get_text(item.now, STR("url"));
        struct str value = url_member(item.now, STR("valueUri"));
        if (value.p == NULL)
            value = url_member(item.now, STR("valueUrl"));
        if (str_eq(name, STR("authorize")))
            d->authorize_url = value;
        else if (str_eq(name, STR("token")))
            d->token_url = value;
        else if (str_eq(name, STR("revoke")))
            d->revoke_url = value;
    }
}

enum err discovery_from_capability(struct arena *a, struct str json,
                                   struct discovery *out, struct why *w)
{
    struct yyjson_val *v;
    struct discovery d = { 0 };
    enum err err = json_parse(a, json, &v, NULL);
    if (err == ERR_NOMEM || err == ERR_LIMIT)
        return err;
    struct str type =
        err == OK ? json_get_text(v, STR("resourceType")) : STR_NONE;
    if (!str_eq(type, STR("CapabilityStatement")) &&
        !str_eq(type, STR("Conformance")))
        return why(w, ERR_UPSTREAM,
                   "the system's /metadata is no CapabilityStatement");
    for (JSON_EACH(rest, json_get(v, STR("rest")))) {
        struct yyjson_val *security = json_get(rest.now, STR("security"));
        for (JSON_EACH(ext, json_get(security, STR("extension"))))
            if (str_eq(json_get_text(ext.now, STR("url")), STR(OAUTH_URIS)))
                read_oauth_uris(ext.now, &d);
    }
    return done(&d, out, w);
}
