#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define MS_PER_DAY INT64_C(86400000)

/* Negative: the real clock. */
static _Atomic int64_t frozen_ms = -1;

int64_t clock_now_ms(void)
{
    int64_t frozen = atomic_load_explicit(&frozen_ms, memory_order_relaxed);
    if (frozen >= 0)
        return frozen;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void clock_freeze(int64_t ms)
{
    atomic_store(&frozen_ms, ms);
}

void clock_advance(int64_t ms)
{
    atomic_fetch_add(&frozen_ms, ms);
}

void clock_release(void)
{
    atomic_store(&frozen_ms, -1);
}

/* Howard Hinnant's days_from_civil, in 64 bits. */
int64_t clock_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + days - 719468;
}

void clock_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t d = days - era * 146097;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t of_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* value in width digits, zeros in front. */
static void add_digits(struct buf *b, int64_t value, int width)
{
    char text[20];
    for (int i = width - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
    buf_add(b, (struct str){ text, (size_t)width });
}

struct parts {
    int64_t year, day_count, ms_of_day;
    int month, day;
};

static struct parts split(int64_t ms)
{
    struct parts p = { 0 };
    p.ms_of_day = ms % MS_PER_DAY;
    if (p.ms_of_day < 0)
        p.ms_of_day += MS_PER_DAY;
    p.day_count = (ms - p.ms_of_day) / MS_PER_DAY;
    clock_civil_from_days(p.day_count, &p.year, &p.month, &p.day);
    return p;
}

static void add_time(struct buf *b, int64_t ms_of_day)
{
    add_digits(b, ms_of_day / 3600000, 2);
    buf_add_char(b, ':');
    add_digits(b, ms_of_day / 60000 % 60, 2);
    buf_add_char(b, ':');
    add_digits(b, ms_of_day / 1000 % 60, 2);
}

void clock_add_instant(struct buf *b, int64_t ms)
{
    struct parts p = split(ms);
    add_digits(b, p.year, 4);
    buf_add_char(b, '-');
    add_digits(b, p.month, 2);
    buf_add_char(b, '-');
    add_digits(b, p.day, 2);
    buf_add_char(b, 'T');
    add_time(b, p.ms_of_day);
    buf_add_char(b, '.');
    add_digits(b, p.ms_of_day % 1000, 3);
    buf_add_char(b, 'Z');
}

static const char week_days[] = "ThuFriSatSunMonTueWed";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void clock_add_http_date(struct buf *b, int64_t ms)
{
    struct parts p = split(ms);
    int64_t of_week = (p.day_count % 7 + 7) % 7;
    buf_add(b, (struct str){ week_days + of_week * 3, 3 });
    buf_add(b, STR(", "));
    add_digits(b, p.day, 2);
    buf_add_char(b, ' ');
    buf_add(b, (struct str){ months + (p.month - 1) * 3, 3 });
    buf_add_char(b, ' ');
    add_digits(b, p.year, 4);
    buf_add_char(b, ' ');
    add_time(b, p.ms_of_day);
    buf_add(b, STR(" GMT"));
}

/* Takes n digits off *s into *out; false when they are not there. */
static bool take_digits(struct str *s, size_t n, int64_t *out)
{
    if (s->n < n)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!char_is_digit(s->p[i]))
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = str_from(*s, n);
    *out = value;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_time(struct str *s, int64_t *out_ms)
{
    int64_t hour, minute, second;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') ||
        !take_digits(s, 2, &minute) || !take_char(s, ':') ||
        !take_digits(s, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    *out_ms = hour * 3600000 + minute * 60000 + second * 1000;
    return true;
}

static bool take_fraction(struct str *s, int64_t *ms)
{
    if (!take_char(s, '.'))
        return true;
    if (s->n == 0 || !char_is_digit(s->p[0]))
        return false;
    for (int64_t scale = 100; s->n > 0 && char_is_digit(s->p[0]); scale /= 10) {
        *ms += (s->p[0] - '0') * scale;
        *s = str_from(*s, 1);
    }
    return true;
}

static bool take_zone(struct str *s, int64_t *out_ms)
{
    if (take_char(s, 'Z')) {
        *out_ms = 0;
        return true;
    }
    int64_t sign = take_char(s, '-') ? -1 : 1;
    if (sign > 0 && !take_char(s, '+'))
        return false;
    int64_t hour, minute;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') ||
        !take_digits(s, 2, &minute) || hour > 14 || minute > 59)
        return false;
    *out_ms = sign * (hour * 3600000 + minute * 60000);
    return true;
}

static bool is_date(int64_t year, int64_t month, int64_t day)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31 };
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && is_leap);
}

enum err clock_parse_instant(struct str s, int64_t *out_ms)
{
    int64_t year, month, day, ms, zone;
    if (!take_digits(&s, 4, &year) || !take_char(&s, '-') ||
        !take_digits(&s, 2, &month) || !take_char(&s, '-') ||
        !take_digits(&s, 2, &day) || !take_char(&s, 'T') ||
        !take_time(&s, &ms) || !take_fraction(&s, &ms) ||
        !take_zone(&s, &zone) || s.n != 0 || !is_date(year, month, day))
        return ERR_FORMAT;
    int64_t days = clock_days_from_civil(year, (int)month, (int)day);
    *out_ms = days * MS_PER_DAY + ms - zone;
    return OK;
}

/* Takes a month's name off *s, as 1-12. */
static bool take_month(struct str *s, int64_t *out)
{
    for (int64_t i = 0; i < 12; i++) {
        if (!str_starts(*s, (struct str){ months + i * 3, 3 }))
            continue;
        *s = str_from(*s, 3);
        *out = i + 1;
        return true;
    }
    return false;
}

enum err clock_parse_http_date(struct str s, int64_t *out_ms)
{
    int64_t year, month, day, ms;
    if (s.n != 29 || s.p[3] != ',' || s.p[4] != ' ')
        return ERR_FORMAT;
    s = str_from(s, 5);
    if (!take_digits(&s, 2, &day) || !take_char(&s, ' ') ||
        !take_month(&s, &month) || !take_char(&s, ' ') ||
        !take_digits(&s, 4, &year) || !take_char(&s, ' ') ||
        !take_time(&s, &ms) || !str_eq(s, STR(" GMT")) ||
        !is_date(year, month, day))
        return ERR_FORMAT;
    *out_ms =
        clock_days_from_civil(year, (int)month, (int)day) * MS_PER_DAY + ms;
    return OK;
}
