#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_error_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_COUNT_; i++) {
        const char *name = err_name((enum err)i);
        assert_non_null(name);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, err_name((enum err)k));
    }
    assert_string_equal(err_name(ERR_COUNT_), "ERR_?");
}

static void the_sentence_is_joined_and_the_code_handed_back(void **state)
{
    (void)state;
    struct why w;
    assert_int_equal(why_of(&w, ERR_INVALID, STR("no "), STR("type")),
                     ERR_INVALID);
    assert_string_equal(w.text, "no type");
    assert_int_equal(why(NULL, ERR_IO, "x"), ERR_IO);
}

static void a_sentence_may_hold_the_one_before(void **state)
{
    (void)state;
    struct why w;
    (void)!why(&w, ERR_IO, "disk full");
    (void)!why_of(&w, ERR_IO, STR("page 3: "), str_of(w.text));
    assert_string_equal(w.text, "page 3: disk full");
}

static void a_long_sentence_is_cut_between_characters(void **state)
{
    (void)state;
    char text[WHY_MAX * 2 + 2];
    struct why w;
    for (size_t i = 1; i < sizeof text - 1; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[0] = 'x';
    text[sizeof text - 1] = '\0';
    (void)!why(&w, ERR_IO, text);
    assert_int_equal(strlen(w.text), WHY_MAX - 1);
    (void)!why(&w, ERR_IO, text + 1);
    assert_int_equal(strlen(w.text), WHY_MAX - 2);
}

static void what_a_caller_wrote_ends_no_sentence(void **state)
{
    (void)state;
    struct why w;
    (void)!why_of(&w, ERR_INVALID, STR("\0a\n"), STR("b"));
    assert_string_equal(w.text, " a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_name),
        cmocka_unit_test(the_sentence_is_joined_and_the_code_handed_back),
        cmocka_unit_test(a_sentence_may_hold_the_one_before),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
        cmocka_unit_test(what_a_caller_wrote_ends_no_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
