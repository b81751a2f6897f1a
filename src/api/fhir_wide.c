/* Several records, one after the other: the system's view (decision 12), all of
 * an app's users in the order of their ids; and a user's own with what others
 * share (contract 7.8).  Slower than a person's search, never wrong. */
#include "api/cursor.h"
#include "api/fhir_shape.h"

#include <stdlib.h>

#include "api/fhir_share.h"
#include "record/segment.h"

#include "auth/user.h"

#define USERS_AT_ONCE 200

struct wide {
    const struct fhir *f;
    const struct query *q;
    struct buf *b;
    uint64_t total;
    uint64_t passed; /* matches before the page, not yet used up */
    uint64_t room;   /* entries that still fit on the page */
    struct fhir_shape shape;
    const struct share *shares;
    size_t share_count;
    const struct place *from; /* id p NULL: the first page */
    bool is_there;            /* the walk has come to from */
    struct place last;        /* on the page; id p NULL: nothing is */
    bool has_next;
};

/* Which of the records; patient "": all of it. */
struct part {
    int64_t user_id;
    struct str patient;
};

/* The caller's own is first, then all by number. */
static int compare_parts(const struct fhir *f, const struct part *a,
                         const struct part *b)
{
    bool a_own = !f->access.is_app_wide && a->user_id == f->access.user_id;
    bool b_own = !f->access.is_app_wide && b->user_id == f->access.user_id;
    if (a_own != b_own)
        return a_own ? -1 : 1;
    if (a->user_id != b->user_id)
        return a->user_id < b->user_id ? -1 : 1;
    return str_cmp(a->patient, b->patient);
}

/* A record at the moment that the page is of. */
struct view {
    struct store_snapshot *snap;
    struct record *now; /* NULL: the record as it is */
    struct store_mark mark;
    struct query q;
};

static void view_fini(struct view *v)
{
    fhir_close(&v->snap);
    record_unref(v->now);
}
#define AUTO_VIEW __attribute__((cleanup(view_fini))) struct view

/* The page begins in this record when `from` is of it; else the record begins
 * with the page. */
static enum err view_open(struct wide *w, const struct part *part,
                          struct view *out)
{
    const struct fhir *f = w->f;
    const struct part from = { w->from->owner, w->from->patient };
    bool goes_on = !w->is_there && compare_parts(f, part, &from) == 0;
    enum err err =
        store_open(f->services->store, part->user_id, f->kind, &out->snap);
    if (err != OK)
        return err;
    out->q = *w->q;
    out->q.after_id = goes_on ? place_after(f, w->from) : STR_NONE;
    out->mark = store_mark(out->snap);
    w->is_there = true;
    if (!goes_on || !w->from->has_mark)
        return OK;
    out->mark = w->from->mark;
    return place_rewind(f, w->from, out->snap, &out->now);
}

/* Whether the page begins behind this record, or is full and known to have a
 * next one.  The first page counts all. */
static bool is_passed(const struct wide *w, const struct part *part)
{
    const struct part from = { w->from->owner, w->from->patient };
    if (w->from->id.p == NULL)
        return false;
    return w->has_next ||
           (!w->is_there && compare_parts(w->f, part, &from) < 0);
}

static void note_last(struct wide *w, const struct part *part,
                      const struct view *v, const struct record_entry *e)
{
    w->last = (struct place){ .owner = part->user_id,
                              .patient = part->patient,
                              .type = e->type,
                              .id = arena_str(w->f->http->arena, e->id),
                              .has_mark = w->q->sort_count > 0,
                              .mark = v->mark };
}

/* One user's part of the page. */
static enum err add_user(struct wide *w, int64_t user_id)
{
    const struct fhir *f = w->f;
    const struct part part = { user_id, STR("") };
    AUTO_VIEW v = { .snap = NULL };
    AUTO_ARENA arena = ARENA((size_t)256 << 20);
    if (is_passed(w, &part))
        return OK;
    enum err err = view_open(w, &part, &v);
    if (err != OK)
        return err;
    v.q.skip = (unsigned)(w->passed > UINT32_MAX ? UINT32_MAX : w->passed);
    v.q.count = (unsigned)w->room;
    struct record_hits hits;
    err = record_search_past(store_record(v.snap), v.now, &v.q, &arena, &hits,
                             &f->http->why);
    if (err != OK)
        return err;
    w->total += hits.total;
    w->passed -= w->passed < hits.total ? w->passed : hits.total;
    for (size_t i = 0; err == OK && w->room > 0 && i < hits.n; i++)
        if (!fhir_is_hidden(f, user_id, hits.at[i].type))
            err = bundle_entry(w->b, f, v.snap, &hits.at[i],
                               i < hits.match_count ? STR("match")
                                                    : STR("include"),
                               &w->shape);
    if (hits.match_count > 0)
        note_last(w, &part, &v, &hits.at[hits.match_count - 1]);
    w->room -= w->room < hits.match_count ? w->room : hits.match_count;
    w->has_next |= hits.has_next;
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
    const struct part part = { share->user_id, share->patient_id };
    AUTO_VIEW v = { .snap = NULL };
    AUTO_ARENA arena = ARENA((size_t)256 << 20);
    struct record_hits hits;
    if (is_passed(w, &part))
        return OK;
    enum err err = view_open(w, &part, &v);
    if (err != OK)
        return err;
    v.q.skip = 0;
    v.q.count = UINT32_MAX;
    v.q.include_count = 0;
    err = record_search_past(store_record(v.snap), v.now, &v.q, &arena, &hits,
                             &f->http->why);
    if (err == OK)
        err = keep_shown(store_record(v.snap), share, &arena, &hits);
    if (err != OK)
        return err;
    w->total += hits.n;
    size_t i = w->passed < hits.n ? (size_t)w->passed : hits.n;
    w->passed -= i;
    for (; err == OK && w->room > 0 && i < hits.n; i++) {
        if (!fhir_is_hidden(f, share->user_id, hits.at[i].type))
            err = bundle_entry(w->b, f, v.snap, &hits.at[i], STR("match"),
                               &w->shape);
        note_last(w, &part, &v, &hits.at[i]);
        w->room--;
    }
    w->has_next |= i < hits.n;
    return err;
}

static int by_owner(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    if (x->user_id != y->user_id)
        return x->user_id < y->user_id ? -1 : 1;
    return str_cmp(x->patient_id, y->patient_id);
}

static enum err walk_shares(struct wide *w)
{
    struct arena *a = w->f->http->arena;
    struct share *shares =
        arena_alloc(a, (w->share_count + 1) * sizeof *shares);
    if (shares == NULL)
        return arena_err(a);
    for (size_t i = 0; i < w->share_count; i++)
        shares[i] = w->shares[i];
    qsort(shares, w->share_count, sizeof *shares, by_owner);
    enum err err = add_user(w, w->f->access.user_id);
    for (size_t i = 0; err == OK && i < w->share_count; i++)
        err = shares[i].patient_id.n == 0 ? add_user(w, shares[i].user_id)
                                          : add_patient(w, &shares[i]);
    return err;
}

/* --- of all of an app's users --------------------------------------------- */

static enum err walk(struct wide *w)
{
    struct services *s = w->f->services;
    int64_t after = w->from->id.p != NULL ? w->from->owner - 1 : 0;
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
        if (err != OK || n < USERS_AT_ONCE ||
            (w->from->id.p != NULL && w->has_next))
            return err;
        after = users[n - 1].id;
    }
}

enum err fhir_search_wide(const struct fhir *f, struct query *q,
                          const struct share *shares, size_t share_count,
                          struct str path, const struct url_params *params,
                          const struct place *from, struct http_response *out)
{
    struct arena *a = f->http->arena;
    struct buf entries = BUF_IN(a, HTTP_BODY_MAX);
    struct wide w = { .f = f,
                      .q = q,
                      .b = &entries,
                      .passed = q->skip,
                      .room = q->count,
                      .shape = fhir_shape_of(q),
                      .shares = shares,
                      .share_count = share_count,
                      .from = from,
                      .is_there = from->id.p == NULL };
    enum err err = walk(&w);
    struct str text, name = STR_NONE, cursor = STR_NONE;
    if (err == OK)
        err = buf_view(&entries, &text);
    w.last.total = from->id.p != NULL ? from->total : w.total;
    if (err == OK && w.has_next && w.last.id.p != NULL)
        err = place_write(f, path, params, &w.last, &name, &cursor);
    if (err != OK)
        return err;
    http_set_type(out, FHIR_TYPE);
    bundle_begin(&out->body, STR("searchset"), (int64_t)w.last.total);
    buf_add(&out->body, text);
    bundle_end(&out->body, f, path, params, name, cursor);
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
