#include "fhir/date.h"

#include "base/clock.h"

#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_DAY    INT64_C(86400000)

/* Takes exactly n digits, or nothing. */
static bool digits(struct str *s, size_t n, int64_t *out)
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

static bool skip(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static int64_t month_length(int64_t year, int64_t month)
{
    static const int64_t lengths[] = { 31, 28, 31, 30, 31, 30,
                                       31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && is_leap);
}

static int64_t day_ms(int64_t year, int64_t month, int64_t day)
{
    return clock_days_from_civil(year, (int)month, (int)day) * MS_PER_DAY;
}

/* hh:mm[:ss[.fff]] into *ms and how long the written precision lasts. */
static bool time_of_day(struct str *s, int64_t *ms, int64_t *length)
{
    int64_t hour, minute, second = 0;
    if (!digits(s, 2, &hour) || !skip(s, ':') || !digits(s, 2, &minute) ||
        hour > 24 || minute > 59)
        return false;
    *ms = hour * 3600000 + minute * MS_PER_MINUTE;
    *length = MS_PER_MINUTE;
    if (!skip(s, ':'))
        return true;
    if (!digits(s, 2, &second) || second > 60)
        return false;
    *ms += second * 1000;
    *length = 1000;
    if (!skip(s, '.'))
        return true;
    int64_t scale = 100;
    if (s->n == 0 || !char_is_digit(s->p[0]))
        return false;
    for (; s->n > 0 && char_is_digit(s->p[0]); scale /= 10) {
        *ms += (s->p[0] - '0') * scale;
        *length = scale > 0 ? scale : 1;
        *s = str_from(*s, 1);
    }
    return true;
}

/* Z, +hh:mm, +hhmm, or nothing: minutes to subtract. */
static bool zone(struct str *s, int64_t *minutes)
{
    *minutes = 0;
    if (s->n == 0 || skip(s, 'Z') || skip(s, 'z'))
        return true;
    /* '+' may have become a blank in a query. */
    int64_t sign = skip(s, '-') ? -1 : 1;
    if (sign > 0 && !skip(s, '+') && !skip(s, ' '))
        return false;
    int64_t hour, minute;
    if (!digits(s, 2, &hour) || (skip(s, ':'), !digits(s, 2, &minute)) ||
        hour > 14 || minute > 59)
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

static enum err with_time(struct str s, int64_t start, int64_t *low,
                          int64_t *high)
{
    int64_t ms, length, minutes;
    if (!time_of_day(&s, &ms, &length) || !zone(&s, &minutes) || s.n > 0)
        return ERR_FORMAT;
    *low = start + ms - minutes * MS_PER_MINUTE;
    *high = *low + length;
    return OK;
}

enum err date_range(struct str s, int64_t *out_low, int64_t *out_high)
{
    int64_t year, month, day;
    s = str_trim(s);
    if (!digits(&s, 4, &year))
        return ERR_FORMAT;
    if (s.n == 0) {
        *out_low = day_ms(year, 1, 1);
        *out_high = day_ms(year + 1, 1, 1);
        return OK;
    }
    if (!skip(&s, '-') || !digits(&s, 2, &month) || month < 1 || month > 12)
        return ERR_FORMAT;
    if (s.n == 0) {
        *out_low = day_ms(year, month, 1);
        *out_high =
            month == 12 ? day_ms(year + 1, 1, 1) : day_ms(year, month + 1, 1);
        return OK;
    }
    if (!skip(&s, '-') || !digits(&s, 2, &day) || day < 1 ||
        day > month_length(year, month))
        return ERR_FORMAT;
    int64_t start = day_ms(year, month, day);
    if (s.n == 0) {
        *out_low = start;
        *out_high = start + MS_PER_DAY;
        return OK;
    }
    if (!skip(&s, 'T') && !skip(&s, 't') && !skip(&s, ' '))
        return ERR_FORMAT;
    return with_time(s, start, out_low, out_high);
}
