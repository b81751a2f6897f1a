/* The other JSON shapes: name and baseUrl; url, authorize and token; a list of
 * lists; an object of Lantern lists; practice numbers and names. */
#include "directory/import_int.h"

#define ATHENA_BASE "https://api.platform.athenahealth.com/fhir/r4"

/* {"endpoints":[{"name","baseUrl","type"}]} */
static enum err read_names(struct list *list, struct yyjson_val *all)
{
    enum err err = OK;
    list->format = STR("names");
    for (JSON_EACH(item, all)) {
        struct str type = json_get_text(item.now, STR("type"));
        struct entry e = {
            .url = json_get_text(item.now, STR("baseUrl")),
            .name = json_get_text(item.now, STR("name")),
        };
        if (type.n > 0 && !str_eq(type, STR("prod")))
            e.refusal = STR("its status is not active");
        if (err == OK)
            err = list_add(list, &e);
    }
    return err;
}

/* [{"id","name","url","authorize","token"}] */
static enum err read_oauth(struct list *list, struct yyjson_val *all)
{
    enum err err = OK;
    list->format = STR("oauth");
    for (JSON_EACH(item, all)) {
        struct entry e = {
            .url = json_get_text(item.now, STR("url")),
            .name = json_get_text(item.now, STR("name")),
            .authorize_url = json_get_text(item.now, STR("authorize")),
            .token_url = json_get_text(item.now, STR("token")),
        };
        if (err == OK)
            err = list_add(list, &e);
    }
    return err;
}

/* [{"EndpointName","URL","FileName","FormatType"}]: where lists are. */
static enum err read_index(struct list *list, struct yyjson_val *all)
{
    enum err err = OK;
    list->format = STR("list of lists");
    for (JSON_EACH(item, all))
        if (err == OK)
            err =
                list_refuse(list, json_get_text(item.now, STR("EndpointName")),
                            STR("a page where a list is, not an endpoint"));
    return err;
}

/* "1Life_Healthcare_Inc_EndpointSources.json" */
static struct str title_of(struct arena *a, struct str file)
{
    struct buf b = BUF_IN(a, 400);
    struct str base = str_slice(file, 0, str_search(file, STR(".json")));
    base = str_slice(base, 0, str_search(base, STR("EndpointSources")));
    for (size_t i = 0; i < base.n; i++)
        buf_add_char(&b, base.p[i] == '_' ? ' ' : base.p[i]);
    struct str text;
    if (buf_view(&b, &text) != OK)
        return STR("");
    text = str_trim(text);
    if (text.n > 2 && text.p[text.n - 2] == ' ' &&
        char_is_digit(text.p[text.n - 1]))
        text = str_slice(text, 0, text.n - 2);
    return text;
}

/* {"<Lantern file>":{"Endpoints":[...]}, ...}: each with its own title. */
static enum err read_object(struct list *list, struct yyjson_val *json)
{
    struct str title = list->title, vendor = list->vendor;
    enum err err = OK;
    for (JSON_MEMBERS(m, json)) {
        struct str file = json_key_of(&m);
        size_t before = list->count;
        if (err != OK)
            break;
        list->title = title_of(list->a, file);
        list->vendor = vendor_guess(file, STR(""));
        list->unnamed = 0;
        err = read_lantern(list, m.value);
        for (size_t i = before; i < list->count && err == OK; i++)
            if (list->entries[i].brand.n == 0)
                list->entries[i].brand = list->title;
    }
    list->title = title;
    list->vendor = vendor;
    list->format = STR("lists");
    return err;
}

/* {"10":"Southeastern Medical Center"}: athenahealth's practices, which share
 * one base URL. */
static enum err read_practices(struct list *list, struct yyjson_val *json)
{
    enum err err = OK;
    list->format = STR("practices");
    for (JSON_MEMBERS(m, json)) {
        struct entry e = {
            .url = STR(ATHENA_BASE),
            .name = json_text(m.value),
            .vendor = STR("athena"),
            .release = STR("R4"),
            .tenant = arena_cat(list->a, STR("Organization/a-1.Practice-"),
                                json_key_of(&m)),
        };
        if (err == OK)
            err = list_add(list, &e);
    }
    return err;
}

static struct yyjson_val *first_member(struct yyjson_val *json)
{
    for (JSON_MEMBERS(m, json))
        return m.value;
    return NULL;
}

enum err read_lists(struct list *list, struct yyjson_val *json)
{
    if (json_is_array(json)) {
        struct yyjson_val *first = json_iter(json).now;
        if (json_get(first, STR("FileName")) != NULL)
            return read_index(list, json);
        if (json_get(first, STR("url")) != NULL)
            return read_oauth(list, json);
        return ERR_FORMAT;
    }
    if (json_is_array(json_get(json, STR("endpoints"))))
        return read_names(list, json_get(json, STR("endpoints")));
    struct yyjson_val *first = first_member(json);
    if (json_is_array(json_get(first, STR("Endpoints"))))
        return read_object(list, json);
    if (json_is_string(first) && str_eq(list->vendor, STR("athena")))
        return read_practices(list, json);
    return ERR_FORMAT;
}
