#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "ingest/ingest_int.h"

static void assert_mended(struct str text, struct str expected)
{
    AUTO_BUF b = BUF(1024);
    struct str out;
    bool is_mended = mend_text(text, &b);
    assert_int_equal(buf_view(&b, &out), OK);
    if (!str_eq(out, expected))
        fail_msg("%.*s", (int)out.n, out.p);
    assert_int_equal(is_mended, !str_eq(text, expected));
}

static void halves_of_pairs_and_bare_controls_are_mended(void **state)
{
    (void)state;
    assert_mended(STR("\"\\ud83d\""), STR("\"\\ufffd\""));
    assert_mended(STR("\"\\ude00x\""), STR("\"\\ufffdx\""));
    assert_mended(STR("\"\\ud83d\\ud83d\\ude00\""),
                  STR("\"\\ufffd\\ud83d\\ude00\""));
    assert_mended(STR("\"a\tb\x01\""), STR("\"a\\u0009b\\u0001\""));
}

static void what_is_sound_stays(void **state)
{
    (void)state;
    assert_mended(STR("{\n\t\"a\":\"\\\\ud83d \\\" \\u00e9 \\ud83d\\ude00\"}"),
                  STR("{\n\t\"a\":\"\\\\ud83d \\\" \\u00e9 \\ud83d\\ude00\"}"));
    assert_mended(STR("\"\\"), STR("\"\\"));
    assert_mended(STR("\"\\ud8"), STR("\"\\ud8"));
    assert_mended(STR(""), STR(""));
}

static void a_page_is_read_once_more_when_it_was_mended(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    struct yyjson_val *root;
    struct str plain;
    char *copy;
    bool is_mended;
    struct why w = { "" };
    assert_int_equal(page_parse(&a, STR("\xef\xbb\xbf{\"a\":\"\t\"}"), &root,
                                &plain, &copy, &is_mended, &w),
                     OK);
    assert_true(is_mended);
    assert_true(str_eq(json_get_text(root, STR("a")), STR("\t")));
    assert_true(str_eq(plain, STR("{\"a\":\"\\u0009\"}")));
    assert_int_equal(page_parse(&a, STR("{\"a\":\"\t\"]"), &root, &plain, &copy,
                                &is_mended, &w),
                     ERR_FORMAT);
    assert_true(w.text[0] != '\0');
    assert_int_equal(page_parse(&a, STR("{\"a\":\"\xe9\"}"), &root, &plain,
                                &copy, &is_mended, &w),
                     ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_of_pairs_and_bare_controls_are_mended),
        cmocka_unit_test(what_is_sound_stays),
        cmocka_unit_test(a_page_is_read_once_more_when_it_was_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
