#include "fhir/resource.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "fhir/tables.h"

#define REFERENCES_FIRST 16

bool resource_is_id(struct str s)
{
    if (s.n == 0 || s.n > 64)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_alpha(s.p[i]) && !char_is_digit(s.p[i]) && s.p[i] != '-' &&
            s.p[i] != '.')
            return false;
    return true;
}

bool reference_split(enum release release, struct str reference,
                     struct str *base, uint16_t *type, struct str *id)
{
    size_t history = str_search(reference, STR("/_history/"));
    struct str s = str_slice(reference, 0, history);
    if (s.n == 0 || s.p[0] == '#' || str_starts(s, STR("urn:")) ||
        str_find(s, '?') < s.n)
        return false;
    size_t slash = str_rfind(s, '/');
    if (slash == s.n || slash == 0)
        return false;
    struct str name = str_slice(s, 0, slash);
    size_t before = str_rfind(name, '/');
    struct str its_id = str_from(s, slash + 1);
    if (before < name.n)
        name = str_from(name, before + 1);
    uint16_t its_type = release_type_find(release, name, false);
    if (its_type == TYPE_NONE || !resource_is_id(its_id))
        return false;
    *base = str_slice(s, 0, slash - name.n);
    if (base->n > 0 && base->p[base->n - 1] == '/')
        base->n--;
    *type = its_type;
    *id = its_id;
    return true;
}

/* --- references ------------------------------------------------------------
 */

/* Members that hold an Attachment. */
static bool holds_attachment(struct str name)
{
    static const struct str names[] = {
        STR_INIT("attachment"),
        STR_INIT("content"),
        STR_INIT("contentAttachment"),
        STR_INIT("presentedForm"),
        STR_INIT("photo"),
        STR_INIT("valueAttachment"),
        STR_INIT("sourceAttachment"),
        STR_INIT("image"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

/* A container under way: yyjson keeps values in the order of the text. */
struct frame {
    struct yyjson_val *end;
    struct str name; /* of the member that holds it */
    bool is_object;
};

/* Bytes of the string in the text at `at`: longer than the value where it has
 * escapes. */
static size_t written_len(struct str text, size_t at, size_t n)
{
    if (at + n < text.n && text.p[at + n] == '"' &&
        memchr(text.p + at, '\\', n) == NULL)
        return n;
    return json_skip(str_from(text, at - 1)) - 2;
}

static void add_reference(struct arena *a, struct resource *r,
                          struct yyjson_val *v, struct str holder,
                          enum reference_kind kind, const char *base)
{
    size_t n = r->reference_count;
    if (n >= REFERENCES_FIRST && (n & (n - 1)) == 0) /* full: twice the room */
        r->references = arena_grow(a, r->references, n * sizeof *r->references,
                                   2 * n * sizeof *r->references);
    else if (n == 0)
        r->references =
            arena_alloc(a, REFERENCES_FIRST * sizeof *r->references);
    if (r->references == NULL)
        return;
    struct str value = json_text(v);
    size_t at = (size_t)(value.p - base);
    r->references[r->reference_count++] = (struct resource_reference){
        .kind = kind,
        .value = value,
        .path = holder,
        .at = at,
        .n = written_len(r->text, at, value.n),
        .node = v,
    };
}

/* One pass over all values, in text order, without recursion. */
static enum err find_references(struct arena *a, struct resource *r,
                                const char *base)
{
    struct frame stack[RESOURCE_DEPTH_MAX + 2];
    size_t depth = 0;
    struct yyjson_val *v = r->root;
    struct yyjson_val *end = unsafe_yyjson_get_next(v);
    struct str name = STR("");
    while (v < end) {
        while (depth > 0 && v >= stack[depth - 1].end)
            depth--;
        struct str key = name;
        if (depth > 0)
            key = stack[depth - 1].name;
        if (depth > 0 && stack[depth - 1].is_object) {
            key = json_text(v);
            v++;
            struct str holder = stack[depth - 1].name;
            if (key.n == 9 && json_is_string(v) &&
                memcmp(key.p, "reference", 9) == 0)
                add_reference(a, r, v, holder, REFERENCE_LITERAL, base);
            else if (key.n == 3 && json_is_string(v) &&
                     memcmp(key.p, "url", 3) == 0 && holds_attachment(holder))
                add_reference(a, r, v, holder, REFERENCE_ATTACHMENT, base);
        }
        if (yyjson_is_ctn(v)) {
            if (depth > RESOURCE_DEPTH_MAX)
                return ERR_LIMIT;
            stack[depth++] = (struct frame){ unsafe_yyjson_get_next(v), key,
                                             yyjson_is_obj(v) };
        }
        v++;
    }
    return arena_err(a);
}

/* --- parsing ---------------------------------------------------------------
 */

static enum err read_head(struct resource *r, struct why *w)
{
    if (!json_is_object(r->root))
        return why(w, ERR_INVALID, "the resource is no JSON object");
    r->type_name = json_get_text(r->root, STR("resourceType"));
    if (r->type_name.n == 0 ||
        !json_is_string(json_get(r->root, STR("resourceType"))))
        return why(w, ERR_INVALID, "the resource has no resourceType");
    r->type = release_type_find(r->release, r->type_name, false);
    struct yyjson_val *id = json_get(r->root, STR("id"));
    r->id = id == NULL ? STR("") : json_text(id);
    if (id != NULL && !json_is_string(id))
        return why(w, ERR_INVALID, "the resource's id is no string");
    return OK;
}

enum err resource_parse(struct arena *a, enum release release, struct str text,
                        struct resource *out, struct why *w)
{
    if (text.n > RESOURCE_BYTES_MAX)
        return why(w, ERR_TOO_LARGE, "the resource is larger than 64 MiB");
    struct resource r = { .release = release };
    if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark */
        text = str_from(text, 3);
    struct buf minified = BUF_IN(a, RESOURCE_BYTES_MAX + 1);
    buf_reserve(&minified, text.n);
    enum err err = json_minify(text, RESOURCE_DEPTH_MAX, &minified);
    if (err == ERR_LIMIT)
        return why(w, err, "the resource is nested too deep");
    if (err == OK)
        err = buf_view(&minified, &r.text);
    char *copy = arena_alloc(a, r.text.n + JSON_PADDING);
    if (err != OK || copy == NULL)
        return err != OK ? err : arena_err(a);
    memcpy(copy, r.text.p, r.text.n);
    err = json_parse_in_place(a, copy, r.text.n, &r.root, w);
    if (err == OK)
        err = read_head(&r, w);
    if (err == OK)
        err = find_references(a, &r, copy);
    if (err == ERR_LIMIT)
        return why(w, err, "the resource is nested too deep");
    if (err != OK)
        return err;
    r.base = copy;
    *out = r;
    return OK;
}

void resource_point(struct resource *r, size_t reference, struct str value)
{
    struct resource_reference *ref = &r->references[reference];
    ref->new_value = value;
    yyjson_set_strn(ref->node, value.p, value.n);
}

bool resource_takes_identifier(const struct resource *r, bool *is_list)
{
    if (r->type == TYPE_NONE)
        return false;
    unsigned flags = release_tables[r->release].types[r->type].flags;
    *is_list = (flags & TYPE_IDENTIFIERS) != 0;
    return (flags & (TYPE_IDENTIFIERS | TYPE_IDENTIFIER)) != 0;
}

bool resource_takes_narrative(const struct resource *r)
{
    return r->type != TYPE_NONE &&
           (release_tables[r->release].types[r->type].flags & TYPE_TEXT) != 0 &&
           json_get(r->root, STR("text")) == NULL;
}
