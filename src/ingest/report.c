#include "ingest/ingest_int.h"

#include "base/clock.h"
#include "base/json.h"

#define STATE_BYTES_MAX ((size_t)16 * 1024 * 1024)

static const struct db_statement put_run = {
    "INSERT INTO ingest_run(user_id, connection_id, status, started_ms, "
    "ended_ms, detail, whole_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT(user_id, connection_id) DO UPDATE SET status = $3, "
    "started_ms = $4, ended_ms = $5, detail = $6, whole_ms = $7"
};
static const struct db_statement put_type = {
    "INSERT INTO ingest_type(user_id, connection_id, type, status, "
    "http_status, asked, got, written, same, warnings, upstream_total, detail, "
    "since_ms, complete_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT(user_id, connection_id, type) DO UPDATE SET status = $4, "
    "http_status = $5, asked = $6, got = $7, written = $8, same = $9, "
    "warnings = $10, upstream_total = $11, detail = $12, since_ms = $13, "
    "complete_ms = $14"
};
static const struct db_statement drop_types = {
    "DELETE FROM ingest_type WHERE user_id = $1 AND connection_id = $2"
};
static const struct db_statement get_run = {
    "SELECT status, started_ms, ended_ms, whole_ms FROM ingest_run "
    "WHERE user_id = $1 AND connection_id = $2"
};
static const struct db_statement get_types = {
    "SELECT type, status, http_status, asked, got, written, same, warnings, "
    "upstream_total, detail, since_ms, complete_ms FROM ingest_type "
    "WHERE user_id = $1 AND connection_id = $2 ORDER BY type"
};
static const struct db_statement count_types = {
    "SELECT count(*) FROM ingest_type WHERE user_id = $1 AND connection_id = $2"
};
static const struct db_statement erase_runs = {
    "DELETE FROM ingest_run WHERE user_id = $1"
};
static const struct db_statement erase_types = {
    "DELETE FROM ingest_type WHERE user_id = $1"
};

static enum err save_run(struct db_session *s, const struct run *run,
                         struct str status, int64_t ended_ms, struct str detail)
{
    return db_run(s, &put_run, NULL, DB_I64(run->connection.user_id),
                  DB_I64(run->connection.id), DB_TEXT(status),
                  DB_I64(run->started_ms), DB_I64(ended_ms), DB_TEXT(detail),
                  DB_I64(run->whole_ms));
}

static enum err save_type(struct db_session *s, const struct run *run,
                          const struct ingest_type_report *t)
{
    return db_run(s, &put_type, NULL, DB_I64(run->connection.user_id),
                  DB_I64(run->connection.id), DB_TEXT(t->type),
                  DB_TEXT(t->status), DB_I64(t->http_status), DB_I64(t->asked),
                  DB_I64(t->got), DB_I64(t->written), DB_I64(t->same),
                  DB_I64(t->warnings), DB_I64(t->upstream_total),
                  DB_TEXT(t->detail), DB_I64(t->since_ms),
                  DB_I64(t->complete_ms));
}

/* {"done":["Observation"],"wants":[["Practitioner","1",""]]}: what a later
 * attempt need not do again. */
static enum err state_of(struct run *run, struct buf *b)
{
    json_object(b);
    json_key(b, STR("done"));
    json_array(b);
    for (const struct run_type *t = run->types; t != NULL; t = t->next)
        if (t->plan != NULL && str_eq(t->report.status, STR("done")))
            json_string(b, t->report.type);
    json_array_end(b);
    json_key(b, STR("wants"));
    json_array(b);
    for (const struct want *w = run->first_want; w != NULL; w = w->next) {
        json_array(b);
        json_string(b, w->ref.type);
        json_string(b, w->ref.id);
        json_string(b, w->url);
        json_array_end(b);
    }
    json_array_end(b);
    json_object_end(b);
    return b->err;
}

enum err report_save(struct db_session *s, struct run *run)
{
    enum err err = OK;
    for (struct run_type *t = run->types; err == OK && t != NULL; t = t->next) {
        if (!t->is_dirty)
            continue;
        err = save_type(s, run, &t->report);
        t->is_dirty = false;
    }
    if (err != OK || run->job == NULL || !run->state_dirty)
        return err;
    AUTO_BUF state = BUF(STATE_BYTES_MAX);
    struct str text;
    err = state_of(run, &state);
    if (err == OK)
        err = buf_view(&state, &text);
    if (err == OK)
        err = jobs_keep_in(s, run->job, text);
    run->state_dirty = false;
    return err;
}

static enum err do_begin(struct db_session *s, void *context)
{
    struct run *run = context;
    enum err err = OK;
    if (!run->is_resumed)
        err = db_run(s, &drop_types, NULL, DB_I64(run->connection.user_id),
                     DB_I64(run->connection.id));
    if (err == OK)
        err = save_run(s, run, STR("running"), 0, STR(""));
    return err == OK ? report_save(s, run) : err;
}

enum err report_begin(struct run *run)
{
    return db_write(run->ingest->o.db, do_begin, run);
}

struct ending {
    struct run *run;
    struct str status, detail;
};

static enum err do_end(struct db_session *s, void *context)
{
    struct ending *e = context;
    struct run *run = e->run;
    for (struct run_type *t = run->types; t != NULL; t = t->next) {
        if (t->plan == NULL && str_eq(t->report.status, STR("running"))) {
            bool is_refused = t->report.got == 0 && t->report.warnings > 0;
            t->report.status = is_refused ? STR("denied") : STR("done");
            t->is_dirty = true;
        } else if (str_eq(t->report.status, STR("running")) ||
                   str_eq(t->report.status, STR("waiting"))) {
            t->report.status = e->status; /* the run ended before it */
            t->is_dirty = true;
        }
    }
    int64_t now = clock_now_ms();
    if (run->is_whole && str_eq(e->status, STR("done")))
        run->whole_ms = run->started_ms;
    enum err err = report_save(s, run);
    if (err == OK)
        err = save_run(s, run, e->status, now, e->detail);
    if (err == OK && str_eq(e->status, STR("done")))
        err = connection_set_ingested(s, run->connection.user_id,
                                      run->connection.id, now);
    if (err == OK && run->job != NULL) /* who sees the end may ask again */
        err = jobs_release_in(s, run->job);
    return err == OK && run->comes_again ? queue_refresh(s, run) : err;
}

enum err report_end(struct run *run, struct str status, struct str detail)
{
    struct ending ending = { run, status, detail };
    return db_write(run->ingest->o.db, do_end, &ending);
}

/* --- reading it ------------------------------------------------------------
 */

struct asking {
    int64_t user_id, connection_id;
    struct arena *arena;
    struct ingest_report report;
};

static enum err read_types(struct db_session *s, struct asking *q, int64_t room)
{
    AUTO_ROWS rows = { 0 };
    struct ingest_report *r = &q->report;
    r->types = arena_zalloc(q->arena, (size_t)room + 1, sizeof *r->types);
    if (r->types == NULL)
        return arena_err(q->arena);
    enum err err = db_query(s, &get_types, &rows, DB_I64(q->user_id),
                            DB_I64(q->connection_id));
    while (err == OK && (err = db_next(&rows)) == OK &&
           (int64_t)r->type_count < room) {
        struct ingest_type_report *t = &r->types[r->type_count++];
        t->type = arena_str(q->arena, db_text(&rows, 0));
        t->status = arena_str(q->arena, db_text(&rows, 1));
        t->http_status = (int)db_i64(&rows, 2);
        t->asked = db_i64(&rows, 3);
        t->got = db_i64(&rows, 4);
        t->written = db_i64(&rows, 5);
        t->same = db_i64(&rows, 6);
        t->warnings = db_i64(&rows, 7);
        t->upstream_total = db_i64(&rows, 8);
        t->detail = arena_str(q->arena, db_text(&rows, 9));
        t->since_ms = db_i64(&rows, 10);
        t->complete_ms = db_i64(&rows, 11);
        r->done_count += !str_eq(t->status, STR("waiting")) &&
                         !str_eq(t->status, STR("running"));
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err do_get(struct db_session *s, void *context)
{
    struct asking *q = context;
    AUTO_ROWS rows = { 0 };
    AUTO_ROWS counted = { 0 };
    enum err err = db_query(s, &get_run, &rows, DB_I64(q->user_id),
                            DB_I64(q->connection_id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    q->report.connection_id = q->connection_id;
    q->report.status = arena_str(q->arena, db_text(&rows, 0));
    q->report.started_ms = db_i64(&rows, 1);
    q->report.ended_ms = db_i64(&rows, 2);
    q->report.whole_ms = db_i64(&rows, 3);
    err = db_query(s, &count_types, &counted, DB_I64(q->user_id),
                   DB_I64(q->connection_id));
    if (err == OK)
        err = db_next(&counted);
    return err == OK ? read_types(s, q, db_i64(&counted, 0)) : err;
}

enum err ingest_report_get(struct db *db, int64_t user_id,
                           int64_t connection_id, struct arena *a,
                           struct ingest_report *out)
{
    struct asking asking = { .user_id = user_id,
                             .connection_id = connection_id,
                             .arena = a };
    enum err err = db_read(db, do_get, &asking);
    if (err == OK)
        *out = asking.report;
    return err;
}

enum err ingest_erase(struct db_session *s, int64_t user_id)
{
    enum err err = db_run(s, &erase_runs, NULL, DB_I64(user_id));
    return err == OK ? db_run(s, &erase_types, NULL, DB_I64(user_id)) : err;
}
