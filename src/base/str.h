/* str.h - a view of bytes that someone else owns.  No NUL; pass by value.
 * Case means ASCII case here; text in people's languages is fold.h's.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* Both take only a literal; STR_INIT is the form for static tables. */
/* clang-format off */
#define STR(literal)      ((struct str)STR_INIT(literal))
#define STR_INIT(literal) { "" literal, sizeof(literal) - 1 }
#define STR_NONE          ((struct str){ NULL, 0 })
/* clang-format on */

/* The view of a C string; NULL gives STR_NONE. */
struct str str_of(const char *text);

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
bool str_eq_nocase(struct str a, struct str b);
/* Byte order, as memcmp; shorter first when one starts the other. */
int str_cmp(struct str a, struct str b);
static inline bool str_starts(struct str s, struct str with)
{
    return s.n >= with.n && str_eq((struct str){ s.p, with.n }, with);
}
bool str_starts_nocase(struct str s, struct str with);
bool str_ends(struct str s, struct str with);

/* Where c, or needle, first stands; s.n when nowhere. */
size_t str_find(struct str s, char c);
size_t str_rfind(struct str s, char c);
size_t str_search(struct str s, struct str needle);

/* The part from `from` on, or [from, to); both are cut to s. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from >= to)
        return (struct str){ s.p == NULL ? NULL : s.p + to, 0 };
    return (struct str){ s.p + from, to - from };
}
static inline struct str str_from(struct str s, size_t from)
{
    return str_slice(s, from, s.n);
}
/* Without blanks (space, tab, CR, LF) at either end. */
struct str str_trim(struct str s);

/* Takes the part before the first `at` off *rest, and `at` with it.  With no
 * `at` left the whole is the last part; false once *rest was used up. */
bool str_cut(struct str *rest, char at, struct str *out);

/* Whole-string numbers, decimal; false on anything else or on overflow. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);

/* True for "true" and "1" / "false" and "0" in *out; false otherwise. */
bool str_to_bool(struct str s, bool *out);

static inline char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
    char lower = char_lower(c);
    return lower >= 'a' && lower <= 'z';
}

static inline bool char_is_hex(char c)
{
    char lower = char_lower(c);
    return char_is_digit(c) || (lower >= 'a' && lower <= 'f');
}

#endif
