/* link: -Wl,--wrap=realloc */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The link step sends buf.c's realloc here (-Wl,--wrap=realloc). */
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

static int allocations_until_failure = -1; /* negative: never fail */

void *__wrap_realloc(void *p, size_t n)
{
    if (allocations_until_failure == 0)
        return NULL;
    if (allocations_until_failure > 0)
        allocations_until_failure--;
    return __real_realloc(p, n);
}

static void writes_follow_each_other(void **state)
{
    (void)state;
    char *text = NULL;
    AUTO_BUF b = BUF(64);

    buf_add(&b, STR("Patient/"));
    buf_add(&b, (struct str){ NULL, 0 });
    buf_add(&b, STR("11207"));

    assert_int_equal(b.len, 13);
    assert_int_equal(buf_take(&b, &text), OK);
    assert_string_equal(text, "Patient/11207");
    free(text);
}

static void nothing_written_is_an_empty_string(void **state)
{
    (void)state;
    char *text = NULL;
    AUTO_BUF b = BUF(0);

    assert_int_equal(buf_take(&b, &text), OK);
    assert_string_equal(text, "");
    free(text);
}

static void the_limit_may_be_reached_but_not_passed(void **state)
{
    (void)state;
    static const struct {
        struct str first, second;
        enum err want;
    } cases[] = {
        { STR_INIT("abcd"), STR_INIT(""), OK },
        { STR_INIT("ab"), STR_INIT("cd"), OK },
        { STR_INIT("abcde"), STR_INIT(""), ERR_LIMIT },
        { STR_INIT("ab"), STR_INIT("cde"), ERR_LIMIT },
        { STR_INIT("a"), { "", SIZE_MAX }, ERR_LIMIT }, /* sum would wrap */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        AUTO_BUF b = BUF(4);
        buf_add(&b, cases[i].first);
        buf_add(&b, cases[i].second);
        assert_true(b.room <= b.limit + 1);
        assert_int_equal(buf_take(&b, &text), cases[i].want);
        free(text);
    }
}

static void the_first_failure_sticks_and_spares_out(void **state)
{
    (void)state;
    char untouched[] = "untouched";
    char *text = untouched;
    AUTO_BUF b = BUF(4);

    buf_add(&b, STR("too long"));
    buf_add(&b, STR("ok")); /* would fit, but comes after the failure */

    assert_int_equal(buf_take(&b, &text), ERR_LIMIT);
    assert_ptr_equal(text, untouched);
    assert_int_equal(b.err, OK); /* taking made it empty and usable again */
}

static enum err write_a_thousand(char **out)
{
    AUTO_BUF b = BUF(1000);
    for (int i = 0; i < 1000; i++)
        buf_add(&b, STR("x"));
    return buf_take(&b, out);
}

/* Fails each allocation in turn; ASan sees whether one of them leaks. */
static void no_allocation_failure_leaks_or_crashes(void **state)
{
    (void)state;
    enum err err = ERR_NOMEM;
    int failures = 0;

    for (; err == ERR_NOMEM; failures++) {
        char *text = NULL;
        allocations_until_failure = failures;
        err = write_a_thousand(&text);
        allocations_until_failure = -1;
        assert_true((err == OK) == (text != NULL));
        free(text);
    }
    assert_int_equal(err, OK);
    assert_in_range(failures, 3, 20); /* grew by doubling, not byte by byte */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_follow_each_other),
        cmocka_unit_test(nothing_written_is_an_empty_string),
        cmocka_unit_test(the_limit_may_be_reached_but_not_passed),
        cmocka_unit_test(the_first_failure_sticks_and_spares_out),
        cmocka_unit_test(no_allocation_failure_leaks_or_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
