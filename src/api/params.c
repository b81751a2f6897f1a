#include "api/params.h"

#include "base/json.h"

/* Members of a JSON object as parameters; containers are passed over. */
static enum err from_json(struct arena *a, struct str body,
                          struct url_params *out)
{
    struct yyjson_val *root;
    if (json_parse(a, body, &root, NULL) != OK || !json_is_object(root))
        return arena_err(a);
    size_t n = json_count(root);
    if (n > URL_PARAMS_MAX)
        return ERR_LIMIT;
    struct url_params params = { arena_zalloc(a, n + 1, sizeof *params.at), 0 };
    if (params.at == NULL)
        return arena_err(a);
    for (JSON_MEMBERS(m, root)) {
        struct str text = json_text(m.value);
        if (json_is_bool(m.value))
            text = json_true(m.value) ? STR("true") : STR("false");
        if (text.p != NULL)
            params.at[params.n++] = (struct url_param){ json_key_of(&m), text };
    }
    *out = params;
    return OK;
}

enum err params_read(const struct http_request *r, struct params *out)
{
    struct params p = { .request = r, .query = r->params };
    struct str body = str_trim(r->body);
    enum err err = OK;
    if (body.n > 0 && body.p[0] == '{')
        err = from_json(r->arena, body, &p.body);
    else if (body.n > 0)
        err = url_parse_params(r->arena, body, &p.body);
    if (err == OK)
        *out = p;
    return err;
}

static struct str find(const struct url_params *params, struct str name)
{
    struct str value = url_param(params, name);
    if (value.p != NULL)
        return value;
    for (size_t i = 0; i < params->n; i++)
        if (str_starts(params->at[i].name, STR("amp;")) &&
            str_eq(str_from(params->at[i].name, 4), name))
            return params->at[i].value;
    return STR_NONE;
}

struct str params_get(const struct params *p, struct str name)
{
    struct str value = find(&p->body, name);
    if (value.p == NULL)
        value = find(&p->query, name);
    if (value.p != NULL)
        return value;
    if (str_eq(name, STR("client_id")) || str_eq(name, STR("client_secret")))
        return http_header(p->request, name);
    return STR_NONE;
}

bool params_get_i64(const struct params *p, struct str name, int64_t *out)
{
    struct str value = params_get(p, name);
    return value.p != NULL && str_to_i64(value, out);
}
