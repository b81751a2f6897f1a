/* Notices to their endpoint, one after the other.  A failure ends the attempt:
 * the job comes again later, from the notice that was not heard. */
#include "base/clock.h"
#include "base/json.h"
#include "patch/patch.h"
#include "subscription/subscription_int.h"

#define TIMEOUT_MS   15000
#define ANSWER_MAX   ((size_t)64 * 1024)
#define STATUS_TRIES 20

struct delivery {
    struct subscriptions *s;
    struct jobs *jobs;
    const struct job *job;
    struct hook_name name;
    enum release release;
    uint16_t type; /* Subscription */
    struct hook hook;
    struct notice notice;
    struct arena *a; /* of one notice */
    struct why *w;
    bool is_over;
};

static void close_snapshot(struct store_snapshot **snap)
{
    store_close(*snap);
}
#define AUTO_SNAPSHOT                                                          \
    __attribute__((cleanup(close_snapshot))) struct store_snapshot

static enum err open(const struct delivery *d, struct store_snapshot **out)
{
    return store_open(d->s->o.store, d->name.user_id, d->name.kind, out);
}

/* --- the Subscription's status -------------------------------------------- */

/* [{"op":"add","path":"/status","value":".."},..] */
static enum err status_patch(struct arena *a, struct str status,
                             struct str error, struct str *out)
{
    struct buf b = BUF_IN(a, 4096);
    json_array(&b);
    json_object(&b);
    json_member(&b, STR("op"), STR("add"));
    json_member(&b, STR("path"), STR("/status"));
    json_member(&b, STR("value"), status);
    json_object_end(&b);
    if (error.n > 0) {
        json_object(&b);
        json_member(&b, STR("op"), STR("add"));
        json_member(&b, STR("path"), STR("/error"));
        json_member(&b, STR("value"), error);
        json_object_end(&b);
    }
    json_array_end(&b);
    return buf_view(&b, out);
}

static enum err try_status(const struct delivery *d, struct arena *a,
                           struct str status, struct str error)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    struct resource r;
    struct buf body = BUF_IN(a, HOOK_BODY_MAX);
    struct str text, patch;
    enum err err = open(d, &snap);
    if (err == OK)
        err = store_read(snap, d->type, d->name.id, &v);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return OK; /* deleted meanwhile */
    if (err == OK)
        err = store_body(snap, v.slot, &body);
    if (err == OK)
        err = buf_view(&body, &text);
    if (err == OK)
        err = status_patch(a, status, error, &patch);
    if (err == OK)
        err = patch_json(a, text, patch, &text, NULL);
    if (err == OK)
        err = resource_parse(a, d->release, text, &r, NULL);
    if (err != OK)
        return err;
    struct store_op op = { .verb = STORE_PUT,
                           .resource = &r,
                           .id = d->name.id,
                           .if_version = v.version_id };
    return store_commit(d->s->o.store, d->name.user_id, d->name.kind, -1, &op,
                        1, a, NULL, NULL, NULL);
}

static enum err set_status(const struct delivery *d, struct str status,
                           struct str error)
{
    enum err err = ERR_PRECONDITION;
    for (int i = 0; err == ERR_PRECONDITION && i < STATUS_TRIES; i++) {
        AUTO_ARENA a = ARENA(HOOK_ARENA);
        err = try_status(d, &a, status, error);
    }
    return err;
}

/* --- calls ---------------------------------------------------------------- */

static enum err call(const struct delivery *d, struct http_call *call)
{
    call->url = d->hook.endpoint;
    call->arena = d->a;
    call->timeout_ms = TIMEOUT_MS;
    call->answer_max_bytes = ANSWER_MAX;
    for (size_t i = 0; i < d->hook.header_count; i++)
        http_call_add_header(call, d->hook.headers[i].name,
                             d->hook.headers[i].value);
    enum err err = http_client_run(d->s->o.client, call);
    if (err == OK || err == ERR_STOPPING)
        return err;
    /* an answer that is too long was an answer, but of what status? */
    return why_of(
        d->w, ERR_UPSTREAM, STR("the endpoint was not reached: "),
        str_of(call->why.text[0] != '\0' ? call->why.text : err_name(err)));
}

/* requested: an endpoint that answers at all may be told things. */
static enum err activate(struct delivery *d)
{
    struct http_call ask = { .method = HTTP_OPTIONS };
    enum err err = call(d, &ask);
    if (err == OK)
        err = set_status(d, STR("active"), STR(""));
    d->hook.status = HOOK_ACTIVE;
    return err;
}

/* The resource as of the notice; of a deletion what was deleted. */
static enum err add_body(const struct delivery *d, struct buf *b)
{
    AUTO_SNAPSHOT *snap = NULL;
    if (!str_eq(d->notice.event, STR("delete"))) {
        enum err err = open(d, &snap);
        return err == OK ? store_body(snap, (uint32_t)d->notice.place, b) : err;
    }
    buf_add(b, STR("{\"resourceType\":\"Bundle\",\"type\":\"history\","
                   "\"entry\":[{\"request\":{\"method\":\"DELETE\","
                   "\"url\":\""));
    buf_add(b, d->notice.name);
    buf_add(b, STR("\"}}]}"));
    return b->err;
}

static enum err tell(const struct delivery *d)
{
    struct http_call post = { .method = HTTP_POST, .body = STR("") };
    struct buf body = BUF_IN(d->a, HOOK_BODY_MAX), number = BUF_IN(d->a, 32);
    struct str text;
    enum err err = OK;
    buf_add_i64(&number, d->notice.place);
    if (d->hook.payload.n > 0) {
        err = add_body(d, &body);
        if (err == ERR_GONE)
            return OK; /* the record was erased */
        if (err == OK)
            err = buf_view(&body, &post.body);
        http_call_add_header(&post, STR("Content-Type"), d->hook.payload);
        http_call_add_header(&post, STR("X-Tributary-Event"), d->notice.event);
    }
    if (err == OK)
        err = buf_view(&number, &text);
    if (err != OK)
        return err;
    http_call_add_header(&post, STR("X-Tributary-Notice"), text);
    err = call(d, &post);
    if (err != OK)
        return err;
    if (post.status >= 200 && post.status < 300)
        return OK;
    buf_cut(&number, 0);
    buf_add_i64(&number, post.status);
    err = buf_view(&number, &text);
    return err == OK
               ? why_of(d->w, ERR_UPSTREAM, STR("the endpoint answered "), text)
               : err;
}

/* --- the job -------------------------------------------------------------- */

/* Another attempt's failures do not count against the notices to come: a fresh
 * job takes over. */
static enum err heard(struct db_session *s, void *context)
{
    struct delivery *d = context;
    bool added;
    enum err err = rows_end_notice(s, &d->name, d->notice.place);
    if (err != OK || d->job->attempt == 1)
        return err == OK ? jobs_keep_in(s, d->job, STR("")) : err;
    err = jobs_release_in(s, d->job);
    d->is_over = true;
    return err == OK ? hook_add_job(s, STR("deliver"), &d->name, &added) : err;
}

static enum err drop(struct db_session *s, void *context)
{
    struct delivery *d = context;
    return rows_drop_notices(s, &d->name);
}

/* Ends the job, unless something came meanwhile. */
static enum err end(struct db_session *s, void *context)
{
    struct delivery *d = context;
    bool has_more = false;
    enum err err = rows_has_notice(s, &d->name, &has_more);
    d->is_over = err == OK && !has_more;
    return d->is_over ? jobs_release_in(s, d->job) : err;
}

/* The Subscription as it is now; one that is gone or broken counts as off. */
static enum err read_hook(struct delivery *d)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    struct buf body = BUF_IN(d->a, HOOK_BODY_MAX);
    struct str text;
    d->hook = (struct hook){ .status = HOOK_OFF };
    enum err err = open(d, &snap);
    if (err == OK)
        err = store_read(snap, d->type, d->name.id, &v);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return OK;
    if (err == OK)
        err = store_body(snap, v.slot, &body);
    if (err == OK)
        err = buf_view(&body, &text);
    if (err == OK && hook_parse(d->release, text, d->a, &d->hook, NULL) != OK)
        d->hook.status = HOOK_OFF;
    return err;
}

static enum err step(struct delivery *d)
{
    struct db *db = d->s->o.db;
    enum err err = read_hook(d);
    if (err == OK && d->hook.status != HOOK_OFF && d->hook.end_ms > 0 &&
        d->hook.end_ms <= clock_now_ms()) {
        err = set_status(d, STR("off"), STR(""));
        d->hook.status = HOOK_OFF;
    }
    if (err == OK && d->hook.status == HOOK_REQUESTED)
        err = activate(d);
    if (err == OK && d->hook.status == HOOK_OFF)
        err = db_write(db, drop, d);
    if (err != OK)
        return err;
    err = rows_next_notice(db, &d->name, d->a, &d->notice);
    if (err == ERR_NOT_FOUND)
        return db_write(db, end, d);
    if (err == OK)
        err = tell(d);
    return err == OK ? db_write(db, heard, d) : err;
}

static enum err begin(struct delivery *d, const struct job *job,
                      struct arena *a)
{
    enum err err = hook_job_name(job, a, &d->name);
    if (err != OK)
        return err;
    d->release = record_kind_release(d->name.kind);
    d->type = release_type_find(d->release, STR("Subscription"), false);
    return OK;
}

enum err deliver_work(void *context, struct jobs *jobs, const struct job *job,
                      struct arena *a, struct why *w)
{
    struct delivery d = { .s = context, .jobs = jobs, .job = job, .w = w };
    enum err err = begin(&d, job, a);
    while (err == OK && !d.is_over) {
        AUTO_ARENA room = ARENA(HOOK_ARENA);
        d.a = &room;
        err = jobs_is_stopping(jobs) ? ERR_STOPPING : step(&d);
    }
    if (err == OK)
        jobs_wake(jobs);
    return err;
}

/* The Subscription says what went wrong; it waits for its owner. */
void deliver_gave_up(void *context, const struct job *job, const char *text)
{
    AUTO_ARENA a = ARENA((size_t)64 * 1024);
    struct delivery d = { .s = context, .job = job };
    if (begin(&d, job, &a) != OK)
        return;
    if (set_status(&d, STR("error"), str_of(text)) != OK ||
        db_write(d.s->o.db, drop, &d) != OK)
        return; /* it is tried again with the next match */
}
