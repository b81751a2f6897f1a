/* Which cells match a value: dates, numbers and quantities.
 *
 * FHIR R4 3.1.1.4.5 (prefix) with ranges half open: r is the cell's, q the
 * asked one.  eq is containment, as the text says (docs/data-model.md). */
#include <math.h>

#include "base/clock.h"
#include "record/evaluate_int.h"

/* --- date ----------------------------------------------------------------- */

static int64_t add_cut(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t sub_cut(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return b > 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

/* ap: wider by a tenth of how far away it is. */
static int64_t date_slack(const struct query_value *v)
{
    int64_t far = sub_cut(clock_now_ms(), v->low);
    return far < 0 ? sub_cut(0, far) / 10 : far / 10;
}

static bool test(const struct query_value *v, int64_t slack, int64_t low,
                 int64_t high)
{
    bool is_in = low >= v->low && high <= v->high;
    switch (v->prefix) {
    case PREFIX_EQ:
        return is_in;
    case PREFIX_NE:
        return !is_in;
    case PREFIX_GT:
        return high > v->high;
    case PREFIX_LT:
        return low < v->low;
    case PREFIX_GE:
        return high > v->high || is_in;
    case PREFIX_LE:
        return low < v->low || is_in;
    case PREFIX_SA:
        return low >= v->high;
    case PREFIX_EB:
        return high <= v->low;
    case PREFIX_AP:
        return low < add_cut(v->high, slack) && high > sub_cut(v->low, slack);
    }
    return false;
}

bool date_matches(const struct query_value *v, int64_t low, int64_t high)
{
    return test(v, v->prefix == PREFIX_AP ? date_slack(v) : 0, low, high);
}

/* Bounds for low, outside of which no cell can match: [*from, *to]. */
static void narrow(const struct query_value *v, int64_t slack, int64_t span,
                   int64_t *from, int64_t *to)
{
    /* high > v->high needs low > above; an open end has no span. */
    bool is_open = span == INT64_MAX;
    int64_t above = is_open ? INT64_MIN : sub_cut(v->high, span);
    *from = INT64_MIN;
    *to = INT64_MAX;
    switch (v->prefix) {
    case PREFIX_EQ:
        *from = v->low;
        *to = v->high;
        break;
    case PREFIX_GT:
        *from = above;
        break;
    case PREFIX_GE:
        *from = above < v->low ? above : v->low;
        break;
    case PREFIX_LT:
    case PREFIX_EB:
        *to = v->low;
        break;
    case PREFIX_LE:
        *to = v->high;
        break;
    case PREFIX_SA:
        *from = v->high;
        break;
    case PREFIX_AP:
        *from = is_open ? INT64_MIN : sub_cut(sub_cut(v->low, slack), span);
        *to = add_cut(v->high, slack);
        break;
    case PREFIX_NE:
        break;
    }
}

static uint64_t key_of(int64_t low)
{
    return (uint64_t)low ^ UINT64_C(1) << 63;
}

void match_date(const struct match *m, const struct query_value *v)
{
    const struct column *c = m->c;
    int64_t slack = v->prefix == PREFIX_AP ? date_slack(v) : 0, from, to;
    narrow(v, slack, c->span_max, &from, &to);
    uint32_t first = column_bound(c, 0, key_of(from));
    uint32_t last =
        to == INT64_MAX ? c->n : column_bound(c, first, key_of(to) + 1);
    for (uint32_t i = first; i < last; i++)
        if (test(v, slack, c->low[i], c->high[i]))
            mark(&m->to, c, i);
}

/* --- number, quantity ----------------------------------------------------- */

struct amount {
    double value, low, high;
};

/* A Range is lopsided about its value, which is its low end; what is written
 * as one number reaches as far to either side. */
static bool is_range(const struct amount *x)
{
    double below = x->value - x->low, above = x->high - x->value;
    return isinf(below) || isinf(above) ||
           fabs(above - below) > 1e-6 * (fabs(above) + fabs(below));
}

/* Decimals are not binary: 0.99 is a tenth from 1.1, and a bit more. */
#define ROUNDING 1e-12

static bool number_matches(const struct query_value *v, const struct amount *x)
{
    double tenth = fabs(v->number) / 10 * (1 + ROUNDING);
    bool is_wide = is_range(x);
    double low = is_wide ? x->low : x->value;
    double high = is_wide ? x->high : x->value;
    bool is_in = v->number_low == v->number_high
                     ? low == v->number && high == v->number
                     : x->value >= v->number_low && high < v->number_high;
    switch (v->prefix) {
    case PREFIX_EQ:
        return is_in;
    case PREFIX_NE:
        return !is_in;
    case PREFIX_GT:
        return high > v->number;
    case PREFIX_LT:
        return low < v->number;
    case PREFIX_GE:
        return high >= v->number;
    case PREFIX_LE:
        return low <= v->number;
    case PREFIX_SA:
        return x->low >= v->number_high;
    case PREFIX_EB:
        return x->high <= v->number_low;
    case PREFIX_AP:
        return low <= v->number + tenth && high >= v->number - tenth;
    }
    return false;
}

struct unit {
    bool any_code, any_system;
    bool has_code; /* the segment knows it */
    uint32_t code, system;
};

static bool unit_matches(const struct unit *u, const struct column *c,
                         uint32_t i)
{
    if (!u->any_system && at32(c->str[S_SYSTEM], i) != u->system)
        return false;
    return u->any_code || at32(c->str[S_KEY], i) == u->code ||
           (u->any_system && at32(c->str[S_TEXT], i) == u->code);
}

void match_number(const struct match *m, const struct query_value *v)
{
    const struct column *c = m->c;
    struct unit u = { .any_code = v->code.n == 0,
                      .any_system = v->system.n == 0 };
    if ((!u.any_code && !segment_string_find(m->s, v->code, &u.code)) ||
        (!u.any_system && !segment_string_find(m->s, v->system, &u.system)))
        return;
    for (uint32_t i = 0; i < c->n; i++) {
        struct amount x = { c->number[N_VALUE][i], c->number[N_LOW][i],
                            c->number[N_HIGH][i] };
        if (number_matches(v, &x) &&
            (c->kind == CELL_NUMBER || unit_matches(&u, c, i)))
            mark(&m->to, c, i);
    }
}

/* --- places --------------------------------------------------------------- */

#define EARTH_KM 6371.0088

static double radians(double degrees)
{
    return degrees * 3.14159265358979323846 / 180;
}

/* Along the great circle (haversine). */
static double distance_km(double lat1, double lon1, double lat2, double lon2)
{
    double lat = sin(radians(lat2 - lat1) / 2);
    double lon = sin(radians(lon2 - lon1) / 2);
    double a = lat * lat + cos(radians(lat1)) * cos(radians(lat2)) * lon * lon;
    return 2 * EARTH_KM * asin(sqrt(a < 1 ? a : 1));
}

void match_near(const struct match *m, const struct query_value *v)
{
    const struct column *c = m->c;
    if (c->kind != CELL_NUMBER || c->number[N_VALUE] == NULL)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        if (distance_km(v->number, v->number_low, c->number[N_VALUE][i],
                        c->number[N_LOW][i]) <= v->number_high)
            mark(&m->to, c, i);
}
