/* The system's view (decision 12): all of an app's users, one after the other,
 * in the order of their ids.  Slower than a person's search, never wrong. */
#include "api/fhir_shape.h"

#include "auth/user.h"

#define USERS_AT_ONCE 200

struct wide {
    const struct fhir *f;
    struct query *q;
    struct buf *b;
    uint64_t total;
    uint64_t passed; /* matches before the page, not yet used up */
    uint64_t room;   /* entries that still fit on the page */
    struct fhir_shape shape;
};

/* One user's part of the page. */
static enum err add_user(struct wide *w, int64_t user_id)
{
    const struct fhir *f = w->f;
    AUTO_SNAPSHOT *snap = NULL;
    AUTO_ARENA arena = ARENA((size_t)256 << 20);
    enum err err = store_open(f->services->store, user_id, f->kind, &snap);
    if (err != OK)
        return err;
    w->q->skip = (unsigned)(w->passed > UINT32_MAX ? UINT32_MAX : w->passed);
    w->q->count = (unsigned)w->room;
    struct record_hits hits;
    err = record_search(store_record(snap), w->q, &arena, &hits, &f->http->why);
    if (err != OK)
        return err;
    w->total += hits.total;
    w->passed -= w->passed < hits.total ? w->passed : hits.total;
    for (size_t i = 0; err == OK && w->room > 0 && i < hits.n; i++)
        err = bundle_entry(w->b, f, snap, &hits.at[i],
                           i < hits.match_count ? STR("match") : STR("include"),
                           &w->shape);
    w->room -= w->room < hits.match_count ? w->room : hits.match_count;
    return err;
}

static enum err walk(struct wide *w)
{
    struct services *s = w->f->services;
    int64_t after = 0;
    for (;;) {
        AUTO_ARENA arena = ARENA((size_t)16 << 20);
        struct user *users;
        size_t n;
        enum err err = user_list(s->db, w->f->access.principal.app_id, after,
                                 USERS_AT_ONCE, &arena, &users, &n);
        for (size_t i = 0; err == OK && i < n; i++)
            err = add_user(w, users[i].id);
        if (err != OK || n < USERS_AT_ONCE)
            return err;
        after = users[n - 1].id;
    }
}

enum err fhir_search_wide(const struct fhir *f, struct query *q,
                          const struct url_params *params,
                          struct http_response *out)
{
    struct arena *a = f->http->arena;
    uint64_t skip = q->skip, count = q->count;
    struct buf entries = BUF_IN(a, HTTP_BODY_MAX);
    q->after_id = STR_NONE;
    struct wide w = { f, q, &entries, 0, skip, count, fhir_shape_of(q) };
    enum err err = walk(&w);
    struct str text;
    if (err == OK)
        err = buf_view(&entries, &text);
    if (err != OK)
        return err;
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("searchset"), (int64_t)w.total);
    buf_add(&out->body, text);
    struct str cursor = STR_NONE;
    struct buf next = BUF_IN(a, 32);
    buf_add_u64(&next, skip + count);
    if (count > 0 && skip + count < w.total && buf_view(&next, &cursor) != OK)
        return arena_err(a);
    bundle_end(&out->body, f, arena_cat(a, STR("/"), f->type_name), params,
               STR("_skip"), cursor);
    fhir_audit(f, 'S', 200);
    return OK;
}

enum err fhir_find_owner(struct fhir *f, struct str id)
{
    int64_t after = 0;
    for (;;) {
        AUTO_ARENA arena = ARENA((size_t)16 << 20);
        struct user *users;
        size_t n;
        enum err err = user_list(f->services->db, f->access.principal.app_id,
                                 after, USERS_AT_ONCE, &arena, &users, &n);
        for (size_t i = 0; err == OK && i < n; i++) {
            AUTO_SNAPSHOT *snap = NULL;
            struct record_entry entry;
            err = store_open(f->services->store, users[i].id, f->kind, &snap);
            if (err == OK &&
                record_find(store_record(snap), f->type, id, &entry)) {
                f->access.user_id = users[i].id;
                f->access.is_app_wide = false;
                return OK;
            }
        }
        if (err != OK)
            return err;
        if (n < USERS_AT_ONCE)
            return why_of(&f->http->why, ERR_NOT_FOUND, STR("no "),
                          f->type_name, STR("/"), id);
        after = users[n - 1].id;
    }
}
