#include "api/fhir_bundle_int.h"

#include "base/json.h"

/* "Patient/<id>" that each fullUrl became. */
static enum err map_full_urls(struct transaction *t, struct map *map)
{
    struct arena *a = t->f->http->arena;
    for (size_t i = 0; i < t->n; i++) {
        const struct entry *e = &t->entries[i];
        const struct change *c = &t->changes[i];
        if (e->full_url.n == 0 || e->is_read || c->verb == CHANGE_DELETE)
            continue;
        struct str *target = arena_alloc(a, sizeof *target);
        if (target == NULL)
            return arena_err(a);
        *target = arena_cat(a, release_type_name(t->f->release, c->type),
                            STR("/"), c->target);
        map_put(map, e->full_url, target);
        /* Relative references go by the end of an http fullUrl. */
        struct str base, id;
        uint16_t type;
        if (reference_split(t->f->release, e->full_url, &base, &type, &id))
            map_put(map,
                    arena_cat(a, release_type_name(t->f->release, type),
                              STR("/"), id),
                    target);
    }
    return arena_err(a);
}

/* "Practitioner?identifier=..." : the one resource that matches. */
static enum err find_conditional(struct transaction *t,
                                 struct store_snapshot *snap,
                                 struct str reference, struct str *out)
{
    struct http_request *r = t->f->http;
    size_t mark = str_find(reference, '?');
    struct record_hits hits;
    bool is_counted;
    uint16_t type =
        release_type_find(t->f->release, str_slice(reference, 0, mark), false);
    enum err err = change_find(t->f, snap, type, str_from(reference, mark + 1),
                               &is_counted, &hits);
    if (err != OK)
        return err;
    if (hits.total != 1)
        return why_of(&r->why, ERR_MULTIPLE, reference,
                      hits.total == 0 ? STR(" matches nothing")
                                      : STR(" matches several resources"));
    *out = arena_cat(r->arena, release_type_name(t->f->release, type), STR("/"),
                     hits.at[0].id);
    return OK;
}

static bool is_conditional(const struct transaction *t, struct str reference)
{
    size_t mark = str_find(reference, '?');
    return mark < reference.n &&
           str_find(str_slice(reference, 0, mark), ':') == mark &&
           release_type_find(t->f->release, str_slice(reference, 0, mark),
                             false) != TYPE_NONE;
}

/* "urn:uuid:x#p1", "Patient/1/_history/2": what stands before the end. */
static const struct str *look_up(const struct map *map, struct str value,
                                 struct str *rest)
{
    *rest = STR("");
    const struct str *target = map_get(map, value);
    size_t hash = str_find(value, '#');
    if (target == NULL && hash > 0 && hash < value.n) {
        target = map_get(map, str_slice(value, 0, hash));
        *rest = str_from(value, hash);
    }
    return target;
}

static enum err point(struct transaction *t, struct change *c,
                      const struct map *map, struct store_snapshot *snap)
{
    for (size_t i = 0; i < c->resource.reference_count; i++) {
        struct str value = c->resource.references[i].value, rest;
        const struct str *target = look_up(map, value, &rest);
        if (target != NULL) {
            resource_point(&c->resource, i,
                           rest.n == 0
                               ? *target
                               : arena_cat(t->f->http->arena, *target, rest));
        } else if (is_conditional(t, value)) {
            struct str found;
            enum err err = find_conditional(t, snap, value, &found);
            if (err != OK)
                return err;
            resource_point(&c->resource, i, found);
        }
    }
    return OK;
}

static bool needs_record(const struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct change *c = &t->changes[i];
        if (t->entries[i].is_read)
            continue;
        if (change_needs_record(c))
            return true;
        for (size_t k = 0; k < c->resource.reference_count; k++)
            if (is_conditional(t, c->resource.references[k].value))
                return true;
    }
    return false;
}

/* Two creates upon the same condition would both find nothing. */
static enum err check_conditions(struct transaction *t)
{
    struct arena *a = t->f->http->arena;
    struct map seen = MAP_IN(a);
    for (size_t i = 0; i < t->n; i++) {
        const struct change *c = &t->changes[i];
        if (t->entries[i].is_read || c->criteria.p == NULL)
            continue;
        struct str name =
            arena_cat(a, release_type_name(t->f->release, c->type), STR("?"),
                      c->criteria);
        if (map_get(&seen, name) != NULL)
            return fhir_transaction_blame(t, i,
                                          why_of(&t->f->http->why, ERR_INVALID,
                                                 STR("the condition "), name,
                                                 STR(" is there twice")));
        map_put(&seen, name, t);
    }
    return arena_err(a);
}

static enum err settle(struct transaction *t, struct store_snapshot *snap)
{
    struct map map = MAP_IN(t->f->http->arena);
    enum err err = check_conditions(t);
    for (size_t i = 0; err == OK && i < t->n; i++)
        if (!t->entries[i].is_read)
            err = fhir_transaction_blame(
                t, i,
                change_err(t->f, change_resolve(t->f, snap, &t->changes[i])));
    if (err == OK)
        err = map_full_urls(t, &map);
    for (size_t i = 0; err == OK && i < t->n; i++)
        err =
            fhir_transaction_blame(t, i, point(t, &t->changes[i], &map, snap));
    return err;
}

static enum err write_all(struct transaction *t)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < t->n; i++)
        err = fhir_transaction_admit(t, i);
    AUTO_SNAPSHOT *snap = NULL;
    if (err == OK && needs_record(t))
        err = fhir_open(t->f, &snap);
    if (err == OK)
        err = settle(t, snap);
    return err == OK ? change_commit(t->f, snap, t->changes, t->n) : err;
}

/* What an If-None-Exist found has a version and a date, too. */
static enum err describe_existing(struct transaction *t)
{
    AUTO_SNAPSHOT *snap = NULL;
    for (size_t i = 0; i < t->n; i++) {
        struct change *c = &t->changes[i];
        struct store_version v;
        if (!c->is_existing)
            continue;
        enum err err = snap == NULL ? fhir_open(t->f, &snap) : OK;
        if (err == OK)
            err = store_read(snap, c->type, c->target, &v);
        c->ops = arena_zalloc(t->f->http->arena, 1, sizeof *c->ops);
        if (err != OK || c->ops == NULL)
            return err != OK ? err : arena_err(t->f->http->arena);
        c->op_count = 1;
        c->ops[0] = (struct store_op){ .outcome = STORED_SAME,
                                       .version_id = v.version_id,
                                       .last_updated_ms = v.last_updated_ms };
    }
    return OK;
}

enum err fhir_transaction_run(struct transaction *t)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; err == ERR_CONFLICT && tries < CHANGE_TRIES; tries++) {
        t->f->http->why = (struct why){ 0 };
        err = write_all(t);
    }
    if (err == OK)
        err = describe_existing(t);
    for (size_t i = 0; err == OK && i < t->n; i++)
        if (t->entries[i].is_read)
            err = fhir_transaction_dispatch(t, i);
    return err;
}
