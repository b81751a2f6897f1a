/* {"Endpoints":[{"URL","OrganizationName","NPIID","OrganizationZipCode"}]} */
#include "directory/import_int.h"

static enum err add(struct list *list, struct yyjson_val *v)
{
    struct str zip = json_get_text(v, STR("OrganizationZipCode"));
    struct entry e = {
        .url = json_get_text(v, STR("URL")),
        .name = json_get_text(v, STR("OrganizationName")),
    };
    if (zip.n > 0) {
        e.locations = arena_zalloc(list->a, 1, sizeof *e.locations);
        if (e.locations == NULL)
            return ERR_NOMEM;
        e.locations[0].postal_code = zip;
        e.location_count = 1;
    }
    return list_add(list, &e);
}

enum err read_lantern(struct list *list, struct yyjson_val *json)
{
    struct yyjson_val *all = json_get(json, STR("Endpoints"));
    enum err err = OK;
    if (!json_is_array(all))
        return ERR_FORMAT;
    list->format = STR("lantern");
    for (JSON_EACH(item, all))
        if (err == OK)
            err = add(list, item.now);
    return err;
}
