/* json.h - JSON (RFC 8259) in and out; the one door to yyjson.
 *
 *   in    json_parse() keeps numbers as their text (1.00 stays 1.00) and
 *         refuses what is not UTF-8; values are views into the arena.
 *   out   json_key(), json_string() ... write to a buf and set commas
 *         themselves; they look at the last byte written.
 *   text  json_minify(), json_skip() and json_next_member() work on the bytes,
 * for those who must change some and keep the rest (decision 8).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* A value of a parsed text; read it by the calls below.  Every reader takes
 * NULL for "not there" and answers with nothing. */
struct yyjson_val;

/* Parses the whole of text.  ERR_FORMAT names the place. */
MUST_CHECK enum err json_parse(struct arena *a, struct str text,
                               struct yyjson_val **out, struct why *w);

/* The same in place: text[0..n) is in the arena, has JSON_PADDING spare bytes
 * behind it and is changed: strings are unescaped where they stand, so the
 * place of a string in the text is json_text(v).p - text. */
#define JSON_PADDING 8
MUST_CHECK enum err json_parse_in_place(struct arena *a, char *text, size_t n,
                                        struct yyjson_val **out, struct why *w);

static inline bool json_is_object(struct yyjson_val *v)
{
    return yyjson_is_obj(v);
}
static inline bool json_is_array(struct yyjson_val *v)
{
    return yyjson_is_arr(v);
}
static inline bool json_is_string(struct yyjson_val *v)
{
    return yyjson_is_str(v);
}
static inline bool json_is_number(struct yyjson_val *v)
{
    return yyjson_is_raw(v);
}
static inline bool json_is_null(struct yyjson_val *v)
{
    return yyjson_is_null(v);
}
static inline bool json_is_bool(struct yyjson_val *v)
{
    return yyjson_is_bool(v);
}

/* A string's characters, or a number's text; STR_NONE for anything else. */
static inline struct str json_text(struct yyjson_val *v)
{
    if (yyjson_is_str(v))
        return (struct str){ yyjson_get_str(v), yyjson_get_len(v) };
    if (yyjson_is_raw(v))
        return (struct str){ yyjson_get_raw(v), yyjson_get_len(v) };
    return STR_NONE;
}
static inline bool json_true(struct yyjson_val *v)
{
    return yyjson_is_true(v);
}

/* The member of an object (the first of that name), or NULL. */
static inline struct yyjson_val *json_get(struct yyjson_val *v, struct str key)
{
    return yyjson_obj_getn(v, key.p, key.n);
}
/* Members by a path of names, "a.b.c"; through objects only. */
struct yyjson_val *json_at(struct yyjson_val *v, struct str path);
/* json_text(json_get()) in one. */
static inline struct str json_get_text(struct yyjson_val *v, struct str key)
{
    return json_text(json_get(v, key));
}
/* A whole number; false when it is none or does not fit. */
bool json_get_i64(struct yyjson_val *v, struct str key, int64_t *out);

/* A member name that an object in v has twice; STR_NONE when none has. */
struct str json_doubled(struct yyjson_val *v);

/* How many elements or members. */
static inline size_t json_count(struct yyjson_val *v)
{
    return yyjson_is_ctn(v) ? yyjson_get_len(v) : 0;
}

/* for (JSON_EACH(item, array)) { ... }  over the elements of an array; over
 * nothing when it is none. */
struct json_iter {
    struct yyjson_val *now, *next;
    size_t left;
};
static inline struct json_iter json_iter(struct yyjson_val *v)
{
    struct json_iter it = { NULL, NULL, 0 };
    if (yyjson_is_arr(v) && yyjson_get_len(v) > 0)
        it = (struct json_iter){ unsafe_yyjson_get_first(v), NULL,
                                 yyjson_get_len(v) };
    return it;
}
static inline void json_iter_next(struct json_iter *it)
{
    it->left--;
    it->now = it->left > 0 ? unsafe_yyjson_get_next(it->now) : NULL;
}
#define JSON_EACH(item_, array_)                                               \
    struct json_iter item_ = json_iter(array_);                                \
    item_.now != NULL;                                                         \
    json_iter_next(&item_)

/* The same, over the value itself when it is no array: what should be a list,
 * some systems send as the one that is in it. */
static inline struct json_iter json_iter_or_one(struct yyjson_val *v)
{
    return v == NULL || yyjson_is_arr(v) ? json_iter(v)
                                         : (struct json_iter){ v, NULL, 1 };
}
#define JSON_EACH_OR_ONE(item_, v_)                                            \
    struct json_iter item_ = json_iter_or_one(v_);                             \
    item_.now != NULL;                                                         \
    json_iter_next(&item_)

/* for (JSON_MEMBERS(m, object)) { json_key_of(&m), m.value } */
struct json_member_iter {
    struct yyjson_val *key, *value;
    size_t left;
};
static inline struct json_member_iter json_member_iter(struct yyjson_val *v)
{
    struct json_member_iter it = { NULL, NULL, 0 };
    if (yyjson_is_obj(v) && yyjson_get_len(v) > 0) {
        it.key = unsafe_yyjson_get_first(v);
        it.value = it.key + 1;
        it.left = yyjson_get_len(v);
    }
    return it;
}
static inline void json_member_iter_next(struct json_member_iter *it)
{
    if (--it->left > 0) {
        it->key = unsafe_yyjson_get_next(it->value);
        it->value = it->key + 1;
    } else {
        it->key = NULL;
    }
}
static inline struct str json_key_of(const struct json_member_iter *it)
{
    return (struct str){ yyjson_get_str(it->key), yyjson_get_len(it->key) };
}
#define JSON_MEMBERS(m_, object_)                                              \
    struct json_member_iter m_ = json_member_iter(object_);                    \
    m_.key != NULL;                                                            \
    json_member_iter_next(&m_)

/* Writing.  A comma goes in front unless an opening stands there. */
void json_object(struct buf *b);
void json_object_end(struct buf *b);
void json_array(struct buf *b);
void json_array_end(struct buf *b);
void json_key(struct buf *b, struct str key);
void json_string(struct buf *b, struct str s); /* bad UTF-8 becomes U+FFFD */
void json_i64(struct buf *b, int64_t value);
void json_bool(struct buf *b, bool value);
void json_null(struct buf *b);
void json_raw(struct buf *b, struct str json); /* JSON already */
/* A whole value, as parsed. */
void json_value(struct buf *b, struct yyjson_val *v);
/* "key": "value" */
void json_member(struct buf *b, struct str key, struct str value);
void json_member_i64(struct buf *b, struct str key, int64_t value);
void json_member_bool(struct buf *b, struct str key, bool value);
/* The string's characters escaped, without quotes: for texts put together. */
void json_escape(struct buf *b, struct str s);

/* Adds text without the blanks between its tokens; strings and numbers byte
 * for byte.  Does not check the grammar and never makes bad text good.
 * ERR_LIMIT past depth_max levels. */
MUST_CHECK enum err json_minify(struct str text, unsigned depth_max,
                                struct buf *out);

/* Adds minified text with line breaks and two blanks a level. */
void json_pretty(struct str text, struct buf *out);

/* Bytes of the value that text starts with; text is valid and minified. */
size_t json_skip(struct str text);

/* A member of an object's text: both are views into it, quotes included in
 * value, not in name (the name is as written, escapes and all). */
struct json_member_text {
    struct str name;
    struct str value;
};
/* Takes the next member off *inside, which began as json_inside(object). */
bool json_next_member(struct str *inside, struct json_member_text *out);
/* The same for an array's elements. */
bool json_next_element(struct str *inside, struct str *out);
/* What stands between the brackets of a valid, minified container. */
struct str json_inside(struct str container);

#endif
