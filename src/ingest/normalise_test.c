#include "ingest/normalise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "crypto/seal.h"
#include "ingest/ingest_int.h"

static struct world {
    struct arena a;
    struct seal *seal;
    struct ingest ingest;
    struct connection connection;
    struct normaliser n;
    char wanted[2000]; /* "Type/id|url " */
} w;

static void wants(void *context, const struct source_ref *ref, struct str url)
{
    (void)context;
    size_t n = strlen(w.wanted);
    snprintf(w.wanted + n, sizeof w.wanted - n, "%.*s/%.*s|%.*s ",
             (int)ref->type.n, ref->type.p, (int)ref->id.n, ref->id.p,
             (int)url.n, url.p == NULL ? "" : url.p);
}

static int set_up(void **state)
{
    (void)state;
    struct why why = { 0 };
    memset(&w, 0, sizeof w);
    w.a = ARENA((size_t)16 << 20);
    assert_int_equal(
        seal_new(STR("0123456789abcdef0123456789abcdef"), &w.seal, &why), OK);
    w.ingest.o.seal = w.seal;
    w.connection = (struct connection){
        .id = 7,
        .user_id = 251,
        .system_id = 4706,
        .fhir_version = STR("R4"),
        .base_url = STR("https://ehr.test/api/R4"),
        .patient_id = STR("p.1"),
    };
    w.n = (struct normaliser){
        .ingest = &w.ingest,
        .connection = &w.connection,
        .release = R4,
        .public_base = STR("https://us.test"),
        .wants = wants,
    };
    w.n.owner = ingest_local_id(&w.ingest, &w.a, &w.connection, STR("Patient"),
                                STR("p.1"), STR(""));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    seal_free(w.seal);
    arena_fini(&w.a);
    return 0;
}

static struct str local(const char *type, const char *id)
{
    return ingest_local_id(&w.ingest, &w.a, &w.connection, str_of(type),
                           str_of(id), w.n.owner);
}

static struct yyjson_val *normalised(const char *text, struct str *out_text,
                                     struct str *out_id)
{
    struct resource r;
    struct map urns = MAP_IN(&w.a);
    struct source_ref urn = { STR("Practitioner"), STR("from-urn") };
    struct buf b = BUF_IN(&w.a, (size_t)1 << 20);
    struct yyjson_val *root;
    struct resource_stamp stamp = { STR(""), STR("9000000000000"), 0 };
    map_put(&urns, STR("urn:uuid:1"), &urn);
    assert_int_equal(resource_parse(&w.a, R4, str_of(text), &r, NULL), OK);
    assert_int_equal(normalise(&w.n, &w.a, &urns, &r, out_id), OK);
    stamp.id = *out_id;
    resource_render(&r, &stamp, &b);
    assert_int_equal(buf_view(&b, out_text), OK);
    assert_int_equal(json_parse(&w.a, *out_text, &root, NULL), OK);
    return root;
}

static bool has(struct str text, struct str part)
{
    return str_search(text, part) < text.n;
}

static void ids_have_the_forms_of_the_contract(void **state)
{
    (void)state;
    assert_int_equal(w.n.owner.n, 12);
    assert_int_equal(local("Binary", "1").n, 12);
    struct str id = local("Observation", "1");
    assert_int_equal(id.n, 48);
    assert_true(str_starts(id, w.n.owner));
    assert_true(resource_is_id(id));
}

static void ids_stay_and_are_each_persons_systems_and_releases_own(void **state)
{
    (void)state;
    struct str id = local("Practitioner", "1");
    assert_true(str_eq(id, local("Practitioner", "1")));
    assert_false(str_eq(id, local("Practitioner", "2")));
    assert_false(str_eq(id, local("Location", "1")));
    w.connection.id = 8; /* connected again: the same ids again */
    assert_true(str_eq(id, local("Practitioner", "1")));
    w.connection.user_id++;
    assert_false(str_eq(id, local("Practitioner", "1")));
    w.connection.user_id--;
    w.connection.system_id++;
    assert_false(str_eq(id, local("Practitioner", "1")));
    w.connection.system_id--;
    w.connection.fhir_version = STR("DSTU2");
    assert_false(str_eq(id, local("Practitioner", "1")));
}

static void references_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type, *id; /* type NULL: not ours */
    } rows[] = {
        { "Practitioner/1", "Practitioner", "1" },
        { "/Practitioner/1", "Practitioner", "1" },
        { "Patient/x/_history/3", "Patient", "x" },
        { "https://ehr.test/api/R4/Patient/x", "Patient", "x" },
        { "HTTPS://EHR.test:443/api/R4/Patient/x", "Patient", "x" },
        { "https://ehr.test/api/R4/Patient/x/_history/3", "Patient", "x" },
        { "Patient/-20140000010000", "Patient", "-20140000010000" },
        { "Patient/a|b c", "Patient", "a|b c" },
        { "#c1", NULL, NULL },
        { "urn:uuid:1", NULL, NULL },
        { "https://other.test/api/R4/Patient/x", NULL, NULL },
        { "https://ehr.test.evil.test/api/R4/Patient/x", NULL, NULL },
        { "https://ehr.test/api/R44/Patient/x", NULL, NULL },
        { "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", NULL, NULL },
        { "Patient?identifier=1", NULL, NULL },
        { "Zebra/1", NULL, NULL },
        { "Patient", NULL, NULL },
        { "Patient/", NULL, NULL },
        { "", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source_ref ref;
        bool is_ours = source_ref_split(R4, w.connection.base_url,
                                        str_of(rows[i].text), &ref);
        if (is_ours != (rows[i].type != NULL) ||
            (is_ours && (!str_eq(ref.type, str_of(rows[i].type)) ||
                         !str_eq(ref.id, str_of(rows[i].id)))))
            fail_msg("%s", rows[i].text);
    }
}

static void references_become_ours_and_all_else_stays(void **state)
{
    (void)state;
    struct str text, id;
    struct yyjson_val *v = normalised(
        "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"status\":\"final\","
        "\"subject\":{\"reference\":\"Patient/p.1\"},\"performer\":["
        "{\"reference\":\"https://ehr.test/api/R4/Organization/2\"},"
        "{\"reference\":\"urn:uuid:1\"},"
        "{\"reference\":\"https://else.test/Practitioner/9\"},"
        "{\"reference\":\"#c\"},{\"display\":\"by name only\"}],"
        "\"valueQuantity\":{\"value\":1.00},\"unknown\":[1e2]}",
        &text, &id);
    assert_true(str_eq(id, local("Observation", "o1")));
    assert_true(
        str_eq(json_get_text(json_get(v, STR("subject")), STR("reference")),
               arena_cat(&w.a, STR("Patient/"), w.n.owner)));
    assert_true(has(text, arena_cat(&w.a, STR("\"Organization/"),
                                    local("Organization", "2"), STR("\""))));
    assert_true(has(text, arena_cat(&w.a, STR("\"Practitioner/"),
                                    local("Practitioner", "from-urn"))));
    assert_true(has(text, STR("\"https://else.test/Practitioner/9\"")));
    assert_true(has(text, STR("\"#c\"")));
    assert_true(has(text, STR("\"value\":1.00}")));
    assert_true(has(text, STR("\"unknown\":[1e2]")));
    assert_string_equal(w.wanted, "Patient/p.1| Organization/2| "
                                  "Practitioner/from-urn| ");
}

static void where_it_came_from_is_kept(void **state)
{
    (void)state;
    struct str text, id;
    struct yyjson_val *v = normalised(
        "{\"resourceType\":\"Condition\",\"id\":\"a|b\\\"c\",\"identifier\":["
        "{\"value\":\"1\"}],\"subject\":{\"reference\":\"Patient/p.1\"}}",
        &text, &id);
    assert_true(str_eq(json_get_text(json_get(v, STR("meta")), STR("source")),
                       STR("1up-external-system:4706")));
    assert_int_equal(json_count(json_get(v, STR("identifier"))), 2);
    assert_true(has(text, STR("\"value\":\"a|b\\\"c\"")));
    assert_true(has(text, STR("\"system\":\"https://ehr.test/api/R4\"")));
    assert_non_null(json_get(v, STR("text"))); /* a narrative was added */
}

static void a_narrative_that_is_there_stays(void **state)
{
    (void)state;
    struct str text, id;
    (void)normalised("{\"resourceType\":\"Condition\",\"id\":\"1\",\"text\":{"
                     "\"status\":\"generated\",\"div\":\"<div>x</div>\"}}",
                     &text, &id);
    assert_true(has(text, STR("\"text\":{\"status\":\"generated\",\"div\":"
                              "\"<div>x</div>\"}")));
}

static void documents_of_the_system_become_our_binaries(void **state)
{
    (void)state;
    struct str text, id;
    (void)normalised(
        "{\"resourceType\":\"DocumentReference\",\"id\":\"d\",\"content\":["
        "{\"attachment\":{\"url\":\"Binary/b1\"}},"
        "{\"attachment\":{\"url\":\"/document/pdf-1\"}},"
        "{\"attachment\":{\"url\":\"none\"}},"
        "{\"attachment\":{\"url\":\"https://else.test/x.pdf\"}}]}",
        &text, &id);
    assert_true(
        has(text, arena_cat(&w.a, STR("\"https://us.test/fhir/r4/Binary/"),
                            local("Binary", "b1"), STR("\""))));
    assert_true(
        has(text, arena_cat(&w.a, STR("\"https://us.test/fhir/r4/Binary/"),
                            local("Binary", "https://ehr.test/document/pdf-1"),
                            STR("\""))));
    assert_true(has(text, STR("\"url\":\"none\"")));
    assert_true(has(text, STR("\"https://else.test/x.pdf\"")));
    assert_string_equal(w.wanted,
                        "Binary/b1| Binary/https://ehr.test/document/pdf-1|"
                        "https://ehr.test/document/pdf-1 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_have_the_forms_of_the_contract),
        TEST(ids_stay_and_are_each_persons_systems_and_releases_own),
        TEST(references_are_told_apart),
        TEST(references_become_ours_and_all_else_stays),
        TEST(where_it_came_from_is_kept),
        TEST(a_narrative_that_is_there_stays),
        TEST(documents_of_the_system_become_our_binaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
