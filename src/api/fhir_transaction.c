#include "api/fhir_bundle_int.h"

#include "base/json.h"
#include "fhir/outcome.h"

/* "Patient/<id>" that each fullUrl became. */
static enum err map_full_urls(struct transaction *t, struct map *map)
{
    struct arena *a = t->f->http->arena;
    for (size_t i = 0; i < t->n; i++) {
        const struct entry *e = &t->entries[i];
        if (e->full_url.n == 0 || e->verb == ENTRY_DELETE ||
            e->verb == ENTRY_READ)
            continue;
        struct str *target = arena_alloc(a, sizeof *target);
        if (target == NULL)
            return arena_err(a);
        *target = arena_cat(a, release_type_name(t->f->release, e->type),
                            STR("/"), e->id);
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
    struct url_params params;
    struct query q;
    struct record_hits hits;
    uint16_t type =
        release_type_find(t->f->release, str_slice(reference, 0, mark), false);
    enum err err =
        url_parse_params(r->arena, str_from(reference, mark + 1), &params);
    if (err == OK)
        err = query_parse(r->arena, t->f->release, type, &params, QUERY_STRICT,
                          &q, &r->why);
    if (err != OK)
        return err;
    q.count = 2;
    err = record_search(store_record(snap), &q, r->arena, &hits, &r->why);
    if (err != OK)
        return err;
    if (hits.total > 1)
        return why_of(&r->why, ERR_PRECONDITION, reference,
                      STR(" matches several resources"));
    *out = hits.total == 0
               ? STR_NONE
               : arena_cat(r->arena, release_type_name(t->f->release, type),
                           STR("/"), hits.at[0].id);
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

static enum err point(struct transaction *t, struct entry *e,
                      const struct map *map, struct store_snapshot *snap)
{
    for (size_t i = 0; i < e->resource.reference_count; i++) {
        struct str value = e->resource.references[i].value;
        const struct str *target = map_get(map, value);
        if (target != NULL) {
            resource_point(&e->resource, i, *target);
        } else if (is_conditional(t, value)) {
            struct str found;
            enum err err = find_conditional(t, snap, value, &found);
            if (err != OK)
                return err;
            if (found.p == NULL)
                return why_of(&t->f->http->why, ERR_PRECONDITION, value,
                              STR(" matches nothing"));
            resource_point(&e->resource, i, found);
        }
    }
    return OK;
}

/* If-None-Exist: when one is there, the entry stands for that one. */
static enum err look_up(struct transaction *t, struct entry *e,
                        struct store_snapshot *snap)
{
    if (e->verb != ENTRY_CREATE || e->if_none_exist.n == 0)
        return OK;
    struct str found;
    struct str asked = arena_cat(
        t->f->http->arena, e->resource.type_name, STR("?"),
        str_from(e->if_none_exist, str_starts(e->if_none_exist, STR("?"))));
    enum err err = find_conditional(t, snap, asked, &found);
    if (err != OK || found.p == NULL)
        return err;
    e->is_existing = true;
    e->id = str_from(found, e->resource.type_name.n + 1);
    return OK;
}

static struct store_op op_of(const struct entry *e)
{
    struct store_op op = { .resource = &e->resource,
                           .id = e->id,
                           .type = e->type,
                           .if_version = e->if_version };
    if (e->verb == ENTRY_DELETE) {
        op.verb = STORE_DELETE;
        op.resource = NULL;
    } else {
        op.verb =
            e->verb == ENTRY_CREATE && !e->keeps_id ? STORE_CREATE : STORE_PUT;
    }
    return op;
}

static bool writes(const struct entry *e)
{
    return e->verb != ENTRY_READ && !e->is_existing;
}

static enum err commit(struct transaction *t, int64_t seq)
{
    struct fhir *f = t->f;
    struct arena *a = f->http->arena;
    struct store_op *ops = arena_zalloc(a, t->n + 1, sizeof *ops);
    size_t n = 0;
    if (ops == NULL)
        return arena_err(a);
    for (size_t i = 0; i < t->n; i++)
        if (writes(&t->entries[i]))
            ops[n++] = op_of(&t->entries[i]);
    if (n == 0)
        return OK;
    enum err err = store_commit(f->services->store, f->access.user_id, f->kind,
                                seq, ops, n, a, NULL, NULL, &f->http->why);
    if (err != OK)
        return err;
    for (size_t i = 0, k = 0; i < t->n; i++)
        if (writes(&t->entries[i]))
            t->entries[i].op = ops[k++];
    return OK;
}

/* The reads of a Bundle come last and see its writes. */
static enum err read_back(struct transaction *t)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct arena *a = t->f->http->arena;
    for (size_t i = 0; i < t->n; i++) {
        struct entry *e = &t->entries[i];
        struct store_version v;
        if (writes(e) || e->failed != OK)
            continue;
        enum err err = OK;
        if (snap == NULL)
            err = fhir_open(t->f, &snap);
        if (err == OK)
            err = store_read(snap, e->type, e->id, &v);
        if (err != OK)
            return err == ERR_NOT_FOUND
                       ? why_of(&t->f->http->why, err, STR("no "), e->url)
                       : err;
        e->op.version_id = v.version_id;
        e->op.last_updated_ms = v.last_updated_ms;
        struct buf body = BUF_IN(a, RESOURCE_BYTES_MAX);
        if (e->verb == ENTRY_READ)
            err = store_body(snap, v.slot, &body);
        if (err == OK && body.len > 0)
            err = buf_view(&body, &e->body);
        if (err != OK)
            return err;
    }
    return OK;
}

static bool needs_record(const struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct entry *e = &t->entries[i];
        if (e->if_none_exist.n > 0)
            return true;
        for (size_t k = 0; k < e->resource.reference_count; k++)
            if (is_conditional(t, e->resource.references[k].value))
                return true;
    }
    return false;
}

enum err fhir_transaction_run(struct transaction *t)
{
    struct arena *a = t->f->http->arena;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < t->n; i++) {
        struct str raw = t->entries[i].raw;
        t->entries[i] = (struct entry){ .raw = raw };
        err = fhir_transaction_plan_entry(t, i);
        if (err == OK)
            err = policy_allows(
                &t->f->access.principal,
                t->entries[i].verb == ENTRY_READ ? INTERACTION_READ
                                                 : INTERACTION_UPDATE,
                release_type_name(t->f->release, t->entries[i].type),
                &t->f->http->why);
    }
    AUTO_SNAPSHOT *snap = NULL;
    int64_t seq = -1;
    if (err == OK && needs_record(t)) {
        err = fhir_open(t->f, &snap);
        if (err == OK)
            seq = store_seq(snap);
    }
    for (size_t i = 0; err == OK && i < t->n; i++)
        err = look_up(t, &t->entries[i], snap);
    struct map map = MAP_IN(a);
    if (err == OK)
        err = map_full_urls(t, &map);
    for (size_t i = 0; err == OK && i < t->n; i++)
        err = point(t, &t->entries[i], &map, snap);
    if (err == OK)
        err = commit(t, seq);
    return err == OK ? read_back(t) : err;
}

static void fail_entry(struct transaction *t, struct entry *e, enum err err)
{
    struct buf b = BUF_IN(t->f->http->arena, 4096);
    struct outcome_issue issue = {
        .severity = STR("error"),
        .code = outcome_code(err),
        .diagnostics =
            arena_str(t->f->http->arena, str_of(t->f->http->why.text)),
    };
    e->failed = err;
    outcome_render(&b, t->f->release, &issue, 1);
    if (buf_view(&b, &e->outcome) != OK)
        e->outcome = STR("{}");
}

/* A batch is as many transactions of one entry. */
enum err fhir_batch_run(struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct transaction one = { .f = t->f,
                                   .entries = &t->entries[i],
                                   .n = 1 };
        enum err err = ERR_CONFLICT;
        for (int tries = 0; err == ERR_CONFLICT && tries < 20; tries++)
            err = fhir_transaction_run(&one);
        if (err == ERR_NOMEM || err == ERR_STOPPING || err == ERR_IO)
            return err;
        if (err != OK)
            fail_entry(t, &t->entries[i], err);
    }
    return OK;
}
