#include "base/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *want;
} cases[] = {
    { "Smith", "smith" },
    { "  O'Brien \t Jr. ", "o'brien jr." },
    { "M\xc3\xbcller", "muller" },  /* U+00FC */
    { "Mu\xcc\x88ller", "muller" }, /* u and a combining mark */
    { "STRA\xc3\x9f"
      "E",
      "strasse" }, /* sharp s */
    { "\xc3\x85ngstr\xc3\xb6m", "angstrom" },
    { "\xef\xac\x81x", "fix" },           /* ligature fi */
    { "\xef\xbc\xa1\xef\xbc\xa2", "ab" }, /* full width */
    { "a\xc2\xa0\xc2\xa0"
      "b",
      "a b" }, /* no-break spaces */
    { "\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x83" }, /* sigmas */
    { "\xe6\x9d\x8e", "\xe6\x9d\x8e" }, /* a Chinese name stays */
    { "", "" },
    { "   ", "" },
    { "a\xff", "a\xff" }, /* no UTF-8 */
};

static void case_accents_and_width_do_not_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_BUF b = BUF(100);
        struct str got;
        fold_add(&b, str_of(cases[i].text));
        assert_int_equal(buf_view(&b, &got), OK);
        if (!str_eq(got, str_of(cases[i].want)))
            fail_msg("%s gives %s", cases[i].text, got.p);
    }
}

static void folding_twice_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_BUF once = BUF(100);
        AUTO_BUF twice = BUF(100);
        struct str a, b;
        fold_add(&once, str_of(cases[i].text));
        assert_int_equal(buf_view(&once, &a), OK);
        fold_add(&twice, a);
        assert_int_equal(buf_view(&twice, &b), OK);
        assert_true(str_eq(a, b));
    }
}

static void plain_is_what_folding_leaves_alone(void **state)
{
    (void)state;
    static const char *const texts[] = { "smith", "a b", "",     "a  b",  " a",
                                         "a ",    "A",   "a\tb", "x-1_2", " " };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_BUF b = BUF(100);
        struct str got;
        fold_add(&b, str_of(texts[i]));
        assert_int_equal(buf_view(&b, &got), OK);
        assert_int_equal(fold_is_plain(str_of(texts[i])),
                         str_eq(got, str_of(texts[i])));
    }
    assert_false(fold_is_plain(str_of("\xc3\xbc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_accents_and_width_do_not_count),
        cmocka_unit_test(folding_twice_changes_nothing),
        cmocka_unit_test(plain_is_what_folding_leaves_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
