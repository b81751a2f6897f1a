#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(text_)                str_of(text_)
#define assert_str(got_, want_) assert_true(str_eq((got_), S(want_)))

static void views_compare_by_their_bytes(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(S("ab"), S("ab")));
    assert_false(str_eq(S("ab"), S("abc")));
    assert_false(str_eq(S("ab"), S("aB")));
    assert_true(str_eq_nocase(S("aB1_"), S("Ab1_")));
    assert_false(str_eq_nocase(S("a["), S("a{"))); /* 0x20 apart */
    assert_true(str_cmp(S("a"), S("b")) < 0);
    assert_true(str_cmp(S("b"), S("a")) > 0);
    assert_true(str_cmp(S("a"), S("ab")) < 0);
    assert_true(str_cmp(S("\xff"), S("a")) > 0);
    assert_int_equal(str_cmp(STR_NONE, S("")), 0);
}

static void starts_and_ends_are_found(void **state)
{
    (void)state;
    assert_true(str_starts(S("Patient/1"), S("Patient/")));
    assert_false(str_starts(S("Pat"), S("Patient")));
    assert_true(str_starts(S("x"), S("")));
    assert_true(str_starts_nocase(S("BEARER x"), S("bearer")));
    assert_true(str_ends(S("a.json.gz"), S(".gz")));
    assert_false(str_ends(S("gz"), S(".gz")));
}

static void searching_gives_the_length_when_there_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(str_find(S("abca"), 'a'), 0);
    assert_int_equal(str_rfind(S("abca"), 'a'), 3);
    assert_int_equal(str_find(S("abca"), 'x'), 4);
    assert_int_equal(str_rfind(S("abca"), 'x'), 4);
    assert_int_equal(str_find(STR_NONE, 'x'), 0);
    assert_int_equal(str_search(S("abcabd"), S("abd")), 3);
    assert_int_equal(str_search(S("abc"), S("abd")), 3);
    assert_int_equal(str_search(S("abc"), S("")), 0);
}

static void slices_are_cut_to_the_view(void **state)
{
    (void)state;
    assert_str(str_slice(S("abcdef"), 1, 3), "bc");
    assert_str(str_slice(S("abc"), 1, 99), "bc");
    assert_str(str_slice(S("abc"), 2, 1), "");
    assert_str(str_slice(S("abc"), 9, 9), "");
    assert_str(str_from(S("abc"), 3), "");
    assert_str(str_from(STR_NONE, 3), "");
    assert_str(str_trim(S(" \t\r\n a b \n")), "a b");
    assert_str(str_trim(S("  ")), "");
}

static void cutting_gives_every_part_once(void **state)
{
    (void)state;
    struct str rest = S("a,,b,"), part;
    static const char *const want[] = { "a", "", "b", "" };
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_cut(&rest, ',', &part));
        assert_str(part, want[i]);
    }
    assert_false(str_cut(&rest, ',', &part));
    rest = S("");
    assert_true(str_cut(&rest, ',', &part)); /* one part, empty */
    assert_false(str_cut(&rest, ',', &part));
}

static void numbers_are_whole_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        int64_t value;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "007", true, 7 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { "1 ", false, 0 },
        { "1.0", false, 0 },
        { "0x1", false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 42;
        assert_int_equal(str_to_i64(S(cases[i].text), &value),
                         cases[i].is_good);
        assert_true(value == (cases[i].is_good ? cases[i].value : 42));
    }
    uint64_t most = 0;
    assert_true(str_to_u64(S("18446744073709551615"), &most));
    assert_true(most == UINT64_MAX);
    assert_false(str_to_u64(S("18446744073709551616"), &most));
    assert_false(str_to_u64(S("-1"), &most));
}

static void truth_has_two_spellings_each(void **state)
{
    (void)state;
    bool is = false;
    assert_true(str_to_bool(S("True"), &is) && is);
    assert_true(str_to_bool(S("0"), &is) && !is);
    assert_true(str_to_bool(S("1"), &is) && is);
    assert_true(str_to_bool(S("FALSE"), &is) && !is);
    assert_false(str_to_bool(S("yes"), &is));
    assert_false(is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_their_bytes),
        cmocka_unit_test(starts_and_ends_are_found),
        cmocka_unit_test(searching_gives_the_length_when_there_is_nothing),
        cmocka_unit_test(slices_are_cut_to_the_view),
        cmocka_unit_test(cutting_gives_every_part_once),
        cmocka_unit_test(numbers_are_whole_or_nothing),
        cmocka_unit_test(truth_has_two_spellings_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
