/* X-Provenance: a Provenance that is stored together with what it tells of.
 * FHIR R4, Provenance, "Using the Provenance Resource". */
#include "api/fhir_change.h"

#include "base/json.h"

/* The header's resource with the target set, its own left out. */
static enum err point(const struct fhir *f, struct yyjson_val *root,
                      const struct change *c, struct str *out)
{
    struct buf b = BUF_IN(f->http->arena, RESOURCE_BYTES_MAX);
    json_object(&b);
    json_member(&b, STR("resourceType"), STR("Provenance"));
    json_key(&b, STR("target"));
    json_array(&b);
    json_object(&b);
    json_member(&b, STR("reference"),
                arena_cat(f->http->arena,
                          release_type_name(f->release, c->type), STR("/"),
                          c->target));
    json_object_end(&b);
    json_array_end(&b);
    for (JSON_MEMBERS(m, root)) {
        struct str key = json_key_of(&m);
        if (str_eq(key, STR("resourceType")) || str_eq(key, STR("target")) ||
            str_eq(key, STR("id")))
            continue;
        json_key(&b, key);
        json_value(&b, m.value);
    }
    json_object_end(&b);
    return buf_view(&b, out);
}

static enum err read_header(const struct fhir *f, struct str header,
                            struct yyjson_val **root)
{
    struct http_request *r = f->http;
    enum err err = json_parse(r->arena, header, root, &r->why);
    if (err != OK)
        return err;
    if (!str_eq(json_get_text(*root, STR("resourceType")), STR("Provenance")))
        return why(&r->why, ERR_INVALID, "X-Provenance is no Provenance");
    if (json_count(json_get(*root, STR("agent"))) == 0)
        return why(&r->why, ERR_INVALID, "X-Provenance names no agent");
    return policy_allows(&f->access.principal, INTERACTION_CREATE,
                         STR("Provenance"), &r->why);
}

enum err change_provenance(const struct fhir *f, const struct change *c,
                           struct store_op *out, bool *has)
{
    struct http_request *r = f->http;
    struct str header = http_header(r, STR("X-Provenance")), text;
    struct yyjson_val *root;
    *has = header.p != NULL;
    if (!*has)
        return OK;
    struct resource *resource = arena_zalloc(r->arena, 1, sizeof *resource);
    if (resource == NULL)
        return arena_err(r->arena);
    enum err err = read_header(f, header, &root);
    if (err == OK)
        err = point(f, root, c, &text);
    if (err == OK)
        err = change_parse(f, text, resource);
    if (err != OK)
        return err;
    *out = (struct store_op){ .verb = STORE_CREATE,
                              .resource = resource,
                              .type = resource->type,
                              .id = store_new_id(r->arena, STR("Provenance"),
                                                 STR("")) };
    return arena_err(r->arena);
}
