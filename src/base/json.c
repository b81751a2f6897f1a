#include "base/json.h"

#include <string.h>

/* yyjson's memory comes from the arena: freeing is the arena's. */
static void *alc_malloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}
static void *alc_realloc(void *arena, void *p, size_t old_size, size_t size)
{
    return arena_grow(arena, p, old_size, size);
}
static void alc_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

enum err json_parse_in_place(struct arena *a, char *text, size_t n,
                             struct yyjson_val **out, struct why *w)
{
    const yyjson_alc alc = { alc_malloc, alc_realloc, alc_free, a };
    yyjson_read_err problem;
    memset(text + n, 0, JSON_PADDING);
    yyjson_doc *doc = yyjson_read_opts(
        text, n, YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_INSITU, &alc,
        &problem);
    if (doc != NULL) {
        *out = yyjson_doc_get_root(doc);
        return OK;
    }
    if (arena_err(a) != OK)
        return arena_err(a);
    AUTO_BUF place = BUF(32);
    buf_add_u64(&place, problem.pos);
    return why_of(w, ERR_FORMAT, STR("not JSON: "), str_of(problem.msg),
                  STR(" at byte "), (struct str){ place.data, place.len });
}

enum err json_parse(struct arena *a, struct str text, struct yyjson_val **out,
                    struct why *w)
{
    char *copy = arena_alloc(a, text.n + JSON_PADDING);
    if (copy == NULL)
        return arena_err(a);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    return json_parse_in_place(a, copy, text.n, out, w);
}

struct yyjson_val *json_at(struct yyjson_val *v, struct str path)
{
    struct str name;
    while (v != NULL && str_cut(&path, '.', &name))
        v = json_get(v, name);
    return v;
}

bool json_get_i64(struct yyjson_val *v, struct str key, int64_t *out)
{
    struct yyjson_val *number = json_get(v, key);
    return json_is_number(number) && str_to_i64(json_text(number), out);
}

/* Sets a comma unless the text so far ends with an opening. */
static void separate(struct buf *b)
{
    if (b->len == 0)
        return;
    char last = b->data[b->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != ',' &&
        last != '\n')
        buf_add_char(b, ',');
}

void json_object(struct buf *b)
{
    separate(b);
    buf_add_char(b, '{');
}

void json_object_end(struct buf *b)
{
    buf_add_char(b, '}');
}

void json_array(struct buf *b)
{
    separate(b);
    buf_add_char(b, '[');
}

void json_array_end(struct buf *b)
{
    buf_add_char(b, ']');
}

/* Bytes of the UTF-8 character at p (n left), or 0 when it is broken. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong =
        (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_outside =
        (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return is_overlong || is_outside ? 0 : len;
}

static void escape_control(struct buf *b, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_forms[] = "btn.fr"; /* from 0x08 on */
    if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        buf_add_char(b, '\\');
        buf_add_char(b, short_forms[c - 0x08]);
        return;
    }
    buf_add(b, STR("\\u00"));
    buf_add_char(b, digits[c >> 4]);
    buf_add_char(b, digits[c & 15]);
}

void json_escape(struct buf *b, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t clean = 0; /* from here to i nothing needs a change */
    for (size_t i = 0; i < s.n;) {
        size_t len = p[i] < 0x80 ? 1 : utf8_len(p + i, s.n - i);
        if (len > 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\') {
            i += len;
            continue;
        }
        buf_add(b, str_slice(s, clean, i));
        if (len == 0)
            buf_add(b, STR("\xef\xbf\xbd"));
        else if (p[i] < 0x20)
            escape_control(b, p[i]);
        else {
            buf_add_char(b, '\\');
            buf_add_char(b, s.p[i]);
        }
        clean = ++i;
    }
    buf_add(b, str_from(s, clean));
}

void json_string(struct buf *b, struct str s)
{
    separate(b);
    buf_add_char(b, '"');
    json_escape(b, s);
    buf_add_char(b, '"');
}

void json_key(struct buf *b, struct str key)
{
    json_string(b, key);
    buf_add_char(b, ':');
}

void json_i64(struct buf *b, int64_t value)
{
    separate(b);
    buf_add_i64(b, value);
}

void json_bool(struct buf *b, bool value)
{
    separate(b);
    buf_add(b, value ? STR("true") : STR("false"));
}

void json_null(struct buf *b)
{
    separate(b);
    buf_add(b, STR("null"));
}

void json_raw(struct buf *b, struct str json)
{
    separate(b);
    buf_add(b, json);
}

#define DEPTH_MAX 200

static void add_value(struct buf *b, struct yyjson_val *v, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        b->err = b->err == OK ? ERR_LIMIT : b->err;
    } else if (json_is_object(v)) {
        json_object(b);
        for (JSON_MEMBERS(m, v)) {
            json_key(b, json_key_of(&m));
            add_value(b, m.value, depth + 1);
        }
        json_object_end(b);
    } else if (json_is_array(v)) {
        json_array(b);
        for (JSON_EACH(item, v))
            add_value(b, item.now, depth + 1);
        json_array_end(b);
    } else if (json_is_string(v)) {
        json_string(b, json_text(v));
    } else if (json_is_number(v)) {
        json_raw(b, json_text(v));
    } else if (json_is_bool(v)) {
        json_bool(b, json_true(v));
    } else {
        json_null(b);
    }
}

void json_value(struct buf *b, struct yyjson_val *v)
{
    add_value(b, v, 0);
}

void json_member(struct buf *b, struct str key, struct str value)
{
    json_key(b, key);
    json_string(b, value);
}

void json_member_i64(struct buf *b, struct str key, int64_t value)
{
    json_key(b, key);
    json_i64(b, value);
}

void json_member_bool(struct buf *b, struct str key, bool value)
{
    json_key(b, key);
    json_bool(b, value);
}
