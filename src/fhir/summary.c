#include "fhir/summary.h"

#include "base/json.h"
#include "fhir/summary_int.h"

struct cut {
    enum release release;
    const struct summary_ask *ask;
    struct str type;
    struct arena *a;
    struct buf *out;
};

bool summary_is_part(const struct summary_ask *ask)
{
    return ask->element_count > 0 || ask->summary == SUMMARY_TRUE ||
           ask->summary == SUMMARY_TEXT || ask->summary == SUMMARY_DATA;
}

static unsigned flags_of(enum release release, struct str path)
{
    const struct summary_table *t = &summary_tables[release];
    unsigned low = 0, high = t->n;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = str_cmp(t->rows[middle].path, path);
        if (order == 0)
            return t->rows[middle].flags;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Whether name is that choice element with a datatype behind it. */
static bool is_choice(struct str name, struct str element)
{
    static const struct str types[] = {
        STR_INIT("Address"),
        STR_INIT("Age"),
        STR_INIT("Annotation"),
        STR_INIT("Attachment"),
        STR_INIT("Base64Binary"),
        STR_INIT("Boolean"),
        STR_INIT("Canonical"),
        STR_INIT("Code"),
        STR_INIT("CodeableConcept"),
        STR_INIT("Coding"),
        STR_INIT("ContactPoint"),
        STR_INIT("Date"),
        STR_INIT("DateTime"),
        STR_INIT("Decimal"),
        STR_INIT("Duration"),
        STR_INIT("HumanName"),
        STR_INIT("Id"),
        STR_INIT("Identifier"),
        STR_INIT("Instant"),
        STR_INIT("Integer"),
        STR_INIT("Markdown"),
        STR_INIT("Money"),
        STR_INIT("Oid"),
        STR_INIT("Period"),
        STR_INIT("PositiveInt"),
        STR_INIT("Quantity"),
        STR_INIT("Range"),
        STR_INIT("Ratio"),
        STR_INIT("Reference"),
        STR_INIT("SampledData"),
        STR_INIT("String"),
        STR_INIT("Time"),
        STR_INIT("Timing"),
        STR_INIT("UnsignedInt"),
        STR_INIT("Uri"),
        STR_INIT("Url"),
    };
    if (!str_starts(name, element))
        return false;
    struct str rest = str_from(name, element.n);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(rest, types[i]))
            return true;
    return false;
}

static bool is_named(const struct cut *c, struct str name)
{
    for (size_t i = 0; i < c->ask->element_count; i++) {
        struct str e = c->ask->elements[i];
        size_t dot = str_find(e, '.');
        if (dot < e.n && str_eq(str_slice(e, 0, dot), c->type))
            e = str_from(e, dot + 1);
        e = str_slice(e, 0, str_find(e, '.'));
        if (str_eq(e, name) || is_choice(name, e))
            return true;
    }
    return false;
}

static bool stays(const struct cut *c, struct str name, unsigned flags,
                  bool is_top)
{
    if (str_eq(name, STR("resourceType")))
        return true;
    if (is_top && (str_eq(name, STR("id")) || str_eq(name, STR("meta"))))
        return true;
    if (c->ask->element_count > 0)
        return !is_top ||
               (flags & (SUMMARY_MANDATORY | SUMMARY_MODIFIER)) != 0 ||
               is_named(c, name);
    switch (c->ask->summary) {
    case SUMMARY_TRUE:
        return (flags & SUMMARY_IN) != 0 ||
               (!is_top && (flags & SUMMARY_MANDATORY) != 0);
    case SUMMARY_TEXT:
        return !is_top || str_eq(name, STR("text")) ||
               (flags & SUMMARY_MANDATORY) != 0;
    case SUMMARY_DATA:
        return !is_top || !str_eq(name, STR("text"));
    default:
        return true;
    }
}

static struct str subsetted(enum release release)
{
    return release == R4 ? STR("{\"system\":\"http://terminology.hl7.org/"
                               "CodeSystem/v3-ObservationValue\","
                               "\"code\":\"SUBSETTED\"}")
                         : STR("{\"system\":\"http://hl7.org/fhir/v3/"
                               "ObservationValue\",\"code\":\"SUBSETTED\"}");
}

/* meta with one tag more. */
static void add_meta(const struct cut *c, struct str meta)
{
    struct str inside = json_inside(meta);
    struct json_member_text m;
    bool has_tag = false;
    json_object(c->out);
    while (json_next_member(&inside, &m)) {
        json_key(c->out, m.name);
        if (!str_eq(m.name, STR("tag")) || m.value.n < 2 ||
            m.value.p[0] != '[') {
            json_raw(c->out, m.value);
            continue;
        }
        has_tag = true;
        json_array(c->out);
        if (json_inside(m.value).n > 0)
            json_raw(c->out, json_inside(m.value));
        json_raw(c->out, subsetted(c->release));
        json_array_end(c->out);
    }
    if (!has_tag) {
        json_key(c->out, STR("tag"));
        json_array(c->out);
        json_raw(c->out, subsetted(c->release));
        json_array_end(c->out);
    }
    json_object_end(c->out);
}

static void add_object(const struct cut *c, struct str object, struct str path,
                       bool is_top);

/* A backbone element, or a list of them. */
static void add_backbone(const struct cut *c, struct str value, struct str path)
{
    struct str inside, one;
    if (value.n > 0 && value.p[0] == '{') {
        add_object(c, value, path, false);
        return;
    }
    if (value.n == 0 || value.p[0] != '[') {
        json_raw(c->out, value);
        return;
    }
    inside = json_inside(value);
    json_array(c->out);
    while (json_next_element(&inside, &one))
        add_backbone(c, one, path);
    json_array_end(c->out);
}

static void add_object(const struct cut *c, struct str object, struct str path,
                       bool is_top)
{
    struct str inside = json_inside(object);
    struct json_member_text m;
    json_object(c->out);
    while (json_next_member(&inside, &m)) {
        struct str name = str_from(m.name, str_starts(m.name, STR("_")));
        struct str inner = arena_cat(c->a, path, STR("."), name);
        unsigned flags = flags_of(c->release, inner);
        if (!stays(c, name, flags, is_top))
            continue;
        json_key(c->out, m.name);
        if (is_top && str_eq(m.name, STR("meta")))
            add_meta(c, m.value);
        else if ((flags & SUMMARY_BACKBONE) != 0 &&
                 c->ask->summary == SUMMARY_TRUE)
            add_backbone(c, m.value, inner);
        else
            json_raw(c->out, m.value);
    }
    json_object_end(c->out);
}

enum err summary_render(enum release release, const struct summary_ask *ask,
                        struct str resource, struct arena *a, struct buf *out)
{
    struct str inside = json_inside(resource);
    struct json_member_text m;
    struct cut c = { release, ask, STR(""), a, out };
    while (c.type.n == 0 && json_next_member(&inside, &m))
        if (str_eq(m.name, STR("resourceType")) && m.value.n > 2)
            c.type = str_slice(m.value, 1, m.value.n - 1);
    add_object(&c, resource, c.type, true);
    return arena_err(a) != OK ? arena_err(a) : out->err;
}
