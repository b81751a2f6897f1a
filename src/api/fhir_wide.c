/* Several records, one after the other: the system's view (decision 12), all of
 * an app's users in the order of their ids; and a user's own with what others
 * share (contract 7.8).  Slower than a person's search, never wrong. */
#include "api/fhir_shape.h"

#include <stdlib.h>

#include "api/fhir_share.h"
#include "record/record.h"

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
    const struct share *shares;
    size_t share_count;
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
        if (!fhir_is_hidden(f, user_id, hits.at[i].type))
            err = bundle_entry(w->b, f, snap, &hits.at[i],
                               i < hits.match_count ? STR("match")
                                                    : STR("include"),
                               &w->shape);
    w->room -= w->room < hits.match_count ? w->room : hits.match_count;
    return err;
}

/* --- of one patient only -------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct record_entry *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return str_cmp(x->id, y->id);
}

/* Of what matches keeps what $everything of the patient has. */
static enum err keep_shown(const struct record *record,
                           const struct share *share, struct arena *a,
                           struct record_hits *hits)
{
    struct record_everything ask = { .patient_id = share->patient_id,
                                     .after_type = TYPE_NONE };
    struct record_hits shown;
    struct record_entry patient;
    uint16_t type =
        release_type_find((enum release)share->kind, STR("Patient"), false);
    size_t kept = 0;
    bool is_there = record_find(record, type, share->patient_id, &patient) &&
                    !patient.is_deleted;
    enum err err = record_everything(record, &ask, a, &shown);
    if (err != OK)
        return err;
    if (is_there && shown.n > 0)
        qsort(shown.at, shown.n, sizeof *shown.at, by_name);
    for (size_t i = 0; is_there && i < hits->n; i++)
        if (bsearch(&hits->at[i], shown.at, shown.n, sizeof *shown.at,
                    by_name) != NULL)
            hits->at[kept++] = hits->at[i];
    hits->n = kept;
    return OK;
}

/* What is included is left out: it may be of another patient. */
static enum err add_patient(struct wide *w, const struct share *share)
{
    const struct fhir *f = w->f;
    AUTO_SNAPSHOT *snap = NULL;
    AUTO_ARENA arena = ARENA((size_t)256 << 20);
    struct query q = *w->q;
    struct record_hits hits;
    enum err err =
        store_open(f->services->store, share->user_id, f->kind, &snap);
    if (err != OK)
        return err;
    q.skip = 0;
    q.count = UINT32_MAX;
    q.include_count = 0;
    err = record_search(store_record(snap), &q, &arena, &hits, &f->http->why);
    if (err == OK)
        err = keep_shown(store_record(snap), share, &arena, &hits);
    if (err != OK)
        return err;
    w->total += hits.n;
    size_t from = w->passed < hits.n ? (size_t)w->passed : hits.n;
    w->passed -= from;
    for (size_t i = from; err == OK && w->room > 0 && i < hits.n; i++) {
        if (!fhir_is_hidden(f, share->user_id, hits.at[i].type))
            err = bundle_entry(w->b, f, snap, &hits.at[i], STR("match"),
                               &w->shape);
        w->room--;
    }
    return err;
}

static enum err walk_shares(struct wide *w)
{
    enum err err = add_user(w, w->f->access.user_id);
    for (size_t i = 0; err == OK && i < w->share_count; i++)
        err = w->shares[i].patient_id.n == 0 ? add_user(w, w->shares[i].user_id)
                                             : add_patient(w, &w->shares[i]);
    return err;
}

/* --- of all of an app's users --------------------------------------------- */

static enum err walk(struct wide *w)
{
    struct services *s = w->f->services;
    int64_t after = 0;
    if (!w->f->access.is_app_wide)
        return walk_shares(w);
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
                          const struct share *shares, size_t share_count,
                          struct str path, const struct url_params *params,
                          struct http_response *out)
{
    struct arena *a = f->http->arena;
    uint64_t skip = q->skip, count = q->count;
    struct buf entries = BUF_IN(a, HTTP_BODY_MAX);
    q->after_id = STR_NONE;
    struct wide w = { .f = f,
                      .q = q,
                      .b = &entries,
                      .passed = skip,
                      .room = count,
                      .shape = fhir_shape_of(q),
                      .shares = shares,
                      .share_count = share_count };
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
    bundle_end(&out->body, f, path, params, STR("_skip"), cursor);
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
