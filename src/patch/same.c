/* Equality of JSON values as RFC 6902 section 4.6 has it. */
#include <stdlib.h>

#include "base/json.h"
#include "patch/tree.h"

/* A number as digits * 10^exponent, no zeros at either end of the digits. */
struct number {
    bool is_negative;
    struct str whole, part; /* digits before and behind the point */
    int64_t exponent;       /* of the digit before the point */
    size_t first, last;     /* [first, last) of whole then part that count */
};

static char digit_at(const struct number *n, size_t i)
{
    return i < n->whole.n ? n->whole.p[i] : n->part.p[i - n->whole.n];
}

static bool read_number(struct str s, struct number *out)
{
    struct number n = { .is_negative = s.n > 0 && s.p[0] == '-' };
    s = str_from(s, n.is_negative ? 1 : 0);
    size_t e = str_find(s, 'e');
    if (e == s.n)
        e = str_find(s, 'E');
    struct str power = str_from(s, e + 1);
    if (power.n > 0 && power.p[0] == '+')
        power = str_from(power, 1);
    if (power.n > 0 && !str_to_i64(power, &n.exponent))
        return false;
    if (n.exponent > INT32_MAX || n.exponent < INT32_MIN)
        return false;
    s = str_slice(s, 0, e);
    size_t point = str_find(s, '.');
    n.whole = str_slice(s, 0, point);
    n.part = str_from(s, point + 1);
    n.last = n.whole.n + n.part.n;
    while (n.last > 0 && digit_at(&n, n.last - 1) == '0')
        n.last--;
    while (n.first < n.last && digit_at(&n, n.first) == '0')
        n.first++;
    n.exponent += (int64_t)n.whole.n - (int64_t)n.first;
    *out = n;
    return true;
}

bool number_same(struct str x, struct str y)
{
    struct number a, b;
    if (str_eq(x, y))
        return true;
    if (!read_number(x, &a) || !read_number(y, &b))
        return false;
    size_t n = a.last - a.first;
    if (n != b.last - b.first)
        return false;
    if (n == 0) /* zeros: their sign and power say nothing */
        return true;
    if (a.is_negative != b.is_negative || a.exponent != b.exponent)
        return false;
    for (size_t i = 0; i < n; i++)
        if (digit_at(&a, a.first + i) != digit_at(&b, b.first + i))
            return false;
    return true;
}

struct member {
    struct str key;
    struct yyjson_val *value;
};

static int by_key(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    return str_cmp(a->key, b->key);
}

static struct member *sorted(struct arena *a, struct yyjson_val *object)
{
    struct member *out = arena_zalloc(a, json_count(object), sizeof *out);
    size_t n = 0;
    if (out == NULL)
        return NULL;
    for (JSON_MEMBERS(m, object))
        out[n++] = (struct member){ json_key_of(&m), m.value };
    qsort(out, n, sizeof *out, by_key);
    return out;
}

static bool same(struct arena *a, struct yyjson_val *x, struct yyjson_val *y);

static bool same_objects(struct arena *a, struct yyjson_val *x,
                         struct yyjson_val *y)
{
    size_t n = json_count(x);
    if (n != json_count(y))
        return false;
    if (n == 0)
        return true;
    struct member *of_x = sorted(a, x), *of_y = sorted(a, y);
    if (of_x == NULL || of_y == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(of_x[i].key, of_y[i].key) ||
            !same(a, of_x[i].value, of_y[i].value))
            return false;
    return true;
}

static bool same_arrays(struct arena *a, struct yyjson_val *x,
                        struct yyjson_val *y)
{
    if (json_count(x) != json_count(y))
        return false;
    struct json_iter other = json_iter(y);
    for (JSON_EACH(one, x)) {
        if (!same(a, one.now, other.now))
            return false;
        json_iter_next(&other);
    }
    return true;
}

static bool same(struct arena *a, struct yyjson_val *x, struct yyjson_val *y)
{
    if (json_is_object(x))
        return json_is_object(y) && same_objects(a, x, y);
    if (json_is_array(x))
        return json_is_array(y) && same_arrays(a, x, y);
    if (json_is_number(x))
        return json_is_number(y) && number_same(json_text(x), json_text(y));
    if (json_is_string(x))
        return json_is_string(y) && str_eq(json_text(x), json_text(y));
    if (json_is_bool(x))
        return json_is_bool(y) && json_true(x) == json_true(y);
    return json_is_null(x) && json_is_null(y);
}

bool json_same(struct arena *a, struct str x, struct str y)
{
    struct yyjson_val *of_x, *of_y;
    return str_eq(x, y) ||
           (json_parse(a, x, &of_x, NULL) == OK &&
            json_parse(a, y, &of_y, NULL) == OK && same(a, of_x, of_y));
}
