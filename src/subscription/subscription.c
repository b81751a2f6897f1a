#include "subscription/subscription.h"

#include <stdlib.h>

#include "subscription/subscription_int.h"

#define LEASE_SECONDS  60
#define MATCH_ATTEMPTS 20
#define SEND_ATTEMPTS  8 /* over some three hours */
#define MATCH_AT_ONCE  2
#define SEND_AT_ONCE   4

/* In the commit's transaction. */
static enum err watch(struct db_session *s, void *context,
                      const struct store_note *note)
{
    struct hook_name name = { note->user_id, note->kind, STR("") };
    bool added;
    (void)context;
    enum err err = rows_add_change(s, note);
    return err == OK ? hook_add_job(s, STR("notify"), &name, &added) : err;
}

enum err subscriptions_new(const struct subscriptions_options *o,
                           struct subscriptions **out)
{
    struct subscriptions *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->o = *o;
    store_set_watch(o->store, STR("Subscription"), watch, s);
    *out = s;
    return OK;
}

void subscriptions_free(struct subscriptions *s)
{
    free(s);
}

size_t subscriptions_kinds(struct subscriptions *s, struct job_kind *out,
                           size_t room)
{
    if (room < 2)
        return 0;
    out[0] = (struct job_kind){ .name = "notify",
                                .work = match_work,
                                .context = s,
                                .attempts_max = MATCH_ATTEMPTS,
                                .at_once_max = MATCH_AT_ONCE,
                                .lease_seconds = LEASE_SECONDS };
    out[1] = (struct job_kind){ .name = "deliver",
                                .work = deliver_work,
                                .gave_up = deliver_gave_up,
                                .context = s,
                                .attempts_max = SEND_ATTEMPTS,
                                .at_once_max = SEND_AT_ONCE,
                                .lease_seconds = LEASE_SECONDS };
    return 2;
}
