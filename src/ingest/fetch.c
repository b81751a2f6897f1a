/* Design notes: one thread, many requests.
 *
 *   query    one search or read on its way through its pages; a type's attempt
 *            is one query or several, and the next attempt starts when all of
 *            them were refused;
 *   loop     start what is due, take what ended, keep what it brought; while
 *            nothing has ended, what is kept is committed, so that commits grow
 *            with the load and cost no waiting;
 *   trouble  401: one new token; 429, 503: as the server says; other 5xx, cuts
 *            and broken JSON: again, later; 4xx: the attempt is refused.
 */
#include "ingest/ingest_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"

#define TRIES_MAX       4
#define THROTTLES_MAX   30
#define BACKOFF_MS      300
#define THROTTLE_MS_MAX (15 * 60 * 1000)
#define PAGES_MAX       10000
#define EMPTY_PAGES_MAX 3
#define ROUNDS_MAX      6
#define TOKEN_CHECK_MS  30000
#define PAGE_SIZE       100
#define NAP_MS          100
#define REFUSALS_MAX    6
#define NEXT_TOKEN_MS   2200 /* a token this young is not renewed */
#define CALL_MS         120000

struct query {
    struct run_type *type;
    struct want *want; /* a read of something referred to; NULL: a search */
    struct str url;
    struct page *page;
    struct http_call call;
    unsigned tries, throttles, pages, empty;
    bool has_count, is_plain_accept;
    unsigned refusals;     /* 401s */
    unsigned token_number; /* of the token it was asked with */
    int64_t due_ms;
    struct map seen; /* urls of its pages */
    struct query *next;
};

struct fetch {
    struct run *run;
    struct http_batch *batch;
    struct query *waiting, **last_waiting;
    size_t active, max;
};

/* --- starting --------------------------------------------------------------
 */

static void enqueue(struct fetch *f, struct query *q)
{
    q->next = NULL;
    *f->last_waiting = q;
    f->last_waiting = &q->next;
}

static struct query *new_query(struct fetch *f, struct run_type *type,
                               struct str url)
{
    struct query *q = arena_zalloc(&f->run->arena, 1, sizeof *q);
    if (q == NULL)
        return NULL;
    q->type = type;
    q->url = url;
    q->seen = MAP_IN(&f->run->arena);
    enqueue(f, q);
    return q;
}

static struct str search_url(struct run *run, const struct run_type *t,
                             struct str template, bool *has_count)
{
    struct arena *a = &run->arena;
    struct buf b = BUF_IN(a, 8192);
    struct str out = STR_NONE;
    size_t at = str_search(template, STR("{p}"));
    struct str base = run->connection.base_url;
    buf_add(&b, url_join(a, base, t->report.type));
    buf_add_char(&b, '?');
    buf_add(&b, str_slice(template, 0, at));
    url_escape(&b, run->connection.patient_id);
    buf_add(&b, str_from(template, at + 3));
    unsigned size = run->vendor.page_size;
    buf_add(&b, STR("&_count="));
    buf_add_u64(&b, size > 0 ? size : PAGE_SIZE);
    *has_count = true;
    return buf_view(&b, &out) == OK ? out : STR_NONE;
}

/* Starts a type's next attempt; false when there is none left. */
static bool start_attempt(struct fetch *f, struct run_type *t)
{
    if (t->plan == NULL || t->attempt >= t->plan->attempt_count)
        return false;
    struct str queries = t->plan->attempts[t->attempt++], one;
    t->open = t->succeeded = 0;
    while (str_cut(&queries, '\n', &one)) {
        bool has_count = false;
        struct str url = search_url(f->run, t, one, &has_count);
        struct query *q = url.p == NULL ? NULL : new_query(f, t, url);
        if (q == NULL)
            return false;
        q->has_count = has_count;
        t->open++;
    }
    t->report.status = STR("running");
    t->is_dirty = true;
    return t->open > 0;
}

/* Requests under way still point at the old token: it is wiped with the run. */
static enum err retire(struct run *run)
{
    struct old_token *old = arena_zalloc(&run->arena, 1, sizeof *old);
    if (old == NULL)
        return arena_err(&run->arena);
    old->authorization = run->authorization;
    old->next = run->old_tokens;
    run->old_tokens = old;
    return OK;
}

/* A token that will last a while. */
static enum err take_token(struct run *run, bool force)
{
    int64_t now = clock_now_ms();
    AUTO_SECRET token = { 0 };
    AUTO_ARENA a = ARENA((size_t)256 * 1024);
    if (!force && run->authorization.n > 0 &&
        now - run->token_taken_ms < TOKEN_CHECK_MS)
        return OK;
    enum err err = connect_access_token(
        run->ingest->o.connect, &run->connection, force, &token, run->why);
    if (err != OK)
        return err;
    struct str parts[] = { STR("Bearer "), secret_reveal(&token) };
    char *text = arena_alloc(&a, parts[0].n + parts[1].n);
    struct secret fresh;
    if (text == NULL)
        return arena_err(&a);
    memcpy(text, parts[0].p, parts[0].n);
    memcpy(text + parts[0].n, parts[1].p, parts[1].n);
    err = secret_init(&fresh, (struct str){ text, parts[0].n + parts[1].n });
    secret_wipe(text, parts[0].n + parts[1].n);
    if (err != OK)
        return err;
    run->token_taken_ms = now;
    if (str_eq(secret_reveal(&fresh), secret_reveal(&run->authorization))) {
        secret_fini(&fresh);
        return OK;
    }
    err = retire(run);
    if (err != OK) {
        secret_fini(&fresh);
        return err;
    }
    run->token_number++;
    run->authorization = fresh;
    return OK;
}

static struct str accept_of(const struct run *run)
{
    if (run->vendor.accept.n > 0)
        return run->vendor.accept;
    return run->release == DSTU2
               ? STR("application/json+fhir, application/fhir+json;q=0.9, "
                     "application/json;q=0.8")
               : STR("application/fhir+json, application/json;q=0.9");
}

static enum err new_page(struct page **out)
{
    struct page *page = calloc(1, sizeof *page);
    if (page == NULL)
        return ERR_NOMEM;
    page->arena = ARENA(PAGE_BYTES_MAX);
    *out = page;
    return OK;
}

static enum err start(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    enum err err = take_token(run, false);
    if (err == OK)
        err = new_page(&q->page);
    if (err != OK)
        return err;
    q->call = (struct http_call){ .method = HTTP_GET,
                                  .url = q->url,
                                  .arena = &q->page->arena,
                                  .answer_max_bytes = PAGE_BYTES_MAX / 4,
                                  .timeout_ms = CALL_MS,
                                  .redirects_max = 3,
                                  .context = q };
    http_call_add_header(&q->call, STR("Authorization"),
                         secret_reveal(&run->authorization));
    http_call_add_header(&q->call, STR("Accept"),
                         q->is_plain_accept ? STR("*/*") : accept_of(run));
    q->token_number = run->token_number;
    q->type->report.asked++;
    f->active++;
    http_batch_start(f->batch, &q->call);
    return OK;
}

/* --- ending ----------------------------------------------------------------
 */

/* Kept in the page list until its resources are committed, or freed now. */
static void drop_page(struct query *q)
{
    if (q->page == NULL)
        return;
    arena_fini(&q->page->arena);
    free(q->page);
    q->page = NULL;
}

static void retain_page(struct run *run, struct query *q)
{
    q->page->next = run->pages;
    run->pages = q->page;
    q->page = NULL;
}

static void set_status(struct run_type *t, struct str status)
{
    t->report.status = status;
    t->is_dirty = true;
}

static struct str status_for(int http_status)
{
    if (http_status == 401 || http_status == 403)
        return STR("denied");
    if (http_status >= 400 && http_status < 500)
        return STR("unsupported");
    return STR("failed");
}

/* The system said that there is more than it gave (F58). */
static bool is_short(struct run_type *t)
{
    if (t->report.upstream_total <= t->report.got)
        return false;
    t->report.warnings++;
    if (t->report.detail.n == 0)
        t->report.detail =
            STR("the system counts more of these than it gave out");
    return true;
}

static void finish_type(struct fetch *f, struct run_type *t)
{
    if (t->succeeded > 0)
        set_status(t, is_short(t) ? STR("partial") : STR("done"));
    else if (start_attempt(f, t))
        return;
    else
        set_status(t, status_for(t->report.http_status));
    f->run->state_dirty = true;
}

static void end_query(struct fetch *f, struct query *q, bool ok)
{
    struct run_type *t = q->type;
    drop_page(q);
    if (q->want != NULL) {
        if (!ok) {
            t->report.warnings++;
            t->is_dirty = true;
        }
        return;
    }
    t->succeeded += ok;
    if (--t->open == 0)
        finish_type(f, t);
}

/* Asks again after a while; false when it was tried enough. */
static bool again(struct fetch *f, struct query *q, int64_t wait_ms,
                  bool is_throttled)
{
    if (is_throttled ? ++q->throttles > THROTTLES_MAX : ++q->tries >= TRIES_MAX)
        return false;
    drop_page(q);
    q->due_ms = clock_now_ms() + wait_ms;
    enqueue(f, q);
    return true;
}

static int64_t backoff(const struct query *q)
{
    int64_t ms = (int64_t)BACKOFF_MS << q->tries;
    return ms / 2 + (int64_t)rand_below((uint64_t)ms);
}

/* Retry-After in seconds or as a date; else the next minute (2f). */
static int64_t throttle_wait(const struct query *q)
{
    struct str after = http_call_header(&q->call, STR("Retry-After"));
    int64_t value, ms = 0;
    if (str_to_i64(after, &value) && value >= 0)
        ms = value * 1000;
    else if (clock_parse_http_date(after, &value) == OK)
        ms = value - clock_now_ms();
    else
        ms = backoff(q) * 4;
    ms = ms < BACKOFF_MS ? BACKOFF_MS : ms;
    return ms > THROTTLE_MS_MAX ? THROTTLE_MS_MAX : ms;
}

/* What the system said of its refusal, for the report. */
static void note_refusal(struct run *run, struct query *q)
{
    struct yyjson_val *root;
    struct run_type *t = q->type;
    t->report.http_status = q->call.status;
    t->is_dirty = true;
    if (t->report.detail.n > 0 || q->want != NULL ||
        json_parse(&q->page->arena, q->call.answer, &root, NULL) != OK)
        return;
    for (JSON_EACH(issue, json_get(root, STR("issue")))) {
        struct str text = json_get_text(issue.now, STR("diagnostics"));
        if (text.n == 0)
            text =
                json_get_text(json_get(issue.now, STR("details")), STR("text"));
        if (text.n > 0 && t->report.detail.n == 0)
            t->report.detail = arena_str(&run->arena, str_slice(text, 0, 300));
    }
}

/* The same search without _count, which some systems refuse. */
static bool without_count(struct fetch *f, struct query *q)
{
    size_t at = str_search(q->url, STR("&_count="));
    if (!q->has_count || at == q->url.n)
        return false;
    q->has_count = false;
    q->url = str_slice(q->url, 0, at);
    drop_page(q);
    enqueue(f, q);
    return true;
}

/* Many queries may meet the same dead token: one of them renews it.  A system
 * that just gave one is not asked again at once; the query waits. */
static enum err with_new_token(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    if (q->token_number == run->token_number) {
        enum err err = take_token(run, true);
        if (err != OK)
            return err;
        if (q->token_number == run->token_number)
            q->due_ms = clock_now_ms() + NEXT_TOKEN_MS;
    }
    drop_page(q);
    enqueue(f, q);
    return OK;
}

static enum err refused(struct fetch *f, struct query *q)
{
    int status = q->call.status;
    note_refusal(f->run, q);
    if (status == 401 && q->refusals++ < REFUSALS_MAX)
        return with_new_token(f, q);
    if ((status == 406 || status == 415) && !q->is_plain_accept) {
        q->is_plain_accept = true;
        drop_page(q);
        enqueue(f, q);
        return OK;
    }
    if (status == 429 || status == 503) {
        if (!again(f, q, throttle_wait(q), true))
            end_query(f, q, false);
    } else if (status >= 500 || status == 408) {
        if (!again(f, q, backoff(q), false))
            end_query(f, q, false);
    } else if ((status != 400 && status != 413) || !without_count(f, q)) {
        end_query(f, q, false);
    }
    return OK;
}

/* The next page's URL where it may be followed with the token. */
static struct str next_url(struct run *run, struct query *q, struct str next)
{
    struct arena *a = &run->arena;
    struct url base, to;
    struct str url = url_resolve(a, q->url, next);
    if (url.p == NULL || url_parse(url, &to) != OK ||
        url_parse(run->connection.base_url, &base) != OK)
        return STR_NONE;
    if (url_same_origin(&base, &to))
        return url;
    /* A system behind another name or scheme: its path on the base's own. */
    if (!str_starts_nocase(to.path, base.path))
        return STR_NONE;
    return arena_cat(a, base.origin, to.path,
                     to.query.n > 0 ? STR("?") : STR(""), to.query);
}

static void follow(struct fetch *f, struct query *q, struct str next)
{
    struct run *run = f->run;
    struct str url = next.p == NULL ? STR_NONE : next_url(run, q, next);
    if (next.p != NULL && url.p == NULL) {
        q->type->report.warnings++;
        end_query(f, q, true);
        return;
    }
    void **seen = url.p == NULL ? NULL : map_slot(&q->seen, url);
    bool is_loop = seen != NULL && *seen != NULL && q->empty == 0;
    if (seen == NULL || is_loop || ++q->pages > PAGES_MAX ||
        q->empty > EMPTY_PAGES_MAX) {
        if (seen != NULL) /* a loop of pages, or too many */
            q->type->report.warnings++;
        end_query(f, q, true);
        return;
    }
    *seen = q;
    q->url = url;
    q->tries = 0;
    enqueue(f, q);
}

static bool is_json(const struct http_call *call)
{
    struct str body = call->answer;
    if (str_starts(body, STR("\xef\xbb\xbf")))
        body = str_from(body, 3);
    body = str_trim(body);
    return body.n > 0 && body.p[0] == '{';
}

static enum err answered(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    struct str next = STR_NONE;
    int64_t total = -1;
    size_t entries = 0;
    q->type->report.http_status = q->call.status;
    enum err err;
    if (q->want != NULL && str_eq(q->want->ref.type, STR("Binary")) &&
        !is_json(&q->call))
        err = keep_binary(run, q->page, q->want, q->call.answer,
                          http_call_header(&q->call, STR("Content-Type")),
                          q->type);
    else
        err = keep_page(run, q->page, q->call.answer, q->type, &next, &total,
                        &entries);
    if (err == ERR_FORMAT || err == ERR_INVALID) {
        if (!again(f, q, backoff(q), false)) {
            q->type->report.detail = STR("the answer was no FHIR JSON");
            end_query(f, q, false);
        }
        return OK;
    }
    if (err != OK)
        return err;
    if (total >= 0 && q->pages == 0 &&
        (run->vendor.flags & VENDOR_TOTAL_OF_PAGE) == 0) {
        struct ingest_type_report *r = &q->type->report;
        r->upstream_total =
            (r->upstream_total > 0 ? r->upstream_total : 0) + total;
    }
    next = arena_str(&run->arena, next);
    q->empty = entries == 0 ? q->empty + 1 : 0;
    retain_page(run, q);
    if (q->want != NULL)
        end_query(f, q, true);
    else
        follow(f, q, next.n == 0 ? STR_NONE : next);
    return OK;
}

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
        end_query(f, q, false);
        return OK;
    }
    if (call->err != OK) {
        if (!again(f, q, backoff(q), false)) {
            q->type->report.detail =
                arena_str(&f->run->arena, str_of(call->why.text));
            end_query(f, q, false);
        }
        return OK;
    }
    return call->status >= 200 && call->status < 300 ? answered(f, q)
                                                     : refused(f, q);
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
        enum err err = start(f, q);
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
        struct query *q = url.p == NULL ? NULL : new_query(f, t, url);
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
        if (!start_attempt(f, t))
            return ERR_NOMEM;
    }
    return loop(f);
}

/* Patient/$everything: the types that it brought need no search of their own.
 */
static enum err fetch_everything(struct fetch *f)
{
    struct run *run = f->run;
    struct buf id = BUF_IN(&run->arena, 4096);
    struct str escaped;
    struct run_type *all = run_type_of(run, STR("Patient"));
    url_escape(&id, run->connection.patient_id);
    if (all == NULL || buf_view(&id, &escaped) != OK)
        return ERR_NOMEM;
    struct query *q =
        new_query(f, all,
                  url_join(&run->arena, run->connection.base_url,
                           arena_cat(&run->arena, STR("Patient/"), escaped,
                                     STR("/$everything"))));
    if (q == NULL)
        return ERR_NOMEM;
    all->open = 1;
    enum err err = loop(f);
    if (err != OK || all->succeeded == 0)
        return err;
    for (struct run_type *t = run->types; t != NULL; t = t->next)
        if (t->report.got > 0)
            set_status(t, STR("done"));
    return OK;
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

/* The Patient is a type of its own: read by id. */
static enum err fetch_patient(struct fetch *f)
{
    struct run *run = f->run;
    struct str url = patient_url(run, run->connection.patient_id);
    struct run_type *t = run_type_of(run, STR("Patient"));
    struct query *q = t == NULL || url.p == NULL ? NULL : new_query(f, t, url);
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
    if (err == OK && plan->has_everything && !run->is_resumed)
        err = fetch_everything(&f);
    if (err == OK)
        err = fetch_types(&f, plan);
    for (int round = 0; err == OK && round < ROUNDS_MAX; round++) {
        if (start_wants(&f) == 0)
            break;
        err = loop(&f);
    }
    http_batch_free(f.batch);
    for (struct query *q = f.waiting; q != NULL; q = q->next)
        drop_page(q);
    return err;
}

enum err fetch_one(struct run *run, struct str url, struct arena *a,
                   int *status, struct str *out)
{
    enum err err = take_token(run, false);
    for (unsigned tries = 0; err == OK && tries < TRIES_MAX; tries++) {
        struct http_call call = { .method = HTTP_GET,
                                  .url = url,
                                  .arena = a,
                                  .timeout_ms = CALL_MS,
                                  .redirects_max = 3 };
        http_call_add_header(&call, STR("Authorization"),
                             secret_reveal(&run->authorization));
        http_call_add_header(&call, STR("Accept"), accept_of(run));
        err = http_client_run(run->ingest->o.client, &call);
        if (err == OK && call.status < 500 && call.status != 429) {
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
        struct timespec nap = { .tv_nsec =
                                    (BACKOFF_MS << tries) * 1000000L / 4 };
        nanosleep(&nap, NULL);
        if (tries + 1 < TRIES_MAX)
            err = OK;
    }
    return err == OK ? ERR_UPSTREAM : err;
}
