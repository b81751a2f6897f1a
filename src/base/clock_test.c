#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *instant(int64_t ms)
{
    static char text[64];
    AUTO_BUF b = BUF(63);
    clock_add_instant(&b, ms);
    memcpy(text, b.data, b.len + 1);
    return text;
}

static const char *http_date(int64_t ms)
{
    static char text[64];
    AUTO_BUF b = BUF(63);
    clock_add_http_date(&b, ms);
    memcpy(text, b.data, b.len + 1);
    return text;
}

static void instants_are_written_and_read_back(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text, *http;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 784111777000, "1994-11-06T08:49:37.000Z",
          "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110's example */
        { 951782400000, "2000-02-29T00:00:00.000Z",
          "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 1795473308000, "2026-11-23T22:35:08.000Z",
          "Mon, 23 Nov 2026 22:35:08 GMT" },
        { -1000, "1969-12-31T23:59:59.000Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
        { -62167219200000, "0000-01-01T00:00:00.000Z",
          "Sat, 01 Jan 0000 00:00:00 GMT" },
        { 253402300799000, "9999-12-31T23:59:59.000Z",
          "Fri, 31 Dec 9999 23:59:59 GMT" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 1;
        assert_string_equal(instant(cases[i].ms), cases[i].text);
        assert_string_equal(http_date(cases[i].ms), cases[i].http);
        assert_int_equal(clock_parse_instant(str_of(cases[i].text), &ms), OK);
        assert_true(ms == cases[i].ms);
        assert_int_equal(clock_parse_http_date(str_of(cases[i].http), &ms), OK);
        assert_true(ms == cases[i].ms);
    }
    assert_int_equal(strlen(instant(0)), CLOCK_INSTANT_LEN);
}

static void zones_and_fractions_are_taken_into_account(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "1970-01-01T01:00:00+01:00", 0 },
        { "1969-12-31T18:30:00-05:30", 0 },
        { "1970-01-01T00:00:00.5Z", 500 },
        { "1970-01-01T00:00:00.1239999Z", 123 },
        { "1970-01-01T00:00:60Z", 60000 }, /* a leap second */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_int_equal(clock_parse_instant(str_of(cases[i].text), &ms), OK);
        assert_true(ms == cases[i].ms);
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-11-23T10:00Z",
        "2026-13-23T10:00:00Z",
        "2026-11-31T10:00:00Z",
        "2025-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T10:60:00Z",
        "2026-11-23T10:00:00.Z",
        "2026-11-23T10:00:00Zx",
        "2026-11-23T10:00:00+15:00",
        "2026-11-23 10:00:00Z",
        "+026-11-23T10:00:00Z",
    };
    int64_t ms = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (clock_parse_instant(str_of(bad[i]), &ms) != ERR_FORMAT)
            fail_msg("%s passes", bad[i]);
    static const char *const dates[] = {
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",  "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",  ""
    };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        assert_int_equal(clock_parse_http_date(str_of(dates[i]), &ms),
                         ERR_FORMAT);
    assert_true(ms == 7);
}

static void days_and_dates_agree_over_a_thousand_years(void **state)
{
    (void)state;
    int64_t year;
    int month, day;
    int64_t first = clock_days_from_civil(1500, 1, 1);
    int64_t last = clock_days_from_civil(2500, 12, 31);
    int64_t before_year = 1499;
    assert_true(last - first == 365607); /* 1001 years, 243 of them leap */
    for (int64_t d = first; d <= last; d++) {
        clock_civil_from_days(d, &year, &month, &day);
        assert_true(clock_days_from_civil(year, month, day) == d);
        assert_true(year == before_year || (month == 1 && day == 1));
        before_year = year;
    }
}

static void time_stands_still_when_frozen(void **state)
{
    (void)state;
    clock_freeze(1000);
    assert_true(clock_now_ms() == 1000);
    clock_advance(500);
    assert_true(clock_now_ms() == 1500);
    clock_release();
    assert_true(clock_now_ms() > INT64_C(1700000000000));
    int64_t before = clock_monotonic_ns();
    assert_true(clock_monotonic_ns() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_written_and_read_back),
        cmocka_unit_test(zones_and_fractions_are_taken_into_account),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(days_and_dates_agree_over_a_thousand_years),
        cmocka_unit_test(time_stands_still_when_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
