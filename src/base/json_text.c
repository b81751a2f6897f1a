/* The half of json.h that works on bytes. */
#include "base/json.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Bytes of the string that s starts with, its quotes counted; all of s when
 * it does not end. */
static size_t string_len(struct str s)
{
    const char *p = s.p + 1, *end = s.p + s.n;
    for (;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (quote == NULL)
            return s.n;
        size_t slashes = 0;
        while (quote - 1 - slashes > s.p && *(quote - 1 - slashes) == '\\')
            slashes++;
        if (quote - slashes > s.p && slashes % 2 == 0)
            return (size_t)(quote - s.p) + 1;
        p = quote + 1;
    }
}

/* Whether two bytes that stood apart would make one token together. */
static bool would_join(char before, char after)
{
    return strchr("{}[]:,\"", before) == NULL &&
           strchr("{}[]:,\"", after) == NULL;
}

/* Takes the blanks at text[i, ...) out: what stands before them, from `run`
 * on, is added.  Gives where the text goes on; what out had before `start` is
 * not ours. */
static size_t pass_blanks(struct str text, size_t run, size_t i, size_t start,
                          struct buf *out)
{
    buf_add(out, str_slice(text, run, i));
    while (i < text.n && is_blank(text.p[i]))
        i++;
    if (i < text.n && out->err == OK && out->len > start &&
        would_join(out->data[out->len - 1], text.p[i]))
        buf_add_char(out, ' ');
    return i;
}

enum err json_minify(struct str text, unsigned depth_max, struct buf *out)
{
    unsigned depth = 0;
    size_t run = 0, i = 0, start = out->len;
    while (i < text.n) {
        char c = text.p[i];
        if (c == '"') {
            i += string_len(str_from(text, i));
        } else if (is_blank(c)) {
            run = i = pass_blanks(text, run, i, start, out);
        } else {
            if (c == '{' || c == '[') {
                if (++depth > depth_max)
                    return ERR_LIMIT;
            } else if (c == '}' || c == ']') {
                depth -= depth > 0;
            }
            i++;
        }
    }
    buf_add(out, str_slice(text, run, text.n));
    return out->err;
}

size_t json_skip(struct str text)
{
    if (text.n == 0)
        return 0;
    if (text.p[0] == '"')
        return string_len(text);
    size_t depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"') {
            i += string_len(str_from(text, i)) - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return i;
            if (--depth == 0)
                return i + 1;
        } else if (c == ',' && depth == 0) {
            return i;
        }
    }
    return text.n;
}

bool json_next_element(struct str *inside, struct str *out)
{
    if (inside->n == 0)
        return false;
    size_t n = json_skip(*inside);
    if (n == 0)
        return false;
    *out = str_slice(*inside, 0, n);
    *inside = str_from(*inside, n);
    if (inside->n > 0 && inside->p[0] == ',')
        *inside = str_from(*inside, 1);
    return true;
}

bool json_next_member(struct str *inside, struct json_member_text *out)
{
    if (inside->n < 3 || inside->p[0] != '"')
        return false;
    size_t n = string_len(*inside);
    if (n + 1 >= inside->n || inside->p[n] != ':')
        return false;
    out->name = str_slice(*inside, 1, n - 1);
    *inside = str_from(*inside, n + 1);
    return json_next_element(inside, &out->value);
}

struct str json_inside(struct str container)
{
    return container.n < 2 ? STR_NONE
                           : str_slice(container, 1, container.n - 1);
}
