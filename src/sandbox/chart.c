#include "sandbox/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

#define DEPTH_MAX    100
#define BODY_MAX     ((size_t)256 * 1024 * 1024)
#define KEY_MAX      600
#define FOLLOW_DEPTH 3
#define LONG_AGO_MS  INT64_C(1577836800000) /* 2020-01-01 */

struct loading {
    struct chart *c;
    struct str stem;
    struct buf body;
    size_t file;         /* of the entry */
    size_t first_change; /* files from here on replace */
};

/* Row i's id when it came without one: 24 hex digits. */
static struct str invent_id(struct loading *l, struct str type, size_t i)
{
    char number[24];
    struct buf b = BUF_IN(&l->c->arena, 4096);
    buf_add(&b, l->stem);
    buf_add_char(&b, '|');
    buf_add(&b, type);
    buf_add_char(&b, '|');
    buf_add_u64(&b, i);
    struct hash128 h = hash128((struct str){ b.data, b.len });
    for (size_t k = 0; k < sizeof number; k++)
        number[k] =
            (char)((k < 16 ? h.high >> 4 * k : h.low >> 4 * (k - 16)) & 0xff);
    return str_slice(
        hex_encode(&l->c->arena, (struct str){ number, sizeof number }), 0, 24);
}

static void map_url(struct chart *c, struct str url, struct str *key)
{
    if (url.n > 0 && map_get(&c->by_url, url) == NULL)
        map_put(&c->by_url, url, key);
}

/* "Type?identifier=system|value" for each identifier: what conditional
 * references say. */
static void map_identifiers(struct chart *c, struct yyjson_val *resource,
                            struct str type, struct str *key)
{
    for (JSON_EACH(i, json_get(resource, STR("identifier")))) {
        struct str system = json_get_text(i.now, STR("system"));
        struct str value = json_get_text(i.now, STR("value"));
        if (value.n > 0)
            map_url(c,
                    arena_cat(&c->arena, type, STR("?identifier="), system,
                              STR("|"), value),
                    key);
    }
}

static void add_to_type(struct chart *c, struct chart_row *row)
{
    struct chart_type *t = map_get(&c->by_type, row->type);
    if (t == NULL) {
        t = arena_zalloc(&c->arena, 1, sizeof *t);
        if (t == NULL)
            return;
        t->name = row->type;
        map_put(&c->by_type, row->type, t);
    }
    if (t->count == t->room) {
        size_t room = t->room == 0 ? 16 : t->room * 2;
        void *more = arena_grow(&c->arena, t->rows, t->room * sizeof *t->rows,
                                room * sizeof *t->rows);
        if (more == NULL)
            return;
        t->rows = more;
        t->room = room;
    }
    t->rows[t->count++] = row;
}

static void name_patient(struct chart *c, const struct chart_row *row)
{
    struct yyjson_val *names = json_get(row->root, STR("name"));
    struct json_iter first = json_iter(names);
    struct yyjson_val *family = json_get(first.now, STR("family"));
    struct json_iter family_part = json_iter(family);
    struct json_iter given = json_iter(json_get(first.now, STR("given")));
    struct str last =
        json_text(family_part.now != NULL ? family_part.now : family);
    struct str text = json_get_text(first.now, STR("text"));
    c->patient = row->id;
    c->name = last.n == 0
                  ? text
                  : arena_cat(&c->arena, json_text(given.now),
                              given.now != NULL ? STR(" ") : STR(""), last);
}

static int64_t updated_of(struct yyjson_val *resource)
{
    int64_t ms = 0;
    struct str text = json_text(json_at(resource, STR("meta.lastUpdated")));
    return clock_parse_instant(text, &ms) == OK ? ms : LONG_AGO_MS;
}

/* A change of what an earlier file has. */
static bool replaces(struct loading *l, struct yyjson_val *resource)
{
    struct chart *c = l->c;
    struct str key =
        arena_cat(&c->arena, json_get_text(resource, STR("resourceType")),
                  STR("/"), json_get_text(resource, STR("id")));
    struct chart_row *row =
        l->file < l->first_change ? NULL : map_get(&c->by_key, key);
    if (row == NULL || row->file == l->file)
        return false;
    row->root = resource;
    row->updated_ms = updated_of(resource);
    return true;
}

static void take_entry(struct loading *l, struct yyjson_val *entry)
{
    struct chart *c = l->c;
    struct yyjson_val *resource = json_get(entry, STR("resource"));
    if (replaces(l, resource))
        return;
    struct chart_row *row = &c->rows[c->count];
    row->file = l->file;
    row->updated_ms = updated_of(resource);
    row->type = json_get_text(resource, STR("resourceType"));
    row->root = resource;
    row->id = json_get_text(resource, STR("id"));
    if (row->type.n == 0)
        return;
    if (row->id.n == 0)
        row->id = invent_id(l, row->type, c->count);
    c->count++;
    struct str *key = arena_alloc(&c->arena, sizeof *key);
    if (key == NULL)
        return;
    *key = arena_cat(&c->arena, row->type, STR("/"), row->id);
    if (map_get(&c->by_key, *key) == NULL)
        map_put(&c->by_key, *key, row);
    map_url(c, json_get_text(entry, STR("fullUrl")), key);
    map_identifiers(c, resource, row->type, key);
    add_to_type(c, row);
    if (c->patient.n == 0 && str_eq(row->type, STR("Patient")))
        name_patient(c, row);
}

/* --- bodies ----------------------------------------------------------------
 */

static struct str settle(const struct chart *c, struct str reference)
{
    const struct str *key = map_get(&c->by_url, reference);
    if (key == NULL && c->shared != NULL)
        key = map_get(&c->shared->by_url, reference);
    if (key != NULL)
        return *key;
    /* "/Binary/1" was meant below the base, not below the host. */
    if (str_starts(reference, STR("/")) &&
        map_get(&c->by_key, str_from(reference, 1)) != NULL)
        return str_from(reference, 1);
    return reference;
}

static bool points(struct str key)
{
    return str_eq(key, STR("reference")) || str_eq(key, STR("url"));
}

static void write_value(struct loading *l, struct yyjson_val *v, unsigned depth)
{
    struct buf *b = &l->body;
    if (depth == 0)
        b->err = b->err == OK ? ERR_LIMIT : b->err;
    if (b->err != OK)
        return;
    if (json_is_array(v)) {
        json_array(b);
        for (JSON_EACH(item, v))
            write_value(l, item.now, depth - 1);
        json_array_end(b);
    } else if (json_is_object(v)) {
        json_object(b);
        for (JSON_MEMBERS(m, v)) {
            json_key(b, json_key_of(&m));
            if (json_is_string(m.value) && points(json_key_of(&m)))
                json_string(b, settle(l->c, json_text(m.value)));
            else
                write_value(l, m.value, depth - 1);
        }
        json_object_end(b);
    } else {
        json_value(b, v);
    }
}

static void write_body(struct loading *l, struct chart_row *row)
{
    struct buf *b = &l->body;
    bool has_id = json_get(row->root, STR("id")) != NULL;
    buf_cut(b, 0);
    json_object(b);
    for (JSON_MEMBERS(m, row->root)) {
        json_key(b, json_key_of(&m));
        write_value(l, m.value, DEPTH_MAX);
        if (!has_id && str_eq(json_key_of(&m), STR("resourceType")))
            json_member(b, STR("id"), row->id);
    }
    json_object_end(b);
    row->body = arena_str(&l->c->arena, (struct str){ b->data, b->len });
}

/* --- loading ---------------------------------------------------------------
 */

/* All rows, and those of the shared ones that they lead to. */
static enum err list_everything(struct chart *c)
{
    c->everything_count = c->count;
    c->everything = arena_alloc(&c->arena, (c->count + 1) * sizeof(void *));
    if (c->everything == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->count; i++)
        c->everything[i] = &c->rows[i];
    if (c->shared == NULL)
        return arena_err(&c->arena);
    return chart_follow(c, &c->arena, &c->everything, &c->everything_count,
                        FOLLOW_DEPTH);
}

static enum err load(struct loading *l, const struct str *texts, size_t n,
                     struct why *w)
{
    struct chart *c = l->c;
    size_t room = 0;
    struct yyjson_val **roots = arena_zalloc(&c->arena, n, sizeof(void *));
    if (roots == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        enum err err = json_parse(&c->arena, texts[i], &roots[i], w);
        if (err != OK)
            return err;
        if (!str_eq(json_get_text(roots[i], STR("resourceType")),
                    STR("Bundle")))
            return why(w, ERR_FORMAT, "the file is no FHIR Bundle");
        room += json_count(json_get(roots[i], STR("entry")));
    }
    c->rows = arena_zalloc(&c->arena, room + 1, sizeof *c->rows);
    if (c->rows == NULL)
        return ERR_NOMEM;
    for (l->file = 0; l->file < n; l->file++)
        for (JSON_EACH(e, json_get(roots[l->file], STR("entry"))))
            take_entry(l, e.now);
    for (size_t i = 0; i < c->count && l->body.err == OK; i++)
        write_body(l, &c->rows[i]);
    if (l->body.err != OK)
        return l->body.err;
    return list_everything(c);
}

enum err chart_load_all(const struct str *texts, size_t n, size_t changes,
                        struct str stem, const struct chart *shared,
                        struct chart **out, struct why *w)
{
    struct chart *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->arena = ARENA(CHART_BYTES_MAX);
    c->by_key = MAP_IN(&c->arena);
    c->by_url = MAP_IN(&c->arena);
    c->by_type = MAP_IN(&c->arena);
    c->patient = STR("");
    c->name = STR("");
    c->shared = shared;
    struct loading l = {
        .c = c, .stem = stem, .body = BUF(BODY_MAX), .first_change = n - changes
    };
    enum err err = load(&l, texts, n, w);
    buf_fini(&l.body);
    if (err != OK) {
        chart_free(c);
        return err;
    }
    *out = c;
    return OK;
}

enum err chart_load(struct str text, struct str stem,
                    const struct chart *shared, struct chart **out,
                    struct why *w)
{
    return chart_load_all(&text, 1, 0, stem, shared, out, w);
}

void chart_free(struct chart *c)
{
    if (c == NULL)
        return;
    arena_fini(&c->arena);
    free(c);
}

const struct chart_row *chart_get(const struct chart *c, struct str type,
                                  struct str id)
{
    char key[KEY_MAX];
    if (type.n + id.n + 1 > sizeof key || type.n == 0 || id.n == 0)
        return NULL;
    memcpy(key, type.p, type.n);
    key[type.n] = '/';
    memcpy(key + type.n + 1, id.p, id.n);
    struct str text = { key, type.n + 1 + id.n };
    const struct chart_row *row = map_get(&c->by_key, text);
    if (row == NULL && c->shared != NULL)
        row = map_get(&c->shared->by_key, text);
    return row;
}

struct chart_type chart_all(const struct chart *c, struct str type)
{
    const struct chart_type *t = map_get(&c->by_type, type);
    return t != NULL ? *t : (struct chart_type){ .name = type };
}
