#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_str(got_, want_) assert_true(str_eq((got_), str_of(want_)))

static void minifying_takes_blanks_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { " { \"a\" : [ 1.00 , \"b c\" ] } \n", "{\"a\":[1.00,\"b c\"]}" },
        { "\"\\\" \\\\\" ", "\"\\\" \\\\\"" },
        { "[\"\\\\\", \"x\"]", "[\"\\\\\",\"x\"]" },
        { "1 2", "1 2" }, /* bad text is not made good */
        { "[1 2]", "[1 2]" },
        { "tr ue", "tr ue" },
        { "\"open  ", "\"open  " },
        { "", "" },
        { " \t\r\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_BUF b = BUF(1000);
        struct str got;
        assert_int_equal(json_minify(str_of(cases[i].text), 10, &b), OK);
        assert_int_equal(buf_view(&b, &got), OK);
        assert_str(got, cases[i].want);
    }
}

static void minifying_ends_at_the_depth_allowed(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    assert_int_equal(json_minify(STR("[[[]]]"), 3, &b), OK);
    assert_int_equal(json_minify(STR("[[[]]]"), 2, &b), ERR_LIMIT);
    assert_int_equal(json_minify(STR("[][][]"), 1, &b), OK);
}

static void skipping_ends_behind_the_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t want;
    } cases[] = {
        { "1,2", 1 },
        { "\"a,b\",2", 5 },
        { "\"a\\\"\",2", 5 },
        { "{\"a\":[1,2]},3", 11 },
        { "[\"]\",[]],3", 8 },
        { "true}", 4 },
        { "", 0 },
        { "\"open", 5 },
        { "[open", 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(json_skip(str_of(cases[i].text)), cases[i].want);
}

static void members_and_elements_come_one_by_one(void **state)
{
    (void)state;
    struct str inside =
        json_inside(STR("{\"a\":1,\"b\\\"\":{\"x\":[1,2]},\"c\":\"d,e\"}"));
    struct json_member_text m;
    assert_true(json_next_member(&inside, &m));
    assert_str(m.name, "a");
    assert_str(m.value, "1");
    assert_true(json_next_member(&inside, &m));
    assert_str(m.name, "b\\\"");
    assert_str(m.value, "{\"x\":[1,2]}");
    assert_true(json_next_member(&inside, &m));
    assert_str(m.value, "\"d,e\"");
    assert_false(json_next_member(&inside, &m));
    inside = json_inside(STR("[[1,2],3]"));
    struct str element;
    assert_true(json_next_element(&inside, &element));
    assert_str(element, "[1,2]");
    assert_true(json_next_element(&inside, &element));
    assert_str(element, "3");
    assert_false(json_next_element(&inside, &element));
    inside = json_inside(STR("[]"));
    assert_false(json_next_element(&inside, &element));
    inside = json_inside(STR("["));
    assert_false(json_next_element(&inside, &element));
}

static void pretty_text_has_a_line_for_each_member(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(1000);
    json_pretty(STR("{\"a\":[],\"b\":{},\"c\":[1,{\"d\":\"x,{\\\"\"}]}"), &b);
    assert_string_equal(b.data, "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n"
                                "    1,\n    {\n      \"d\": \"x,{\\\"\"\n"
                                "    }\n  ]\n}\n");
}

static void a_name_that_is_there_twice_is_found_at_any_depth(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    struct yyjson_val *v;
    assert_int_equal(
        json_parse(&a, STR("{\"a\":[{\"b\":1,\"c\":2}],\"b\":3}"), &v, NULL),
        OK);
    assert_null(json_doubled(v).p);
    assert_int_equal(
        json_parse(&a, STR("{\"a\":[{\"b\":1,\"b\":2}]}"), &v, NULL), OK);
    assert_true(str_eq(json_doubled(v), STR("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_there_twice_is_found_at_any_depth),
        cmocka_unit_test(pretty_text_has_a_line_for_each_member),
        cmocka_unit_test(minifying_takes_blanks_and_nothing_else),
        cmocka_unit_test(minifying_ends_at_the_depth_allowed),
        cmocka_unit_test(skipping_ends_behind_the_value),
        cmocka_unit_test(members_and_elements_come_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
