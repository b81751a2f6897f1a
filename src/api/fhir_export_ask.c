/* The kick-off's parameters.  Bulk Data Access IG 2.0, query parameters. */
#include "api/fhir_export.h"

#include "api/fhir_parameters.h"
#include "api/fhir_prefer.h"
#include "base/clock.h"
#include "base/json.h"
#include "fhir/date.h"

struct asked {
    const struct fhir *f;
    struct url_params params;
    struct bulk_ask *ask;
    uint16_t *types;
    struct bulk_filter *filters;
};

static enum err add_types(struct asked *q, struct str list)
{
    const struct fhir *f = q->f;
    struct str name;
    while (str_cut(&list, ',', &name)) {
        name = str_trim(name);
        uint16_t type =
            release_type_find(f->release, name, !f->info->is_case_sensitive);
        if (type == TYPE_NONE)
            return why_of(&f->http->why, ERR_INVALID, STR("_type: "),
                          f->info->name, STR(" has no resource type "), name);
        if (q->ask->type_count == BULK_TYPES_MAX)
            return why(&f->http->why, ERR_INVALID, "_type: too many");
        q->types[q->ask->type_count++] = type;
    }
    return OK;
}

/* Where the next "Type?" of a list begins: a comma in a search stands for
 * "or". */
static size_t filter_end(const struct fhir *f, struct str list)
{
    for (size_t i = 0; i < list.n; i++) {
        if (list.p[i] != ',')
            continue;
        struct str next = str_from(list, i + 1);
        struct str name = str_slice(next, 0, str_find(next, '?'));
        if (name.n < next.n &&
            release_type_find(f->release, name, false) != TYPE_NONE)
            return i;
    }
    return list.n;
}

static enum err add_filters(struct asked *q, struct str list)
{
    const struct fhir *f = q->f;
    while (list.n > 0) {
        size_t end = filter_end(f, list);
        struct str one = str_slice(list, 0, end);
        list = str_from(list, end + 1);
        size_t mark = str_find(one, '?');
        struct bulk_filter filter = { .type = release_type_find(
                                          f->release, str_slice(one, 0, mark),
                                          false),
                                      .query = str_from(one, mark + 1) };
        if (filter.type == TYPE_NONE || mark == one.n)
            return why_of(&f->http->why, ERR_INVALID, STR("_typeFilter: "), one,
                          STR(" is not like Observation?code=1"));
        if (q->ask->filter_count == BULK_FILTERS_MAX)
            return why(&f->http->why, ERR_INVALID, "_typeFilter: too many");
        q->filters[q->ask->filter_count++] = filter;
    }
    return OK;
}

static enum err check_format(const struct fhir *f, struct str format)
{
    static const struct str names[] = {
        STR_INIT("application/fhir+ndjson"),
        STR_INIT("application/fhir ndjson"), /* its plus decoded */
        STR_INIT("application/ndjson"),
        STR_INIT("ndjson"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(format, names[i]))
            return OK;
    return why_of(&f->http->why, ERR_INVALID, STR("_outputFormat="), format,
                  STR(" is not offered; application/fhir+ndjson is"));
}

static enum err read_since(const struct fhir *f, struct str text, int64_t *out)
{
    int64_t other;
    if (clock_parse_instant(text, out) == OK ||
        date_range(text, out, &other) == OK)
        return OK;
    return why_of(&f->http->why, ERR_INVALID, STR("_since="), text,
                  STR(" is not understood"));
}

static enum err read_one(struct asked *q, const struct url_param *p)
{
    const struct fhir *f = q->f;
    if (str_eq(p->name, STR("_type")))
        return add_types(q, p->value);
    if (str_eq(p->name, STR("_typeFilter")))
        return add_filters(q, p->value);
    if (str_eq(p->name, STR("_outputFormat")))
        return check_format(f, p->value);
    if (str_eq(p->name, STR("_since")))
        return read_since(f, p->value, &q->ask->since_ms);
    if (str_eq(p->name, STR("_elements"))) {
        q->ask->elements = p->value;
        return OK;
    }
    if (fhir_is_private(p->name) || str_eq(p->name, STR("_format")) ||
        str_eq(p->name, STR("_pretty")) || !prefer_is_strict(f->http))
        return OK;
    return why_of(&f->http->why, ERR_INVALID, p->name,
                  STR(" is not a parameter of $export here"));
}

/* --- the members of a group ----------------------------------------------- */

static enum err add_members(const struct fhir *f, struct str group,
                            struct bulk_ask *ask)
{
    struct arena *a = f->http->arena;
    struct yyjson_val *root;
    enum err err = json_parse(a, group, &root, NULL);
    if (err != OK)
        return err;
    struct yyjson_val *members = json_get(root, STR("member"));
    size_t n = json_count(members);
    struct str *ids = arena_zalloc(a, n + 1, sizeof *ids);
    if (ids == NULL)
        return arena_err(a);
    for (JSON_EACH(one, members)) {
        struct yyjson_val *entity = json_get(one.now, STR("entity"));
        struct str base, id;
        uint16_t type;
        if (!json_true(json_get(one.now, STR("inactive"))) &&
            reference_split(f->release, json_get_text(entity, STR("reference")),
                            &base, &type, &id) &&
            str_eq(release_type_name(f->release, type), STR("Patient")) &&
            ask->patient_count < BULK_PATIENTS_MAX)
            ids[ask->patient_count++] = id;
    }
    ask->patients = ids;
    return OK;
}

static enum err read_group(const struct fhir *f, struct str id,
                           struct bulk_ask *ask)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct fhir owner = *f;
    struct store_version v;
    struct buf body = BUF_IN(f->http->arena, HTTP_BODY_MAX);
    struct str text;
    enum err err = OK;
    owner.type_name = STR("Group");
    owner.type = release_type_find(f->release, owner.type_name, false);
    if (owner.access.is_app_wide)
        err = fhir_find_owner(&owner, id);
    if (err == OK)
        err = fhir_open(&owner, &snap);
    if (err == OK)
        err = store_read(snap, owner.type, id, &v);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return why_of(&f->http->why, err, STR("no Group/"), id);
    if (err == OK)
        err = store_body(snap, v.slot, &body);
    if (err == OK)
        err = buf_view(&body, &text);
    return err == OK ? add_members(f, text, ask) : err;
}

/* --- all together --------------------------------------------------------- */

static enum err check_policy(const struct fhir *f, const struct bulk_ask *ask)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < ask->type_count; i++)
        err = policy_allows(&f->access.principal, INTERACTION_EXPORT,
                            release_type_name(f->release, ask->types[i]),
                            &f->http->why);
    if (err == OK && ask->type_count == 0)
        err = policy_allows(&f->access.principal, INTERACTION_EXPORT, STR(""),
                            &f->http->why);
    return err;
}

enum err export_read_ask(const struct fhir *f, struct str id,
                         struct bulk_ask *out)
{
    struct http_request *r = f->http;
    struct str path = str_of(r->route->path);
    struct bulk_ask ask = { .release = f->release, .elements = STR("") };
    struct asked q = { .f = f, .ask = &ask };
    if (str_ends(path, STR("/Patient/$export")))
        ask.level = BULK_PATIENT;
    else if (str_ends(path, STR("/:id/$export")))
        ask.level = BULK_GROUP;
    q.types = arena_zalloc(r->arena, BULK_TYPES_MAX, sizeof *q.types);
    q.filters = arena_zalloc(r->arena, BULK_FILTERS_MAX, sizeof *q.filters);
    if (q.types == NULL || q.filters == NULL)
        return arena_err(r->arena);
    enum err err = fhir_parameters(r, &q.params);
    for (size_t i = 0; err == OK && i < q.params.n; i++)
        err = read_one(&q, &q.params.at[i]);
    ask.types = q.types;
    ask.filters = q.filters;
    if (err == OK)
        err = check_policy(f, &ask);
    if (err == OK)
        err = bulk_check_filters(&ask, r->arena, &r->why);
    if (err == OK && ask.level == BULK_GROUP)
        err = read_group(f, id, &ask);
    if (err == OK)
        *out = ask;
    return err;
}
