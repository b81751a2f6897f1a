#include <stdlib.h>

#include "base/clock.h"
#include "base/rand.h"
#include "jobs/jobs_int.h"

#define JOB_ARENA_MAX ((size_t)512 * 1024 * 1024)

static const struct db_statement insert = {
    "INSERT INTO job (user_id, kind, key, payload, state, failures, due_ms,"
    " lease, made_ms) VALUES ($1, $2, $3, $4, '', 0, $5, 0, $6)"
    " ON CONFLICT DO NOTHING"
};
#define TAKE(lock_)                                                            \
    "UPDATE job SET due_ms = $1, lease = $2 WHERE id IN (SELECT id FROM job"   \
    " WHERE kind = $3 AND due_ms <= $4 ORDER BY due_ms, id LIMIT $5" lock_ ")" \
    " RETURNING id, user_id, payload, state, failures"
static const struct db_statement take = { DB_EITHER(
    TAKE(""), TAKE(" FOR UPDATE SKIP LOCKED")) };
static const struct db_statement next_due = {
    "SELECT due_ms FROM job WHERE kind = $1 ORDER BY due_ms LIMIT 1"
};
static const struct db_statement keep = {
    "UPDATE job SET state = $3, due_ms = $4 WHERE id = $1 AND lease = $2"
};
static const struct db_statement release = {
    "UPDATE job SET key = '' WHERE id = $1 AND lease = $2"
};
static const struct db_statement renew = {
    "UPDATE job SET due_ms = $3 WHERE id = $1 AND lease = $2"
};
static const struct db_statement hand_back = {
    "UPDATE job SET due_ms = $3, lease = 0 WHERE id = $1 AND lease = $2"
};
static const struct db_statement again = {
    "UPDATE job SET due_ms = $3, lease = 0, failures = failures + 1"
    " WHERE id = $1 AND lease = $2"
};
static const struct db_statement delete_one = {
    "DELETE FROM job WHERE id = $1 AND lease = $2"
};
/* A lease's upper half is the process that took it: with PostgreSQL only the
 * jobs of dead ones are taken back. */
#define TAKE_BACK "UPDATE job SET due_ms = $1, lease = 0 WHERE lease <> 0"
static const struct db_statement take_back = { DB_EITHER(
    TAKE_BACK, TAKE_BACK " AND NOT " DB_LIVE("job.lease >> 32")) };
static const struct db_statement find_dead = { DB_EITHER(
    "SELECT 1 FROM job WHERE 1 = 0",
    "SELECT 1 FROM job WHERE lease <> 0 AND NOT " DB_LIVE(
        "job.lease >> 32") " LIMIT 1") };
static const struct db_statement count = { "SELECT count(*) FROM job" };
static const struct db_statement delete_user = {
    "DELETE FROM job WHERE user_id = $1"
};

static int64_t lease_end(unsigned lease_seconds)
{
    return clock_now_ms() + (int64_t)lease_seconds * 1000;
}

enum err jobs_add(struct db_session *s, struct str kind, struct str key,
                  int64_t user_id, struct str payload, int64_t due_ms,
                  bool *added)
{
    int64_t now = clock_now_ms();
    int64_t changed = 0;
    enum err err = db_run(s, &insert, &changed, DB_I64(user_id), DB_TEXT(kind),
                          DB_TEXT(key), DB_TEXT(payload),
                          DB_I64(due_ms > 0 ? due_ms : now), DB_I64(now));
    if (err == OK && added != NULL)
        *added = changed > 0;
    return err;
}

void task_free(struct task *t)
{
    if (t == NULL)
        return;
    arena_fini(&t->arena);
    free(t);
}

struct take_call {
    const struct job_kind *kind;
    unsigned n, taken;
    struct task *tasks;
    int64_t lease;
};

static void free_all(struct take_call *call)
{
    while (call->tasks != NULL) {
        struct task *next = call->tasks->next;
        task_free(call->tasks);
        call->tasks = next;
    }
    call->taken = 0;
}

static enum err read_task(const struct db_rows *rows, struct take_call *call,
                          int64_t lease)
{
    struct task *t = calloc(1, sizeof *t);
    if (t == NULL)
        return ERR_NOMEM;
    t->arena = ARENA(JOB_ARENA_MAX);
    t->kind = call->kind;
    t->renewed_ns = clock_monotonic_ns();
    t->job = (struct job){
        .id = db_i64(rows, 0),
        .user_id = db_i64(rows, 1),
        .kind = str_of(call->kind->name),
        .payload = arena_str(&t->arena, db_text(rows, 2)),
        .state = arena_str(&t->arena, db_text(rows, 3)),
        .attempt = (unsigned)db_i64(rows, 4) + 1,
        .lease = lease,
        .lease_seconds = call->kind->lease_seconds,
    };
    t->next = call->tasks;
    call->tasks = t;
    call->taken++;
    return arena_err(&t->arena);
}

static enum err do_take(struct db_session *s, void *context)
{
    struct take_call *call = context;
    int64_t lease = call->lease;
    AUTO_ROWS rows = { 0 };
    enum err err =
        db_query(s, &take, &rows, DB_I64(lease_end(call->kind->lease_seconds)),
                 DB_I64(lease), DB_TEXT(str_of(call->kind->name)),
                 DB_I64(clock_now_ms()), DB_I64(call->n));
    while (err == OK && (err = db_next(&rows)) == OK)
        err = read_task(&rows, call, lease);
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err job_rows_take(struct db *db, const struct job_kind *kind, unsigned n,
                       struct task **out, unsigned *taken)
{
    struct take_call call = { .kind = kind, .n = n };
    call.lease = db_member(db) << 32 | (int64_t)(rand_u64() & UINT32_MAX);
    enum err err = db_write(db, do_take, &call);
    if (err != OK) {
        free_all(&call);
        return err;
    }
    *out = call.tasks;
    *taken = call.taken;
    return OK;
}

struct due_call {
    struct str kind;
    int64_t due_ms;
};

static enum err do_next_due(struct db_session *s, void *context)
{
    struct due_call *call = context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &next_due, &rows, DB_TEXT(call->kind));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        call->due_ms = db_i64(&rows, 0);
    return err;
}

enum err job_rows_next_due(struct db *db, struct str kind, int64_t *out_ms)
{
    struct due_call call = { .kind = kind };
    enum err err = db_read(db, do_next_due, &call);
    if (err == OK)
        *out_ms = call.due_ms;
    return err;
}

/* A statement on one job that has $1 id, $2 lease and perhaps $3 due_ms. */
struct end_call {
    const struct db_statement *statement;
    const struct job *job;
    int64_t due_ms; /* negative: the statement has no $3 */
};

static enum err do_end(struct db_session *s, void *context)
{
    const struct end_call *call = context;
    if (call->due_ms < 0)
        return db_run(s, call->statement, NULL, DB_I64(call->job->id),
                      DB_I64(call->job->lease));
    return db_run(s, call->statement, NULL, DB_I64(call->job->id),
                  DB_I64(call->job->lease), DB_I64(call->due_ms));
}

enum err job_rows_remove(struct db *db, const struct job *job)
{
    struct end_call call = { &delete_one, job, -1 };
    return db_write(db, do_end, &call);
}

enum err job_rows_hand_back(struct db *db, const struct job *job)
{
    struct end_call call = { &hand_back, job, clock_now_ms() };
    return db_write(db, do_end, &call);
}

enum err job_rows_again(struct db *db, const struct job *job, int64_t due_ms)
{
    struct end_call call = { &again, job, due_ms };
    return db_write(db, do_end, &call);
}

enum err job_rows_renew(struct db *db, const struct job *job)
{
    struct end_call call = { &renew, job, lease_end(job->lease_seconds) };
    return db_write(db, do_end, &call);
}

static enum err do_take_back(struct db_session *s, void *context)
{
    (void)context;
    return db_run(s, &take_back, NULL, DB_I64(clock_now_ms()));
}

enum err job_rows_take_back_all(struct db *db)
{
    return db_write(db, do_take_back, NULL);
}

static enum err do_find_dead(struct db_session *s, void *context)
{
    (void)context;
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &find_dead, NULL, 0, &rows);
    return err == OK ? db_next(&rows) : err;
}

enum err job_rows_take_back_dead(struct db *db)
{
    enum err err = db_read(db, do_find_dead, NULL);
    return err == OK ? job_rows_take_back_all(db) : err;
}

static enum err do_count(struct db_session *s, void *context)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query_n(s, &count, NULL, 0, &rows);
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *(int64_t *)context = db_i64(&rows, 0);
    return err;
}

enum err job_rows_count(struct db *db, int64_t *out)
{
    return db_read(db, do_count, out);
}

enum err jobs_keep_in(struct db_session *s, const struct job *job,
                      struct str state)
{
    int64_t changed = 0;
    enum err err =
        db_run(s, &keep, &changed, DB_I64(job->id), DB_I64(job->lease),
               DB_TEXT(state), DB_I64(lease_end(job->lease_seconds)));
    return err == OK && changed == 0 ? ERR_CONFLICT : err;
}

enum err jobs_release_in(struct db_session *s, const struct job *job)
{
    return db_run(s, &release, NULL, DB_I64(job->id), DB_I64(job->lease));
}

enum err jobs_erase(struct db_session *s, int64_t user_id)
{
    return db_run(s, &delete_user, NULL, DB_I64(user_id));
}
