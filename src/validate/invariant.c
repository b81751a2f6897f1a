/* The plain invariants of the base definitions, by their keys. */
#include "validate/validate_int.h"

#include "fhir/date.h"

static bool has(struct yyjson_val *v, const char *name)
{
    return json_get(v, str_of(name)) != NULL;
}

static void broken(struct check *c, bool is_error, const char *key,
                   struct str path, const char *text)
{
    check_say(c, is_error, STR("invariant"), path,
              check_text(c, str_of(key), STR(": "), str_of(text)));
}

/* per-1: start is not after end. */
static void period(struct check *c, struct yyjson_val *v, struct str path)
{
    int64_t start, end, other;
    struct str from = json_get_text(v, STR("start"));
    struct str to = json_get_text(v, STR("end"));
    if (from.n > 0 && to.n > 0 && date_range(from, &start, &other) == OK &&
        date_range(to, &other, &end) == OK && start >= end)
        broken(c, true, "per-1", path, "start is after end");
}

static bool is_contained(struct check *c, struct str id)
{
    if (id.n == 0) /* "#": the resource itself */
        return true;
    for (JSON_EACH(one, json_get(c->root, STR("contained"))))
        if (str_eq(json_get_text(one.now, STR("id")), id))
            return true;
    for (JSON_EACH(entry, json_get(c->root, STR("entry"))))
        for (JSON_EACH(one, json_at(entry.now, STR("resource.contained"))))
            if (str_eq(json_get_text(one.now, STR("id")), id))
                return true;
    return false;
}

/* What objects of any datatype have to keep, told by their members. */
static void datatype(struct check *c, struct yyjson_val *v, struct str path)
{
    if (has(v, "start") || has(v, "end"))
        period(c, v, path);
    struct str reference = json_get_text(v, STR("reference"));
    if (str_starts(reference, STR("#")) &&
        !is_contained(c, str_from(reference, 1)) &&
        !str_eq(json_get_text(c->root, STR("resourceType")), STR("Parameters")))
        broken(c, true, "ref-1", path,
               "the contained resource that it refers to is not there");
    if (has(v, "url") && has(v, "extension")) {
        for (JSON_MEMBERS(m, v))
            if (str_starts(json_key_of(&m), STR("value")) &&
                json_key_of(&m).n > 5) {
                broken(c, true, "ext-1", path,
                       "an extension has a value or extensions, not both");
                break;
            }
    }
    bool is_quantity = has(v, "value") && has(v, "code") && has(v, "unit");
    if (is_quantity && !has(v, "system"))
        broken(c, true, "qty-3", path, "a code of a unit needs its system");
}

static void domain_resource(struct check *c, struct yyjson_val *v,
                            struct str path)
{
    for (JSON_EACH(one, json_get(v, STR("contained")))) {
        if (has(one.now, "contained"))
            broken(c, true, "dom-2", path,
                   "a contained resource contains none itself");
        struct yyjson_val *meta = json_get(one.now, STR("meta"));
        if (has(meta, "versionId") || has(meta, "lastUpdated"))
            broken(c, true, "dom-4", path,
                   "a contained resource has no version of its own");
        if (has(meta, "security"))
            broken(c, true, "dom-5", path,
                   "a contained resource has no security label");
    }
}

static bool starts_with(struct yyjson_val *v, const char *prefix)
{
    for (JSON_MEMBERS(m, v))
        if (str_starts(json_key_of(&m), str_of(prefix)))
            return true;
    return false;
}

static void observation(struct check *c, struct yyjson_val *v, struct str path)
{
    if (has(v, "dataAbsentReason") && starts_with(v, "value"))
        broken(c, true, "obs-6", path,
               "dataAbsentReason is there only where no value is");
}

static void patient(struct check *c, struct yyjson_val *v, struct str path)
{
    for (JSON_EACH(one, json_get(v, STR("contact"))))
        if (!has(one.now, "name") && !has(one.now, "telecom") &&
            !has(one.now, "address") && !has(one.now, "organization"))
            broken(c, true, "pat-1", path,
                   "a contact has a name, telecom, address or organization");
}

static void telecoms(struct check *c, struct yyjson_val *v, struct str path)
{
    for (JSON_EACH(one, json_get(v, STR("telecom"))))
        if (has(one.now, "value") && !has(one.now, "system"))
            broken(c, true, "cpt-2", path, "a telecom's value needs a system");
}

static void bundle(struct check *c, struct yyjson_val *v, struct str path)
{
    struct str type = json_get_text(v, STR("type"));
    bool is_search = str_eq(type, STR("searchset"));
    bool is_history = str_eq(type, STR("history"));
    bool is_ask =
        str_eq(type, STR("batch")) || str_eq(type, STR("transaction"));
    if (has(v, "total") && !is_search && !is_history)
        broken(c, true, "bdl-1", path,
               "total is there only in a searchset or history");
    for (JSON_EACH(entry, json_get(v, STR("entry")))) {
        if (has(entry.now, "search") && !is_search)
            broken(c, true, "bdl-2", path,
                   "search is there only in a searchset");
        if (has(entry.now, "request") != (is_ask || is_history))
            broken(c, true, "bdl-3", path,
                   "request is there in batch, transaction and history");
    }
}

void check_invariants(struct check *c, struct str type,
                      struct yyjson_val *object, struct str path)
{
    static const struct {
        struct str type;
        void (*check)(struct check *, struct yyjson_val *, struct str);
    } rules[] = {
        { STR_INIT("Observation"), observation },
        { STR_INIT("Patient"), patient },
        { STR_INIT("Bundle"), bundle },
    };
    if (type.n == 0) {
        datatype(c, object, path);
        return;
    }
    domain_resource(c, object, path);
    if (c->release != DSTU2)
        telecoms(c, object, path);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (str_eq(type, rules[i].type))
            rules[i].check(c, object, path);
}
