#include "base/fold.h"

#include <stdlib.h>
#include <utf8proc.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool fold_is_plain(struct str s)
{
    char before = ' ';
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((unsigned char)c >= 0x80 || (c >= 'A' && c <= 'Z') || c < ' ' ||
            (c == ' ' && before == ' '))
            return false;
        before = c;
    }
    return s.n == 0 || before != ' ';
}

/* Adds ASCII text, or text already folded, with its blanks collapsed. */
static void add_collapsed(struct buf *b, struct str s)
{
    s = str_trim(s);
    char *at = buf_reserve(b, s.n);
    if (at == NULL)
        return;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_space(s.p[i]))
            at[n++] = char_lower(s.p[i]);
        else if (n > 0 && at[n - 1] != ' ')
            at[n++] = ' ';
    }
    buf_added(b, n);
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

void fold_add(struct buf *b, struct str s)
{
    if (is_ascii(s)) {
        add_collapsed(b, s);
        return;
    }
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t n = utf8proc_map(
        (const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &folded,
        UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK |
            UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    if (n >= 0)
        add_collapsed(b, (struct str){ (const char *)folded, (size_t)n });
    else
        buf_add(b, s);
    free(folded);
}
