/* Design notes
 * SETS sets of WAYS slots, found by the token's SHA-256 (which nobody can
 * choose); a full set loses its stalest.  LOCKS locks share the sets.  The
 * memory is touched only where tokens fall, so an idle server does not pay.
 *
 * A token checked while it is revoked: the checker notes the epoch, reads the
 * row, and puts; the revoker commits, raises the epoch, and drops.  Whichever
 * comes first, no revoked token stays: a put with an old epoch does nothing.
 *
 * Another process may revoke: entries are believed for TOKEN_FRESH_MS at most,
 * then the database is asked. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_int.h"
#include "base/guard.h"

#define SETS       16384
#define WAYS       4
#define LOCKS      64
#define SCOPES_MAX 4096
#define SCOPE_MAX  4000

struct token_cache {
    pthread_mutex_t locks[LOCKS];
    struct token_entry (*sets)[WAYS];
    _Atomic uint64_t epoch;
    pthread_mutex_t scope_lock;
    struct arena scope_arena;
    struct str scopes[SCOPES_MAX];
    size_t scope_count;
};

enum err token_cache_new(struct token_cache **out)
{
    struct token_cache *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    c->scope_arena = ARENA((size_t)SCOPES_MAX * (SCOPE_MAX + 100));
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&c->locks[i], NULL);
    pthread_mutex_init(&c->scope_lock, NULL);
    c->sets = calloc(SETS, sizeof *c->sets);
    if (c->sets == NULL) {
        token_cache_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return OK;
}

void token_cache_free(struct token_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&c->locks[i]);
    pthread_mutex_destroy(&c->scope_lock);
    arena_fini(&c->scope_arena);
    free(c->sets);
    free(c);
}

static size_t set_of(const struct digest *hash)
{
    uint32_t bits;
    memcpy(&bits, hash->bytes, sizeof bits);
    return bits % SETS;
}

static bool is_hash(const struct token_entry *e, const struct digest *hash)
{
    return e->fresh_until_ms != 0 &&
           digest_same(digest_str(&e->hash), digest_str(hash));
}

bool token_cache_get(struct token_cache *c, const struct digest *hash,
                     int64_t now_ms, struct principal *out)
{
    size_t set = set_of(hash);
    GUARD(&c->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS; i++) {
        const struct token_entry *e = &c->sets[set][i];
        if (!is_hash(e, hash))
            continue;
        if (now_ms >= e->fresh_until_ms || now_ms >= e->who.expires_ms)
            return false;
        *out = e->who;
        return true;
    }
    return false;
}

uint64_t token_cache_epoch(struct token_cache *c)
{
    return atomic_load(&c->epoch);
}

/* The scope's one copy that lives as long as the cache; p NULL: too many. */
static struct str keep_scope(struct token_cache *c, struct str scope)
{
    if (scope.n > SCOPE_MAX)
        return STR_NONE;
    GUARD(&c->scope_lock);
    for (size_t i = 0; i < c->scope_count; i++)
        if (str_eq(c->scopes[i], scope))
            return c->scopes[i];
    if (c->scope_count == SCOPES_MAX)
        return STR_NONE;
    struct str copy = arena_str(&c->scope_arena, scope);
    if (copy.p != NULL)
        c->scopes[c->scope_count++] = copy;
    return copy;
}

bool token_cache_keep_scope(struct token_cache *c, struct str *scope)
{
    struct str kept = keep_scope(c, *scope);
    if (kept.p == NULL)
        return false;
    *scope = kept;
    return true;
}

void token_cache_put(struct token_cache *c, const struct token_entry *e,
                     uint64_t epoch)
{
    size_t set = set_of(&e->hash);
    GUARD(&c->locks[set % LOCKS]);
    if (atomic_load(&c->epoch) != epoch)
        return;
    struct token_entry *place = &c->sets[set][0];
    for (size_t i = 0; i < WAYS; i++) {
        struct token_entry *other = &c->sets[set][i];
        if (is_hash(other, &e->hash)) {
            place = other;
            break;
        }
        if (other->fresh_until_ms < place->fresh_until_ms)
            place = other;
    }
    *place = *e;
}

void token_cache_drop(struct token_cache *c, int64_t user_id, int64_t family)
{
    atomic_fetch_add(&c->epoch, 1);
    for (size_t lock = 0; lock < LOCKS; lock++) {
        GUARD(&c->locks[lock]);
        for (size_t set = lock; set < SETS; set += LOCKS)
            for (size_t i = 0; i < WAYS; i++) {
                struct token_entry *e = &c->sets[set][i];
                if (e->fresh_until_ms != 0 &&
                    ((user_id != 0 && e->who.user_id == user_id) ||
                     (family != 0 && e->family == family)))
                    *e = (struct token_entry){ 0 };
            }
    }
}
