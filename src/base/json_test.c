#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_str(got_, want_) assert_true(str_eq((got_), str_of(want_)))

static struct yyjson_val *parse(struct arena *a, const char *text)
{
    struct yyjson_val *v;
    struct why w = { "" };
    if (json_parse(a, str_of(text), &v, &w) != OK)
        fail_msg("%s: %s", text, w.text);
    return v;
}

static void numbers_keep_every_digit(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    static const char text[] =
        "{\"a\":1.00,\"b\":[1e400,-0,123456789012345678901234567890],"
        "\"c\":{\"d\":null,\"e\":true}}";
    struct yyjson_val *v = parse(&a, text);
    assert_str(json_get_text(v, STR("a")), "1.00");
    AUTO_BUF b = BUF(4096);
    json_value(&b, v);
    assert_string_equal(b.data, text);
}

static void readers_take_nothing_for_an_answer(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct yyjson_val *v = parse(&a, "{\"a\":{\"b\":{\"c\":\"x\"}},\"n\":-7,"
                                     "\"f\":7.5,\"big\":9223372036854775808}");
    int64_t n = 0;
    assert_str(json_text(json_at(v, STR("a.b.c"))), "x");
    assert_null(json_at(v, STR("a.x.c")));
    assert_null(json_at(NULL, STR("a")));
    assert_null(json_get(NULL, STR("a")));
    assert_null(json_text(NULL).p);
    assert_null(json_text(json_get(v, STR("a"))).p);
    assert_true(json_get_i64(v, STR("n"), &n) && n == -7);
    assert_false(json_get_i64(v, STR("f"), &n));
    assert_false(json_get_i64(v, STR("big"), &n));
    assert_false(json_get_i64(v, STR("a"), &n));
    assert_int_equal(json_count(v), 4);
    assert_int_equal(json_count(NULL), 0);
    for (JSON_EACH(item, json_get(v, STR("a"))))
        fail_msg("an object has no elements");
}

static void iterating_meets_every_element_and_member(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct yyjson_val *v = parse(&a, "[\"a\",[1,2],\"b\"]");
    AUTO_BUF b = BUF(100);
    for (JSON_EACH(item, v))
        buf_add(&b, json_is_array(item.now) ? STR("-") : json_text(item.now));
    assert_string_equal(b.data, "a-b");
    buf_cut(&b, 0);
    v = parse(&a, "{\"x\":{\"y\":1},\"z\":2}");
    for (JSON_MEMBERS(m, v)) {
        buf_add(&b, json_key_of(&m));
        buf_add(&b, json_is_number(m.value) ? STR("!") : STR("?"));
    }
    assert_string_equal(b.data, "x?z!");
}

static void what_is_not_json_is_refused_with_the_place(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    static const char *const bad[] = { "",         "{",           "[1,]",
                                       "{\"a\"}",  "01",          "nul",
                                       "\"\xff\"", "[1] x",       "'a'",
                                       "// x\n1",  "NaN",         "\"\n\"",
                                       "[1 2]",    "\"\\ud800\"", "{a:1}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct yyjson_val *v = NULL;
        struct why w = { "" };
        assert_int_equal(json_parse(&a, str_of(bad[i]), &v, &w), ERR_FORMAT);
        assert_null(v);
        assert_non_null(strstr(w.text, " at byte "));
    }
}

static void writing_sets_commas_and_escapes(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(4096);
    json_object(&b);
    json_member(&b, STR("a\""), STR("\x01\b\t\n\v\f\r\\/\xc3\xa9\xff"));
    json_key(&b, STR("list"));
    json_array(&b);
    json_i64(&b, INT64_MIN);
    json_bool(&b, false);
    json_null(&b);
    json_object(&b);
    json_object_end(&b);
    json_array(&b);
    json_array_end(&b);
    json_raw(&b, STR("1.50"));
    json_array_end(&b);
    json_member_i64(&b, STR("n"), 0);
    json_member_bool(&b, STR("t"), true);
    json_object_end(&b);
    assert_string_equal(
        b.data, "{\"a\\\"\":\"\\u0001\\b\\t\\n\\u000b\\f\\r\\\\/\xc3\xa9"
                "\xef\xbf\xbd\",\"list\":[-9223372036854775808,false,null,{},"
                "[],1.50],\"n\":0,\"t\":true}");
    AUTO_ARENA a = ARENA(1 << 16);
    assert_true(json_is_object(parse(&a, b.data)));
}

static void bad_utf8_never_leaves(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",         "\xc0\xaf",         "\xc3",     "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5",     "\xe2\x82",
        "\xf0\x9f\x98", "\xf0\x80\x80\x80", "\xfe\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_ARENA a = ARENA(1 << 16);
        AUTO_BUF b = BUF(100);
        json_string(&b, str_of(bad[i]));
        struct str text = json_text(parse(&a, b.data));
        assert_true(str_starts(text, STR("\xef\xbf\xbd")));
    }
}

static void deep_nesting_meets_a_limit_not_the_stack(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    char *text = malloc(2 * DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    struct yyjson_val *v;
    enum err err = json_parse(&a, (struct str){ text, 2 * DEPTH }, &v, NULL);
    assert_int_equal(err, OK);
    AUTO_BUF b = BUF(4 * DEPTH);
    json_value(&b, v);
    assert_int_equal(b.err, ERR_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_every_digit),
        cmocka_unit_test(readers_take_nothing_for_an_answer),
        cmocka_unit_test(iterating_meets_every_element_and_member),
        cmocka_unit_test(what_is_not_json_is_refused_with_the_place),
        cmocka_unit_test(writing_sets_commas_and_escapes),
        cmocka_unit_test(bad_utf8_never_leaves),
        cmocka_unit_test(deep_nesting_meets_a_limit_not_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
