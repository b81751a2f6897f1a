#include "base/json.h"

#define INDENT 2

static void new_line(struct buf *out, unsigned depth)
{
    buf_add_char(out, '\n');
    for (unsigned i = 0; i < depth * INDENT; i++)
        buf_add_char(out, ' ');
}

/* Bytes of the string at the start of text, quotes included. */
static size_t string_bytes(struct str text)
{
    size_t i = 1;
    while (i < text.n && text.p[i] != '"')
        i += text.p[i] == '\\' ? 2 : 1;
    return i + 1 < text.n ? i + 1 : text.n;
}

static void begin(struct str text, size_t i, unsigned *depth, struct buf *out)
{
    buf_add_char(out, text.p[i]);
    ++*depth;
    bool is_empty = i + 1 < text.n && text.p[i + 1] == text.p[i] + 2;
    if (!is_empty) /* ']' is '[' + 2, '}' is '{' + 2 */
        new_line(out, *depth);
}

void json_pretty(struct str text, struct buf *out)
{
    unsigned depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"') {
            size_t n = string_bytes(str_from(text, i));
            buf_add(out, str_slice(text, i, i + n));
            i += n - 1;
        } else if (c == '{' || c == '[') {
            begin(text, i, &depth, out);
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
            if (i > 0 && text.p[i - 1] != c - 2)
                new_line(out, depth);
            buf_add_char(out, c);
        } else if (c == ',') {
            buf_add_char(out, c);
            new_line(out, depth);
        } else if (c == ':') {
            buf_add(out, STR(": "));
        } else {
            buf_add_char(out, c);
        }
    }
    buf_add_char(out, '\n');
}
