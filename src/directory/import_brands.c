/* SMART User-access Brands (App Launch 2.2): Organizations, brands and their
 * affiliates (partOf), that point to Endpoints of the same Bundle.  An entry
 * is an Organization at one of its Endpoints. */
#include "directory/import_int.h"

#include "base/map.h"
#include "directory/text_int.h"

#define EXTENSION   "http://hl7.org/fhir/StructureDefinition/"
#define TARGETS_MAX 500 /* endpoints of one brand */

struct brands {
    struct list *list;
    struct map at;      /* "Type/id" and fullUrl -> resource */
    struct map claimed; /* Endpoints that an affiliate calls its own */
};

static struct yyjson_val *extension(struct yyjson_val *v, struct str url)
{
    for (JSON_EACH(item, json_get(v, STR("extension"))))
        if (str_eq(json_get_text(item.now, STR("url")), url))
            return item.now;
    return NULL;
}

static struct yyjson_val *target(const struct brands *b, struct yyjson_val *ref)
{
    struct str reference = json_get_text(ref, STR("reference"));
    return reference.n > 0 ? map_get(&b->at, reference) : NULL;
}

struct targets {
    struct yyjson_val *at[TARGETS_MAX];
    size_t n;
};

static void add_target(const struct brands *b, struct yyjson_val *ref,
                       struct targets *out)
{
    struct yyjson_val *v = target(b, ref);
    for (size_t i = 0; i < out->n; i++)
        if (out->at[i] == v)
            return;
    if (v != NULL && out->n < TARGETS_MAX)
        out->at[out->n++] = v;
}

/* Organization.endpoint, then the portal's. */
static void find_targets(const struct brands *b, struct yyjson_val *org,
                         struct targets *out)
{
    for (JSON_EACH(item, json_get(org, STR("endpoint"))))
        add_target(b, item.now, out);
    struct yyjson_val *portal =
        extension(org, STR(EXTENSION "organization-portal"));
    for (JSON_EACH(item, json_get(portal, STR("extension"))))
        if (str_eq(json_get_text(item.now, STR("url")), STR("portalEndpoint")))
            add_target(b, json_get(item.now, STR("valueReference")), out);
}

static struct str release_of(struct yyjson_val *endpoint)
{
    struct yyjson_val *v =
        extension(endpoint, STR(EXTENSION "endpoint-fhir-version"));
    struct str release =
        text_release_of_version(json_get_text(v, STR("valueCode")));
    return release.n > 0
               ? release
               : text_release_of_url(json_get_text(endpoint, STR("address")));
}

static struct str logo_of(struct yyjson_val *org)
{
    struct yyjson_val *brand =
        extension(org, STR(EXTENSION "organization-brand"));
    for (JSON_EACH(item, json_get(brand, STR("extension"))))
        if (str_eq(json_get_text(item.now, STR("url")), STR("brandLogo")))
            return json_get_text(item.now, STR("valueUrl"));
    return STR("");
}

static bool is_plan(struct yyjson_val *org)
{
    for (JSON_EACH(type, json_get(org, STR("type"))))
        for (JSON_EACH(coding, json_get(type.now, STR("coding")))) {
            struct str code = json_get_text(coding.now, STR("code"));
            if (str_eq(code, STR("ins")) || str_eq(code, STR("pay")) ||
                str_eq(code, STR("insurance")))
                return true;
        }
    return false;
}

static struct str aliases_of(struct arena *a, struct yyjson_val *org)
{
    struct str text = STR("");
    for (JSON_EACH(item, json_get(org, STR("alias"))))
        text = text.n == 0 ? json_text(item.now)
                           : arena_cat(a, text, STR(";"), json_text(item.now));
    return text;
}

static enum err add(struct brands *b, struct yyjson_val *org,
                    struct yyjson_val *parent, struct yyjson_val *endpoint,
                    struct str name)
{
    struct entry e = {
        .url = json_get_text(endpoint, STR("address")),
        .name = name,
        .release = release_of(endpoint),
        .kind = is_plan(org) ? STR("health_plan") : STR(""),
        .aliases = aliases_of(b->list->a, org),
        .brand = json_get_text(parent, STR("name")),
        .logo = logo_of(org),
        .refusal = endpoint_refusal(endpoint),
    };
    if (e.logo.n == 0)
        e.logo = logo_of(parent);
    enum err err =
        read_addresses(b->list->a, json_get(org, STR("address")), &e);
    return err == OK ? list_add(b->list, &e) : err;
}

/* Whether the brand has another endpoint of the same release. */
static bool has_twin(const struct targets *all, size_t i)
{
    for (size_t k = 0; k < all->n; k++)
        if (k != i && str_eq(release_of(all->at[k]), release_of(all->at[i])))
            return true;
    return false;
}

static bool is_claimed(const struct brands *b, struct yyjson_val *endpoint)
{
    return map_get(&b->claimed, json_get_text(endpoint, STR("id"))) != NULL;
}

static enum err add_organization(struct brands *b, struct yyjson_val *org)
{
    struct str name = json_get_text(org, STR("name"));
    struct yyjson_val *parent = target(b, json_get(org, STR("partOf")));
    struct yyjson_val *active = json_get(org, STR("active"));
    struct targets all = { .n = 0 };
    enum err err = OK;
    if (json_is_bool(active) && !json_true(active))
        return list_refuse(b->list, name, STR("its status is not active"));
    find_targets(b, org, &all);
    if (all.n == 0 && parent != NULL)
        find_targets(b, parent, &all);
    if (all.n == 0)
        return list_refuse(b->list, name, STR("no endpoint in this Bundle"));
    for (size_t i = 0; i < all.n && err == OK; i++) {
        bool is_brand_of_many = parent == NULL && has_twin(&all, i);
        struct str its = json_get_text(all.at[i], STR("name"));
        if (is_brand_of_many && is_claimed(b, all.at[i]))
            continue; /* its affiliate is the entry */
        err = add(b, org, parent, all.at[i],
                  is_brand_of_many && its.n > 0 ? its : name);
    }
    return err;
}

static void note(struct brands *b, struct yyjson_val *entry)
{
    struct yyjson_val *v = json_get(entry, STR("resource"));
    struct str type = json_get_text(v, STR("resourceType"));
    struct str id = json_get_text(v, STR("id"));
    struct str full = json_get_text(entry, STR("fullUrl"));
    if (v == NULL || type.n == 0)
        return;
    if (id.n > 0)
        map_put(&b->at, arena_cat(b->list->a, type, STR("/"), id), v);
    if (full.n > 0)
        map_put(&b->at, full, v);
}

static void note_claims(struct brands *b, struct yyjson_val *org)
{
    if (json_get(org, STR("partOf")) == NULL)
        return;
    for (JSON_EACH(item, json_get(org, STR("endpoint")))) {
        struct yyjson_val *v = target(b, item.now);
        struct str id = json_get_text(v, STR("id"));
        if (id.n > 0)
            map_put(&b->claimed, id, v);
    }
}

static struct yyjson_val *organization_in(struct yyjson_val *entry)
{
    struct yyjson_val *v = json_get(entry, STR("resource"));
    return str_eq(json_get_text(v, STR("resourceType")), STR("Organization"))
               ? v
               : NULL;
}

enum err read_brands(struct list *list, struct yyjson_val *json)
{
    struct yyjson_val *entries = json_get(json, STR("entry")), *org;
    struct brands b = { list, MAP_IN(list->a), MAP_IN(list->a) };
    bool has_organization = false;
    enum err err = OK;
    if (!str_eq(json_get_text(json, STR("resourceType")), STR("Bundle")))
        return ERR_FORMAT;
    for (JSON_EACH(item, entries)) {
        note(&b, item.now);
        has_organization |= organization_in(item.now) != NULL;
    }
    if (!has_organization)
        return ERR_FORMAT;
    list->format = STR("brands");
    for (JSON_EACH(item, entries))
        if ((org = organization_in(item.now)) != NULL)
            note_claims(&b, org);
    for (JSON_EACH(item, entries))
        if (err == OK && (org = organization_in(item.now)) != NULL)
            err = add_organization(&b, org);
    return err == OK ? arena_err(list->a) : err;
}
