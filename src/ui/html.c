#include "ui/html.h"

#include "base/url.h"

static struct str escape_of(char c)
{
    switch (c) {
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '&':
        return STR("&amp;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    case '\x7f':
        return STR(" ");
    default:
        return (unsigned char)c < 0x20 ? STR(" ") : STR_NONE;
    }
}

void html_text(struct buf *b, struct str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        struct str escape = escape_of(s.p[i]);
        if (escape.p == NULL)
            continue;
        buf_add(b, str_slice(s, from, i));
        buf_add(b, escape);
        from = i + 1;
    }
    buf_add(b, str_from(s, from));
}

void html_i64(struct buf *b, int64_t value)
{
    if (value < 0) {
        buf_add_i64(b, value);
        return;
    }
    int64_t unit = 1;
    while (value / unit >= 1000)
        unit *= 1000;
    buf_add_i64(b, value / unit);
    for (unit /= 1000; unit > 0; unit /= 1000) {
        int64_t part = value / unit % 1000;
        buf_add_char(b, ',');
        buf_add_char(b, (char)('0' + part / 100));
        buf_add_char(b, (char)('0' + part / 10 % 10));
        buf_add_char(b, (char)('0' + part % 10));
    }
}

void html_attr(struct buf *b, struct str name, struct str value)
{
    buf_add_char(b, ' ');
    buf_add(b, name);
    buf_add(b, STR("=\""));
    html_text(b, value);
    buf_add_char(b, '"');
}

static bool is_own_path(struct str url)
{
    if (url.n == 0 || url.p[0] != '/')
        return false;
    /* "//host" and "/\host" leave this server. */
    if (url.n > 1 && (url.p[1] == '/' || url.p[1] == '\\'))
        return false;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= 0x20 || url.p[i] == '\\')
            return false;
    return true;
}

void html_link(struct buf *b, struct str name, struct str url)
{
    struct url parsed;
    bool is_good = is_own_path(url) || url_parse(url, &parsed) == OK;
    html_attr(b, name, is_good ? url : STR("#"));
}
