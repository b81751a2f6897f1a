#include "base/json.h"
#include "bulk/bulk.h"

static void add_strings(struct buf *b, struct str key, const struct str *at,
                        size_t n)
{
    json_key(b, key);
    json_array(b);
    for (size_t i = 0; i < n; i++)
        json_string(b, at[i]);
    json_array_end(b);
}

void bulk_ask_render(struct buf *b, const struct bulk_ask *ask)
{
    json_object(b);
    json_member_i64(b, STR("release"), ask->release);
    json_member_i64(b, STR("level"), ask->level);
    add_strings(b, STR("patients"), ask->patients, ask->patient_count);
    json_key(b, STR("types"));
    json_array(b);
    for (size_t i = 0; i < ask->type_count; i++)
        json_string(b, release_type_name(ask->release, ask->types[i]));
    json_array_end(b);
    json_key(b, STR("filters"));
    json_array(b);
    for (size_t i = 0; i < ask->filter_count; i++) {
        json_array(b);
        json_string(b, release_type_name(ask->release, ask->filters[i].type));
        json_string(b, ask->filters[i].query);
        json_array_end(b);
    }
    json_array_end(b);
    json_member(b, STR("elements"), ask->elements);
    json_member_i64(b, STR("since"), ask->since_ms);
    json_member_i64(b, STR("until"), ask->until_ms);
    json_object_end(b);
}

static enum err parse_types(struct arena *a, struct yyjson_val *list,
                            struct bulk_ask *out)
{
    uint16_t *types = arena_zalloc(a, json_count(list) + 1, sizeof *types);
    if (types == NULL)
        return arena_err(a);
    for (JSON_EACH(one, list)) {
        uint16_t type =
            release_type_find(out->release, json_text(one.now), false);
        if (type == TYPE_NONE)
            return ERR_FORMAT;
        types[out->type_count++] = type;
    }
    out->types = types;
    return OK;
}

static enum err parse_filters(struct arena *a, struct yyjson_val *list,
                              struct bulk_ask *out)
{
    struct bulk_filter *filters =
        arena_zalloc(a, json_count(list) + 1, sizeof *filters);
    if (filters == NULL)
        return arena_err(a);
    for (JSON_EACH(one, list)) {
        struct json_iter part = json_iter(one.now);
        if (part.left != 2)
            return ERR_FORMAT;
        struct bulk_filter *f = &filters[out->filter_count++];
        f->type = release_type_find(out->release, json_text(part.now), false);
        json_iter_next(&part);
        f->query = json_text(part.now);
        if (f->type == TYPE_NONE || f->query.p == NULL)
            return ERR_FORMAT;
    }
    out->filters = filters;
    return OK;
}

static enum err parse_patients(struct arena *a, struct yyjson_val *list,
                               struct bulk_ask *out)
{
    struct str *ids = arena_zalloc(a, json_count(list) + 1, sizeof *ids);
    if (ids == NULL)
        return arena_err(a);
    for (JSON_EACH(one, list))
        ids[out->patient_count++] = json_text(one.now);
    out->patients = ids;
    return OK;
}

enum err bulk_ask_parse(struct arena *a, struct str text, struct bulk_ask *out)
{
    struct yyjson_val *root;
    struct bulk_ask ask = { 0 };
    int64_t release = 0, level = 0;
    enum err err = json_parse(a, text, &root, NULL);
    if (err != OK)
        return err;
    if (!json_get_i64(root, STR("release"), &release) ||
        !json_get_i64(root, STR("level"), &level) ||
        !json_get_i64(root, STR("since"), &ask.since_ms) ||
        !json_get_i64(root, STR("until"), &ask.until_ms) || release < 0 ||
        release >= RELEASE_COUNT || level < 0 || level > BULK_GROUP)
        return ERR_FORMAT;
    ask.release = (enum release)release;
    ask.level = (enum bulk_level)level;
    ask.elements = json_get_text(root, STR("elements"));
    err = parse_patients(a, json_get(root, STR("patients")), &ask);
    if (err == OK)
        err = parse_types(a, json_get(root, STR("types")), &ask);
    if (err == OK)
        err = parse_filters(a, json_get(root, STR("filters")), &ask);
    if (err == OK)
        *out = ask;
    return err;
}

bool bulk_wants_type(const struct bulk_ask *ask, uint16_t type)
{
    for (size_t i = 0; i < ask->type_count; i++)
        if (ask->types[i] == type)
            return true;
    return ask->type_count == 0;
}
