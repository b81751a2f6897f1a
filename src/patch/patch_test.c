#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "patch/patch_int.h"

#define PATIENT                                                                \
    "{\"resourceType\":\"Patient\",\"id\":\"a\",\"meta\":{\"versionId\":"      \
    "\"1\",\"lastUpdated\":\"2020-01-01T00:00:00Z\"},"                         \
    "\"extension\":[{\"url\":\"http://x/1.0\",\"valueDecimal\":1.00}],"        \
    "\"name\":[{\"family\":\"Ch\\u00e9n\",\"given\":[\"A\",\"B\"]}],"          \
    "\"gender\":\"female\",\"a/b\":1,\"m~n\":2}"

static void assert_text(struct str got, const char *expected)
{
    if (!str_eq(got, str_of(expected)))
        fail_msg("got      %.*s\nexpected %s", (int)got.n, got.p, expected);
}

static void gives(const char *document, const char *patch, const char *expected)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct why w = { "" };
    struct str out = STR_NONE;
    enum err err = patch_json(&a, str_of(document), str_of(patch), &out, &w);
    if (err != OK)
        fail_msg("%s: %s", patch, w.text);
    assert_text(out, expected);
}

/* The operations alone, on any JSON. */
static void applies(const char *document, const char *patch,
                    const char *expected)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct why w = { "" };
    struct tree t;
    assert_int_equal(tree_parse(&a, str_of(document), STR("d"), &t, &w), OK);
    enum err err = patch_json_apply(&t, str_of(patch), &w);
    if (err != OK)
        fail_msg("%s: %s", patch, w.text);
    assert_text(node_text(&t, t.root), expected);
}

static void refuses(const char *document, const char *patch, enum err expected,
                    const char *sentence)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct why w = { "" };
    struct str out = STR("as before");
    enum err err = patch_json(&a, str_of(document), str_of(patch), &out, &w);
    if (err != expected)
        fail_msg("%s: %s, %s", patch, err_name(err), w.text);
    assert_text(out, "as before");
    if (sentence != NULL)
        assert_string_equal(w.text, sentence);
}

static void the_examples_of_rfc_6902_hold(void **state)
{
    (void)state;
    static const char *rows[][3] = {
        { "{\"foo\":\"bar\"}",
          "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
          "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
        { "{\"foo\":[\"bar\",\"baz\"]}",
          "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
          "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
        { "{\"baz\":\"qux\",\"foo\":\"bar\"}",
          "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}" },
        { "{\"foo\":[\"bar\",\"qux\",\"baz\"]}",
          "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
          "{\"foo\":[\"bar\",\"baz\"]}" },
        { "{\"baz\":\"qux\",\"foo\":\"bar\"}",
          "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
          "{\"baz\":\"boo\",\"foo\":\"bar\"}" },
        { "{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":1}"
          "}",
          "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
          "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":1,\"thud\":\"fred\"}"
          "}" },
        { "{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
          "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
          "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}" },
        { "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
          "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
          "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
          "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}" },
        { "{\"foo\":\"bar\"}",
          "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grand\":{}}}]",
          "{\"foo\":\"bar\",\"child\":{\"grand\":{}}}" },
        { "{\"foo\":\"bar\"}",
          "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
          "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
        { "{\"/\":9,\"~1\":10}",
          "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
          "{\"/\":9,\"~1\":10}" },
        { "{\"foo\":[\"bar\"]}",
          "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
          "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}" },
        /* and its words about what no example shows */
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[1]}]",
          "[1]" },
        { "{\"\":1}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2}]",
          "{\"\":2}" },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]",
          "{\"a\":null}" },
        { "{\"a\":{\"b\":1}}",
          "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a/c\"}]",
          "{\"a\":{\"b\":1,\"c\":{\"a\":{\"b\":1}}}}" },
        { "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]",
          "{\"a\":1}" },
        { "[1]", "[{\"op\":\"remove\",\"path\":\"/0\"}]", "[]" },
        { "{}", "[]", "{}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        applies(rows[i][0], rows[i][1], rows[i][2]);
}

static void what_is_not_named_keeps_its_bytes(void **state)
{
    (void)state;
    gives(PATIENT,
          "[{\"op\":\"replace\",\"path\":\"/name/0/given/1\",\"value\":"
          "\"C\\u0041\"},{\"op\":\"add\",\"path\":\"/extension/0/"
          "valueDecimal\",\"value\":0.10e+1},"
          "{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":100.000},"
          "{\"op\":\"remove\",\"path\":\"/m~0n\"}]",
          "{\"resourceType\":\"Patient\",\"id\":\"a\",\"meta\":{\"versionId\":"
          "\"1\",\"lastUpdated\":\"2020-01-01T00:00:00Z\"},"
          "\"extension\":[{\"url\":\"http://x/1.0\",\"valueDecimal\":0.10e+1}],"
          "\"name\":[{\"family\":\"Ch\\u00e9n\",\"given\":[\"A\","
          "\"C\\u0041\"]}],\"gender\":\"female\",\"a/b\":100.000}");
    applies("{ \"\\u0061\" : 1.0, \"b\":{\"\\u0063\":2e0} }",
            "[{\"op\":\"add\",\"path\":\"/b/d\",\"value\":3}]",
            "{\"\\u0061\":1.0,\"b\":{\"\\u0063\":2e0,\"d\":3}}");
}

static void a_list_that_loses_its_last_goes_too(void **state)
{
    (void)state;
    gives("{\"resourceType\":\"P\",\"name\":[{\"given\":[\"A\"]}],\"x\":[]}",
          "[{\"op\":\"remove\",\"path\":\"/name/0/given/0\"}]",
          "{\"resourceType\":\"P\",\"x\":[]}");
    gives("{\"resourceType\":\"P\",\"name\":[\"A\"]}",
          "[{\"op\":\"remove\",\"path\":\"/name/0\"},"
          "{\"op\":\"add\",\"path\":\"/name/-\",\"value\":\"B\"}]",
          "{\"resourceType\":\"P\",\"name\":[\"B\"]}");
}

static void a_failure_names_its_operation_and_place(void **state)
{
    (void)state;
    refuses(PATIENT,
            "[{\"op\":\"remove\",\"path\":\"/gender\"},"
            "{\"op\":\"remove\",\"path\":\"/name/1\"}]",
            ERR_UNPROCESSABLE,
            "operation 1 (remove /name/1): nothing is there");
    refuses(PATIENT, "[{\"op\":\"test\",\"path\":\"/gender\",\"value\":\"m\"}]",
            ERR_UNPROCESSABLE,
            "operation 0 (test /gender): the value is another");
    static const char *unfit[] = {
        "[{\"op\":\"test\",\"path\":\"/x\",\"value\":null}]",
        "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/gender/y\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/name/2\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/name/x\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/name/01\",\"value\":1}]",
        "[{\"op\":\"remove\",\"path\":\"/name/-\"}]",
        "[{\"op\":\"remove\",\"path\":\"\"}]",
        "[{\"op\":\"move\",\"from\":\"/name\",\"path\":\"/name/0\"}]",
        "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/y\"}]",
        "[{\"op\":\"test\",\"path\":\"/name/0/given\",\"value\":[\"B\","
        "\"A\"]}]",
    };
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        refuses(PATIENT, unfit[i], ERR_UNPROCESSABLE, NULL);
}

static void a_patch_that_is_none_is_a_bad_request(void **state)
{
    (void)state;
    static const char *bad[] = {
        "",
        "{}",
        "[",
        "[1]",
        "[{}]",
        "nonsense",
        "[{\"op\":\"spam\",\"path\":\"/a\"}]",
        "[{\"op\":\"add\",\"path\":\"/a\"}]",
        "[{\"op\":\"add\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":1,\"value\":1}]",
        "[{\"op\":\"move\",\"path\":\"/a\"}]",
        "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/a~\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/b\",\"value\":1,\"op\":\"remove\"}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(PATIENT, bad[i], ERR_FORMAT, NULL);
}

static void what_names_the_resource_stays(void **state)
{
    (void)state;
    static const char *kept[] = {
        "[{\"op\":\"replace\",\"path\":\"/id\",\"value\":\"b\"}]",
        "[{\"op\":\"remove\",\"path\":\"/id\"}]",
        "[{\"op\":\"replace\",\"path\":\"/resourceType\",\"value\":\"Group\"}]",
        "[{\"op\":\"remove\",\"path\":\"/resourceType\"}]",
        "[{\"op\":\"replace\",\"path\":\"/meta/versionId\",\"value\":\"7\"}]",
        "[{\"op\":\"replace\",\"path\":\"/meta/lastUpdated\",\"value\":"
        "\"2021-01-01T00:00:00Z\"}]",
        "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]",
        "[{\"op\":\"add\",\"path\":\"/text\",\"value\":{\"div\":\"<div>"
        "<Script>x</script></div>\"}}]",
        "[{\"op\":\"add\",\"path\":\"/text\",\"value\":{\"div\":\"<p/>\"}}]",
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        refuses(PATIENT, kept[i], ERR_INVALID, NULL);
    gives("{\"resourceType\":\"P\",\"meta\":{\"versionId\":\"1\"}}",
          "[{\"op\":\"replace\",\"path\":\"/meta\",\"value\":{\"tag\":[1]}},"
          "{\"op\":\"add\",\"path\":\"/text\",\"value\":{\"div\":"
          "\"<div>ok</div>\"}}]",
          "{\"resourceType\":\"P\",\"meta\":{\"tag\":[1]},"
          "\"text\":{\"div\":\"<div>ok</div>\"}}");
}

static void values_are_tested_by_what_they_mean(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    static const struct {
        struct str x, y;
        bool is_same;
    } rows[] = {
        { STR_INIT("1.0"), STR_INIT("1"), true },
        { STR_INIT("1.00"), STR_INIT("10e-1"), true },
        { STR_INIT("1E2"), STR_INIT("100.0"), true },
        { STR_INIT("0.001"), STR_INIT("1e-3"), true },
        { STR_INIT("-0"), STR_INIT("0.0e9"), true },
        { STR_INIT("9007199254740993"), STR_INIT("9007199254740992"), false },
        { STR_INIT("0.1"), STR_INIT("0.10000000000000001"), false },
        { STR_INIT("-1"), STR_INIT("1"), false },
        { STR_INIT("10"), STR_INIT("1"), false },
        { STR_INIT("1e99999999999999999999"), STR_INIT("2"), false },
        { STR_INIT("\"1\""), STR_INIT("1"), false },
        { STR_INIT("\"\\u0041\""), STR_INIT("\"A\""), true },
        { STR_INIT("{\"a\":1,\"b\":[2]}"), STR_INIT("{\"b\":[2.0],\"a\":1}"),
          true },
        { STR_INIT("{\"a\":1}"), STR_INIT("{\"a\":1,\"b\":2}"), false },
        { STR_INIT("{}"), STR_INIT("[]"), false },
        { STR_INIT("{}"), STR_INIT("{}"), true },
        { STR_INIT("[1,2]"), STR_INIT("[2,1]"), false },
        { STR_INIT("null"), STR_INIT("false"), false },
        { STR_INIT("true"), STR_INIT("true"), true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(json_same(&a, rows[i].x, rows[i].y), rows[i].is_same);
        assert_int_equal(json_same(&a, rows[i].y, rows[i].x), rows[i].is_same);
    }
}

static void copies_of_copies_end_at_a_limit(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)4 << 20);
    AUTO_BUF patch = BUF(1 << 20);
    buf_add_char(&patch, '[');
    for (int i = 0; i < 60; i++) {
        if (i > 0)
            buf_add_char(&patch, ',');
        buf_add(&patch, STR("{\"op\":\"copy\",\"from\":\"/a\",\"path\":"
                            "\"/a/-\"}"));
    }
    buf_add_char(&patch, ']');
    struct str text, out = STR("as before");
    assert_int_equal(buf_view(&patch, &text), OK);
    assert_int_not_equal(
        patch_json(&a, STR("{\"a\":[\"0123456789\"]}"), text, &out, NULL), OK);
    assert_text(out, "as before");
}

static void a_patch_that_costs_too_much_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)256 << 20);
    AUTO_BUF document = BUF(1 << 20);
    AUTO_BUF patch = BUF(1 << 20);
    buf_add(&document, STR("{\"a\":[0"));
    for (int i = 0; i < 200000; i++)
        buf_add(&document, STR(",0"));
    buf_add(&document, STR("]}"));
    buf_add(&patch, STR("[{\"op\":\"test\",\"path\":\"/a/1\",\"value\":0}"));
    for (int i = 0; i < 1000; i++)
        buf_add(&patch, STR(",{\"op\":\"test\",\"path\":\"/a/199000\","
                            "\"value\":0}"));
    buf_add(&patch, STR("]"));
    struct str text, operations, out = STR("as before");
    struct why w = { "" };
    assert_int_equal(buf_view(&document, &text), OK);
    assert_int_equal(buf_view(&patch, &operations), OK);
    assert_int_equal(patch_json(&a, text, operations, &out, &w), ERR_LIMIT);
    assert_text(out, "as before");
    assert_non_null(strstr(w.text, "costs too much"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_6902_hold),
        cmocka_unit_test(what_is_not_named_keeps_its_bytes),
        cmocka_unit_test(a_list_that_loses_its_last_goes_too),
        cmocka_unit_test(a_failure_names_its_operation_and_place),
        cmocka_unit_test(a_patch_that_is_none_is_a_bad_request),
        cmocka_unit_test(what_names_the_resource_stays),
        cmocka_unit_test(values_are_tested_by_what_they_mean),
        cmocka_unit_test(copies_of_copies_end_at_a_limit),
        cmocka_unit_test(a_patch_that_costs_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
