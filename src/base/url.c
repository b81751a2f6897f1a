#include "base/url.h"

#include <string.h>

static const struct str http = STR_INIT("http");
static const struct str https = STR_INIT("https");

/* No URL of ours holds blanks, controls or backslashes. */
static bool has_bad_char(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7f || c == '\\' || c == '#' || c == '<' ||
            c == '>' || c == '"')
            return true;
    }
    return false;
}

static size_t find_any(struct str s, const char *set)
{
    size_t i = 0;
    while (i < s.n && strchr(set, s.p[i]) == NULL)
        i++;
    return i;
}

/* A name of DNS or an address, as it goes to the resolver: no escapes, which
 * two parsers could read differently, and no letters beyond ASCII. */
static bool is_host(struct str s, bool is_v6)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_good = is_v6 ? char_is_hex(c) || c == ':' || c == '.'
                             : char_is_alpha(c) || char_is_digit(c) ||
                                   c == '-' || c == '.' || c == '_';
        if (!is_good)
            return false;
    }
    return s.n > 0;
}

/* host, host:port, [v6] or [v6]:port */
static bool parse_authority(struct str s, struct url *out)
{
    struct str port = STR_NONE;
    bool is_v6 = s.n > 0 && s.p[0] == '[';
    if (is_v6) {
        size_t end = str_find(s, ']');
        if (end == s.n)
            return false;
        out->host = str_slice(s, 1, end);
        port = str_from(s, end + 1);
    } else {
        size_t colon = str_find(s, ':');
        out->host = str_slice(s, 0, colon);
        port = str_from(s, colon);
    }
    if (!is_host(out->host, is_v6) || str_find(s, '@') < s.n)
        return false;
    if (port.n == 0)
        return true;
    uint64_t number;
    if (port.p[0] != ':' || !str_to_u64(str_from(port, 1), &number) ||
        number == 0 || number > 65535)
        return false;
    out->port = (uint16_t)number;
    return true;
}

enum err url_parse(struct str text, struct url *out)
{
    if (text.p == NULL)
        return ERR_FORMAT;
    struct url u = { .text = text };
    size_t colon = str_find(text, ':');
    u.scheme = str_slice(text, 0, colon);
    struct str rest = str_from(text, colon);
    bool is_https = str_eq_nocase(u.scheme, https);
    if ((!is_https && !str_eq_nocase(u.scheme, http)) || has_bad_char(text) ||
        !str_starts(rest, STR("://")))
        return ERR_FORMAT;
    u.port = is_https ? 443 : 80;
    rest = str_from(rest, 3);
    size_t end = find_any(rest, "/?");
    if (!parse_authority(str_slice(rest, 0, end), &u))
        return ERR_FORMAT;
    u.origin = str_slice(text, 0, colon + 3 + end);
    rest = str_from(rest, end);
    size_t mark = str_find(rest, '?');
    u.path = str_slice(rest, 0, mark);
    u.query = str_from(rest, mark + 1);
    *out = u;
    return OK;
}

bool url_is_https(const struct url *u)
{
    return str_eq_nocase(u->scheme, https);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->port == b->port && str_eq_nocase(a->scheme, b->scheme) &&
           str_eq_nocase(a->host, b->host);
}

/* Four numbers with dots: 127.evil.example is a name. */
static bool is_dotted(struct str host)
{
    size_t n = 0;
    struct str part;
    uint64_t number;
    for (; str_cut(&host, '.', &part); n++)
        if (!str_to_u64(part, &number) || number > 255)
            return false;
    return n == 4;
}

bool url_is_loopback(const struct url *u)
{
    return str_eq_nocase(u->host, STR("localhost")) ||
           str_eq(u->host, STR("::1")) ||
           (str_starts(u->host, STR("127.")) && is_dotted(u->host));
}

/* Adds path with "." and ".." segments taken out (section 5.2.4). */
static struct str without_dots(struct arena *a, struct str path)
{
    char *text = arena_alloc(a, path.n + 2);
    if (text == NULL)
        return STR_NONE;
    size_t n = 0;
    struct str rest = str_from(path, 1), segment;
    text[n++] = '/';
    while (str_cut(&rest, '/', &segment)) {
        bool is_last = rest.p == NULL;
        bool is_up = str_eq(segment, STR(".."));
        if (is_up && n > 1)
            for (n--; n > 0 && text[n - 1] != '/';)
                n--;
        if (is_up || str_eq(segment, STR(".")))
            continue;
        if (segment.n > 0)
            memcpy(text + n, segment.p, segment.n);
        n += segment.n;
        if (!is_last)
            text[n++] = '/';
    }
    return (struct str){ text, n };
}

/* Starts with a scheme: "urn:", "https:" (section 3.1). */
static bool has_scheme(struct str s)
{
    size_t colon = find_any(s, ":/?");
    if (colon == s.n || s.p[colon] != ':' || !char_is_alpha(s.p[0]))
        return false;
    for (size_t i = 0; i < colon; i++)
        if (!char_is_alpha(s.p[i]) && !char_is_digit(s.p[i]) &&
            strchr("+-.", s.p[i]) == NULL)
            return false;
    return true;
}

struct str url_resolve(struct arena *a, struct str base, struct str reference)
{
    struct url u;
    reference = str_slice(reference, 0, str_find(reference, '#'));
    if (url_parse(reference, &u) == OK)
        return arena_str(a, reference);
    if (has_scheme(reference) || url_parse(base, &u) != OK)
        return STR_NONE;
    if (str_starts(reference, STR("//")))
        return arena_cat(a, u.scheme, STR(":"), reference);
    if (reference.n == 0)
        return arena_str(a, base);
    if (reference.p[0] == '?')
        return arena_cat(a, u.origin, u.path, reference);
    size_t mark = str_find(reference, '?');
    struct str path = str_slice(reference, 0, mark);
    if (path.p[0] != '/') {
        size_t slash = str_rfind(u.path, '/');
        struct str folder =
            u.path.n == 0 ? STR("/") : str_slice(u.path, 0, slash + 1);
        path = arena_cat(a, folder, path);
    }
    return arena_cat(a, u.origin, without_dots(a, path),
                     str_from(reference, mark));
}

struct str url_join(struct arena *a, struct str base, struct str path)
{
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    while (path.n > 0 && path.p[0] == '/')
        path = str_from(path, 1);
    return arena_cat(a, base, STR("/"), path);
}

static bool is_unreserved(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void url_escape(struct buf *b, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i])) {
            buf_add_char(b, s.p[i]);
            continue;
        }
        buf_add_char(b, '%');
        buf_add_char(b, digits[c >> 4]);
        buf_add_char(b, digits[c & 15]);
    }
}

static int hex_value(char c)
{
    return char_is_digit(c) ? c - '0' : char_lower(c) - 'a' + 10;
}

struct str url_unescape(struct arena *a, struct str s, bool is_form)
{
    char *text = arena_alloc(a, s.n + 1);
    if (text == NULL)
        return STR_NONE;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && i + 2 < s.n && char_is_hex(s.p[i + 1]) &&
            char_is_hex(s.p[i + 2])) {
            c = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
            i += 2;
        } else if (c == '+' && is_form) {
            c = ' ';
        }
        text[n++] = c;
    }
    text[n] = '\0';
    return (struct str){ text, n };
}

enum err url_parse_params(struct arena *a, struct str text,
                          struct url_params *out)
{
    size_t room = 1;
    for (size_t i = 0; i < text.n; i++)
        room += text.p[i] == '&';
    if (room > URL_PARAMS_MAX)
        return ERR_LIMIT;
    struct url_params params = { arena_zalloc(a, room, sizeof *params.at), 0 };
    struct str piece;
    while (params.at != NULL && str_cut(&text, '&', &piece)) {
        if (piece.n == 0)
            continue;
        struct str name = STR_NONE;
        str_cut(&piece, '=', &name);
        struct url_param *param = &params.at[params.n++];
        param->name = url_unescape(a, name, true);
        param->value = url_unescape(a, piece, true);
    }
    if (arena_err(a) != OK)
        return arena_err(a);
    *out = params;
    return OK;
}

struct str url_param(const struct url_params *params, struct str name)
{
    for (size_t i = 0; i < params->n; i++)
        if (str_eq(params->at[i].name, name))
            return params->at[i].value;
    return STR_NONE;
}

void url_add_form(struct buf *b, struct str name, struct str value)
{
    if (b->len > 0 && b->data[b->len - 1] != '?')
        buf_add_char(b, '&');
    url_escape(b, name);
    buf_add_char(b, '=');
    url_escape(b, value);
}

void url_add_param(struct buf *b, struct str name, struct str value)
{
    struct str so_far = { b->data, b->len };
    if (b->len == 0 || str_find(so_far, '?') == so_far.n)
        buf_add_char(b, '?');
    url_add_form(b, name, value);
}
