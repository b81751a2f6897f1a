#include "auth/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define NOW INT64_C(1800000000000)

static struct rate *make(unsigned per_minute, unsigned burst, unsigned names)
{
    struct rate *r = NULL;
    clock_freeze(NOW);
    assert_int_equal(rate_new(per_minute, burst, names, &r), OK);
    return r;
}

static void a_burst_passes_and_the_next_call_waits(void **state)
{
    (void)state;
    struct rate *r = make(5, 300, 100);
    int64_t wait = 0;
    for (int i = 0; i < 300; i++)
        assert_true(rate_take(r, STR("app"), &wait));
    assert_false(rate_take(r, STR("app"), &wait));
    assert_int_equal(wait, 12);
    clock_advance(11999);
    assert_false(rate_take(r, STR("app"), &wait));
    assert_int_equal(wait, 1);
    clock_advance(1);
    assert_true(rate_take(r, STR("app"), &wait));
    assert_false(rate_take(r, STR("app"), &wait));
    rate_free(r);
    clock_release();
}

static void names_do_not_share(void **state)
{
    (void)state;
    struct rate *r = make(1, 1, 100);
    int64_t wait = 0;
    assert_true(rate_take(r, STR("a"), &wait));
    assert_false(rate_take(r, STR("a"), &wait));
    assert_true(rate_take(r, STR("b"), &wait));
    rate_free(r);
    clock_release();
}

static void the_bucket_never_holds_more_than_its_burst(void **state)
{
    (void)state;
    struct rate *r = make(60, 2, 100);
    int64_t wait = 0;
    assert_true(rate_take(r, STR("a"), &wait));
    clock_advance(INT64_C(1000) * 86400 * 365 * 100);
    assert_true(rate_take(r, STR("a"), &wait));
    assert_true(rate_take(r, STR("a"), &wait));
    assert_false(rate_take(r, STR("a"), &wait));
    rate_free(r);
    clock_release();
}

static void a_flood_of_names_does_not_free_the_limited_one(void **state)
{
    (void)state;
    struct rate *r = make(1, 3, 8);
    int64_t wait = 0;
    while (rate_take(r, STR("thief"), &wait))
        ;
    for (int i = 0; i < 10000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        (void)rate_take(r, str_of(name), &wait);
    }
    assert_false(rate_take(r, STR("thief"), &wait));
    rate_free(r);
    clock_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_the_next_call_waits),
        cmocka_unit_test(names_do_not_share),
        cmocka_unit_test(the_bucket_never_holds_more_than_its_burst),
        cmocka_unit_test(a_flood_of_names_does_not_free_the_limited_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
