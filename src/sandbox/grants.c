#include "sandbox/grants.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/map.h"
#include "base/rand.h"

#define GRANTS_BYTES ((size_t)512 * 1024 * 1024)
#define CODE_MS      60000
#define ASK_MS       1800000

enum ticket_kind { ASK, CODE, ACCESS, REFRESH };
/* One random text and what it is good for. */
struct ticket {
    enum ticket_kind kind;
    struct grant *grant;
    int64_t ends_ms; /* 0: never */
    bool is_used;
};

struct grants {
    pthread_mutex_t lock; /* guards everything, the grants' fields too */
    struct arena arena;
    struct map tickets;
};

enum err grants_new(struct grants **out)
{
    struct grants *all = calloc(1, sizeof *all);
    if (all == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&all->lock, NULL);
    all->arena = ARENA(GRANTS_BYTES);
    all->tickets = MAP_IN(&all->arena);
    *out = all;
    return OK;
}

void grants_free(struct grants *all)
{
    if (all == NULL)
        return;
    pthread_mutex_destroy(&all->lock);
    arena_fini(&all->arena);
    free(all);
}

/* A new random text for the grant; the copy in `a` is the caller's. */
static struct str issue(struct grants *all, struct arena *a,
                        enum ticket_kind kind, struct grant *g, int64_t ms)
{
    struct ticket *t = arena_zalloc(&all->arena, 1, sizeof *t);
    struct str text = rand_hex(&all->arena, kind == ACCESS ? 40 : 24);
    if (t == NULL || text.p == NULL)
        return STR_NONE;
    *t = (struct ticket){ kind, g, ms > 0 ? clock_now_ms() + ms : 0, false };
    map_put(&all->tickets, text, t);
    return arena_str(a, text);
}

static struct ticket *find(struct grants *all, enum ticket_kind kind,
                           struct str text)
{
    struct ticket *t = text.n > 0 ? map_get(&all->tickets, text) : NULL;
    return t != NULL && t->kind == kind ? t : NULL;
}

static bool is_good(const struct ticket *t)
{
    return t != NULL && !t->is_used && !t->grant->is_revoked &&
           (t->ends_ms == 0 || clock_now_ms() < t->ends_ms);
}

struct str grants_ask(struct grants *all, struct arena *a,
                      const struct grant *g)
{
    GUARD(&all->lock);
    struct grant *copy = arena_alloc(&all->arena, sizeof *copy);
    if (copy == NULL)
        return STR_NONE;
    *copy = *g;
    copy->scope = arena_str(&all->arena, g->scope);
    copy->redirect_uri = arena_str(&all->arena, g->redirect_uri);
    copy->challenge = arena_str(&all->arena, g->challenge);
    copy->nonce = arena_str(&all->arena, g->nonce);
    copy->state = arena_str(&all->arena, g->state);
    return issue(all, a, ASK, copy, ASK_MS);
}

static enum err answer(struct grants *all, struct str ask, struct grant **out)
{
    struct ticket *t = find(all, ASK, ask);
    if (!is_good(t))
        return ERR_NOT_FOUND;
    t->is_used = true;
    *out = t->grant;
    return OK;
}

enum err grants_peek(struct grants *all, struct str ask, struct grant **out)
{
    GUARD(&all->lock);
    struct ticket *t = find(all, ASK, ask);
    if (!is_good(t))
        return ERR_NOT_FOUND;
    *out = t->grant;
    return OK;
}

enum err grants_sign_in(struct grants *all, struct arena *a,
                        const struct grants_person *person, struct str *out_ask,
                        struct grant **out)
{
    GUARD(&all->lock);
    struct grant *g;
    enum err err = answer(all, person->ask, &g);
    if (err != OK)
        return err;
    g->account = person->account;
    g->release = person->release;
    g->faults = person->faults;
    g->scope = arena_str(&all->arena, person->scope);
    *out_ask = issue(all, a, ASK, g, ASK_MS);
    *out = g;
    return out_ask->p == NULL ? ERR_NOMEM : OK;
}

enum err grants_allow(struct grants *all, struct arena *a, struct str ask,
                      struct str *out_code, struct grant **out)
{
    GUARD(&all->lock);
    enum err err = answer(all, ask, out);
    if (err == OK && (*out)->account == NULL)
        return ERR_NOT_FOUND; /* nobody has signed in */
    if (err == OK)
        *out_code = issue(all, a, CODE, *out, CODE_MS);
    return err == OK && out_code->p == NULL ? ERR_NOMEM : err;
}

enum err grants_deny(struct grants *all, struct str ask, struct grant **out)
{
    GUARD(&all->lock);
    return answer(all, ask, out);
}

enum err grants_redeem(struct grants *all, struct str code, struct grant **out)
{
    GUARD(&all->lock);
    struct ticket *t = find(all, CODE, code);
    if (t != NULL && t->is_used)
        t->grant->is_revoked = true; /* RFC 6749 section 4.1.2 */
    if (!is_good(t))
        return ERR_NOT_FOUND;
    t->is_used = true;
    *out = t->grant;
    return OK;
}

enum err grants_tokens(struct grants *all, struct arena *a, struct grant *g,
                       int64_t seconds, struct str *access, struct str *refresh)
{
    GUARD(&all->lock);
    *access = issue(all, a, ACCESS, g, seconds * 1000);
    if (refresh != NULL)
        *refresh = issue(all, a, REFRESH, g, 0);
    return access->p == NULL || (refresh != NULL && refresh->p == NULL)
               ? ERR_NOMEM
               : OK;
}

enum err grants_refresh(struct grants *all, const struct sandbox_system *s,
                        struct str refresh, bool spend, struct grant **out)
{
    GUARD(&all->lock);
    struct ticket *t = find(all, REFRESH, refresh);
    if (t != NULL && t->is_used)
        t->grant->is_revoked = true;
    if (!is_good(t) || t->grant->system != s)
        return ERR_NOT_FOUND;
    t->is_used = spend;
    t->grant->refreshes++;
    *out = t->grant;
    return OK;
}

enum err grants_check(struct grants *all, const struct sandbox_system *s,
                      struct str access, struct grant **out, unsigned *number)
{
    GUARD(&all->lock);
    struct ticket *t = find(all, ACCESS, access);
    if (!is_good(t) || t->grant->system != s)
        return ERR_UNAUTHENTICATED;
    *out = t->grant;
    *number = ++t->grant->requests;
    return OK;
}

void grants_expire(struct grants *all, struct str access)
{
    GUARD(&all->lock);
    struct ticket *t = find(all, ACCESS, access);
    if (t != NULL)
        t->is_used = true;
}

void grants_end(struct grants *all, struct grant *g)
{
    GUARD(&all->lock);
    g->is_revoked = true;
}

void grants_revoke(struct grants *all, struct str token)
{
    GUARD(&all->lock);
    struct ticket *t = token.n > 0 ? map_get(&all->tickets, token) : NULL;
    if (t == NULL)
        return;
    if (t->kind == REFRESH)
        t->grant->is_revoked = true;
    t->is_used = true;
}
