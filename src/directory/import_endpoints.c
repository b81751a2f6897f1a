/* Bundles of Endpoints with the Organization inside, as Epic and Oracle
 * publish them (DSTU2 and R4): the reference to it is often wrong, so the
 * first contained Organization is it. */
#include "directory/import_int.h"

#include "directory/text_int.h"

static struct str join_lines(struct arena *a, struct yyjson_val *lines)
{
    struct str text = STR("");
    for (JSON_EACH(item, lines)) {
        struct str one = str_trim(json_text(item.now));
        if (one.n > 0)
            text = text.n == 0 ? one : arena_cat(a, text, STR(", "), one);
    }
    return text;
}

enum err read_addresses(struct arena *a, struct yyjson_val *list,
                        struct entry *e)
{
    size_t n = json_is_array(list) ? json_count(list) : 0;
    if (n > SYSTEM_LOCATIONS_MAX)
        n = SYSTEM_LOCATIONS_MAX;
    if (n == 0)
        return OK;
    e->locations = arena_zalloc(a, n, sizeof *e->locations);
    if (e->locations == NULL)
        return ERR_NOMEM;
    for (JSON_EACH(item, list)) {
        if (e->location_count == n)
            break;
        e->locations[e->location_count++] = (struct system_location){
            .line = join_lines(a, json_get(item.now, STR("line"))),
            .city = json_get_text(item.now, STR("city")),
            .state = json_get_text(item.now, STR("state")),
            .postal_code = json_get_text(item.now, STR("postalCode")),
        };
    }
    return arena_err(a);
}

struct str endpoint_refusal(struct yyjson_val *v)
{
    struct str status = json_get_text(v, STR("status"));
    struct str type =
        json_get_text(json_get(v, STR("connectionType")), STR("code"));
    if (status.n > 0 && !str_eq(status, STR("active")))
        return STR("its status is not active");
    if (type.n > 0 && !str_starts(type, STR("hl7-fhir-rest")))
        return STR("not a FHIR REST endpoint");
    return STR("");
}

static struct yyjson_val *organization_of(struct yyjson_val *endpoint)
{
    for (JSON_EACH(item, json_get(endpoint, STR("contained"))))
        if (str_eq(json_get_text(item.now, STR("resourceType")),
                   STR("Organization")))
            return item.now;
    return NULL;
}

static struct str release_of(struct yyjson_val *endpoint)
{
    for (JSON_EACH(item, json_get(endpoint, STR("extension")))) {
        struct str url = json_get_text(item.now, STR("url"));
        if (str_ends(url, STR("/endpoint-fhir-version")))
            return text_release_of_version(
                json_get_text(item.now, STR("valueCode")));
    }
    return STR("");
}

static enum err add(struct list *list, struct yyjson_val *v)
{
    struct yyjson_val *organization = organization_of(v);
    struct entry e = {
        .url = json_get_text(v, STR("address")),
        .name = json_get_text(organization, STR("name")),
        .release = release_of(v),
        .refusal = endpoint_refusal(v),
    };
    if (e.name.n == 0)
        e.name = json_get_text(v, STR("name"));
    enum err err =
        read_addresses(list->a, json_get(organization, STR("address")), &e);
    return err == OK ? list_add(list, &e) : err;
}

enum err read_endpoints(struct list *list, struct yyjson_val *json)
{
    enum err err = OK;
    if (!str_eq(json_get_text(json, STR("resourceType")), STR("Bundle")))
        return ERR_FORMAT;
    list->format = STR("endpoints");
    for (JSON_EACH(item, json_get(json, STR("entry")))) {
        struct yyjson_val *v = json_get(item.now, STR("resource"));
        struct str type = json_get_text(v, STR("resourceType"));
        if (err == OK && str_eq(type, STR("Endpoint")))
            err = add(list, v);
    }
    return err;
}
