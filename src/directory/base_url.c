#include "directory/text_int.h"

#include "base/url.h"

#define URL_MAX   ((size_t)2000)
#define COUNT(a_) (sizeof(a_) / sizeof(a_)[0])

/* "fhir.x.org/r4" is a host and a path; "api/x/R4" is neither. */
static bool is_schemeless_host(struct str s)
{
    struct str host = str_slice(s, 0, str_find(s, '/'));
    return str_find(s, ':') >= host.n && str_find(host, '.') < host.n &&
           str_find(host, '@') == host.n && str_find(host, ' ') == host.n;
}

/* ": https://x" and " https://x" are the same slip of a spreadsheet. */
static struct str without_litter(struct str s)
{
    s = str_trim(s);
    while (s.n > 0 && (s.p[0] == ':' || s.p[0] == ' ' || s.p[0] == '"'))
        s = str_from(s, 1);
    s = str_slice(s, 0, str_find(s, '?'));
    s = str_slice(s, 0, str_find(s, '#'));
    return str_trim(s);
}

static bool is_number(struct str s)
{
    uint64_t value;
    return str_to_u64(s, &value) && value < 256;
}

/* Four numbers with dots between. */
static bool is_ipv4(struct str host, unsigned *first, unsigned *second)
{
    struct str rest = host, part;
    uint64_t value;
    unsigned n = 0;
    while (str_cut(&rest, '.', &part)) {
        if (!is_number(part) || n == 4)
            return false;
        (void)str_to_u64(part, &value);
        if (n == 0)
            *first = (unsigned)value;
        if (n == 1)
            *second = (unsigned)value;
        n++;
    }
    return n == 4;
}

/* What nobody can reach from outside.  The outbound gate has the last word at
 * the socket; this keeps such rows out of the directory. */
static bool is_private_host(struct str host)
{
    static const struct str ends[] = {
        STR_INIT(".local"), STR_INIT(".localdomain"), STR_INIT(".internal"),
        STR_INIT(".lan"),   STR_INIT(".corp"),
    };
    unsigned first = 0, second = 0;
    if (str_find(host, ':') < host.n || str_find(host, '.') == host.n)
        return true;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(host, ends[i]))
            return true;
    if (!is_ipv4(host, &first, &second))
        return false;
    return first == 10 || first == 127 || first == 0 || first >= 224 ||
           (first == 172 && second >= 16 && second < 32) ||
           (first == 192 && second == 168) || (first == 169 && second == 254) ||
           (first == 100 && second >= 64 && second < 128);
}

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_char(b, char_lower(s.p[i]));
}

/* The path without doubled or last '/', and without /metadata. */
static void add_path(struct buf *b, struct str path)
{
    static const struct str last[] = { STR_INIT("/metadata"),
                                       STR_INIT("/Metadata") };
    size_t start = b->len;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != '/' || b->len == 0 || b->data[b->len - 1] != '/')
            buf_add_char(b, path.p[i]);
    while (b->err == OK && b->len > start) {
        struct str so_far = { b->data + start, b->len - start };
        if (str_ends(so_far, STR("/")))
            buf_cut(b, b->len - 1);
        else if (str_ends(so_far, last[0]) || str_ends(so_far, last[1]))
            buf_cut(b, b->len - last[0].n);
        else
            break;
    }
}

static bool is_page(struct str path)
{
    static const struct str ends[] = { STR_INIT(".html"), STR_INIT(".htm"),
                                       STR_INIT(".pdf"),  STR_INIT(".json"),
                                       STR_INIT(".csv"),  STR_INIT(".aspx") };
    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(path, ends[i]))
            return true;
    return false;
}

static enum err check(const struct url *u, struct why *w)
{
    bool is_loopback = url_is_loopback(u);
    if (!is_loopback && is_private_host(u->host))
        return why(w, ERR_INVALID, "a private address");
    if (!is_loopback && !url_is_https(u) && u->port != 80)
        return why(w, ERR_INVALID, "plain http on a port of its own");
    if (is_page(u->path))
        return why(w, ERR_INVALID, "a page about an API, not an endpoint");
    if (str_search(u->path, STR("/fhirroute/open/")) < u->path.n)
        return why(w, ERR_INVALID, "an endpoint without a patient's sign-in");
    return OK;
}

enum err text_base_url(struct arena *a, struct str s, struct str *out,
                       struct why *w)
{
    struct url u;
    s = without_litter(text_clean(a, s));
    if (s.n == 0)
        return why(w, ERR_INVALID, "no address");
    if (is_schemeless_host(s))
        s = arena_cat(a, STR("https://"), s);
    if (s.n > URL_MAX || url_parse(s, &u) != OK)
        return why(w, ERR_INVALID, "an address that is no URL");
    struct buf host = BUF_IN(a, URL_MAX);
    add_lower(&host, u.host);
    enum err err = buf_view(&host, &u.host);
    if (err == OK)
        err = check(&u, w);
    if (err != OK)
        return err;

    struct buf b = BUF_IN(a, URL_MAX + 16);
    bool is_plain = url_is_loopback(&u) && !url_is_https(&u);
    buf_add(&b, is_plain ? STR("http://") : STR("https://"));
    buf_add(&b, u.host);
    if (u.port != (is_plain ? 80 : 443) && u.port != 80) {
        buf_add_char(&b, ':');
        buf_add_u64(&b, u.port);
    }
    add_path(&b, u.path);
    return buf_view(&b, out);
}

struct str text_published(struct arena *a, struct str base_url, struct str s)
{
    s = without_litter(s);
    if (!str_ends(s, STR("/")))
        return base_url;
    return arena_cat(a, base_url, STR("/"));
}

struct str text_release_of_version(struct str v)
{
    static const struct {
        struct str starts, release;
    } rows[] = {
        { STR_INIT("1.0"), STR_INIT("DSTU2") },
        { STR_INIT("DSTU2"), STR_INIT("DSTU2") },
        { STR_INIT("3.0"), STR_INIT("STU3") },
        { STR_INIT("STU3"), STR_INIT("STU3") },
        { STR_INIT("4.0"), STR_INIT("R4") },
        { STR_INIT("R4"), STR_INIT("R4") },
        { STR_INIT("4.1"), STR_INIT("R4") },
        { STR_INIT("4.3"), STR_INIT("R4") },
        { STR_INIT("R2"), STR_INIT("DSTU2") },
        { STR_INIT("R3"), STR_INIT("STU3") },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_starts_nocase(v, rows[i].starts))
            return rows[i].release;
    return STR("");
}

static bool has_word(struct str url, struct str word)
{
    for (size_t i = 0; i + word.n <= url.n; i++)
        if (str_eq_nocase(str_slice(url, i, i + word.n), word))
            return true;
    return false;
}

struct str text_release_of_url(struct str url)
{
    static const struct {
        struct str word, release;
    } rows[] = {
        { STR_INIT("dstu2"), STR_INIT("DSTU2") },
        { STR_INIT("stu3"), STR_INIT("STU3") },
        { STR_INIT("dstu3"), STR_INIT("STU3") },
        { STR_INIT("/r4"), STR_INIT("R4") },
        { STR_INIT("fhirr4"), STR_INIT("R4") },
        { STR_INIT("/r3"), STR_INIT("STU3") },
        { STR_INIT("/r2"), STR_INIT("DSTU2") },
        { STR_INIT("/v4"), STR_INIT("R4") },
        { STR_INIT("/4_0"), STR_INIT("R4") },
        { STR_INIT("/4.0"), STR_INIT("R4") },
        { STR_INIT("/3_0"), STR_INIT("STU3") },
        { STR_INIT("/3.0"), STR_INIT("STU3") },
        { STR_INIT("/1_0"), STR_INIT("DSTU2") },
        /* two hosts that serve one old release only */
        { STR_INIT("//fhir.healow.com/fhirserver/"), STR_INIT("DSTU2") },
        { STR_INIT("/fhirroute/fhir/"), STR_INIT("DSTU2") },
    };
    struct str found = STR("");
    for (size_t i = 0; i < COUNT(rows) && found.n == 0; i++)
        if (has_word(url, rows[i].word))
            found = rows[i].release;
    return found;
}
