#include "connect/connect.h"

#include <stdlib.h>

#include "connect/connect_int.h"

#define MEMORY_MAX 4096

enum err connect_new(const struct connect_options *o, struct connect **out,
                     struct why *w)
{
    struct connect *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->o = *o;
    c->memory = ARENA(MEMORY_MAX);
    c->callback_url = arena_str(&c->memory, o->callback_url);
    if (c->callback_url.p == NULL) {
        free(c);
        return why(w, ERR_LIMIT, "the callback's URL is too long");
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->quiet, NULL);
    *out = c;
    return OK;
}

void connect_free(struct connect *c)
{
    if (c == NULL)
        return;
    pthread_cond_destroy(&c->quiet);
    pthread_mutex_destroy(&c->lock);
    arena_fini(&c->memory);
    free(c);
}

void note_step(struct connect *c, const struct flow *flow,
               struct str system_name, int64_t connection_id, struct str step,
               bool is_good, struct str detail)
{
    struct audit_step s = {
        .user_id = flow->user_id,
        .app_id = flow->app_id,
        .connection_id = connection_id,
        .system_id = flow->system_id,
        .system_name = system_name,
        .step = step,
        .outcome = is_good ? STR("0") : STR("8"),
        .detail = detail,
        .type = STR(""),
        .count = -1,
    };
    if (c->o.audit != NULL && audit_record_step(c->o.audit, &s) != OK)
        return; /* the person's way out matters more than the note */
}
