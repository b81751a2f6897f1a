#include "ingest/fetch_int.h"

#include <stdlib.h>

#include "base/url.h"

#define PAGES_MAX       10000
#define EMPTY_PAGES_MAX 3

/* Kept in the page list until its resources are committed. */
static void retain_page(struct run *run, struct query *q)
{
    q->page->next = run->pages;
    run->pages = q->page;
    q->page = NULL;
}

void answer_set_status(struct run_type *t, struct str status)
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

/* The system said that there is more than it gave (F58).  Of several queries
 * each is asked by itself: their answers may overlap. */
static bool is_short(struct run_type *t)
{
    if (t->queries > 1 ? !t->is_short
                       : t->report.upstream_total <= t->report.got)
        return false;
    t->report.warnings++;
    if (t->report.detail.n == 0)
        t->report.detail =
            STR("the system counts more of these than it gave out");
    return true;
}

/* What broke off may be had by the next attempt, in other words. */
static void finish_type(struct fetch *f, struct run_type *t)
{
    bool is_whole = t->succeeded > 0 && t->broken == 0;
    bool is_refused = t->report.since_ms > 0 && t->succeeded < t->queries;
    if (!is_whole && ask_attempt(f, t))
        return;
    if (is_refused) { /* the same, and not only what changed */
        t->report.since_ms = 0;
        t->attempt = 0;
        if (ask_attempt(f, t))
            return;
    }
    bool broke_off = t->broken > 0 || t->was_broken;
    if (t->succeeded == 0 && (!broke_off || t->report.got == 0)) {
        answer_set_status(t, status_for(t->report.http_status));
    } else {
        bool is_less = is_short(t) || !is_whole;
        if (!is_less && t->report.warnings == 0)
            t->report.detail = STR(""); /* of an attempt in vain */
        answer_set_status(t, is_less ? STR("partial") : STR("done"));
        if (!is_less)
            since_done(f->run, t);
    }
    f->run->state_dirty = true;
}

/* Whether a query ended otherwise than by the system's no to its first page. */
static bool is_broken_off(const struct query *q)
{
    int status = q->call.status;
    return q->pages > 0 || q->call.err != OK || status < 400 || status >= 500 ||
           status == 408 || status == 429;
}

void answer_end(struct fetch *f, struct query *q, bool ok)
{
    struct run_type *t = q->type;
    ask_drop_page(q);
    if (q->want != NULL) {
        if (!ok) {
            t->report.warnings++;
            t->is_dirty = true;
        }
        return;
    }
    t->succeeded += ok;
    t->broken += !ok && is_broken_off(q);
    t->is_short |= q->entries < q->total;
    if (--t->open == 0)
        finish_type(f, t);
}

/* The type's total, of all its queries. */
static void note_total(const struct run *run, struct query *q, int64_t total)
{
    struct ingest_type_report *r = &q->type->report;
    if (total < 0 || q->pages > 0 || q->is_everything ||
        (run->vendor.flags & VENDOR_TOTAL_OF_PAGE) != 0)
        return;
    int64_t before = r->upstream_total > 0 ? r->upstream_total : 0;
    r->upstream_total = before + total - q->total;
    q->total = total;
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
        q->type->broken++; /* the rest may not be asked for */
        answer_end(f, q, true);
        return;
    }
    void **seen = url.p == NULL ? NULL : map_slot(&q->seen, url);
    bool is_loop = seen != NULL && *seen != NULL && q->empty == 0;
    if (seen == NULL || is_loop || ++q->pages > PAGES_MAX ||
        q->empty > EMPTY_PAGES_MAX) {
        if (seen != NULL) /* a loop of pages, or too many */
            q->type->report.warnings++;
        q->type->broken += q->pages > PAGES_MAX;
        answer_end(f, q, true);
        return;
    }
    *seen = q;
    q->url = url;
    q->tries = q->throttles = q->refusals = 0;
    ask_enqueue(f, q);
}

static bool is_json(const struct http_call *call)
{
    struct str body = call->answer;
    if (str_starts(body, STR("\xef\xbb\xbf")))
        body = str_from(body, 3);
    body = str_trim(body);
    return body.n > 0 && body.p[0] == '{';
}

static bool is_lines(const struct http_call *call)
{
    struct str type = http_call_header(call, STR("Content-Type"));
    return str_search(type, STR("ndjson")) < type.n;
}

static struct str no_fhir(struct run *run)
{
    struct str reason = str_of(run->why->text);
    return arena_cat(&run->arena, STR("the answer was no FHIR JSON"),
                     reason.n > 0 ? STR(": ") : STR(""),
                     str_slice(reason, 0, 200));
}

enum err answer_take(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    struct str next = STR_NONE;
    int64_t total = -1;
    size_t entries = 0;
    q->type->report.http_status = q->call.status;
    if (run->good_start < q->start_number)
        run->good_start = q->start_number;
    if (q->call.status == 204) { /* it has none of these */
        answer_end(f, q, q->want == NULL);
        return OK;
    }
    enum err err;
    run->why->text[0] = '\0';
    if (q->want != NULL && str_eq(q->want->ref.type, STR("Binary")) &&
        !is_json(&q->call))
        err = keep_binary(run, q->page, q->want, q->call.answer,
                          http_call_header(&q->call, STR("Content-Type")),
                          q->type);
    else if (is_lines(&q->call))
        err = keep_lines(run, q->page, q->call.answer, q->type, &entries);
    else
        err = keep_page(run, q->page, q->call.answer, q->type, &next, &total,
                        &entries);
    if (err == ERR_FORMAT || err == ERR_INVALID) {
        if (!trouble_again(f, q, trouble_wait(q), false)) {
            q->type->report.detail = no_fhir(run);
            answer_end(f, q, false);
        }
        return OK;
    }
    if (err != OK)
        return err;
    note_total(run, q, total);
    q->entries += (int64_t)entries;
    next = arena_str(&run->arena, next);
    q->empty = entries == 0 ? q->empty + 1 : 0;
    retain_page(run, q);
    if (q->want != NULL)
        answer_end(f, q, true);
    else
        follow(f, q, next.n == 0 ? STR_NONE : next);
    return OK;
}
