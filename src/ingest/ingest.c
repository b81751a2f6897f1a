/* The stages in their order: prepare, plan, fetch (which keeps as it goes),
 * end.  A job's state says which types are done; everything else may be done
 * again without harm, since ids are derived and equal content writes nothing.
 */
#include "ingest/ingest_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

#define WANTS_MAX     20000
#define ATTEMPTS_MAX  8
#define AT_ONCE_MAX   16
#define LEASE_SECONDS 60
#define METADATA_MAX  ((size_t)64 << 20)

enum err ingest_new(const struct ingest_options *o, struct ingest **out,
                    struct why *w)
{
    (void)w;
    struct ingest *i = calloc(1, sizeof *i);
    if (i == NULL)
        return ERR_NOMEM;
    i->o = *o;
    *out = i;
    return OK;
}

void ingest_set_connect(struct ingest *i, struct connect *c)
{
    i->o.connect = c;
}

void ingest_free(struct ingest *i)
{
    free(i);
}

/* --- a run -----------------------------------------------------------------
 */

static void add_want(void *context, const struct source_ref *ref,
                     struct str url)
{
    struct run *run = context;
    struct arena *a = &run->arena;
    if (run->want_count >= WANTS_MAX)
        return;
    struct str key = arena_cat(a, ref->type, STR("/"), ref->id);
    void **slot = map_slot(&run->wanted, key);
    if (slot == NULL || *slot != NULL)
        return;
    struct want *w = arena_zalloc(a, 1, sizeof *w);
    if (w == NULL)
        return;
    w->ref.type = str_slice(key, 0, ref->type.n);
    w->ref.id = str_from(key, ref->type.n + 1);
    w->url = url.n > 0 ? arena_str(a, url) : STR("");
    *slot = w;
    *run->last_want = w;
    run->last_want = &w->next;
    run->want_count++;
}

static void run_init(struct run *run, struct ingest *ingest,
                     const struct connection *c, struct why *w)
{
    run->ingest = ingest;
    run->why = w;
    run->arena = ARENA(RUN_BYTES_MAX);
    run->connection = *c;
    run->started_ms = clock_now_ms();
    run->last_type = &run->types;
    run->last_want = &run->first_want;
    run->by_type = MAP_IN(&run->arena);
    run->held = MAP_IN(&run->arena);
    run->wanted = MAP_IN(&run->arena);
    run->patients = MAP_IN(&run->arena);
    run->ids = MAP_IN(&run->arena);
    run->before = MAP_IN(&run->arena);
    run->release = R4;
    (void)release_find(c->fhir_version, &run->release);
    run->kind = (enum record_kind)run->release;
    run->normaliser = (struct normaliser){
        .ingest = ingest,
        .connection = &run->connection,
        .release = run->release,
        .public_base = ingest->o.public_base,
        .ids = &run->ids,
        .wants = add_want,
        .context = run,
    };
    run->normaliser.owner =
        ingest_local_id(ingest, &run->arena, &run->connection, STR("Patient"),
                        c->patient_id, STR(""));
}

static void run_fini(struct run *run)
{
    secret_fini(&run->authorization);
    for (struct old_token *t = run->old_tokens; t != NULL; t = t->next)
        secret_fini(&t->authorization);
    while (run->pages != NULL) {
        struct page *next = run->pages->next;
        arena_fini(&run->pages->arena);
        free(run->pages);
        run->pages = next;
    }
    arena_fini(&run->arena);
}
#define AUTO_RUN __attribute__((cleanup(run_fini))) struct run

static void restore(struct run *run, struct str state)
{
    struct yyjson_val *root;
    if (state.n == 0 || json_parse(&run->arena, state, &root, NULL) != OK)
        return;
    run->is_resumed = true;
    for (JSON_EACH(type, json_get(root, STR("done")))) {
        struct run_type *t = run_type_of(run, json_text(type.now));
        if (t != NULL)
            t->report.status = STR("done");
    }
    for (JSON_EACH(want, json_get(root, STR("wants")))) {
        struct str part[3] = { STR(""), STR(""), STR("") };
        size_t n = 0;
        for (JSON_EACH(text, want.now))
            if (n < 3)
                part[n++] = json_text(text.now);
        struct source_ref ref = { part[0], part[1] };
        if (n == 3)
            add_want(run, &ref, part[2]);
    }
}

/* An earlier attempt's counts stand in the report already. */
static void restore_counts(struct run *run)
{
    struct ingest_report report;
    if (!run->is_resumed ||
        ingest_report_get(run->ingest->o.db, run->connection.user_id,
                          run->connection.id, &run->arena, &report) != OK)
        return;
    run->started_ms = report.started_ms;
    for (size_t i = 0; i < report.type_count; i++) {
        struct run_type *t = run_type_of(run, report.types[i].type);
        if (t == NULL)
            return;
        struct str status = t->report.status;
        if (!str_eq(status, STR("done")))
            continue;
        t->report = report.types[i];
        t->report.status = status;
    }
}

/* What an earlier attempt stored need not be read again by reference. */
enum err mark_held(struct run *run)
{
    struct store_snapshot *snap = NULL;
    if (!run->is_resumed)
        return OK;
    enum err err = store_open(run->ingest->o.store, run->connection.user_id,
                              run->kind, &snap);
    for (struct want *w = run->first_want; err == OK && w != NULL;
         w = w->next) {
        struct store_version v;
        uint16_t type = release_type_find(run->release, w->ref.type, false);
        struct str id =
            ingest_local_id(run->ingest, &run->arena, &run->connection,
                            w->ref.type, w->ref.id, run->normaliser.owner);
        w->is_asked = type == TYPE_NONE || store_read(snap, type, id, &v) == OK;
    }
    store_close(snap);
    return err;
}

static enum err step(struct run *run, struct str code, struct str outcome,
                     struct str type, int64_t count, struct str detail)
{
    struct audit_step step = {
        .user_id = run->connection.user_id,
        .app_id = run->connection.app_id,
        .connection_id = run->connection.id,
        .system_id = run->connection.system_id,
        .system_name = run->system.name,
        .step = code,
        .outcome = outcome,
        .detail = detail,
        .type = type,
        .count = count,
    };
    return audit_record_step(run->ingest->o.audit, &step);
}

/* The system, its vendor's manners, and what it says it can. */
static enum err prepare(struct run *run, struct plan *plan)
{
    struct arena *a = &run->arena;
    enum err err = system_get(run->ingest->o.db, run->connection.system_id, a,
                              &run->system);
    if (err != OK)
        return why(run->why, err, "the connection's system is gone");
    err = vendor_with(vendor_find(run->system.vendor), run->system.overrides, a,
                      &run->vendor);
    if (err != OK)
        return err;
    AUTO_ARENA metadata = ARENA(METADATA_MAX);
    struct str text = STR("");
    struct yyjson_val *capability = NULL;
    int status = 0;
    err = fetch_one(run, url_join(a, run->connection.base_url, STR("metadata")),
                    &metadata, &status, &text);
    if (err == ERR_STOPPING || err == ERR_DENIED || err == ERR_NOMEM)
        return err;
    if (err != OK || status != 200 ||
        json_parse(&metadata, text, &capability, NULL) != OK)
        capability = NULL;
    return plan_make(a, run->release, &run->vendor, capability,
                     run->connection.scope, plan);
}

static enum err report_failures(struct run *run, size_t *failed)
{
    enum err err = OK;
    for (struct run_type *t = run->types; err == OK && t != NULL; t = t->next) {
        if (!str_eq(t->report.status, STR("failed")))
            continue;
        ++*failed;
        err = step(run, STR("resource-retrieval-failure"), STR("8"),
                   t->report.type, -1, t->report.detail);
    }
    return err;
}

static int64_t total_got(const struct run *run)
{
    int64_t n = 0;
    for (const struct run_type *t = run->types; t != NULL; t = t->next)
        n += t->report.got;
    return n;
}

/* {"connection":7}, and the name under which it is queued once. */
static enum err add_job(struct db_session *s, struct str kind, int64_t user_id,
                        int64_t connection_id, bool is_whole, int64_t due_ms,
                        bool *added)
{
    AUTO_ARENA a = ARENA((size_t)64 * 1024);
    struct buf payload = BUF_IN(&a, 128), key = BUF_IN(&a, 64);
    struct str text, name;
    json_object(&payload);
    json_member_i64(&payload, STR("connection"), connection_id);
    if (is_whole)
        json_member_bool(&payload, STR("whole"), true);
    json_object_end(&payload);
    buf_add(&key, STR("connection:"));
    buf_add_i64(&key, connection_id);
    enum err err = buf_view(&payload, &text);
    if (err == OK)
        err = buf_view(&key, &name);
    return err == OK ? jobs_add(s, kind, name, user_id, text, due_ms, added)
                     : err;
}

enum err queue_refresh(struct db_session *s, struct run *run)
{
    int64_t every_s = run->ingest->o.refresh_every_s;
    bool added;
    return every_s <= 0 ? OK
                        : add_job(s, STR("refresh"), run->connection.user_id,
                                  run->connection.id, false,
                                  clock_now_ms() + every_s * 1000, &added);
}

static enum err end(struct run *run)
{
    size_t failed = 0;
    enum err err = report_failures(run, &failed);
    if (err == OK)
        err = step(run, STR("member-data-ingestion-completed"),
                   failed > 0 ? STR("4") : STR("0"), STR(""), total_got(run),
                   STR("the record was collected"));
    run->comes_again = true;
    return err == OK ? report_end(run, STR("done"), STR("")) : err;
}

static enum err ingest_run(struct run *run, bool is_whole)
{
    struct plan plan = { 0 };
    enum err err = since_read(run, is_whole);
    if (err == OK)
        err = prepare(run, &plan);
    for (size_t i = 0; err == OK && i < plan.count; i++) {
        struct run_type *t = run_type_of(run, plan.types[i].type);
        if (t == NULL)
            return ERR_NOMEM;
        t->plan = &plan.types[i];
        t->is_dirty = true;
        run->is_incremental |= t->report.since_ms > 0;
        if (str_eq(t->report.status, STR("done")))
            continue;
        t->report.status = STR("waiting");
        since_begin(run, t);
    }
    if (err == OK)
        err = report_begin(run);
    if (err == OK && !run->is_resumed && run->job->attempt == 1)
        err = step(run, STR("data-transfer-initiated"), STR("0"), STR(""), -1,
                   STR("the record is being collected"));
    if (err == OK)
        err = fetch_all(run, &plan);
    return err == OK ? end(run) : err;
}

/* --- the job ---------------------------------------------------------------
 */

static enum err read_payload(struct arena *a, struct str payload, int64_t *id,
                             bool *is_whole)
{
    struct yyjson_val *root;
    enum err err = json_parse(a, payload, &root, NULL);
    if (err == OK && !json_get_i64(root, STR("connection"), id))
        err = ERR_FORMAT;
    if (err == OK)
        *is_whole = json_true(json_get(root, STR("whole")));
    return err;
}

static enum err work(void *context, struct jobs *jobs, const struct job *job,
                     struct arena *a, struct why *w)
{
    struct ingest *ingest = context;
    struct connection c;
    int64_t id;
    bool is_whole = false;
    enum err err = read_payload(a, job->payload, &id, &is_whole);
    if (err == OK)
        err = connection_get(ingest->o.db, job->user_id, id, a, &c);
    if (err == ERR_NOT_FOUND || err == ERR_FORMAT)
        return OK; /* revoked or erased meanwhile: nothing to do */
    if (err != OK)
        return err;
    if (!str_eq(c.status, STR("active")))
        return OK;
    AUTO_RUN run = { 0 };
    run_init(&run, ingest, &c, w);
    run.jobs = jobs;
    run.job = job;
    restore(&run, job->state);
    restore_counts(&run);
    err = ingest_run(&run, is_whole);
    if (err == ERR_DENIED) { /* the system wants the person back */
        err = report_end(&run, STR("failed"), str_of(w->text));
        if (err == OK)
            err = step(&run, STR("member-data-ingestion-timeout"), STR("8"),
                       STR(""), -1, str_of(w->text));
    }
    return err;
}

static void gave_up(void *context, const struct job *job, const char *text)
{
    struct ingest *ingest = context;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct why w = { 0 };
    struct connection c;
    int64_t id;
    bool is_whole;
    if (read_payload(&a, job->payload, &id, &is_whole) != OK ||
        connection_get(ingest->o.db, job->user_id, id, &a, &c) != OK)
        return;
    AUTO_RUN run = { 0 };
    run_init(&run, ingest, &c, &w);
    run.is_resumed = true; /* the rows of its types stay */
    run.comes_again = true;
    if (system_get(ingest->o.db, c.system_id, &run.arena, &run.system) != OK)
        run.system.name = STR("");
    if (report_end(&run, STR("failed"), str_of(text)) != OK)
        return;
    if (step(&run, STR("member-data-ingestion-timeout"), STR("8"), STR(""), -1,
             str_of(text)) != OK)
        return;
}

size_t ingest_kinds(struct ingest *i, struct job_kind *out, size_t room)
{
    static const char *const names[] = { "ingest", "refresh" };
    size_t n = 0;
    for (; n < 2 && n < room; n++)
        out[n] = (struct job_kind){ .name = names[n],
                                    .work = work,
                                    .gave_up = gave_up,
                                    .context = i,
                                    .attempts_max = ATTEMPTS_MAX,
                                    .at_once_max = AT_ONCE_MAX,
                                    .lease_seconds = LEASE_SECONDS };
    return n;
}

enum err ingest_queue(struct db_session *s, int64_t user_id,
                      int64_t connection_id, bool is_whole, bool *queued)
{
    return add_job(s, STR("ingest"), user_id, connection_id, is_whole, 0,
                   queued);
}

/* --- the Patient, before the browser goes back -----------------------------
 */

enum err ingest_keep_patient(void *context, const struct connection *c,
                             struct str patient_json, struct arena *a,
                             struct str *out_local_id, struct why *w)
{
    struct ingest *ingest = context;
    struct resource r;
    struct map none = MAP_IN(a);
    struct str id;
    AUTO_RUN run = { 0 };
    run_init(&run, ingest, c, w);
    enum err err = resource_parse(a, run.release, patient_json, &r, w);
    if (err == OK && !str_eq(r.type_name, STR("Patient")))
        err = why(w, ERR_UPSTREAM, "the system's patient is no Patient");
    if (err == OK)
        err = normalise(&run.normaliser, a, &none, &r, &id);
    if (err != OK)
        return err;
    struct store_op op = { .verb = STORE_PUT,
                           .resource = &r,
                           .type = r.type,
                           .id = id,
                           .keep_same = true };
    err = store_commit(ingest->o.store, c->user_id, run.kind, -1, &op, 1, a,
                       NULL, NULL, w);
    if (err == OK)
        *out_local_id = arena_str(a, id);
    return err == OK ? arena_err(a) : err;
}
