/* A batch: each entry is a request of its own.  Neighbours that only write are
 * one commit, when they can be; else each is asked as if it had come alone. */
#include "api/fhir_bundle_int.h"

#include "fhir/outcome.h"

static bool is_plain_write(const struct transaction *t, size_t i)
{
    const struct change *c = &t->changes[i];
    return !t->entries[i].is_read && !change_needs_record(c) &&
           (c->verb == CHANGE_CREATE || c->verb == CHANGE_UPDATE) &&
           c->if_match.n == 0;
}

static void fail(struct transaction *t, size_t i, enum err err)
{
    struct arena *a = t->f->http->arena;
    struct entry *e = &t->entries[i];
    struct buf b = BUF_IN(a, 4096);
    struct outcome_issue issue = {
        .severity = STR("error"),
        .code = outcome_code(err),
        .diagnostics = arena_str(a, str_of(t->f->http->why.text)),
    };
    e->status = outcome_status(err);
    outcome_render(&b, t->f->release, &issue, 1);
    if (buf_view(&b, &e->outcome) != OK)
        e->outcome = STR("{}");
}

static bool is_fatal(enum err err)
{
    return err == ERR_NOMEM || err == ERR_STOPPING || err == ERR_IO;
}

/* Entries [from, to) in one commit; whatever stands against that, they can
 * still go one by one. */
static enum err write_together(struct transaction *t, size_t from, size_t to)
{
    enum err err = OK;
    for (size_t i = from; err == OK && i < to; i++)
        err = change_resolve(t->f, NULL, &t->changes[i]);
    return err == OK ? change_commit(t->f, NULL, t->changes + from, to - from)
                     : err;
}

static enum err run_alone(struct transaction *t, size_t i)
{
    t->f->http->why = (struct why){ 0 };
    enum err err = fhir_transaction_dispatch(t, i);
    if (err == OK || is_fatal(err))
        return err;
    fail(t, i, err);
    return OK;
}

static enum err run_some(struct transaction *t, size_t from, size_t to)
{
    if (to - from > 1) {
        enum err err = write_together(t, from, to);
        if (err == OK || is_fatal(err))
            return err;
    }
    for (size_t i = from; i < to; i++) {
        enum err err = run_alone(t, i);
        if (err != OK)
            return err;
    }
    return OK;
}

enum err fhir_batch_run(struct transaction *t)
{
    size_t from = 0;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < t->n; i++) {
        t->f->http->why = (struct why){ 0 };
        enum err bad = fhir_transaction_admit(t, i);
        if (bad == OK && is_plain_write(t, i))
            continue;
        err = run_some(t, from, i);
        from = i + 1;
        if (err == OK && bad == OK)
            err = run_alone(t, i);
        else if (is_fatal(bad))
            return bad;
        else
            fail(t, i, bad);
    }
    return err == OK ? run_some(t, from, t->n) : err;
}
