#include "api/fhir_change.h"

#include "base/json.h"
#include "subscription/subscription.h"

bool change_needs_record(const struct change *c)
{
    return c->criteria.p != NULL || c->verb == CHANGE_PATCH ||
           c->if_none_match.n > 0 || str_find(c->if_match, ',') < c->if_match.n;
}

enum err change_err(const struct fhir *f, enum err err)
{
    return err == ERR_PRECONDITION && f->release != R4 ? ERR_CONFLICT : err;
}

enum err change_find(const struct fhir *f, struct store_snapshot *snap,
                     uint16_t type, struct str criteria, bool *is_counted,
                     struct record_hits *hits)
{
    struct http_request *r = f->http;
    struct url_params params;
    struct query q;
    enum err err = url_parse_params(r->arena, criteria, &params);
    if (err == OK)
        err = query_parse(r->arena, f->release, type, &params, QUERY_STRICT, &q,
                          &r->why);
    if (err == OK && q.clause_count == 0)
        err = why(&r->why, ERR_INVALID, "there are no search criteria");
    if (err != OK)
        return err;
    *is_counted = q.has_count && q.count > 0;
    if (!*is_counted)
        q.count = 2;
    q.include_count = 0;
    return record_search(store_record(snap), &q, r->arena, hits, &r->why);
}

enum err change_parse(const struct fhir *f, struct str text,
                      struct resource *out)
{
    struct http_request *r = f->http;
    enum err err = resource_parse(r->arena, f->release, text, out, &r->why);
    struct str doubled = err == OK ? json_doubled(out->root) : STR_NONE;
    if (doubled.p != NULL)
        return why_of(&r->why, ERR_FORMAT, STR("\""), doubled,
                      STR("\" is there twice in one object"));
    return err;
}

/* --- by criteria ---------------------------------------------------------- */

static enum err several(const struct fhir *f, const struct change *c)
{
    return why_of(&f->http->why, ERR_MULTIPLE, STR("several "),
                  release_type_name(f->release, c->type),
                  STR(" match the criteria "), c->criteria);
}

static enum err add_op(const struct fhir *f, struct change *c,
                       struct store_op op)
{
    struct arena *a = f->http->arena;
    struct store_op *ops = arena_zalloc(a, c->op_count + 1, sizeof *ops);
    if (ops == NULL)
        return arena_err(a);
    for (size_t i = 0; i < c->op_count; i++)
        ops[i] = c->ops[i];
    ops[c->op_count++] = op;
    c->ops = ops;
    return OK;
}

/* DELETE Type?criteria: one, or as many as _count allows. */
static enum err resolve_delete(const struct fhir *f, struct change *c,
                               const struct record_hits *hits, bool is_counted)
{
    if (hits->total > 1 && !is_counted)
        return several(f, c);
    c->ops = arena_zalloc(f->http->arena, hits->n + 1, sizeof *c->ops);
    if (c->ops == NULL)
        return arena_err(f->http->arena);
    for (size_t i = 0; i < hits->match_count; i++)
        c->ops[c->op_count++] =
            (struct store_op){ .verb = STORE_DELETE,
                               .type = c->type,
                               .id =
                                   arena_str(f->http->arena, hits->at[i].id) };
    c->target = c->op_count > 0 ? c->ops[0].id : STR("");
    return arena_err(f->http->arena); /* ids outlive the snapshot */
}

/* What the criteria find becomes the target. */
static enum err resolve_criteria(const struct fhir *f,
                                 struct store_snapshot *snap, struct change *c)
{
    struct record_hits hits;
    bool is_counted;
    enum err err =
        change_find(f, snap, c->type, c->criteria, &is_counted, &hits);
    if (err != OK)
        return err;
    if (c->verb == CHANGE_DELETE)
        return resolve_delete(f, c, &hits, is_counted);
    if (hits.total > 1)
        return several(f, c);
    if (hits.total == 1) {
        c->target = arena_str(f->http->arena, hits.at[0].id);
        c->is_existing = c->verb == CHANGE_CREATE;
    }
    if (hits.total == 0 && c->verb == CHANGE_PATCH)
        return why_of(&f->http->why, ERR_NOT_FOUND, STR("no "),
                      release_type_name(f->release, c->type),
                      STR(" matches the criteria "), c->criteria);
    struct str own = c->resource.id;
    if (c->verb == CHANGE_UPDATE && hits.total == 1 && own.n > 0 &&
        !str_eq(own, c->target))
        return why_of(&f->http->why, ERR_INVALID, STR("the criteria find "),
                      c->target, STR(", the id in the body is "), own);
    return OK;
}

/* --- If-Match, If-None-Match ---------------------------------------------- */

static bool is_current(const struct record_entry *e, int64_t version)
{
    return STORE_VERSION_FIRST + e->version - 1 == version;
}

/* Any of the list; *version is then the current one. */
static enum err check_if_match(const struct fhir *f,
                               struct store_snapshot *snap,
                               const struct change *c, int64_t *version)
{
    struct http_request *r = f->http;
    struct str rest = c->if_match, one;
    struct record_entry e = { 0 };
    bool lives = snap != NULL &&
                 record_find(store_record(snap), c->type, c->target, &e) &&
                 !e.is_deleted;
    bool holds = false;
    while (str_cut(&rest, ',', &one)) {
        int64_t asked = 0;
        bool is_any = str_eq(str_trim(one), STR("*"));
        if (!is_any && !fhir_etag_version(one, &asked))
            return why_of(&r->why, ERR_INVALID, STR("If-Match: "), one,
                          STR(" is no W/\"version\""));
        if (snap == NULL && !is_any)
            *version = asked;
        holds |= lives && (is_any || is_current(&e, asked));
    }
    if (snap == NULL)
        return OK;
    if (!holds)
        return why(&r->why, ERR_PRECONDITION, "If-Match names another version");
    *version = STORE_VERSION_FIRST + e.version - 1;
    return OK;
}

static enum err check_if_none_match(const struct fhir *f,
                                    struct store_snapshot *snap,
                                    const struct change *c)
{
    struct str rest = c->if_none_match, one;
    struct record_entry e;
    if (!record_find(store_record(snap), c->type, c->target, &e) ||
        e.is_deleted)
        return OK;
    while (str_cut(&rest, ',', &one)) {
        int64_t asked;
        if (str_eq(str_trim(one), STR("*")) ||
            (fhir_etag_version(one, &asked) && is_current(&e, asked)))
            return why_of(&f->http->why, ERR_PRECONDITION,
                          STR("If-None-Match: "),
                          release_type_name(f->release, c->type), STR("/"),
                          c->target, STR(" is there"));
    }
    return OK;
}

/* --- what is written ------------------------------------------------------ */

static struct str id_of_new(const struct fhir *f, const struct change *c)
{
    if (c->id.n > 0)
        return c->id;
    if (c->verb == CHANGE_UPDATE && c->resource.id.n > 0)
        return c->resource.id;
    return store_new_id(f->http->arena, release_type_name(f->release, c->type),
                        STR(""));
}

static enum err add_write(const struct fhir *f, struct change *c,
                          int64_t version)
{
    struct store_op op = { .verb = STORE_PUT,
                           .resource = &c->resource,
                           .type = c->type,
                           .id = c->target,
                           .if_version = version,
                           .keep_same = true };
    if (c->verb == CHANGE_DELETE) {
        op.verb = STORE_DELETE;
        op.resource = NULL;
    } else if (c->verb == CHANGE_CREATE && !c->keeps_id) {
        op.verb = STORE_CREATE;
    }
    if (!resource_is_id(c->target))
        return why_of(&f->http->why, ERR_INVALID, c->target,
                      STR(" is no FHIR id"));
    return add_op(f, c, op);
}

enum err change_resolve(const struct fhir *f, struct store_snapshot *snap,
                        struct change *c)
{
    int64_t version = 0;
    enum err err = OK;
    c->ops = NULL;
    c->op_count = 0;
    c->is_existing = false;
    c->target = c->id;
    if (c->criteria.p != NULL)
        err = resolve_criteria(f, snap, c);
    if (err != OK || c->is_existing ||
        (c->verb == CHANGE_DELETE && c->criteria.p != NULL))
        return err;
    if (c->target.n == 0)
        c->target = id_of_new(f, c);
    if (c->if_match.n > 0)
        err = check_if_match(f, snap, c, &version);
    if (err == OK && c->if_none_match.n > 0)
        err = check_if_none_match(f, snap, c);
    if (err == OK && c->verb == CHANGE_PATCH)
        err = change_patch(f, snap, c);
    if (err == OK && c->verb != CHANGE_DELETE &&
        f->services->subscriptions != NULL &&
        str_eq(c->resource.type_name, STR("Subscription")))
        err = subscription_check(f->services->subscriptions, &c->resource,
                                 f->http->arena, &f->http->why);
    return err == OK ? add_write(f, c, version) : err;
}

enum err change_commit(const struct fhir *f, struct store_snapshot *snap,
                       struct change *changes, size_t n)
{
    struct http_request *r = f->http;
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total += changes[i].op_count;
    if (total == 0)
        return OK;
    struct store_op *ops = arena_zalloc(r->arena, total, sizeof *ops);
    if (ops == NULL)
        return arena_err(r->arena);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < changes[i].op_count; k++)
            ops[at++] = changes[i].ops[k];
    enum err err = store_commit(f->services->store, f->access.user_id, f->kind,
                                snap == NULL ? -1 : store_seq(snap), ops, total,
                                r->arena, NULL, NULL, &r->why);
    at = 0;
    for (size_t i = 0; err == OK && i < n; i++)
        for (size_t k = 0; k < changes[i].op_count; k++)
            changes[i].ops[k] = ops[at++];
    return err;
}

static enum err add_provenance(const struct fhir *f, struct change *c)
{
    struct store_op op;
    bool has;
    enum err err = change_provenance(f, c, &op, &has);
    return err == OK && has ? add_op(f, c, op) : err;
}

enum err change_do(const struct fhir *f, struct change *c)
{
    for (int tries = 0; tries < CHANGE_TRIES; tries++) {
        AUTO_SNAPSHOT *snap = NULL;
        enum err err = OK;
        if (change_needs_record(c))
            err = fhir_open(f, &snap);
        if (err == OK)
            err = change_resolve(f, snap, c);
        if (err == OK && c->op_count > 0 && c->verb != CHANGE_DELETE)
            err = add_provenance(f, c);
        if (err == OK)
            err = change_commit(f, snap, c, 1);
        if (err != ERR_CONFLICT)
            return change_err(f, err);
    }
    return why(&f->http->why, ERR_CONFLICT,
               "others keep changing this record; try again");
}
