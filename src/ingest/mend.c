/* Texts that are JSON but for a few characters. */
#include "ingest/ingest_int.h"

#include <string.h>

#include "base/json.h"

/* One resource may be too deep; the page's others are not to suffer. */
#define PAGE_DEPTH_MAX 100000

struct mend {
    struct str text;
    struct buf *out;
    size_t at, copied;
    bool is_mended;
};

/* The bytes [at, at + n) become `with`. */
static void put(struct mend *m, size_t n, struct str with)
{
    buf_add(m->out, str_slice(m->text, m->copied, m->at));
    buf_add(m->out, with);
    m->at += n;
    m->copied = m->at;
    m->is_mended = true;
}

/* The number of \\uXXXX at `at`; -1: none. */
static int escape_at(struct str s, size_t at)
{
    int value = 0;
    if (at + 6 > s.n || s.p[at] != '\\' || s.p[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = char_lower(s.p[i]);
        if (!char_is_hex(c))
            return -1;
        value = value * 16 + (char_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/* A pair is passed over, a half becomes U+FFFD. */
static void escape(struct mend *m)
{
    int first = escape_at(m->text, m->at);
    bool is_high = first >= 0xd800 && first < 0xdc00;
    bool is_low = first >= 0xdc00 && first < 0xe000;
    int second = is_high ? escape_at(m->text, m->at + 6) : -1;
    if (is_high && second >= 0xdc00 && second < 0xe000)
        m->at += 12;
    else if (is_high || is_low)
        put(m, 6, STR("\\ufffd"));
    else
        m->at += 2;
}

static void control(struct mend *m)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)m->text.p[m->at];
    char code[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    put(m, 1, (struct str){ code, sizeof code });
}

bool mend_text(struct str text, struct buf *out)
{
    struct mend m = { .text = text, .out = out };
    bool is_string = false;
    while (m.at < text.n) {
        char c = text.p[m.at];
        if (c == '"') {
            is_string = !is_string;
            m.at++;
        } else if (is_string && c == '\\') {
            escape(&m);
        } else if (is_string && (unsigned char)c < 0x20) {
            control(&m);
        } else {
            m.at++;
        }
    }
    buf_add(out, str_from(text, m.copied));
    return m.is_mended;
}

static enum err parse(struct arena *a, struct str text,
                      struct yyjson_val **root, struct str *plain, char **copy,
                      struct why *w)
{
    struct buf minified = BUF_IN(a, PAGE_BYTES_MAX);
    buf_reserve(&minified, text.n);
    enum err err = json_minify(text, PAGE_DEPTH_MAX, &minified);
    if (err == ERR_LIMIT)
        return why(w, ERR_FORMAT, "it is nested too deep");
    if (err == OK)
        err = buf_view(&minified, plain);
    *copy = err == OK ? arena_alloc(a, plain->n + JSON_PADDING) : NULL;
    if (*copy == NULL)
        return err != OK ? err : arena_err(a);
    memcpy(*copy, plain->p, plain->n);
    return json_parse_in_place(a, *copy, plain->n, root, w);
}

enum err page_parse(struct arena *a, struct str text, struct yyjson_val **root,
                    struct str *plain, char **copy, bool *is_mended,
                    struct why *w)
{
    *is_mended = false;
    if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark */
        text = str_from(text, 3);
    enum err err = parse(a, text, root, plain, copy, w);
    if (err != ERR_FORMAT)
        return err;
    struct buf mended = BUF_IN(a, PAGE_BYTES_MAX);
    struct str again;
    if (!mend_text(text, &mended) || buf_view(&mended, &again) != OK)
        return err;
    *is_mended = true;
    return parse(a, again, root, plain, copy, w);
}
