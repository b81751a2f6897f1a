/* Which resources of one user: the level first, then types, time, filters. */
#include <stdlib.h>

#include "bulk/bulk.h"
#include "fhir/query.h"
#include "record/segment.h"

#define FILTER_ARENA ((size_t)1 << 30)

struct finding {
    const struct bulk_ask *ask;
    const struct record *record;
    uint16_t type;
    bool deleted;
    struct arena *a;
    struct record_entry *at;
    size_t n, room;
};

static bool is_wanted(const struct finding *f, const struct record_entry *e)
{
    if (e->is_deleted != f->deleted || e->version == 0)
        return false;
    if (f->type != TYPE_NONE && e->type != f->type)
        return false;
    return e->last_updated_ms >= f->ask->since_ms &&
           bulk_wants_type(f->ask, e->type);
}

static void take(void *context, const struct record_entry *e)
{
    struct finding *f = context;
    if (!is_wanted(f, e))
        return;
    if (f->n == f->room) {
        size_t room = f->room == 0 ? 256 : f->room * 2;
        void *more =
            arena_grow(f->a, f->at, f->n * sizeof *f->at, room * sizeof *f->at);
        if (more == NULL)
            return; /* sticks in the arena */
        f->at = more;
        f->room = room;
    }
    f->at[f->n++] = *e;
}

static int by_name(const void *a, const void *b)
{
    const struct record_entry *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return str_cmp(x->id, y->id);
}

static void sort(struct finding *f)
{
    if (f->n == 0)
        return;
    qsort(f->at, f->n, sizeof *f->at, by_name);
    size_t kept = 1; /* of several patients, what they share is there once */
    for (size_t i = 1; i < f->n; i++)
        if (by_name(&f->at[kept - 1], &f->at[i]) != 0)
            f->at[kept++] = f->at[i];
    f->n = kept;
}

/* --- patients and groups -------------------------------------------------- */

static enum err take_patient(struct finding *f, struct str id)
{
    struct record_everything ask = { .patient_id = id,
                                     .after_type = TYPE_NONE };
    struct record_hits hits;
    enum err err = record_everything(f->record, &ask, f->a, &hits);
    for (size_t i = 0; err == OK && i < hits.n; i++)
        take(f, &hits.at[i]);
    return err == OK ? arena_err(f->a) : err;
}

static enum err take_patients(struct finding *f)
{
    const struct bulk_ask *ask = f->ask;
    uint16_t type = release_type_find(ask->release, STR("Patient"), false);
    struct bulk_ask all = { .release = ask->release };
    struct finding patients = {
        .ask = &all, .record = f->record, .type = type, .a = f->a
    };
    enum err err = OK;
    if (ask->level == BULK_GROUP) {
        for (size_t i = 0; err == OK && i < ask->patient_count; i++) {
            struct record_entry e;
            if (record_find(f->record, type, ask->patients[i], &e) &&
                !e.is_deleted)
                err = take_patient(f, e.id);
        }
        return err;
    }
    (void)record_each(f->record, type, take, &patients);
    for (size_t i = 0; err == OK && i < patients.n; i++)
        err = take_patient(f, patients.at[i].id);
    return err == OK ? arena_err(f->a) : err;
}

/* --- filters -------------------------------------------------------------- */

static enum err parse_filter(struct arena *a, enum release release,
                             const struct bulk_filter *filter,
                             struct query *out, struct why *w)
{
    struct url_params params;
    enum err err = url_parse_params(a, filter->query, &params);
    if (err == OK)
        err = query_parse(a, release, filter->type, &params, QUERY_STRICT, out,
                          w);
    if (err != OK)
        return err;
    out->count = UINT32_MAX;
    out->skip = 0;
    out->after_id = STR_NONE;
    out->include_count = 0;
    out->sort_count = 0;
    return OK;
}

enum err bulk_check_filters(const struct bulk_ask *ask, struct arena *a,
                            struct why *w)
{
    for (size_t i = 0; i < ask->filter_count; i++) {
        struct query q;
        if (!bulk_wants_type(ask, ask->filters[i].type))
            return why_of(
                w, ERR_INVALID, STR("_typeFilter: _type has no "),
                release_type_name(ask->release, ask->filters[i].type));
        enum err err = parse_filter(a, ask->release, &ask->filters[i], &q, w);
        if (err != OK)
            return err;
    }
    return OK;
}

struct matched {
    uint16_t type;
    struct record_hits hits; /* by id */
};

static bool has_filter(const struct bulk_ask *ask, uint16_t type)
{
    for (size_t i = 0; i < ask->filter_count; i++)
        if (ask->filters[i].type == type)
            return true;
    return false;
}

static bool is_matched(const struct matched *m, size_t n,
                       const struct record_entry *e)
{
    for (size_t i = 0; i < n; i++)
        if (m[i].type == e->type && m[i].hits.n > 0 &&
            bsearch(e, m[i].hits.at, m[i].hits.n, sizeof *e, by_name) != NULL)
            return true;
    return false;
}

static enum err filter(struct finding *f)
{
    const struct bulk_ask *ask = f->ask;
    if (ask->filter_count == 0 || f->deleted)
        return OK;
    AUTO_ARENA a = ARENA(FILTER_ARENA);
    struct matched *m = arena_zalloc(&a, ask->filter_count, sizeof *m);
    if (m == NULL)
        return arena_err(&a);
    for (size_t i = 0; i < ask->filter_count; i++) {
        struct query q;
        m[i].type = ask->filters[i].type;
        if (f->type != TYPE_NONE && f->type != m[i].type)
            continue;
        enum err err =
            parse_filter(&a, ask->release, &ask->filters[i], &q, NULL);
        if (err == OK)
            err = record_search(f->record, &q, &a, &m[i].hits, NULL);
        if (err != OK)
            return err;
        if (m[i].hits.n > 0)
            qsort(m[i].hits.at, m[i].hits.n, sizeof *m[i].hits.at, by_name);
    }
    size_t kept = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!has_filter(ask, f->at[i].type) ||
            is_matched(m, ask->filter_count, &f->at[i]))
            f->at[kept++] = f->at[i];
    f->n = kept;
    return OK;
}

/* --- all together --------------------------------------------------------- */

static enum err find(struct finding *f)
{
    enum err err = OK;
    if (f->ask->level == BULK_SYSTEM || f->deleted)
        (void)record_each(f->record, f->type, take, f);
    else
        err = take_patients(f);
    if (err == OK)
        err = arena_err(f->a);
    if (err != OK)
        return err;
    sort(f);
    return filter(f);
}

enum err bulk_find(struct store *s, int64_t user_id, const struct bulk_ask *ask,
                   uint16_t type, bool deleted, struct arena *a,
                   struct bulk_found *out)
{
    struct store_snapshot *snap;
    struct store_point point = { .until_ms = ask->until_ms };
    enum err err =
        store_open(s, user_id, (enum record_kind)ask->release, &snap);
    if (err != OK)
        return err;
    err = store_rewind(snap, &point);
    struct finding f = { .ask = ask,
                         .record = store_record(snap),
                         .type = type,
                         .deleted = deleted,
                         .a = a };
    /* a group's deletions would name those who are no members */
    bool has_any = !deleted || (ask->since_ms > 0 && ask->level != BULK_GROUP);
    if (err == OK && has_any)
        err = find(&f);
    if (err != OK) {
        store_close(snap);
        return err;
    }
    *out = (struct bulk_found){ .snap = snap, .at = f.at, .n = f.n };
    return OK;
}
