/* Design notes
 * The job only counts: the manifest names files that are read when they are
 * fetched, from the record as it was at the export's moment (decision 11: no
 * copy that a deletion could forget).  A killed job counts again. */
#include "bulk/export.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"

#define DAY_S         86400
#define ID_BYTES      16
#define RESULT_MAX    ((size_t)1 << 20)
#define LEASE_SECONDS 60
#define TELL_EVERY    50 /* users */

static const struct db_statement insert_row = {
    "INSERT INTO bulk_export(user_id, id, app_id, request, ask, status, "
    "progress, result, expires_ms) VALUES ($1, $2, $3, $4, $5, 'running', '', "
    "'', $6)"
};
static const struct db_statement select_row = {
    "SELECT app_id, request, ask, status, progress, result, expires_ms "
    "FROM bulk_export WHERE user_id = $1 AND id = $2"
};
static const struct db_statement count_running = {
    "SELECT count(*) FROM bulk_export WHERE user_id = $1 AND app_id = $2 AND "
    "status = 'running'"
};
static const struct db_statement update_progress = {
    "UPDATE bulk_export SET progress = $3 WHERE user_id = $1 AND id = $2"
};
static const struct db_statement update_result = {
    "UPDATE bulk_export SET status = $3, result = $4 "
    "WHERE user_id = $1 AND id = $2"
};
static const struct db_statement delete_row = {
    "DELETE FROM bulk_export WHERE user_id = $1 AND id = $2 AND app_id = $3"
};
static const struct db_statement delete_user = {
    "DELETE FROM bulk_export WHERE user_id = $1"
};
static const struct db_statement delete_expired = {
    "DELETE FROM bulk_export WHERE expires_ms <= $1"
};

struct exports {
    struct exports_options o;
};

enum err exports_new(const struct exports_options *o, struct exports **out)
{
    struct exports *e = calloc(1, sizeof *e);
    if (e == NULL)
        return ERR_NOMEM;
    e->o = *o;
    if (e->o.keep_s <= 0)
        e->o.keep_s = DAY_S;
    *out = e;
    return OK;
}

void exports_free(struct exports *e)
{
    free(e);
}

int64_t export_moment(struct store *s, enum release release, int64_t user_id)
{
    int64_t now = clock_now_ms();
    /* What is stamped from here on is of a later millisecond... */
    struct timespec wait = { .tv_nsec = 1100000 };
    while (nanosleep(&wait, &wait) != 0)
        ;
    /* ...and what was stamped before is seen. */
    if (user_id != 0)
        store_settle(s, user_id, (enum record_kind)release);
    return now;
}

/* --- rows ----------------------------------------------------------------- */

struct starting {
    const struct export_row *row;
    struct str ask, payload;
    struct why *w;
};

static enum err check_room(struct db_session *s, const struct starting *start)
{
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &count_running, &rows, DB_I64(start->row->user_id),
                 DB_I64(start->row->app_id));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK && db_i64(&rows, 0) >= EXPORTS_AT_ONCE)
        return why(start->w, ERR_RATE, "too many exports are under way");
    return err;
}

static enum err insert(struct db_session *s, void *context)
{
    const struct starting *start = context;
    const struct export_row *row = start->row;
    bool added;
    enum err err = db_run(s, &delete_expired, NULL, DB_I64(clock_now_ms()));
    if (err == OK)
        err = check_room(s, start);
    if (err == OK)
        err =
            db_run(s, &insert_row, NULL, DB_I64(row->user_id), DB_TEXT(row->id),
                   DB_I64(row->app_id), DB_TEXT(row->request),
                   DB_TEXT(start->ask), DB_I64(row->expires_ms));
    if (err == OK)
        err = jobs_add(s, STR("export"), row->id, row->user_id, start->payload,
                       0, &added);
    return err;
}

enum err export_start(struct exports *e, struct export_row *row,
                      struct arena *a, struct why *w)
{
    struct buf ask = BUF_IN(a, BULK_ASK_BYTES);
    struct buf payload = BUF_IN(a, 4096);
    struct starting start = { .row = row, .w = w };
    row->id = rand_hex(a, ID_BYTES);
    row->expires_ms = clock_now_ms() + e->o.keep_s * 1000;
    row->ask.until_ms =
        export_moment(e->o.store, row->ask.release, row->user_id);
    bulk_ask_render(&ask, &row->ask);
    json_object(&payload);
    json_member(&payload, STR("id"), row->id);
    json_member_i64(&payload, STR("app"), row->app_id);
    json_object_end(&payload);
    enum err err = buf_view(&ask, &start.ask);
    if (err == ERR_LIMIT)
        return why(w, err, "the export names too much");
    if (err == OK)
        err = buf_view(&payload, &start.payload);
    if (err == OK)
        err = arena_err(a);
    return err == OK ? db_write(e->o.db, insert, &start) : err;
}

struct reading {
    int64_t app_id, user_id;
    struct str id;
    struct arena *a;
    struct export_row *row;
};

static enum export_status status_of(struct str text)
{
    return str_eq(text, STR("done"))      ? EXPORT_DONE
           : str_eq(text, STR("running")) ? EXPORT_RUNNING
                                          : EXPORT_FAILED;
}

static enum err read_row(struct db_session *s, void *context)
{
    struct reading *r = context;
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &select_row, &rows, DB_I64(r->user_id), DB_TEXT(r->id));
    if (err == OK)
        err = db_next(&rows);
    if (err != OK)
        return err;
    if (db_i64(&rows, 0) != r->app_id || db_i64(&rows, 6) <= clock_now_ms())
        return ERR_NOT_FOUND;
    *r->row = (struct export_row){
        .id = r->id,
        .app_id = r->app_id,
        .user_id = r->user_id,
        .request = arena_str(r->a, db_text(&rows, 1)),
        .status = status_of(db_text(&rows, 3)),
        .progress = arena_str(r->a, db_text(&rows, 4)),
        .result = arena_str(r->a, db_text(&rows, 5)),
        .expires_ms = db_i64(&rows, 6),
    };
    err = bulk_ask_parse(r->a, db_text(&rows, 2), &r->row->ask);
    return err == OK ? arena_err(r->a) : err;
}

enum err export_get(struct exports *e, int64_t app_id, int64_t user_id,
                    struct str id, struct arena *a, struct export_row *out)
{
    struct reading r = { app_id, user_id, id, a, out };
    return db_read(e->o.db, read_row, &r);
}

static enum err delete_one(struct db_session *s, void *context)
{
    const struct reading *r = context;
    int64_t changed = 0;
    enum err err = db_run(s, &delete_row, &changed, DB_I64(r->user_id),
                          DB_TEXT(r->id), DB_I64(r->app_id));
    return err == OK && changed == 0 ? ERR_NOT_FOUND : err;
}

enum err export_cancel(struct exports *e, int64_t app_id, int64_t user_id,
                       struct str id)
{
    struct reading r = { .app_id = app_id, .user_id = user_id, .id = id };
    return db_write(e->o.db, delete_one, &r);
}

enum err export_erase(struct db_session *s, int64_t user_id)
{
    return db_run(s, &delete_user, NULL, DB_I64(user_id));
}

/* --- the job -------------------------------------------------------------- */

void export_add_result(struct buf *b, enum release release,
                       const struct bulk_totals *totals)
{
    json_object(b);
    json_key(b, STR("types"));
    json_object(b);
    for (size_t i = 0; i < totals->type_count; i++)
        if (totals->types[i].count > 0)
            json_member_i64(b, release_type_name(release, (uint16_t)i),
                            (int64_t)totals->types[i].count);
    json_object_end(b);
    json_member_i64(b, STR("deleted"), (int64_t)totals->deleted);
    json_object_end(b);
}

struct work {
    struct exports *e;
    struct jobs *jobs;
    const struct job *job;
    struct export_row row;
    struct str status, text;
    size_t seen;
};

static enum err read_payload(const struct job *job, struct arena *a,
                             struct str *id, int64_t *app_id)
{
    struct yyjson_val *root;
    enum err err = json_parse(a, job->payload, &root, NULL);
    if (err != OK)
        return err;
    *id = json_get_text(root, STR("id"));
    return json_get_i64(root, STR("app"), app_id) ? OK : ERR_FORMAT;
}

static enum err keep_progress(struct db_session *s, void *context)
{
    const struct work *w = context;
    AUTO_BUF b = BUF(64);
    struct str text;
    buf_add_u64(&b, w->seen);
    buf_add(&b, STR(" users looked at"));
    enum err err = buf_view(&b, &text);
    return err != OK ? err
                     : db_run(s, &update_progress, NULL, DB_I64(w->row.user_id),
                              DB_TEXT(w->row.id), DB_TEXT(text));
}

static enum err keep_result(struct db_session *s, void *context)
{
    const struct work *w = context;
    return db_run(s, &update_result, NULL, DB_I64(w->row.user_id),
                  DB_TEXT(w->row.id), DB_TEXT(w->status), DB_TEXT(w->text));
}

static enum err seen(void *context, size_t n)
{
    struct work *w = context;
    w->seen = n;
    if (jobs_is_stopping(w->jobs))
        return ERR_STOPPING;
    return n % TELL_EVERY == 0 ? db_write(w->e->o.db, keep_progress, w) : OK;
}

static enum err count(struct work *w, struct arena *a)
{
    struct bulk_totals totals;
    struct buf b = BUF_IN(a, RESULT_MAX);
    enum err err =
        bulk_count_all(w->e->o.store, w->e->o.db, w->row.app_id, w->row.user_id,
                       &w->row.ask, a, &totals, seen, w);
    if (err != OK)
        return err;
    export_add_result(&b, w->row.ask.release, &totals);
    w->status = STR("done");
    return buf_view(&b, &w->text);
}

static enum err work(void *context, struct jobs *jobs, const struct job *job,
                     struct arena *a, struct why *why)
{
    struct exports *e = context;
    struct work w = { .e = e, .jobs = jobs, .job = job };
    struct str id;
    int64_t app_id;
    (void)why;
    enum err err = read_payload(job, a, &id, &app_id);
    if (err == OK)
        err = export_get(e, app_id, job->user_id, id, a, &w.row);
    if (err == ERR_NOT_FOUND)
        return OK; /* cancelled */
    if (err == OK)
        err = count(&w, a);
    return err == OK ? db_write(e->o.db, keep_result, &w) : err;
}

static void gave_up(void *context, const struct job *job, const char *text)
{
    struct exports *e = context;
    AUTO_ARENA a = ARENA((size_t)64 * 1024);
    struct work w = { .status = STR("failed"), .text = STR("") };
    int64_t app_id;
    (void)text;
    w.row.user_id = job->user_id;
    if (read_payload(job, &a, &w.row.id, &app_id) != OK ||
        db_write(e->o.db, keep_result, &w) != OK)
        return; /* it expires as running */
}

size_t exports_kinds(struct exports *e, struct job_kind *out, size_t room)
{
    if (room == 0)
        return 0;
    out[0] = (struct job_kind){ .name = "export",
                                .work = work,
                                .gave_up = gave_up,
                                .context = e,
                                .attempts_max = 5,
                                .at_once_max = 2,
                                .lease_seconds = LEASE_SECONDS };
    return 1;
}
