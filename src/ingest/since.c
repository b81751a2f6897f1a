/* A refresh asks for what changed.
 *
 * Design notes
 * A type that the last run had whole, of a system that says it searches it by
 * _lastUpdated, is asked for with `_lastUpdated=ge` the begin of that run, by
 * the earlier of both clocks, less a margin for indexes that lag.  What comes
 * twice writes nothing.  A refusal, of one query even, is met by asking for
 * all.  What was deleted, and what a system forgets to date, only a run of
 * everything can tell: every week, and whenever the person consents anew. */
#include "base/clock.h"
#include "ingest/ingest_int.h"

#define MARGIN_MS (5 * 60 * 1000)

static enum err note_before(struct run *run, const struct ingest_report *report)
{
    for (size_t i = 0; i < report->type_count; i++)
        map_put(&run->before, report->types[i].type, &report->types[i]);
    return arena_err(&run->arena);
}

enum err since_read(struct run *run, bool is_whole)
{
    struct ingest_report report = { .whole_ms = 0 };
    int64_t now = clock_now_ms(), every_s = run->ingest->o.whole_every_s;
    enum err err = ingest_report_get(run->ingest->o.db, run->connection.user_id,
                                     run->connection.id, &run->arena, &report);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    run->upstream_ms = now;
    run->whole_ms = report.whole_ms;
    run->is_whole = is_whole || report.whole_ms == 0 ||
                    now - report.whole_ms >= every_s * 1000;
    return note_before(run, &report);
}

void since_note_date(struct run *run, struct str http_date)
{
    int64_t ms;
    if (clock_parse_http_date(http_date, &ms) == OK && ms < run->upstream_ms)
        run->upstream_ms = ms;
}

void since_begin(struct run *run, struct run_type *t)
{
    const struct ingest_type_report *before =
        map_get(&run->before, t->report.type);
    t->report.since_ms = 0;
    t->report.complete_ms =
        before == NULL || run->is_whole ? 0 : before->complete_ms;
    if (t->report.complete_ms == 0 || t->plan == NULL || !t->plan->has_since)
        return;
    t->report.since_ms = t->report.complete_ms;
    run->is_incremental = true;
}

void since_done(struct run *run, struct run_type *t)
{
    t->report.complete_ms = run->upstream_ms - MARGIN_MS;
}

struct str since_param(struct arena *a, const struct run_type *t)
{
    struct buf b = BUF_IN(a, 64);
    struct str out;
    if (t->report.since_ms == 0)
        return STR("");
    buf_add(&b, STR("&_lastUpdated=ge"));
    clock_add_instant(&b, t->report.since_ms);
    return buf_view(&b, &out) == OK ? out : STR("");
}
