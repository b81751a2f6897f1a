#include "api/fhir_parameters.h"

#include "base/json.h"

/* The text of value[x]; STR_NONE when it has none. */
static struct str value_of(struct yyjson_val *parameter)
{
    for (JSON_MEMBERS(m, parameter)) {
        if (!str_starts(json_key_of(&m), STR("value")))
            continue;
        if (json_is_bool(m.value))
            return json_true(m.value) ? STR("true") : STR("false");
        return json_text(m.value);
    }
    return STR_NONE;
}

static enum err read_resource(struct http_request *r, struct url_params *out)
{
    struct yyjson_val *root;
    enum err err = json_parse(r->arena, r->body, &root, &r->why);
    if (err != OK)
        return err;
    if (!str_eq(json_get_text(root, STR("resourceType")), STR("Parameters")))
        return why(&r->why, ERR_INVALID,
                   "the body of an operation is a Parameters resource");
    struct yyjson_val *list = json_get(root, STR("parameter"));
    out->at = arena_zalloc(r->arena, json_count(list) + 1, sizeof *out->at);
    if (out->at == NULL)
        return arena_err(r->arena);
    for (JSON_EACH(one, list)) {
        struct str name = json_get_text(one.now, STR("name"));
        struct str value = value_of(one.now);
        if (name.n > 0 && value.p != NULL)
            out->at[out->n++] = (struct url_param){ name, value };
    }
    return OK;
}

enum err fhir_parameters(struct http_request *r, struct url_params *out)
{
    struct url_params body = { 0 }, all = { 0 };
    enum err err = OK;
    if (http_is_type(r, STR("application/x-www-form-urlencoded")))
        err = http_form(r, &body);
    else if (str_trim(r->body).n > 0)
        err = read_resource(r, &body);
    if (err != OK)
        return err;
    all.at = arena_zalloc(r->arena, r->params.n + body.n + 1, sizeof *all.at);
    if (all.at == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < r->params.n; i++)
        all.at[all.n++] = r->params.at[i];
    for (size_t i = 0; i < body.n; i++)
        all.at[all.n++] = body.at[i];
    *out = all;
    return OK;
}
