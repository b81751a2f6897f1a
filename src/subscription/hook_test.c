#include "subscription/subscription_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena a;

static enum err parse(const char *criteria, const char *channel,
                      const char *more, struct hook *out)
{
    struct why w = { 0 };
    struct str text =
        arena_cat(&a, STR("{\"resourceType\":\"Subscription\",\"criteria\":\""),
                  str_of(criteria), STR("\",\"channel\":{"), str_of(channel),
                  STR("}"), str_of(more), STR("}"));
    enum err err = hook_parse(R4, text, &a, out, &w);
    if (err != OK)
        assert_int_not_equal(w.text[0], '\0');
    return err;
}

#define REST "\"type\":\"rest-hook\",\"endpoint\":\"https://x.test/y\""

static void a_subscription_is_read(void **state)
{
    (void)state;
    struct hook h;
    assert_int_equal(parse("Observation?code=1&status=final",
                           REST ",\"payload\":\"application/fhir+json\","
                                "\"header\":[\"A: b\",\"Bearer 1\"]",
                           ",\"end\":\"2030-01-01T00:00:00Z\"", &h),
                     OK);
    assert_int_equal(h.status, HOOK_REQUESTED);
    assert_int_equal(h.query.clause_count, 2);
    assert_true(str_eq(h.endpoint, STR("https://x.test/y")));
    assert_int_equal(h.header_count, 2);
    assert_true(str_eq(h.headers[0].value, STR("b")));
    assert_true(str_eq(h.headers[1].name, STR("Authorization")));
    assert_true(h.end_ms > 0);
}

static void the_header_of_dstu2_is_one_text(void **state)
{
    (void)state;
    struct hook h;
    assert_int_equal(parse("/Patient?", REST ",\"header\":\"A: b\"", "", &h),
                     OK);
    assert_int_equal(h.header_count, 1);
}

static void what_cannot_be_served_is_said(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        { "Observation?", "\"type\":\"websocket\"", "" },
        { "Observation?", "\"type\":\"rest-hook\"", "" },
        { "", REST, "" },
        { "Nonsense?x=1", REST, "" },
        { "Observation?nonsense=1", REST, "" },
        { "Observation?date=nodate", REST, "" },
        { "Observation?", REST ",\"payload\":\"text/xml\"", "" },
        { "Observation?", REST ",\"header\":[\"Host: z\"]", "" },
        { "Observation?", REST ",\"header\":[\"A b: z\"]", "" },
        { "Observation?", REST ",\"header\":[\"A: b\\r\\nC: d\"]", "" },
        { "Observation?", REST, ",\"status\":\"maybe\"" },
        { "Observation?", REST, ",\"end\":\"never\"" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hook h;
        if (parse(bad[i][0], bad[i][1], bad[i][2], &h) != ERR_UNPROCESSABLE)
            fail_msg("row %zu was taken", i);
    }
}

static int set_up(void **state)
{
    (void)state;
    a = ARENA((size_t)16 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_is_read),
        cmocka_unit_test(the_header_of_dstu2_is_one_text),
        cmocka_unit_test(what_cannot_be_served_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
