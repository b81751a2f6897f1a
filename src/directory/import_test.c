#include "directory/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "directory/system.h"
#include "db/testing.h"

static char folder[64];

static int set_up(void **state)
{
    static char path[128];
    struct db *db = NULL;
    struct why w = { 0 };
    snprintf(folder, sizeof folder, "/tmp/tributary-import-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    assert_int_equal(db_test_open_at(path, &db, &w), OK);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];
    db_close(*state);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/t.db%s", folder, ends[i]);
        unlink(name);
    }
    rmdir(folder);
    return 0;
}

static enum err import(struct db *db, struct arena *a, const char *name,
                       struct str text, struct import_report *out)
{
    char path[160];
    struct why w = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_write(path, text, 0600, &w), OK);
    enum err err = import_file(db, path, a, out, &w);
    unlink(path);
    return err;
}

static void counts(const struct import_report *r, int64_t taken, int64_t merged,
                   int64_t same, int64_t refused)
{
    assert_int_equal(r->taken, taken);
    assert_int_equal(r->merged, merged);
    assert_int_equal(r->same, same);
    assert_int_equal(r->refused, refused);
    assert_int_equal(r->entries, taken + merged + same + refused);
}

static size_t find(struct db *db, struct arena *a, struct str query,
                   struct system **out)
{
    struct system_search ask = { .query = query, .count = 20 };
    size_t n;
    int64_t total;
    assert_int_equal(system_find(db, &ask, a, out, &n, &total), OK);
    return n;
}

#define LANTERN                                                                \
    "{\"Endpoints\":["                                                         \
    "{\"URL\":\"https://a.org/api/FHIR/R4/\",\"OrganizationName\":\"Acme "     \
    "&amp; Co\",\"OrganizationZipCode\":\"2114\"},"                            \
    "{\"URL\":\"http://A.org/api/FHIR/R4\",\"OrganizationName\":\"ACME & "     \
    "CO, Inc.\"},"                                                             \
    "{\"URL\":\"https://10.0.0.1/r4\",\"OrganizationName\":\"Hidden\"},"       \
    "{\"URL\":\"\",\"OrganizationName\":\"Lost\"}]}"

static void a_lantern_list_is_taken_merged_and_refused(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct import_report r;
    struct system *s;
    assert_int_equal(import(*state, &a, "x.json", STR(LANTERN), &r), OK);
    counts(&r, 1, 0, 1, 2);
    assert_int_equal(r.reason_count, 2);
    assert_int_equal(find(*state, &a, STR("acme"), &s), 1);
    assert_true(str_eq(s->name, STR("Acme & Co")));
    assert_true(str_eq(s->vendor, STR("epic")));
    assert_true(str_eq(s->locations[0].postal_code, STR("02114")));
    assert_true(
        str_eq(s->endpoints[0].base_url, STR("https://a.org/api/FHIR/R4")));
    assert_true(str_eq(s->endpoints[0].aud, STR("https://a.org/api/FHIR/R4/")));

    assert_int_equal(import(*state, &a, "x.json", STR(LANTERN), &r), OK);
    counts(&r, 0, 0, 2, 2);
}

static void another_release_joins_its_organisation(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct import_report r;
    struct system *s;
    assert_int_equal(import(*state, &a, "x.json", STR(LANTERN), &r), OK);
    int64_t id = (find(*state, &a, STR("acme"), &s), s->id);
    assert_int_equal(
        import(*state, &a, "old.json",
               STR("{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{"
                   "\"resourceType\":\"Endpoint\",\"status\":\"active\","
                   "\"contained\":[{\"resourceType\":\"Organization\","
                   "\"name\":\"Acme & Co\",\"address\":[{\"line\":[\"1 A "
                   "St\"],\"city\":\"Boston\",\"state\":\"Massachusetts\","
                   "\"postalCode\":\"02114\"}]}],\"address\":"
                   "\"https://a.org/api/FHIR/DSTU2/\"}},{\"resource\":{"
                   "\"resourceType\":\"Endpoint\",\"status\":\"off\",\"name\":"
                   "\"Gone\",\"address\":\"https://g.org/r4\"}}]}"),
               &r),
        OK);
    counts(&r, 0, 1, 0, 1);
    assert_int_equal(find(*state, &a, STR("boston"), &s), 1);
    assert_int_equal(s->id, id);
    assert_int_equal(s->endpoint_count, 2);
    assert_true(str_eq(s->locations[0].state, STR("MA")));
    assert_non_null(system_endpoint(s, STR("DSTU2")));
}

static void many_practices_share_one_address(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct import_report r;
    struct system *s;
    struct str list =
        STR("{\"Endpoints\":[{\"URL\":\"https://c.athenahealth.com/r4\","
            "\"OrganizationName\":\"NC - Family Care\"},"
            "{\"URL\":\"https://c.athenahealth.com/r4\",\"OrganizationName\":"
            "\"TX - Family Care\"},"
            "{\"URL\":\"https://c.athenahealth.com/r4\",\"OrganizationName\":"
            "\"Other\"}]}");
    assert_int_equal(import(*state, &a, "athenahealth_x.json", list, &r), OK);
    counts(&r, 3, 0, 0, 0);
    assert_int_equal(find(*state, &a, STR("family care"), &s), 2);
    assert_true(str_eq(s->name, STR("Family Care")));
    assert_false(str_eq(s[0].locations[0].state, s[1].locations[0].state));
    assert_int_equal(import(*state, &a, "athenahealth_x.json", list, &r), OK);
    counts(&r, 0, 0, 3, 0);
    assert_int_equal(import(*state, &a, "athena-x.json",
                            STR("{\"10\":\"Family Care\",\"11\":\"New\"}"), &r),
                     OK);
    assert_int_equal(r.entries, 2);
    assert_int_equal(import(*state, &a, "athena-x.json",
                            STR("{\"10\":\"Family Care\",\"11\":\"New\"}"), &r),
                     OK);
    counts(&r, 0, 0, 2, 0);
}

static void brands_bring_affiliates_addresses_and_logos(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct import_report r;
    struct system *s;
    struct str list = STR(
        "{\"resourceType\":\"Bundle\",\"entry\":["
        "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"b\","
        "\"name\":\"Big Brand\",\"extension\":[{\"url\":\"http://hl7.org/fhir/"
        "StructureDefinition/organization-brand\",\"extension\":[{\"url\":"
        "\"brandLogo\",\"valueUrl\":\"https://b.org/logo.png\"}]}],"
        "\"endpoint\":[{\"reference\":\"Endpoint/e4\"},{\"reference\":"
        "\"Endpoint/e2\"}]}},"
        "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"k\","
        "\"name\":\"Kid Hospital\",\"address\":[{\"city\":\"Lake City\"}],"
        "\"partOf\":{\"reference\":\"Organization/b\"}}},"
        "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"n\","
        "\"name\":\"Nowhere\"}},"
        "{\"resource\":{\"resourceType\":\"Endpoint\",\"id\":\"e4\","
        "\"status\":\"active\",\"address\":\"https://b.org/fhir\","
        "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/"
        "endpoint-fhir-version\",\"valueCode\":\"4.0.1\"}]}},"
        "{\"resource\":{\"resourceType\":\"Endpoint\",\"id\":\"e2\","
        "\"status\":\"active\",\"address\":\"https://b.org/old\","
        "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/"
        "endpoint-fhir-version\",\"valueCode\":\"1.0.2\"}]}}]}");
    assert_int_equal(import(*state, &a, "brands.json", list, &r), OK);
    counts(&r, 2, 2, 0, 1);
    assert_int_equal(find(*state, &a, STR("lake city"), &s), 1);
    assert_true(str_eq(s->name, STR("Kid Hospital")));
    assert_true(str_eq(s->brand, STR("Big Brand")));
    assert_true(str_eq(s->logo, STR("https://b.org/logo.png")));
    assert_int_equal(s->endpoint_count, 2);
    assert_int_equal(import(*state, &a, "brands.json", list, &r), OK);
    counts(&r, 0, 0, 4, 1);
}

static void sign_in_addresses_and_csv_and_lists_of_lists_are_read(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct import_report r;
    struct system *s;
    assert_int_equal(
        import(*state, &a, "oauth.json",
               STR("[{\"name\":\"With\",\"url\":\"https://w.org/r4\","
                   "\"authorize\":\"https://w.org/a\",\"token\":"
                   "\"https://w.org/t\"}]"),
               &r),
        OK);
    counts(&r, 1, 0, 0, 0);
    assert_int_equal(find(*state, &a, STR("with"), &s), 1);
    assert_true(str_eq(s->endpoints[0].token_url, STR("https://w.org/t")));
    assert_int_equal(
        import(*state, &a, "payers.csv",
               STR("Parent Organization Name,\"Brand Name(s)\",Prod FHIR "
                   "URL,Notes\r\nP,\"Plan \"\"A\"\", East\",https://p.org/r4,"
                   "\r\n,,,\r\n"),
               &r),
        OK);
    counts(&r, 1, 0, 0, 0);
    assert_int_equal(find(*state, &a, STR("plan a east"), &s), 1);
    assert_true(str_eq(s->name, STR("Plan \"A\", East")));
    assert_true(str_eq(s->kind, STR("health_plan")));
    assert_int_equal(
        import(*state, &a, "chpl.json",
               STR("[{\"URL\":\"https://x.org/docs\",\"EndpointName\":\"X\","
                   "\"FileName\":\"X.json\"}]"),
               &r),
        OK);
    counts(&r, 0, 0, 0, 1);
    assert_int_equal(
        import(*state, &a, "small.json",
               STR("{\"One_Inc_EndpointSources.json\":{\"Endpoints\":[{\"URL\":"
                   "\"https://one.org/r4\",\"OrganizationName\":\"\"}]}}"),
               &r),
        OK);
    counts(&r, 1, 0, 0, 0);
    assert_int_equal(find(*state, &a, STR("one inc"), &s), 1);
}

static void what_is_no_list_is_refused_whole(void **state)
{
    static const struct str bad[] = {
        STR_INIT(""),          STR_INIT("{"),
        STR_INIT("{}"),        STR_INIT("[]"),
        STR_INIT("{\"a\":1}"), STR_INIT("[1,2]"),
        STR_INIT("a,b\n"),     STR_INIT("{\"resourceType\":\"Patient\"}"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_ARENA a = ARENA(1 << 20);
        struct import_report r;
        assert_int_equal(import(*state, &a, "bad.json", bad[i], &r),
                         ERR_FORMAT);
    }
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lantern_list_is_taken_merged_and_refused),
        TEST(another_release_joins_its_organisation),
        TEST(many_practices_share_one_address),
        TEST(brands_bring_affiliates_addresses_and_logos),
        TEST(sign_in_addresses_and_csv_and_lists_of_lists_are_read),
        TEST(what_is_no_list_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
