/* resource_render() and its halves: the text as it came, but for what is
 * edited.  Members are found by where their keys stand. */
#include "fhir/resource.h"

#include "base/clock.h"
#include "base/json.h"

#define SOURCE_EXTENSION                                                       \
    "http://hl7.org/fhir/StructureDefinition/resource-source"

/* A member's span in the text: from its key's quote to its value's end. */
struct span {
    struct str key;
    size_t from, to;
    struct yyjson_val *value;
};

/* Spans of an object's members; `end` is where the object's '}' stands. */
static void next_span(const struct resource *r, struct json_member_iter *m,
                      size_t end, struct span *out)
{
    struct str key = json_key_of(m);
    *out = (struct span){ .key = key,
                          .from = (size_t)(key.p - r->base) - 1,
                          .value = m->value };
    json_member_iter_next(m);
    out->to = m->key == NULL ? end : (size_t)(json_key_of(m).p - r->base) - 2;
}

/* Adds text[from, to) with the references in it as they are pointed. */
static void add_span(const struct resource *r, size_t from, size_t to,
                     size_t *next, struct buf *out)
{
    while (*next < r->reference_count && r->references[*next].at < from)
        ++*next;
    for (; *next < r->reference_count && r->references[*next].at < to;
         ++*next) {
        const struct resource_reference *ref = &r->references[*next];
        if (ref->new_value.p == NULL)
            continue;
        buf_add(out, str_slice(r->text, from, ref->at));
        json_escape(out, ref->new_value);
        from = ref->at + ref->n;
    }
    buf_add(out, str_slice(r->text, from, to));
}

static void add_comma_span(const struct resource *r, const struct span *s,
                           size_t *next, struct buf *out)
{
    buf_add_char(out, ',');
    add_span(r, s->from, s->to, next, out);
}

/* Before R4 meta has no source: an extension says it. */
static void add_source(const struct resource *r, struct buf *out)
{
    if (r->source.n == 0)
        return;
    if (r->release == R4) {
        buf_add(out, STR(",\"source\":"));
    } else {
        buf_add(out, STR(",\"extension\":[{\"url\":\"" SOURCE_EXTENSION
                         "\",\"valueUri\":"));
    }
    json_string(out, r->source);
    if (r->release != R4)
        buf_add(out, STR("}]"));
}

static bool is_replaced_meta(const struct resource *r, struct str key)
{
    struct str own = r->release == R4 ? STR("source") : STR("extension");
    return str_eq(key, STR("versionId")) || str_eq(key, STR("lastUpdated")) ||
           str_eq(key, STR("_lastUpdated")) ||
           (r->source.n > 0 && str_eq(key, own));
}

/* Where the value of a member ends that starts a span's end: its last byte. */
static void add_meta(const struct resource *r, const struct span *meta,
                     size_t *next, struct buf *out)
{
    add_source(r, out);
    if (meta->value != NULL && json_is_object(meta->value)) {
        struct json_member_iter m = json_member_iter(meta->value);
        while (m.key != NULL) {
            struct span s;
            next_span(r, &m, meta->to - 1, &s);
            if (!is_replaced_meta(r, s.key))
                add_comma_span(r, &s, next, out);
        }
    }
    buf_add_char(out, '}');
}

static void add_narrative(const struct resource *r, struct buf *out)
{
    buf_add(out, STR(",\"text\":{\"status\":\"generated\",\"div\":"));
    json_string(out, r->narrative);
    buf_add_char(out, '}');
}

/* The identifier list with one more in it. */
static void add_identifier(const struct resource *r, const struct span *s,
                           bool is_list, size_t *next, struct buf *out)
{
    if (s->value == NULL) {
        buf_add(out, STR(",\"identifier\":"));
        if (is_list)
            buf_add_char(out, '[');
        buf_add(out, r->added_identifier);
        if (is_list)
            buf_add_char(out, ']');
        return;
    }
    if (!json_is_array(s->value)) {
        add_comma_span(r, s, next, out);
        return;
    }
    struct span open = *s;
    open.to--; /* before the ']' */
    add_comma_span(r, &open, next, out);
    if (json_count(s->value) > 0)
        buf_add_char(out, ',');
    buf_add(out, r->added_identifier);
    buf_add_char(out, ']');
}

static struct span find_meta(const struct resource *r)
{
    struct span found = { .value = NULL };
    struct json_member_iter m = json_member_iter(r->root);
    while (m.key != NULL) {
        struct span s;
        next_span(r, &m, r->text.n - 1, &s);
        if (str_eq(s.key, STR("meta")))
            found = s;
    }
    return found;
}

void resource_tail(const struct resource *r, struct buf *out)
{
    size_t next = 0, meta_next = 0;
    struct span meta = find_meta(r), identifier = { .value = NULL };
    bool is_list = false;
    bool adds_identifier =
        r->added_identifier.n > 0 && resource_takes_identifier(r, &is_list);
    add_meta(r, &meta, &meta_next, out);
    if (r->narrative.n > 0 && resource_takes_narrative(r))
        add_narrative(r, out);
    struct json_member_iter m = json_member_iter(r->root);
    while (m.key != NULL) {
        struct span s;
        next_span(r, &m, r->text.n - 1, &s);
        if (str_eq(s.key, STR("resourceType")) || str_eq(s.key, STR("id")) ||
            str_eq(s.key, STR("meta")))
            continue;
        if (adds_identifier && str_eq(s.key, STR("identifier"))) {
            identifier = s;
            add_identifier(r, &s, is_list, &next, out);
        } else {
            add_comma_span(r, &s, &next, out);
        }
    }
    if (adds_identifier && identifier.value == NULL)
        add_identifier(r, &identifier, is_list, &next, out);
    buf_add_char(out, '}');
}

void resource_head(const struct resource *r, const struct resource_stamp *s,
                   struct buf *out)
{
    buf_add(out, STR("{\"resourceType\":\""));
    json_escape(out, r->type_name);
    buf_add(out, STR("\",\"id\":\""));
    buf_add(out, s->id);
    buf_add(out, STR("\",\"meta\":{\"versionId\":\""));
    buf_add(out, s->version_id);
    buf_add(out, STR("\",\"lastUpdated\":\""));
    clock_add_instant(out, s->last_updated_ms);
    buf_add_char(out, '"');
}

void resource_render(const struct resource *r, const struct resource_stamp *s,
                     struct buf *out)
{
    resource_head(r, s, out);
    resource_tail(r, out);
}

struct hash128 resource_content_hash(const struct resource *r, struct arena *a)
{
    struct buf b = BUF_IN(a, RESOURCE_BYTES_MAX * 2);
    buf_reserve(&b, r->text.n + 512);
    resource_tail(r, &b);
    return hash128((struct str){ b.data, b.len });
}

/* --- narrative -------------------------------------------------------------
 */

/* The text of a CodeableConcept, or its first coding's. */
static struct str concept_text(struct yyjson_val *v)
{
    if (json_is_array(v) && json_count(v) > 0)
        v = yyjson_arr_get_first(v);
    struct str text = json_get_text(v, STR("text"));
    struct yyjson_val *coding = json_get(v, STR("coding"));
    for (JSON_EACH(one, coding)) {
        if (text.n == 0)
            text = json_get_text(one.now, STR("display"));
        if (text.n == 0)
            text = json_get_text(one.now, STR("code"));
    }
    return text;
}

static void add_html(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<':
            buf_add(b, STR("&lt;"));
            break;
        case '>':
            buf_add(b, STR("&gt;"));
            break;
        case '&':
            buf_add(b, STR("&amp;"));
            break;
        default:
            if ((unsigned char)s.p[i] >= 0x20)
                buf_add_char(b, s.p[i]);
        }
    }
}

struct str resource_narrative(const struct resource *r, struct arena *a)
{
    static const struct str concepts[] = {
        STR_INIT("code"),
        STR_INIT("vaccineCode"),
        STR_INIT("medicationCodeableConcept"),
        STR_INIT("type"),
        STR_INIT("category"),
    };
    static const struct str dates[] = {
        STR_INIT("effectiveDateTime"), STR_INIT("onsetDateTime"),
        STR_INIT("performedDateTime"), STR_INIT("authoredOn"),
        STR_INIT("dateWritten"),       STR_INIT("date"),
        STR_INIT("birthDate"),
    };
    struct buf b = BUF_IN(a, (size_t)64 * 1024);
    struct str what = STR(""), when = STR("");
    for (size_t i = 0; what.n == 0 && i < sizeof concepts / sizeof *concepts;
         i++)
        what = concept_text(json_get(r->root, concepts[i]));
    for (size_t i = 0; when.n == 0 && i < sizeof dates / sizeof *dates; i++)
        when = json_get_text(r->root, dates[i]);
    buf_add(&b, STR("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>"));
    add_html(&b, r->type_name);
    if (what.n > 0)
        buf_add(&b, STR(": "));
    add_html(&b, what);
    if (when.n > 0)
        buf_add(&b, STR(", "));
    add_html(&b, when);
    buf_add(&b, STR("</p></div>"));
    struct str out = STR("");
    return buf_view(&b, &out) == OK ? out : STR("");
}
