/* Systems as JSON: what the tables keep, and what commands read and print. */
#include "directory/directory_int.h"

#include "base/json.h"
#include "directory/text_int.h"

static void add_if(struct buf *b, struct str key, struct str value)
{
    if (value.n > 0)
        json_member(b, key, value);
}

void system_add_endpoints(struct buf *b, const struct system *s)
{
    json_array(b);
    for (size_t i = 0; i < s->endpoint_count; i++) {
        const struct system_endpoint *e = &s->endpoints[i];
        json_object(b);
        json_member(b, STR("fhir_version"), e->fhir_version);
        json_member(b, STR("base_url"), e->base_url);
        add_if(b, STR("authorize_url"), e->authorize_url);
        add_if(b, STR("token_url"), e->token_url);
        add_if(b, STR("aud"), e->aud);
        json_object_end(b);
    }
    json_array_end(b);
}

void system_add_locations(struct buf *b, const struct system *s)
{
    json_array(b);
    for (size_t i = 0; i < s->location_count; i++) {
        const struct system_location *l = &s->locations[i];
        json_object(b);
        add_if(b, STR("name"), l->name);
        add_if(b, STR("line"), l->line);
        add_if(b, STR("city"), l->city);
        add_if(b, STR("state"), l->state);
        add_if(b, STR("postal_code"), l->postal_code);
        json_object_end(b);
    }
    json_array_end(b);
}

void system_add_json(struct buf *b, const struct system *s)
{
    json_object(b);
    json_member_i64(b, STR("id"), s->id);
    json_member(b, STR("name"), s->name);
    json_member(b, STR("kind"), s->kind);
    json_member(b, STR("vendor"), s->vendor);
    json_member(b, STR("status"), s->status);
    add_if(b, STR("logo"), s->logo);
    add_if(b, STR("brand"), s->brand);
    add_if(b, STR("aliases"), s->aliases);
    add_if(b, STR("tenant"), s->tenant);
    json_member(b, STR("source"), s->source);
    json_member_bool(b, STR("configured"), s->is_configured);
    json_key(b, STR("endpoints"));
    system_add_endpoints(b, s);
    json_key(b, STR("locations"));
    system_add_locations(b, s);
    if (s->overrides.n > 0) {
        json_key(b, STR("overrides"));
        json_raw(b, s->overrides);
    }
    json_object_end(b);
}

/* A member by its name, or by another name in use. */
static struct str member(struct yyjson_val *v, struct str name,
                         struct str other)
{
    struct str text = json_get_text(v, name);
    return text.p != NULL ? text : json_get_text(v, other);
}

static enum err read_endpoint(struct yyjson_val *v, struct system *s)
{
    if (s->endpoint_count == SYSTEM_ENDPOINTS_MAX)
        return ERR_LIMIT;
    struct str version = member(v, STR("fhir_version"), STR("fhirVersion"));
    struct str release = text_release_of_version(version);
    struct system_endpoint e = {
        .fhir_version = release,
        .base_url = member(v, STR("base_url"), STR("url")),
        .authorize_url = json_get_text(v, STR("authorize_url")),
        .token_url = json_get_text(v, STR("token_url")),
        .aud = json_get_text(v, STR("aud")),
    };
    while (str_ends(e.base_url, STR("/")))
        e.base_url.n--;
    if (e.base_url.n == 0)
        return ERR_INVALID;
    if (release.n == 0 && version.n == 0)
        e.fhir_version = text_release_of_url(e.base_url);
    if (e.fhir_version.n == 0 && version.n == 0)
        e.fhir_version = STR("R4");
    if (e.fhir_version.n == 0)
        return ERR_INVALID;
    s->endpoints[s->endpoint_count++] = e;
    return OK;
}

static enum err read_endpoints(struct yyjson_val *list, struct system *s)
{
    enum err err = OK;
    for (JSON_EACH(item, list))
        if (err == OK)
            err = read_endpoint(item.now, s);
    return err;
}

/* "line": "1 Main St", or FHIR's ["1 Main St", "Suite 2"]. */
static struct str read_line(struct arena *a, struct yyjson_val *v)
{
    struct yyjson_val *line = json_get(v, STR("line"));
    if (!json_is_array(line))
        return json_text(line);
    struct str text = STR("");
    for (JSON_EACH(item, line)) {
        struct str one = str_trim(json_text(item.now));
        if (one.n > 0)
            text = text.n == 0 ? one : arena_cat(a, text, STR(", "), one);
    }
    return text;
}

static enum err read_locations(struct arena *a, struct yyjson_val *list,
                               struct system *s)
{
    size_t n = json_count(list);
    if (!json_is_array(list) || n == 0)
        return OK;
    if (n > SYSTEM_LOCATIONS_MAX)
        n = SYSTEM_LOCATIONS_MAX;
    s->locations = arena_zalloc(a, n, sizeof *s->locations);
    if (s->locations == NULL)
        return ERR_NOMEM;
    for (JSON_EACH(item, list)) {
        if (s->location_count == n)
            break;
        s->locations[s->location_count++] = (struct system_location){
            .name = json_get_text(item.now, STR("name")),
            .line = read_line(a, item.now),
            .city = json_get_text(item.now, STR("city")),
            .state = json_get_text(item.now, STR("state")),
            .postal_code =
                member(item.now, STR("postal_code"), STR("postalCode")),
        };
    }
    return OK;
}

enum err system_read_endpoints(struct arena *a, struct str json,
                               struct system *out)
{
    struct yyjson_val *v;
    enum err err = json_parse(a, json, &v, NULL);
    return err == OK ? read_endpoints(v, out) : err;
}

enum err system_read_locations(struct arena *a, struct str json,
                               struct system *out)
{
    struct yyjson_val *v;
    enum err err = json_parse(a, json, &v, NULL);
    return err == OK ? read_locations(a, v, out) : err;
}

static struct str or_else(struct str s, struct str other)
{
    return s.n > 0 ? s : other;
}

/* The object as text, or what was a text already. */
static enum err read_overrides(struct arena *a, struct yyjson_val *v,
                               struct str *out)
{
    struct yyjson_val *overrides = json_get(v, STR("overrides"));
    if (!json_is_object(overrides)) {
        *out = json_text(overrides);
        return OK;
    }
    if (json_count(overrides) == 0)
        return OK;
    struct buf b = BUF_IN(a, (size_t)64 * 1024);
    json_value(&b, overrides);
    return buf_view(&b, out);
}

enum err system_read_json(struct arena *a, struct yyjson_val *json,
                          struct system *out, struct why *w)
{
    struct system s = {
        .name = json_get_text(json, STR("name")),
        .kind = or_else(json_get_text(json, STR("kind")), STR("health_system")),
        .vendor = or_else(json_get_text(json, STR("vendor")), STR("default")),
        .status = or_else(json_get_text(json, STR("status")),
                          STR("connection_working")),
        .logo = json_get_text(json, STR("logo")),
        .brand = json_get_text(json, STR("brand")),
        .aliases = json_get_text(json, STR("aliases")),
        .tenant = json_get_text(json, STR("tenant")),
        .source = or_else(json_get_text(json, STR("source")), STR("operator")),
    };
    (void)json_get_i64(json, STR("id"), &s.id);
    if (read_endpoints(json_get(json, STR("endpoints")), &s) != OK)
        return why_of(w, ERR_INVALID, s.name,
                      STR(": endpoints want base_url and fhir_version, at "
                          "most three"));
    enum err err = read_locations(a, json_get(json, STR("locations")), &s);
    if (err == OK)
        err = read_overrides(a, json, &s.overrides);
    if (err == OK)
        *out = s;
    return err;
}
