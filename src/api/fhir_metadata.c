#include "api/fhir.h"

#include "api/fhir_prefer.h"

#include "base/json.h"
#include "fhir/capability.h"

enum err fhir_metadata(struct http_request *r, struct http_response *out)
{
    struct fhir f;
    enum err err = fhir_begin_open(r, &f);
    if (err == OK)
        err = prefer_check_format(r);
    if (err != OK)
        return err;
    struct str public_base = f.services->public_base;
    struct capability_facts facts = {
        .base_url = f.base,
        .authorize_url =
            arena_cat(r->arena, public_base, STR("/oauth2/authorize")),
        .token_url = arena_cat(r->arena, public_base, STR("/oauth2/token")),
        .software_version = f.services->version,
        .date_ms = f.services->started_ms,
    };
    http_set_type(out, FHIR_TYPE);
    capability_render(&out->body, f.release, &facts);
    return OK;
}

/* GET [base]: with search parameters a search over all types, else what
 * metadata answers. */
enum err fhir_root(struct http_request *r, struct http_response *out)
{
    for (size_t i = 0; i < r->params.n; i++) {
        struct str name = r->params.at[i].name;
        if (!fhir_is_private(name) && !str_eq(name, STR("_format")) &&
            !str_eq(name, STR("_pretty")))
            return fhir_search(r, out);
    }
    return fhir_metadata(r, out);
}

static void add_list(struct buf *b, struct str key, const struct str *items,
                     size_t n)
{
    json_key(b, key);
    json_array(b);
    for (size_t i = 0; i < n; i++)
        json_string(b, items[i]);
    json_array_end(b);
}

/* SMART App Launch 2.2, section "Using well-known". */
enum err fhir_smart_configuration(struct http_request *r,
                                  struct http_response *out)
{
    static const struct str auth[] = { STR_INIT("client_secret_post"),
                                       STR_INIT("client_secret_basic") };
    static const struct str grants[] = { STR_INIT("authorization_code"),
                                         STR_INIT("refresh_token"),
                                         STR_INIT("client_credentials") };
    static const struct str capabilities[] = {
        STR_INIT("client-confidential-symmetric"), STR_INIT("permission-user"),
        STR_INIT("permission-v1"), STR_INIT("permission-v2")
    };
    static const struct str methods[] = { STR_INIT("S256") };
    struct fhir f;
    enum err err = fhir_begin_open(r, &f);
    if (err != OK)
        return err;
    struct buf *b = &out->body;
    http_set_type(out, STR("application/json; charset=utf-8"));
    json_object(b);
    json_member(
        b, STR("token_endpoint"),
        arena_cat(r->arena, f.services->public_base, STR("/oauth2/token")));
    json_member(
        b, STR("revocation_endpoint"),
        arena_cat(r->arena, f.services->public_base, STR("/oauth2/revoke")));
    json_member(b, STR("introspection_endpoint"),
                arena_cat(r->arena, f.services->public_base,
                          STR("/oauth2/introspect")));
    add_list(b, STR("token_endpoint_auth_methods_supported"), auth, 2);
    add_list(b, STR("grant_types_supported"), grants, 3);
    add_list(b, STR("code_challenge_methods_supported"), methods, 1);
    add_list(b, STR("capabilities"), capabilities, 4);
    json_object_end(b);
    return OK;
}
