#include "fhir/resource.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"

#define MUCH ((size_t)1 << 30)

static struct str render(struct arena *a, const struct resource *r)
{
    struct buf b = BUF_IN(a, MUCH);
    struct str out = STR("");
    struct resource_stamp s = { STR("new"), STR("9000000000000"), 0 };
    resource_render(r, &s, &b);
    assert_int_equal(buf_view(&b, &out), OK);
    return out;
}

static struct resource parse(struct arena *a, enum release release,
                             const char *text)
{
    struct resource r;
    struct why w = { 0 };
    enum err err = resource_parse(a, release, str_of(text), &r, &w);
    if (err != OK)
        fail_msg("%s: %s", err_name(err), w.text);
    return r;
}

static void is(struct str got, const char *want)
{
    if (!str_eq(got, str_of(want)))
        fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

#define HEAD(type_)                                                            \
    "{\"resourceType\":\"" type_ "\",\"id\":\"new\",\"meta\":{\"versionId\":"  \
    "\"9000000000000\",\"lastUpdated\":\"1970-01-01T00:00:00.000Z\""

static void numbers_and_unknown_members_pass_to_the_digit(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r = parse(
        &a, R4,
        " { \"unknown\" : [ 1.00 , 1e5, -0.0 ], \"resourceType\":\"Basic\""
        ", \"id\":\"x\", \"meta\": {\"versionId\":\"7\", \"tag\": [ ]} ,"
        "\"s\":\"a \\u00e9 \\\" b\" }");
    is(render(&a, &r), HEAD("Basic") ",\"tag\":[]},\"unknown\":[1.00,1e5,-0.0],"
                                     "\"s\":\"a \\u00e9 \\\" b\"}");
}

static void references_are_pointed_in_text_and_cells(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r =
        parse(&a, R4,
              "{\"resourceType\":\"Observation\",\"note\":\"\\n\","
              "\"subject\":{\"reference\":\"urn:uuid:1\"},"
              "\"performer\":[{\"reference\":\"Practitioner\\/2\"}]}");
    assert_int_equal(r.reference_count, 2);
    is(r.references[0].path, "subject");
    is(r.references[1].value, "Practitioner/2");
    resource_point(&r, 0, STR("Patient/p1"));
    resource_point(&r, 1, STR("Practitioner/\"3"));
    is(render(&a, &r),
       HEAD("Observation") "},\"note\":\"\\n\",\"subject\":{\"reference\":"
                           "\"Patient/p1\"},\"performer\":[{\"reference\":"
                           "\"Practitioner/\\\"3\"}]}");
    struct cell *cells;
    size_t n, found = 0;
    assert_int_equal(resource_extract(&a, &r, &cells, &n, NULL), OK);
    for (size_t i = 0; i < n; i++)
        found +=
            cells[i].kind == CELL_REFERENCE && str_eq(cells[i].code, STR("p1"));
    assert_int_equal(found, 2); /* subject and patient */
}

static void attachments_count_as_references_and_extensions_do_not(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r = parse(
        &a, R4,
        "{\"resourceType\":\"DocumentReference\",\"extension\":[{\"url\":\"x\"}"
        "],\"content\":[{\"attachment\":{\"url\":\"Binary/1\"}}]}");
    assert_int_equal(r.reference_count, 1);
    assert_int_equal(r.references[0].kind, REFERENCE_ATTACHMENT);
}

static void additions_stand_where_they_belong(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r = parse(&a, R4,
                              "{\"resourceType\":\"Patient\",\"identifier\":"
                              "[{\"value\":\"1\"}],\"active\":true}");
    r.source = STR("s:1");
    r.narrative = STR("<div>x</div>");
    r.added_identifier = STR("{\"value\":\"2\"}");
    is(render(&a, &r),
       HEAD(
           "Patient") ",\"source\":\"s:1\"},\"text\":{\"status\":"
                      "\"generated\",\"div\":\"<div>x</div>\"},\"identifier\":"
                      "[{\"value\":\"1\"},{\"value\":\"2\"}],\"active\":true}");
    r = parse(&a, R4, "{\"resourceType\":\"Patient\"}");
    r.added_identifier = STR("{\"value\":\"2\"}");
    is(render(&a, &r), HEAD("Patient") "},\"identifier\":[{\"value\":\"2\"}]}");
}

static void the_content_hash_does_not_see_the_stamps(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r = parse(&a, R4,
                              "{\"resourceType\":\"Basic\",\"id\":\"1\","
                              "\"meta\":{\"versionId\":\"1\"},\"a\":1}");
    struct resource same =
        parse(&a, R4, "{\"resourceType\":\"Basic\",\"a\":1}");
    struct resource other =
        parse(&a, R4, "{\"resourceType\":\"Basic\",\"a\":1.0}");
    assert_true(hash128_eq(resource_content_hash(&r, &a),
                           resource_content_hash(&same, &a)));
    assert_false(hash128_eq(resource_content_hash(&r, &a),
                            resource_content_hash(&other, &a)));
}

static void what_is_no_resource_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    static const struct {
        const char *text;
        enum err want;
    } cases[] = {
        { "", ERR_FORMAT },
        { "{\"resourceType\":\"Basic\"", ERR_FORMAT },
        { "{\"resourceType\":\"Basic\",\"a\":1 2}", ERR_FORMAT },
        { "[]", ERR_INVALID },
        { "{}", ERR_INVALID },
        { "{\"resourceType\":5}", ERR_INVALID },
        { "{\"resourceType\":\"Basic\",\"id\":5}", ERR_INVALID },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct resource r;
        assert_int_equal(
            resource_parse(&a, R4, str_of(cases[i].text), &r, NULL),
            cases[i].want);
    }
}

static void too_deep_is_an_error_not_a_crash(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    AUTO_BUF b = BUF(MUCH);
    struct resource r;
    buf_add(&b, STR("{\"resourceType\":\"Basic\",\"a\":"));
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, '[');
    assert_int_equal(
        resource_parse(&a, R4, (struct str){ b.data, b.len }, &r, NULL),
        ERR_LIMIT);
}

static void has_cell(const struct resource *r, const char *param,
                     struct str code, struct str text)
{
    AUTO_ARENA a = ARENA(MUCH);
    struct cell *cells;
    size_t n;
    uint16_t row = search_param_find(r->release, r->type, str_of(param));
    assert_int_not_equal(row, PARAM_NONE);
    assert_int_equal(resource_extract(&a, r, &cells, &n, NULL), OK);
    for (size_t i = 0; i < n; i++)
        if (cells[i].param == row && str_eq(cells[i].code, code) &&
            str_eq(cells[i].text, text))
            return;
    fail_msg("no cell %s %.*s %.*s", param, (int)code.n, code.p, (int)text.n,
             text.p);
}

static void each_kind_of_value_is_extracted(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource p =
        parse(&a, R4,
              "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Berg\","
              "\"given\":"
              "[\"Åsa\"]}],\"telecom\":[{\"system\":\"phone\",\"value\":\"5\"},"
              "{\"system\":\"email\",\"value\":\"e\"}],\"gender\":\"female\"}");
    has_cell(&p, "family", STR_NONE, STR("Berg"));
    has_cell(&p, "name", STR_NONE, STR("Åsa"));
    has_cell(&p, "phone", STR("5"), STR_NONE);
    has_cell(&p, "gender", STR("female"), STR_NONE);
    has_cell(&p, "deceased", STR("false"), STR_NONE);
    struct resource d =
        parse(&a, DSTU2,
              "{\"resourceType\":\"Patient\",\"name\":[{\"family\":"
              "[\"Berg\"]}]}");
    has_cell(&d, "family", STR_NONE, STR("Berg"));
}

static void composite_parts_share_their_occurrence(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(MUCH);
    struct resource r = parse(
        &a, R4,
        "{\"resourceType\":\"Observation\",\"component\":[{\"code\":{"
        "\"coding\":"
        "[{\"code\":\"a\"}]},\"valueQuantity\":{\"value\":1}},{\"code\":"
        "{\"coding\":[{\"code\":\"b\"}]},\"valueQuantity\":{\"value\":2}}]}");
    struct cell *cells;
    size_t n;
    uint16_t row =
        search_param_find(R4, r.type, STR("component-code-value-quantity"));
    assert_int_equal(resource_extract(&a, &r, &cells, &n, NULL), OK);
    uint32_t group[2] = { 0 };
    double value[2] = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (cells[i].param != row || cells[i].part != 0)
            continue;
        size_t k = str_eq(cells[i].code, STR("b"));
        group[k] = cells[i].group;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            if (cells[i].param == row && cells[i].part == 1 &&
                cells[i].group == group[k])
                value[k] = cells[i].number;
    assert_int_not_equal(group[0], group[1]);
    assert_true(value[0] == 1 && value[1] == 2);
}

/* Every entry of the shared patients, when they are there: what is rendered is
 * what came. */
static void check_file(const char *path, enum release release, size_t *count)
{
    AUTO_ARENA a = ARENA(MUCH);
    AUTO_BUF text = BUF(MUCH);
    struct yyjson_val *root;
    assert_int_equal(file_read(path, &text, NULL), OK);
    assert_int_equal(
        json_parse(&a, (struct str){ text.data, text.len }, &root, NULL), OK);
    for (JSON_EACH(entry, json_get(root, STR("entry")))) {
        AUTO_ARENA one = ARENA(MUCH);
        AUTO_BUF b = BUF(MUCH);
        struct resource r, again;
        struct cell *cells;
        size_t n;
        json_value(&b, json_get(entry.now, STR("resource")));
        enum err err = resource_parse(&one, release,
                                      (struct str){ b.data, b.len }, &r, NULL);
        if (err != OK)
            continue; /* an odd id: refused by name */
        struct str out = render(&one, &r);
        assert_int_equal(resource_parse(&one, release, out, &again, NULL), OK);
        assert_true(hash128_eq(resource_content_hash(&r, &one),
                               resource_content_hash(&again, &one)));
        assert_int_equal(resource_extract(&one, &r, &cells, &n, NULL), OK);
        ++*count;
    }
}

static void every_shared_patient_renders_as_it_came(void **state)
{
    (void)state;
    static const char *const folders[] = { "dstu2", "stu3", "r4" };
    size_t count = 0;
    for (unsigned i = 0; i < 3; i++) {
        char pattern[128];
        glob_t found;
        snprintf(pattern, sizeof pattern,
                 "../../shared/data/patients/%s/*.json.gz", folders[i]);
        if (glob(pattern, 0, NULL, &found) != 0) {
            snprintf(pattern, sizeof pattern,
                     "../shared/data/patients/%s/*.json.gz", folders[i]);
            if (glob(pattern, 0, NULL, &found) != 0) {
                print_message("skipped: no ../shared/data/patients\n");
                return;
            }
        }
        for (size_t f = 0; f < found.gl_pathc; f += 6) /* a sample */
            check_file(found.gl_pathv[f], (enum release)i, &count);
        globfree(&found);
    }
    assert_true(count > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_unknown_members_pass_to_the_digit),
        cmocka_unit_test(references_are_pointed_in_text_and_cells),
        cmocka_unit_test(attachments_count_as_references_and_extensions_do_not),
        cmocka_unit_test(additions_stand_where_they_belong),
        cmocka_unit_test(the_content_hash_does_not_see_the_stamps),
        cmocka_unit_test(what_is_no_resource_is_refused),
        cmocka_unit_test(too_deep_is_an_error_not_a_crash),
        cmocka_unit_test(each_kind_of_value_is_extracted),
        cmocka_unit_test(composite_parts_share_their_occurrence),
        cmocka_unit_test(every_shared_patient_renders_as_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
