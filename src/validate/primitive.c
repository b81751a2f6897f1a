#include "validate/primitive.h"

#include <string.h>

#include "fhir/resource.h"

struct str primitive_name(enum primitive p)
{
    static const struct str names[] = {
        STR_INIT("base64Binary"), STR_INIT("boolean"),  STR_INIT("canonical"),
        STR_INIT("code"),         STR_INIT("date"),     STR_INIT("dateTime"),
        STR_INIT("decimal"),      STR_INIT("id"),       STR_INIT("instant"),
        STR_INIT("integer"),      STR_INIT("markdown"), STR_INIT("oid"),
        STR_INIT("positiveInt"),  STR_INIT("string"),   STR_INIT("time"),
        STR_INIT("unsignedInt"),  STR_INIT("uri"),      STR_INIT("url"),
        STR_INIT("uuid"),         STR_INIT("xhtml"),
    };
    return (size_t)p < sizeof names / sizeof names[0] ? names[p] : STR("");
}

bool primitive_is_number(enum primitive p)
{
    return p == PRIMITIVE_DECIMAL || p == PRIMITIVE_INTEGER ||
           p == PRIMITIVE_POSITIVE_INT || p == PRIMITIVE_UNSIGNED_INT;
}

/* --- dates ---------------------------------------------------------------- */

static bool take_digits(struct str *s, size_t n, int *out)
{
    *out = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *out = *out * 10 + (s->p[i] - '0');
    }
    *s = str_from(*s, n);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* How much of YYYY-MM-DD there is: 0 when it is broken, else 1 to 3. */
static int take_date(struct str *s)
{
    int year, month, day;
    if (!take_digits(s, 4, &year) || year == 0)
        return 0;
    if (!take_char(s, '-'))
        return 1;
    if (!take_digits(s, 2, &month) || month < 1 || month > 12)
        return 0;
    if (!take_char(s, '-'))
        return 2;
    if (!take_digits(s, 2, &day) || day < 1 || day > days_of(year, month))
        return 0;
    return 3;
}

static bool take_time(struct str *s)
{
    int hour, minute, second, digit;
    if (!take_digits(s, 2, &hour) || hour > 23 || !take_char(s, ':') ||
        !take_digits(s, 2, &minute) || minute > 59 || !take_char(s, ':') ||
        !take_digits(s, 2, &second) || second > 60)
        return false;
    if (!take_char(s, '.'))
        return true;
    size_t n = 0;
    while (take_digits(s, 1, &digit))
        n++;
    return n > 0;
}

static bool take_zone(struct str *s)
{
    int hour, minute;
    if (take_char(s, 'Z'))
        return true;
    return (take_char(s, '+') || take_char(s, '-')) &&
           take_digits(s, 2, &hour) && hour <= 14 && take_char(s, ':') &&
           take_digits(s, 2, &minute) && minute <= 59;
}

static bool is_date(struct str s)
{
    return take_date(&s) > 0 && s.n == 0;
}

static bool is_date_time(struct str s, bool must_be_whole)
{
    int parts = take_date(&s);
    if (parts == 0 || (must_be_whole && parts < 3))
        return false;
    if (s.n == 0)
        return !must_be_whole;
    return parts == 3 && take_char(&s, 'T') && take_time(&s) && take_zone(&s) &&
           s.n == 0;
}

static bool is_time(struct str s)
{
    return take_time(&s) && s.n == 0;
}

/* --- numbers -------------------------------------------------------------- */

static bool is_whole(struct str s, int64_t min)
{
    int64_t v;
    bool has_plain_form = s.n > 0 && s.p[0] != '+' &&
                          (s.n == 1 || s.p[0] != '0') &&
                          !str_starts(s, STR("-0"));
    return has_plain_form && str_to_i64(s, &v) && v >= min && v <= INT32_MAX;
}

/* --- texts ---------------------------------------------------------------- */

static bool has_blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(" \t\r\n", s.p[i]) != NULL)
            return true;
    return false;
}

/* No blank at the ends, none double. */
static bool is_code(struct str s)
{
    bool was_blank = true;
    for (size_t i = 0; i < s.n; i++) {
        bool is_blank = strchr(" \t\r\n", s.p[i]) != NULL;
        if (is_blank && was_blank)
            return false;
        was_blank = is_blank;
    }
    return s.n > 0 && !was_blank;
}

static bool is_string(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && strchr("\t\r\n", s.p[i]) == NULL)
            return false;
    return str_trim(s).n > 0;
}

static bool is_base64(struct str s)
{
    size_t n = 0, pads = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (strchr(" \t\r\n", c) != NULL)
            continue;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '+' || c == '/';
        pads += c == '=';
        if ((!is_letter && c != '=') || (is_letter && pads > 0))
            return false;
        n++;
    }
    return n % 4 == 0 && pads <= 2;
}

static bool is_oid(struct str s)
{
    if (!str_starts(s, STR("urn:oid:")))
        return false;
    s = str_from(s, 8);
    bool was_dot = true;
    for (size_t i = 0; i < s.n; i++) {
        bool is_dot = s.p[i] == '.';
        if ((is_dot && was_dot) || (!is_dot && (s.p[i] < '0' || s.p[i] > '9')))
            return false;
        was_dot = is_dot;
    }
    return s.n > 2 && !was_dot && s.p[0] <= '2' && s.p[1] == '.';
}

static bool is_uuid(struct str s)
{
    if (!str_starts(s, STR("urn:uuid:")) || s.n != 9 + 36)
        return false;
    for (size_t i = 9; i < s.n; i++) {
        size_t at = i - 9;
        bool wants_dash = at == 8 || at == 13 || at == 18 || at == 23;
        char c = s.p[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                      (c >= 'A' && c <= 'F');
        if (wants_dash ? c != '-' : !is_hex)
            return false;
    }
    return true;
}

bool primitive_is_sound(enum primitive p, struct str s)
{
    switch (p) {
    case PRIMITIVE_BASE64:
        return is_base64(s);
    case PRIMITIVE_CODE:
        return is_code(s);
    case PRIMITIVE_DATE:
        return is_date(s);
    case PRIMITIVE_DATE_TIME:
        return is_date_time(s, false);
    case PRIMITIVE_INSTANT:
        return is_date_time(s, true);
    case PRIMITIVE_TIME:
        return is_time(s);
    case PRIMITIVE_ID:
        return resource_is_id(s);
    case PRIMITIVE_INTEGER:
        return is_whole(s, INT32_MIN);
    case PRIMITIVE_POSITIVE_INT:
        return is_whole(s, 1);
    case PRIMITIVE_UNSIGNED_INT:
        return is_whole(s, 0);
    case PRIMITIVE_OID:
        return is_oid(s);
    case PRIMITIVE_UUID:
        return is_uuid(s);
    case PRIMITIVE_URI:
    case PRIMITIVE_URL:
    case PRIMITIVE_CANONICAL:
        return s.n > 0 && !has_blank(s);
    case PRIMITIVE_XHTML:
        return str_starts(str_trim(s), STR("<"));
    case PRIMITIVE_DECIMAL: /* JSON's grammar is FHIR's */
    case PRIMITIVE_BOOLEAN:
        return true;
    case PRIMITIVE_MARKDOWN:
    case PRIMITIVE_STRING:
    case PRIMITIVE_NONE:
        return is_string(s);
    }
    return true;
}
