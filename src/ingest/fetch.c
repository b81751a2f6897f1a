/* Design notes: one thread, many requests.
 *
 *   query    one search or read on its way through its pages; a type's attempt
 *            is one query or several, and the next attempt starts when all of
 *            them were refused, or one broke off;
 *   loop     start what is due, take what ended, keep what it brought; while
 *            nothing has ended, what is kept is committed, so that commits grow
 *            with the load and cost no waiting;
 *   trouble  401: one new token; 429, 503: as the system says; other 5xx, cuts
 *            and broken JSON: again, later; 4xx: the attempt is refused.
 */
#include "ingest/fetch_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/url.h"

#define ROUNDS_MAX 6
#define NAP_MS     100
#define AGAIN_MS   75

static enum err take(struct fetch *f)
{
    struct http_call *call = http_batch_next(f->batch);
    struct query *q = call->context;
    f->active--;
    if (call->err == ERR_STOPPING || call->err == ERR_NOMEM)
        return call->err;
    if (call->err == ERR_DENIED || call->err == ERR_INVALID ||
        call->err == ERR_TOO_LARGE) {
        q->type->report.detail =
            arena_str(&f->run->arena, str_of(call->why.text));
        answer_end(f, q, false);
        return OK;
    }
    if (call->err != OK) {
        if (!trouble_again(f, q, trouble_wait(q), false)) {
            q->type->report.detail =
                arena_str(&f->run->arena, str_of(call->why.text));
            answer_end(f, q, false);
        }
        return OK;
    }
    return call->status >= 200 && call->status < 300 ? answer_take(f, q)
                                                     : trouble_met(f, q);
}

/* --- the loop --------------------------------------------------------------
 */

/* The first query that may start now, taken off the list. */
static struct query *take_due(struct fetch *f, int64_t now)
{
    for (struct query **at = &f->waiting; *at != NULL; at = &(*at)->next) {
        struct query *q = *at;
        if (q->due_ms > now)
            continue;
        *at = q->next;
        if (*at == NULL)
            f->last_waiting = at;
        return q;
    }
    return NULL;
}

static enum err start_due(struct fetch *f)
{
    int64_t now = clock_now_ms();
    while (f->active < f->max) {
        struct query *q = take_due(f, now);
        if (q == NULL)
            return OK;
        enum err err = ask_start(f, q);
        if (err != OK)
            return err;
    }
    return OK;
}

static bool is_stopping(const struct run *run)
{
    return run->jobs != NULL && jobs_is_stopping(run->jobs);
}

static enum err loop(struct fetch *f)
{
    struct run *run = f->run;
    while (f->waiting != NULL || f->active > 0) {
        if (is_stopping(run))
            return ERR_STOPPING;
        enum err err = start_due(f);
        if (err != OK)
            return err;
        if (f->active == 0) { /* all of them wait for their time */
            struct timespec nap = { .tv_nsec = NAP_MS * 1000000 };
            nanosleep(&nap, NULL);
            continue;
        }
        if (run->op_count >= FLUSH_OPS || !http_batch_is_ready(f->batch))
            err = keep_flush(run);
        if (err == OK)
            err = take(f);
        if (err != OK)
            return err;
    }
    return keep_flush(run);
}

/* Whether an earlier run has brought it. */
static bool is_stored(struct fetch *f, const struct source_ref *ref)
{
    struct run *run = f->run;
    struct store_version v;
    uint16_t type = release_type_find(run->release, ref->type, false);
    struct str id = ingest_local_id(run->ingest, &run->arena, &run->connection,
                                    ref->type, ref->id, run->normaliser.owner);
    if (f->stored == NULL &&
        store_open(run->ingest->o.store, run->connection.user_id, run->kind,
                   &f->stored) != OK)
        return false;
    return type != TYPE_NONE && store_read(f->stored, type, id, &v) == OK;
}

/* Queries for what is wanted and not held. */
static size_t start_wants(struct fetch *f)
{
    struct run *run = f->run;
    size_t n = 0;
    for (struct want *w = run->first_want; w != NULL; w = w->next) {
        struct str key =
            arena_cat(&run->arena, w->ref.type, STR("/"), w->ref.id);
        if (w->is_asked || map_get(&run->held, key) != NULL)
            continue;
        w->is_asked = true;
        if (run->is_incremental && is_stored(f, &w->ref))
            continue; /* until the next run of everything */
        if (!plan_scope_covers(run->connection.scope, w->ref.type))
            continue;
        struct run_type *t = run_type_of(run, w->ref.type);
        struct buf id = BUF_IN(&run->arena, 4096);
        struct str escaped, url;
        url_escape(&id, w->ref.id);
        if (t == NULL || buf_view(&id, &escaped) != OK)
            continue;
        url = w->url.n > 0
                  ? url_resolve(&run->arena,
                                arena_cat(&run->arena, run->connection.base_url,
                                          STR("/")),
                                w->url)
                  : url_join(
                        &run->arena, run->connection.base_url,
                        arena_cat(&run->arena, w->ref.type, STR("/"), escaped));
        struct query *q = url.p == NULL ? NULL : ask_new(f, t, url);
        if (q == NULL)
            continue;
        q->want = w;
        n++;
    }
    return n;
}

static enum err fetch_types(struct fetch *f, const struct plan *plan)
{
    struct run *run = f->run;
    for (size_t i = 0; i < plan->count; i++) {
        struct run_type *t = run_type_of(run, plan->types[i].type);
        if (t == NULL)
            return ERR_NOMEM;
        t->plan = &plan->types[i];
        if (str_eq(t->report.status, STR("done")))
            continue; /* by an earlier attempt, or by $everything */
        if (!ask_attempt(f, t))
            return ERR_NOMEM;
    }
    return loop(f);
}

static struct str patient_url(struct run *run, struct str id)
{
    struct buf b = BUF_IN(&run->arena, 4096);
    struct str escaped;
    url_escape(&b, id);
    if (buf_view(&b, &escaped) != OK)
        return STR_NONE;
    return url_join(&run->arena, run->connection.base_url,
                    arena_cat(&run->arena, STR("Patient/"), escaped));
}

/* $everything that broke off leaves the Patient, read before, as it was. */
static void end_everything(struct run_type *all, bool is_whole,
                           const struct run_type *before)
{
    size_t warnings = (size_t)all->report.warnings;
    struct ingest_type_report now = all->report;
    all->succeeded = before->succeeded;
    if (is_whole || before->succeeded == 0)
        return;
    all->report = before->report;
    all->report.asked = now.asked;
    all->report.got = now.got;
    all->report.written = now.written;
    all->report.same = now.same;
    all->report.warnings = (int64_t)warnings;
    all->is_dirty = true;
}

/* Patient/$everything: the types that it brought need no search of their own.
 */
static enum err fetch_everything(struct fetch *f)
{
    struct run *run = f->run;
    struct run_type *all = run_type_of(run, STR("Patient"));
    struct str url = patient_url(run, run->connection.patient_id);
    struct query *q =
        all == NULL || url.p == NULL
            ? NULL
            : ask_new(f, all, arena_cat(&run->arena, url, STR("/$everything")));
    if (q == NULL)
        return ERR_NOMEM;
    const struct run_type before = *all;
    q->is_everything = true;
    all->open = 1;
    all->succeeded = all->broken = 0;
    enum err err = loop(f);
    bool is_whole = all->succeeded > 0 && all->broken == 0;
    end_everything(all, is_whole, &before);
    if (err != OK || !is_whole)
        return err;
    for (struct run_type *t = run->types; t != NULL; t = t->next) {
        if (t->report.got == 0)
            continue;
        answer_set_status(t, STR("done"));
        since_done(run, t);
    }
    return OK;
}

/* The Patient is a type of its own: read by id. */
static enum err fetch_patient(struct fetch *f)
{
    struct run *run = f->run;
    struct str url = patient_url(run, run->connection.patient_id);
    struct run_type *t = run_type_of(run, STR("Patient"));
    struct query *q = t == NULL || url.p == NULL ? NULL : ask_new(f, t, url);
    if (q == NULL)
        return ERR_NOMEM;
    t->open = 1;
    return loop(f);
}

enum err fetch_may_see(struct run *run, struct str patient_id, bool *out)
{
    static char may, may_not;
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct str key = arena_str(&run->arena, patient_id), text, url;
    void **known = map_slot(&run->patients, key);
    int status = 0;
    if (known == NULL)
        return ERR_NOMEM;
    if (*known == NULL) {
        url = patient_url(run, patient_id);
        enum err err =
            url.p == NULL ? ERR_NOMEM : fetch_one(run, url, &a, &status, &text);
        if (err == ERR_STOPPING || err == ERR_NOMEM || err == ERR_DENIED)
            return err;
        *known = err == OK && status == 200 ? &may : &may_not;
    }
    *out = *known == &may;
    return OK;
}

enum err fetch_all(struct run *run, const struct plan *plan)
{
    struct fetch f = { .run = run, .max = run->vendor.per_host_max };
    f.last_waiting = &f.waiting;
    f.max = f.max > 0 ? f.max : 6;
    enum err err = http_batch_new(run->ingest->o.client, &f.batch);
    if (err != OK)
        return err;
    err = fetch_patient(&f);
    if (err == OK)
        err = mark_held(run);
    if (err == OK && plan->has_everything && !run->is_resumed &&
        !run->is_incremental)
        err = fetch_everything(&f);
    if (err == OK)
        err = fetch_types(&f, plan);
    for (int round = 0; err == OK && round < ROUNDS_MAX; round++) {
        if (start_wants(&f) == 0)
            break;
        err = loop(&f);
    }
    http_batch_free(f.batch);
    store_close(f.stored);
    for (struct query *q = f.all; q != NULL; q = q->older)
        ask_drop_page(q);
    return err;
}

enum err fetch_one(struct run *run, struct str url, struct arena *a,
                   int *status, struct str *out)
{
    enum err err = ask_token(run, false);
    for (unsigned tries = 0; err == OK && tries < TRIES_MAX; tries++) {
        struct http_call call = { .method = HTTP_GET,
                                  .url = url,
                                  .arena = a,
                                  .timeout_ms = CALL_MS,
                                  .redirects_max = 3 };
        http_call_add_header(&call, STR("Authorization"),
                             secret_reveal(&run->authorization));
        http_call_add_header(&call, STR("Accept"), ask_accept(run));
        err = http_client_run(run->ingest->o.client, &call);
        if (err == OK && call.status < 500 && call.status != 429) {
            since_note_date(run, http_call_header(&call, STR("Date")));
            *status = call.status;
            *out = call.answer;
            return OK;
        }
        if (err == ERR_STOPPING || err == ERR_NOMEM)
            return err;
        if (err == ERR_DENIED ||
            err == ERR_INVALID) /* the gate's, no token's */
            return ERR_UPSTREAM;
        if (err != OK)
            memcpy(run->why->text, call.why.text, sizeof call.why.text);
        *status = call.status;
        struct timespec nap = { .tv_nsec = (AGAIN_MS << tries) * 1000000L };
        nanosleep(&nap, NULL);
        if (tries + 1 < TRIES_MAX)
            err = OK;
    }
    return err == OK ? ERR_UPSTREAM : err;
}
