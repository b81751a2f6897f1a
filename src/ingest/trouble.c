#include "ingest/fetch_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"

#define THROTTLES_MAX   30
#define BACKOFF_MS      300
#define THROTTLE_MS_MAX (15 * 60 * 1000)
#define BARE_MS_MAX     60000 /* limits without a word end with the minute */
#define REFUSALS_MAX    6
#define RENEWALS_MAX    2    /* for one page, with a token good elsewhere */
#define RESTARTS_MAX    2    /* of a search whose cursor is refused */
#define NEXT_TOKEN_MS   2200 /* a token this young is not renewed */
#define EPOCH_S_MIN     1000000000

bool trouble_again(struct fetch *f, struct query *q, int64_t wait_ms,
                   bool is_throttled)
{
    if (is_throttled ? ++q->throttles > THROTTLES_MAX : ++q->tries >= TRIES_MAX)
        return false;
    ask_drop_page(q);
    q->due_ms = clock_now_ms() + wait_ms;
    ask_enqueue(f, q);
    return true;
}

int64_t trouble_wait(const struct query *q)
{
    int64_t ms = (int64_t)BACKOFF_MS << q->tries;
    return ms / 2 + (int64_t)rand_below((uint64_t)ms);
}

/* X-RateLimit-Reset and its kin: seconds, or the time in s or ms; -1 none. */
static int64_t reset_wait(const struct query *q)
{
    static const struct str names[] = { STR_INIT("RateLimit-Reset"),
                                        STR_INIT("X-RateLimit-Reset"),
                                        STR_INIT("X-Rate-Limit-Reset") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t value;
        struct str text = http_call_header(&q->call, names[i]);
        if (!str_to_i64(text, &value) || value < 0 || value > INT64_MAX / 1000)
            continue;
        if (value < EPOCH_S_MIN)
            return value * 1000;
        int64_t at_ms = value / 1000 < EPOCH_S_MIN ? value * 1000 : value;
        int64_t ms = at_ms - clock_now_ms();
        return ms > 0 ? ms : 0;
    }
    return -1;
}

/* Retry-After in seconds or as a date, or when the limit is reset; else longer
 * each time, up to the next minute (2f). */
static int64_t throttle_wait(const struct query *q)
{
    struct str after = http_call_header(&q->call, STR("Retry-After"));
    int64_t value, ms = 0;
    if (str_to_i64(after, &value) && value >= 0)
        ms = value > THROTTLE_MS_MAX ? THROTTLE_MS_MAX : value * 1000;
    else if (clock_parse_http_date(after, &value) == OK)
        ms = value - clock_now_ms();
    else if ((ms = reset_wait(q)) < 0) {
        ms = (trouble_wait(q) * 4) << (q->throttles < 6 ? q->throttles : 6);
        ms = ms > BARE_MS_MAX ? BARE_MS_MAX : ms;
    }
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
    q->url = q->first_url = str_slice(q->url, 0, at);
    ask_drop_page(q);
    ask_enqueue(f, q);
    return true;
}

/* A cursor that the system no longer knows: the search from its start; what was
 * seen is passed over. */
static bool from_start(struct fetch *f, struct query *q)
{
    if (q->pages == 0 || q->want != NULL || q->restarts >= RESTARTS_MAX)
        return false;
    q->restarts++;
    q->url = q->first_url;
    q->pages = q->empty = q->tries = 0;
    q->entries = 0;
    q->seen = MAP_IN(&f->run->arena);
    ask_drop_page(q);
    ask_enqueue(f, q);
    return true;
}

/* 401 twice with a token that was good for others in between: a refusal of the
 * type, and no reason to ask for tokens (F34). */
static bool is_refused_alone(const struct run *run, struct query *q)
{
    bool is_alone = q->refusals > RENEWALS_MAX &&
                    q->token_number == q->refused_token &&
                    q->token_number == run->token_number &&
                    run->good_start > q->starts_then;
    q->refused_token = q->token_number;
    q->starts_then = run->starts;
    return is_alone;
}

/* Many queries may meet the same dead token: one of them renews it.  A system
 * that just gave one is not asked again at once; the query waits. */
static enum err with_new_token(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    if (q->token_number == run->token_number) {
        enum err err = ask_token(run, true);
        if (err != OK)
            return err;
        if (q->token_number == run->token_number)
            q->due_ms = clock_now_ms() + NEXT_TOKEN_MS;
    }
    ask_drop_page(q);
    ask_enqueue(f, q);
    return OK;
}

enum err trouble_met(struct fetch *f, struct query *q)
{
    int status = q->call.status;
    note_refusal(f->run, q);
    if (status == 401 && ++q->refusals <= REFUSALS_MAX &&
        !is_refused_alone(f->run, q))
        return with_new_token(f, q);
    if ((status == 406 || status == 415) && !q->is_plain_accept) {
        q->is_plain_accept = true;
        ask_drop_page(q);
        ask_enqueue(f, q);
        return OK;
    }
    if (status == 429 || status == 503) {
        if (!trouble_again(f, q, throttle_wait(q), true))
            answer_end(f, q, false);
    } else if (status >= 500 || status == 408) {
        if (!trouble_again(f, q, trouble_wait(q), false))
            answer_end(f, q, false);
    } else if (!from_start(f, q) &&
               ((status != 400 && status != 413) || !without_count(f, q))) {
        answer_end(f, q, false);
    }
    return OK;
}
