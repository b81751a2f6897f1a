/* smart-configuration and metadata: each system with its own gaps. */
#include "base/json.h"
#include "sandbox/site_int.h"

static struct str oauth_url(struct arena *a, const struct site *s,
                            const struct sandbox_system *system,
                            const char *what)
{
    return arena_cat(a, site_system_url(s, a, system), STR("/oauth2/"),
                     str_of(what));
}

static bool has_web_page_fault(struct site *s,
                               const struct sandbox_system *system,
                               struct http_response *out)
{
    uint64_t faults = site_faults_of(s, system);
    if (fault_in(faults, FAULT_SMART_404)) {
        http_text(out, 404, STR("text/html"), STR("<h1>Not Found</h1>"));
        return true;
    }
    if (fault_in(faults, FAULT_SMART_HTML)) {
        http_text(out, 200, STR("text/html"),
                  STR("<!doctype html><title>Portal</title><div id=app></div>"
                      "<script src=/main.js></script>"));
        return true;
    }
    return false;
}

static void strings(struct buf *b, const char *key, const char *const *items)
{
    json_key(b, str_of(key));
    json_array(b);
    for (size_t i = 0; items[i] != NULL; i++)
        json_string(b, str_of(items[i]));
    json_array_end(b);
}

static void scopes_supported(struct buf *b, struct arena *a,
                             const struct sandbox_system *system,
                             enum release release)
{
    const char *const *types = systems_types(system, release);
    bool is_plain = (system->flags & SYSTEM_PLAIN_SCOPES) != 0;
    struct str end =
        (system->flags & SYSTEM_SCOPES_V2) != 0 ? STR(".rs") : STR(".read");
    json_key(b, STR("scopes_supported"));
    json_array(b);
    json_string(b, STR("openid"));
    json_string(b, STR("profile"));
    json_string(b, STR("launch/patient"));
    if (!is_plain) {
        json_string(b, STR("fhirUser"));
        json_string(b, STR("offline_access"));
    }
    if ((system->flags & (SYSTEM_NO_WILDCARD | SYSTEM_PLAIN_SCOPES)) == 0)
        json_string(b, arena_cat(a, STR("patient/*"), end));
    for (size_t i = 0; types[i] != NULL; i++)
        json_string(b, arena_cat(a, STR("patient/"), str_of(types[i]), end));
    json_array_end(b);
}

static void auth_methods(struct buf *b, const struct sandbox_system *system)
{
    static const char *const methods[] = { "none", "client_secret_basic",
                                           "client_secret_post",
                                           "private_key_jwt" };
    const char *const mine[] = { methods[system->auth], NULL };
    strings(b, "token_endpoint_auth_methods_supported", mine);
    if (system->auth == GRANT_JWT)
        strings(b, "token_endpoint_auth_signing_alg_values_supported",
                (const char *const[]){ "ES384", "RS384", NULL });
}

static bool find_base(const struct http_request *r,
                      const struct sandbox_system **system,
                      enum release *release)
{
    *system = site_system(r);
    return *system != NULL && systems_release_find(r->captures[1], release) &&
           ((*system)->releases & SYSTEM_RELEASE(*release)) != 0;
}

enum err site_smart(struct http_request *r, struct http_response *out)
{
    struct site *s = site_of(r);
    const struct sandbox_system *system;
    enum release release;
    if (!find_base(r, &system, &release) ||
        (system->flags & SYSTEM_NO_SMART) != 0)
        return why(&r->why, ERR_NOT_FOUND, "no such document");
    if (has_web_page_fault(s, system, out))
        return OK;
    struct buf *b = &out->body;
    http_set_type(out, STR("application/json"));
    json_object(b);
    json_member(b, STR("issuer"), site_fhir_url(s, r->arena, system, release));
    json_member(b, STR("jwks_uri"), oauth_url(r->arena, s, system, "jwks"));
    json_member(b, STR("authorization_endpoint"),
                oauth_url(r->arena, s, system, "authorize"));
    json_member(b, STR("token_endpoint"),
                oauth_url(r->arena, s, system, "token"));
    json_member(b, STR("revocation_endpoint"),
                oauth_url(r->arena, s, system, "revoke"));
    strings(
        b, "grant_types_supported",
        (const char *const[]){ "authorization_code", "refresh_token", NULL });
    strings(b, "response_types_supported",
            (const char *const[]){ "code", NULL });
    strings(b, "code_challenge_methods_supported",
            (const char *const[]){ "S256", NULL });
    strings(b, "capabilities",
            (const char *const[]){ "launch-standalone", "client-public",
                                   "client-confidential-symmetric",
                                   "context-standalone-patient",
                                   "permission-patient", "permission-offline",
                                   "sso-openid-connect", NULL });
    auth_methods(b, system);
    scopes_supported(b, r->arena, system, release);
    json_object_end(b);
    return OK;
}

/* --- metadata --------------------------------------------------------------
 */

static void security(struct buf *b, struct arena *a, const struct site *s,
                     const struct sandbox_system *system)
{
    static const char *const names[] = { "authorize", "token", "revoke" };
    json_key(b, STR("security"));
    json_object(b);
    json_key(b, STR("extension"));
    json_array(b);
    json_object(b);
    json_member(b, STR("url"),
                STR("http://fhir-registry.smarthealthit.org/"
                    "StructureDefinition/oauth-uris"));
    json_key(b, STR("extension"));
    json_array(b);
    for (size_t i = 0; i < 3; i++) {
        json_object(b);
        json_member(b, STR("url"), str_of(names[i]));
        json_member(b, STR("valueUri"), oauth_url(a, s, system, names[i]));
        json_object_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    json_array_end(b);
    json_key(b, STR("service"));
    json_array(b);
    json_object(b);
    json_member(b, STR("text"), STR("SMART-on-FHIR"));
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
}

static void codes(struct buf *b, const char *key, const char *const *items)
{
    json_key(b, str_of(key));
    json_array(b);
    for (size_t i = 0; items[i] != NULL; i++) {
        json_object(b);
        json_member(b, STR("code"), str_of(items[i]));
        json_object_end(b);
    }
    json_array_end(b);
}

static void search_params(struct buf *b, const char *const *names,
                          bool has_since)
{
    json_key(b, STR("searchParam"));
    json_array(b);
    for (size_t i = 0; names[i] != NULL; i++) {
        json_object(b);
        json_member(b, STR("name"), str_of(names[i]));
        json_member(b, STR("type"),
                    str_eq(str_of(names[i]), STR("date")) ? STR("date")
                    : names[i][0] == 'p' || names[i][0] == 'b'
                        ? STR("reference")
                        : STR("token"));
        json_object_end(b);
    }
    if (has_since) {
        json_object(b);
        json_member(b, STR("name"), STR("_lastUpdated"));
        json_member(b, STR("type"), STR("date"));
        json_object_end(b);
    }
    json_array_end(b);
}

static void resources(struct buf *b, const struct sandbox_system *system,
                      enum release release)
{
    static const char *const by_id[] = { "_id", "identifier", NULL };
    static const char *const by_patient[] = { "_id",  "patient", "category",
                                              "code", "status",  "date",
                                              NULL };
    static const char *const by_beneficiary[] = { "_id", "patient",
                                                  "beneficiary", NULL };
    const char *const *types = systems_types(system, release);
    json_key(b, STR("resource"));
    json_array(b);
    for (size_t i = 0; types[i] != NULL; i++) {
        struct str type = str_of(types[i]);
        json_object(b);
        json_member(b, STR("type"), type);
        codes(b, "interaction",
              (const char *const[]){ "read", "search-type", NULL });
        search_params(b,
                      str_eq(type, STR("Coverage")) ? by_beneficiary
                      : systems_is_shared_type(type) ||
                              str_eq(type, STR("Patient"))
                          ? by_id
                          : by_patient,
                      (system->flags & SYSTEM_SINCE) != 0);
        json_object_end(b);
    }
    json_array_end(b);
}

enum err site_metadata(struct http_request *r, struct http_response *out)
{
    static const struct str versions[] = { STR_INIT("1.0.2"), STR_INIT("3.0.1"),
                                           STR_INIT("4.0.1") };
    struct site *s = site_of(r);
    const struct sandbox_system *system;
    enum release release;
    if (!find_base(r, &system, &release))
        return why(&r->why, ERR_NOT_FOUND, "no such document");
    if (fault_in(site_faults_of(s, system), FAULT_METADATA_500)) {
        http_text(out, 500, STR("text/plain"), STR("java.lang.Exception"));
        return OK;
    }
    struct buf *b = &out->body;
    bool is_dstu2 = release == DSTU2;
    http_set_type(out, is_dstu2 ? STR("application/json+fhir")
                                : STR("application/fhir+json"));
    json_object(b);
    json_member(b, STR("resourceType"),
                is_dstu2 ? STR("Conformance") : STR("CapabilityStatement"));
    json_member(b, STR("status"), STR("active"));
    json_member(b, STR("date"), STR("2026-11-01"));
    json_member(b, STR("kind"), STR("instance"));
    json_key(b, STR("software"));
    json_object(b);
    json_member(b, STR("name"), STR("tributary-sandbox"));
    json_object_end(b);
    json_member(b, STR("fhirVersion"), versions[release]);
    if (is_dstu2)
        json_member(b, STR("acceptUnknown"), STR("no"));
    json_key(b, STR("format"));
    json_array(b);
    json_string(b, STR("json"));
    json_array_end(b);
    json_key(b, STR("rest"));
    json_array(b);
    json_object(b);
    json_member(b, STR("mode"), STR("server"));
    if ((system->flags & SYSTEM_NO_OAUTH_URIS) == 0)
        security(b, r->arena, s, system);
    resources(b, system, release);
    json_object_end(b);
    json_array_end(b);
    json_object_end(b);
    return OK;
}

enum err site_jwks(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_set_type(out, STR("application/json"));
    json_object(&out->body);
    json_key(&out->body, STR("keys"));
    json_array(&out->body);
    json_raw(&out->body, systems_server_public_jwk);
    json_array_end(&out->body);
    json_object_end(&out->body);
    return OK;
}
