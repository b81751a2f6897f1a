/* Design notes
 * A bucket holds up to `burst` tokens and gains per_minute a minute; a name is
 * kept as its 128-bit hash.  Names stand in a table of sets: a full set loses
 * the fullest bucket, whose owner has used least of his share, so that a flood
 * of new names cannot wash out one that is being limited. */
#include "auth/rate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/hash.h"

#define WAYS 8
#define PER_CALL                                                               \
    60000 /* a call's price: one unit comes each ms at 1/minute                \
           */

struct bucket {
    struct hash128 name;
    int64_t level; /* of burst * PER_CALL */
    int64_t at_ms; /* when level was true; 0: free */
};

struct rate {
    pthread_mutex_t lock;
    int64_t per_minute, most;
    size_t sets;
    struct bucket (*buckets)[WAYS];
};

enum err rate_new(unsigned per_minute, unsigned burst, unsigned names_max,
                  struct rate **out)
{
    struct rate *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ERR_NOMEM;
    r->per_minute = per_minute > 0 ? per_minute : 1;
    r->most = (int64_t)(burst > 0 ? burst : 1) * PER_CALL;
    r->sets = names_max / WAYS + 1;
    r->buckets = calloc(r->sets, sizeof *r->buckets);
    if (r->buckets == NULL) {
        free(r);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return OK;
}

void rate_free(struct rate *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->buckets);
    free(r);
}

static int64_t level_now(const struct rate *r, const struct bucket *b,
                         int64_t now)
{
    if (b->at_ms == 0)
        return r->most;
    int64_t gone = now > b->at_ms ? now - b->at_ms : 0;
    if (gone >= r->most / r->per_minute)
        return r->most;
    int64_t level = b->level + gone * r->per_minute;
    return level < r->most ? level : r->most;
}

static struct bucket *find(struct rate *r, struct hash128 name, int64_t now)
{
    struct bucket *set = r->buckets[name.low % r->sets];
    struct bucket *place = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].at_ms != 0 && hash128_eq(set[i].name, name))
            return &set[i];
        if (level_now(r, &set[i], now) > level_now(r, place, now))
            place = &set[i];
    }
    *place = (struct bucket){ .name = name, .level = r->most, .at_ms = now };
    return place;
}

bool rate_take(struct rate *r, struct str name, int64_t *retry_after_s)
{
    struct hash128 hash = hash128(name);
    int64_t now = clock_now_ms();
    GUARD(&r->lock);
    struct bucket *b = find(r, hash, now);
    b->level = level_now(r, b, now);
    b->at_ms = now;
    if (b->level >= PER_CALL) {
        b->level -= PER_CALL;
        return true;
    }
    int64_t wait_ms = (PER_CALL - b->level + r->per_minute - 1) / r->per_minute;
    *retry_after_s = (wait_ms + 999) / 1000;
    return false;
}
