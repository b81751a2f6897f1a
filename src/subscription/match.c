/* From a commit to notices: what it wrote that matches, as the record was right
 * after; what it deleted, as the record was right before. */
#include <stdlib.h>

#include "subscription/subscription_int.h"

struct changed {
    const struct store_note *note;
    struct record_entry *at; /* by type and id */
    size_t n, room;
    struct arena *a;
};

static void take(void *context, const struct record_entry *e)
{
    struct changed *c = context;
    if (e->slot < c->note->from_slot || e->slot >= c->note->to_slot ||
        e->version == 0)
        return;
    if (c->n == c->room) {
        size_t room = c->room == 0 ? 64 : c->room * 2;
        void *more =
            arena_grow(c->a, c->at, c->n * sizeof *c->at, room * sizeof *c->at);
        if (more == NULL)
            return; /* sticks in the arena */
        c->at = more;
        c->room = room;
    }
    c->at[c->n++] = *e;
}

static int by_name(const void *a, const void *b)
{
    const struct record_entry *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return str_cmp(x->id, y->id);
}

/* One Subscription's notices of one commit. */
struct told {
    struct hook hook;
    struct notice *notices;
    size_t n, room;
    bool asks; /* requested: its endpoint is to be asked first */
};

struct matching {
    struct subscriptions *s;
    const struct job *job;
    struct hook_name name;
    struct store_note note;
    struct arena *a;
    uint16_t type; /* Subscription */
    enum release release;
    struct changed changed;
    struct told *told;
    size_t told_count, told_room;
    bool may_end; /* nothing is left */
};

/* --- the Subscriptions ---------------------------------------------------- */

struct listing {
    struct matching *m;
    struct store_snapshot *snap;
    enum err err;
};

static void take_hook(void *context, const struct record_entry *e)
{
    struct listing *l = context;
    struct matching *m = l->m;
    struct buf body = BUF_IN(m->a, HOOK_BODY_MAX);
    struct str text;
    if (l->err != OK || e->is_deleted || m->told_count == m->told_room)
        return;
    struct told *t = &m->told[m->told_count];
    l->err = store_body(l->snap, e->slot, &body);
    if (l->err == OK)
        l->err = buf_view(&body, &text);
    if (l->err != OK)
        return;
    if (hook_parse(m->release, text, m->a, &t->hook, NULL) != OK)
        return; /* from another door: it is not served */
    t->hook.id = arena_str(m->a, e->id);
    t->asks = t->hook.status == HOOK_REQUESTED &&
              e->slot >= m->note.from_slot && e->slot < m->note.to_slot;
    if (t->hook.status == HOOK_ACTIVE || t->asks)
        m->told_count++;
}

static enum err list_hooks(struct matching *m, struct store_snapshot *snap)
{
    struct listing l = { m, snap, OK };
    m->told_room = (size_t)record_count(store_record(snap), m->type);
    m->told = arena_zalloc(m->a, m->told_room + 1, sizeof *m->told);
    if (m->told == NULL)
        return arena_err(m->a);
    (void)record_each(store_record(snap), m->type, take_hook, &l);
    return l.err == OK ? arena_err(m->a) : l.err;
}

/* --- what matches --------------------------------------------------------- */

static void add_notice(struct matching *m, struct told *t,
                       const struct record_entry *e)
{
    if (t->n == t->room) {
        size_t room = t->room == 0 ? 64 : t->room * 2;
        void *more = arena_grow(m->a, t->notices, t->n * sizeof *t->notices,
                                room * sizeof *t->notices);
        if (more == NULL)
            return;
        t->notices = more;
        t->room = room;
    }
    t->notices[t->n++] = (struct notice){
        .place = e->slot,
        .event = e->is_deleted     ? STR("delete")
                 : e->version == 1 ? STR("create")
                                   : STR("update"),
        .name = arena_cat(m->a, release_type_name(m->release, e->type),
                          STR("/"), e->id),
    };
}

/* Of the changed, those (deleted or not) that the criteria find in the
 * record. */
static enum err match(struct matching *m, struct told *t,
                      const struct record *record, bool is_deleted)
{
    AUTO_ARENA a = ARENA(HOOK_ARENA);
    struct record_hits hits;
    enum err err = record_search(record, &t->hook.query, &a, &hits, NULL);
    for (size_t i = 0; err == OK && i < hits.n; i++) {
        const struct record_entry *e =
            bsearch(&hits.at[i], m->changed.at, m->changed.n,
                    sizeof *m->changed.at, by_name);
        if (e != NULL && e->is_deleted == is_deleted && e->type != m->type)
            add_notice(m, t, e);
    }
    return err == OK ? arena_err(m->a) : err;
}

static enum err match_all(struct matching *m, const struct record *record,
                          bool is_deleted)
{
    bool has_any = false;
    for (size_t i = 0; i < m->changed.n; i++)
        has_any |= m->changed.at[i].is_deleted == is_deleted;
    enum err err = OK;
    for (size_t i = 0; err == OK && has_any && i < m->told_count; i++)
        if (m->told[i].hook.status == HOOK_ACTIVE)
            err = match(m, &m->told[i], record, is_deleted);
    return err;
}

static enum err open_at(struct matching *m, uint32_t slot,
                        struct store_snapshot **out)
{
    struct store_point point = { .before_slot = slot, .has_slot = true };
    enum err err =
        store_open(m->s->o.store, m->name.user_id, m->name.kind, out);
    return err == OK ? store_rewind(*out, &point) : err;
}

static void close_snapshot(struct store_snapshot **snap)
{
    store_close(*snap);
}

static enum err look(struct matching *m)
{
    __attribute__((cleanup(close_snapshot))) struct store_snapshot *after =
                                                                       NULL,
                                                                   *before =
                                                                       NULL;
    m->changed = (struct changed){ .note = &m->note, .a = m->a };
    m->told_count = 0;
    enum err err = open_at(m, m->note.to_slot, &after);
    if (err == OK)
        err = list_hooks(m, after);
    if (err != OK || m->told_count == 0)
        return err;
    (void)record_each(store_record(after), TYPE_NONE, take, &m->changed);
    if (m->changed.n > 0)
        qsort(m->changed.at, m->changed.n, sizeof *m->changed.at, by_name);
    err = arena_err(m->a);
    if (err == OK)
        err = match_all(m, store_record(after), false);
    if (err == OK)
        err = open_at(m, m->note.from_slot, &before);
    return err == OK ? match_all(m, store_record(before), true) : err;
}

/* --- keeping it ----------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct notice *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Without a payload one call a commit says all there is to say. */
static enum err keep_told(struct db_session *s, const struct matching *m,
                          struct told *t)
{
    struct hook_name name = { m->name.user_id, m->name.kind, t->hook.id };
    bool added;
    enum err err = OK;
    if (t->n == 0 && !t->asks)
        return OK;
    if (t->n > 0)
        qsort(t->notices, t->n, sizeof *t->notices, by_place);
    size_t from = t->hook.payload.n == 0 && t->n > 0 ? t->n - 1 : 0;
    for (size_t i = from; err == OK && i < t->n; i++)
        err = rows_add_notice(s, &name, &t->notices[i]);
    return err == OK ? hook_add_job(s, STR("deliver"), &name, &added) : err;
}

static enum err keep(struct db_session *s, void *context)
{
    struct matching *m = context;
    enum err err = jobs_keep_in(s, m->job, STR(""));
    for (size_t i = 0; err == OK && i < m->told_count; i++)
        err = keep_told(s, m, &m->told[i]);
    return err == OK ? rows_end_change(s, &m->note) : err;
}

/* Ends the job, unless a commit came meanwhile. */
static enum err end(struct db_session *s, void *context)
{
    struct matching *m = context;
    bool has_more = false;
    enum err err = rows_has_change(s, &m->name, &has_more);
    m->may_end = err == OK && !has_more;
    return m->may_end ? jobs_release_in(s, m->job) : err;
}

enum err match_work(void *context, struct jobs *jobs, const struct job *job,
                    struct arena *a, struct why *w)
{
    struct matching m = { .s = context, .job = job };
    struct db *db = m.s->o.db;
    (void)w;
    enum err err = hook_job_name(job, a, &m.name);
    if (err != OK)
        return err;
    m.release = record_kind_release(m.name.kind);
    m.type = release_type_find(m.release, STR("Subscription"), false);
    while (!m.may_end) {
        AUTO_ARENA room = ARENA(HOOK_ARENA);
        m.a = &room;
        if (jobs_is_stopping(jobs))
            return ERR_STOPPING;
        err = rows_next_change(db, &m.name, &m.note);
        if (err == ERR_NOT_FOUND) {
            err = db_write(db, end, &m);
        } else if (err == OK) {
            err = look(&m);
            if (err == OK)
                err = db_write(db, keep, &m);
            jobs_wake(jobs);
        }
        if (err != OK)
            return err;
    }
    return OK;
}
