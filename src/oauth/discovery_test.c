#include "oauth/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void a_smart_configuration_is_read(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct discovery d;
    struct str json =
        STR("{\"issuer\":\"https://a.test/fhir\","
            "\"authorization_endpoint\":\" https://a.test/authorize \","
            "\"token_endpoint\":\"https://a.test/token\","
            "\"revocation_endpoint\":\"https://a.test/revoke\","
            "\"code_challenge_methods_supported\":[\"S256\"],"
            "\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\","
            "\"client_secret_basic\"],"
            "\"capabilities\":[\"launch-standalone\",\"permission-v2\"],"
            "\"scopes_supported\":[\"openid\",\"patient/*.rs\"]}");
    assert_int_equal(discovery_from_smart(&a, json, &d, NULL), OK);
    assert_true(str_eq(d.authorize_url, STR("https://a.test/authorize")));
    assert_true(str_eq(d.token_url, STR("https://a.test/token")));
    assert_true(str_eq(d.revoke_url, STR("https://a.test/revoke")));
    assert_true(str_eq(d.issuer, STR("https://a.test/fhir")));
    assert_true(d.has_s256 && d.has_jwt && d.has_basic && !d.has_post);
    assert_true(d.has_scope_v2 && !d.has_scope_v1);
    assert_int_equal(d.scope_count, 2);
}

static void what_is_no_smart_configuration_is_the_systems_fault(void **state)
{
    (void)state;
    static const struct str cases[] = {
        STR_INIT(""),
        STR_INIT("<!doctype html><html></html>"),
        STR_INIT("[]"),
        STR_INIT("{}"),
        STR_INIT("{\"authorization_endpoint\":\"https://a.test/a\"}"),
        STR_INIT("{\"authorization_endpoint\":\"javascript:alert(1)\","
                 "\"token_endpoint\":\"https://a.test/t\"}"),
        STR_INIT("{\"authorization_endpoint\":7,\"token_endpoint\":{}}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct discovery d;
        struct why w = { 0 };
        assert_int_equal(discovery_from_smart(&a, cases[i], &d, &w),
                         ERR_UPSTREAM);
        assert_true(w.text[0] != '\0');
    }
}

#define OAUTH_URIS                                                             \
    "\"rest\":[{\"mode\":\"server\",\"security\":{\"extension\":[{\"url\":"    \
    "\"http://other.test/ext\"},{\"url\":\"http://"                            \
    "fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris\","        \
    "\"extension\":[{\"url\":\"token\",\"valueUri\":\"https://b.test/t\"},"    \
    "{\"url\":\"authorize\",\"valueUri\":\"https://b.test/a\"}]}]}}]"

static void both_generations_of_metadata_are_read(void **state)
{
    (void)state;
    static const struct str cases[] = {
        STR_INIT("{\"resourceType\":\"CapabilityStatement\"," OAUTH_URIS "}"),
        STR_INIT("{\"resourceType\":\"Conformance\"," OAUTH_URIS "}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct discovery d;
        assert_int_equal(discovery_from_capability(&a, cases[i], &d, NULL), OK);
        assert_true(str_eq(d.authorize_url, STR("https://b.test/a")));
        assert_true(str_eq(d.token_url, STR("https://b.test/t")));
        assert_false(d.has_s256);
    }
}

static void metadata_without_security_is_the_systems_fault(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct discovery d;
    assert_int_equal(discovery_from_capability(
                         &a,
                         STR("{\"resourceType\":\"CapabilityStatement\","
                             "\"rest\":[{}]}"),
                         &d, NULL),
                     ERR_UPSTREAM);
    assert_int_equal(
        discovery_from_capability(
            &a, STR("{\"resourceType\":\"OperationOutcome\"}"), &d, NULL),
        ERR_UPSTREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_smart_configuration_is_read),
        cmocka_unit_test(what_is_no_smart_configuration_is_the_systems_fault),
        cmocka_unit_test(both_generations_of_metadata_are_read),
        cmocka_unit_test(metadata_without_security_is_the_systems_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
