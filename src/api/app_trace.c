/* Traces of calls about users and tokens, in access_audit (decision 18). */
#include "api/access.h"
#include "audit/audit.h"

static void leave(const struct http_request *r, const struct app_trace *t,
                  int status)
{
    const struct services *s = services_of(r);
    if (s->audit == NULL)
        return;
    struct audit_access access = {
        .user_id = t->user_id,
        .app_id = t->app_id,
        .interaction = t->interaction,
        .kind = RECORD_R4,
        .type = TYPE_NONE,
        .peer = r->peer,
        .status = status,
    };
    audit_record_access(s->audit, &access);
}

static void failed(const struct http_request *r, int status)
{
    leave(r, r->principal, status);
}

enum err app_trace_begin(struct http_request *r, char interaction,
                         struct app_trace **out)
{
    struct app_trace *t = arena_zalloc(r->arena, 1, sizeof *t);
    if (t == NULL)
        return arena_err(r->arena);
    t->trace.failed = failed;
    t->interaction = interaction;
    r->principal = t;
    *out = t;
    return OK;
}

void app_trace_done(const struct http_request *r, const struct app_trace *t)
{
    leave(r, t, 200);
}
