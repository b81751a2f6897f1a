/* Design notes
 * Accesses are counted in SHARDS tables in memory, each under its own lock; a
 * thread takes them out every FLUSH_MS (or as soon as one fills) and writes
 * them as one work.  A crash loses at most that time's counts; what is told to
 * the app, the AuditEvents, is written before audit_record_step() returns.
 * Locks: a shard's, and `lock` for the thread; never one inside the other. */
#include "audit/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/hash.h"
#include "audit/audit_int.h"

#define SHARDS      16
#define SHARD_ROWS  512 /* a power of two */
#define SHARD_FULL  384
#define FLUSH_MS    2000
#define MS_A_MINUTE 60000

struct shard {
    pthread_mutex_t lock;
    struct audit_row *rows; /* calls 0: free; NULL until the first */
    size_t n;
};

struct audit {
    struct db *db;
    struct store *store;
    struct shard shards[SHARDS];
    _Atomic int64_t lost;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_asked, is_stopping, has_thread;
    pthread_t thread;
};

/* --- counting ------------------------------------------------------------ */

static struct audit_row row_of(const struct audit_access *access)
{
    struct audit_row row;
    memset(&row, 0, sizeof row); /* it is hashed and compared as bytes */
    row.first_ms = row.last_ms = clock_now_ms();
    row.user_id = access->user_id;
    row.minute = row.first_ms / MS_A_MINUTE;
    row.app_id = access->app_id;
    row.interaction = access->interaction;
    row.kind = (uint8_t)access->kind;
    row.type = access->type;
    row.status = access->status;
    size_t n = access->peer.n < AUDIT_PEER_MAX - 1 ? access->peer.n
                                                   : AUDIT_PEER_MAX - 1;
    if (n > 0)
        memcpy(row.peer, access->peer.p, n);
    row.calls = 1;
    return row;
}

#define KEY_BYTES offsetof(struct audit_row, calls)
_Static_assert(KEY_BYTES == 3 * 8 + 8 + AUDIT_PEER_MAX, "no padding");

static struct audit_row *place(struct shard *s, const struct audit_row *row,
                               uint64_t hash)
{
    size_t i = (size_t)(hash / SHARDS) & (SHARD_ROWS - 1);
    while (s->rows[i].calls != 0 && memcmp(&s->rows[i], row, KEY_BYTES) != 0)
        i = (i + 1) & (SHARD_ROWS - 1);
    return &s->rows[i];
}

/* False when there is no room; *is_full when there soon will be none. */
static bool count_in(struct shard *s, const struct audit_row *row,
                     uint64_t hash, bool *is_full)
{
    GUARD(&s->lock);
    if (s->rows == NULL)
        s->rows = calloc(SHARD_ROWS, sizeof *s->rows);
    if (s->rows == NULL)
        return false;
    struct audit_row *at = place(s, row, hash);
    if (at->calls == 0) {
        if (s->n + 1 >= SHARD_ROWS) /* one stays free: the search ends there */
            return false;
        *at = *row;
        s->n++;
    } else {
        at->calls++;
        at->last_ms = row->last_ms;
    }
    *is_full = s->n >= SHARD_FULL;
    return true;
}

static void ask_for_flush(struct audit *a)
{
    GUARD(&a->lock);
    a->is_asked = true;
    pthread_cond_signal(&a->wake);
}

int64_t audit_lost(struct audit *a)
{
    return atomic_load(&a->lost);
}

/* --- writing ------------------------------------------------------------- */

struct batch {
    struct audit_row *rows; /* SHARDS * SHARD_ROWS of them */
    size_t n;
};

static void take_shard(struct shard *s, struct batch *batch)
{
    GUARD(&s->lock);
    if (s->rows == NULL || s->n == 0)
        return;
    for (size_t i = 0; i < SHARD_ROWS; i++)
        if (s->rows[i].calls != 0)
            batch->rows[batch->n++] = s->rows[i];
    memset(s->rows, 0, SHARD_ROWS * sizeof *s->rows);
    s->n = 0;
}

static enum err do_write(struct db_session *s, void *context)
{
    const struct batch *batch = context;
    return audit_rows_add(s, batch->rows, batch->n);
}

static size_t waiting(struct audit *a)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        GUARD(&a->shards[i].lock);
        n += a->shards[i].n;
    }
    return n;
}

enum err audit_flush(struct audit *a)
{
    if (waiting(a) == 0)
        return OK;
    struct batch batch = {
        calloc((size_t)SHARDS * SHARD_ROWS, sizeof *batch.rows), 0
    };
    if (batch.rows == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < SHARDS; i++)
        take_shard(&a->shards[i], &batch);
    enum err err = OK;
    if (batch.n > 0)
        err = db_write(a->db, do_write, &batch);
    if (err != OK)
        for (size_t i = 0; i < batch.n; i++)
            atomic_fetch_add(&a->lost, batch.rows[i].calls);
    free(batch.rows);
    return err;
}

/* Where the thread does not keep up, the caller waits: an audit with holes is
 * none. */
void audit_record_access(struct audit *a, const struct audit_access *access)
{
    struct audit_row row = row_of(access);
    uint64_t hash = hash64((struct str){ (const char *)&row, KEY_BYTES });
    struct shard *s = &a->shards[hash % SHARDS];
    bool is_full = false;
    if (count_in(s, &row, hash, &is_full)) {
        if (is_full)
            ask_for_flush(a);
        return;
    }
    if (audit_flush(a) != OK || !count_in(s, &row, hash, &is_full))
        atomic_fetch_add(&a->lost, 1);
}

/* False at the end. */
static bool sleep_until_asked(struct audit *a)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FLUSH_MS / 1000;
    GUARD(&a->lock);
    while (!a->is_asked && !a->is_stopping)
        if (pthread_cond_timedwait(&a->wake, &a->lock, &until) != 0)
            break;
    a->is_asked = false;
    return !a->is_stopping;
}

static void *flush_main(void *context)
{
    struct audit *a = context;
    enum err err = OK; /* counted in `lost` when it fails */
    while (sleep_until_asked(a))
        err = audit_flush(a);
    (void)err;
    return NULL;
}

/* --- life ---------------------------------------------------------------- */

enum err audit_new(const struct audit_options *o, struct audit **out)
{
    struct audit *a = calloc(1, sizeof *a);
    if (a == NULL)
        return ERR_NOMEM;
    a->db = o->db;
    a->store = o->store;
    pthread_condattr_t attr;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&a->shards[i].lock, NULL);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->wake, &attr);
    pthread_condattr_destroy(&attr);
    a->has_thread = pthread_create(&a->thread, NULL, flush_main, a) == 0;
    if (!a->has_thread) {
        audit_free(a);
        return ERR_NOMEM;
    }
    *out = a;
    return OK;
}

static void end_thread(struct audit *a)
{
    {
        GUARD(&a->lock);
        a->is_stopping = true;
        pthread_cond_signal(&a->wake);
    }
    pthread_join(a->thread, NULL);
}

void audit_free(struct audit *a)
{
    if (a == NULL)
        return;
    if (a->has_thread)
        end_thread(a);
    enum err err = audit_flush(a);
    (void)err; /* nobody is left to hear it */
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&a->shards[i].lock);
        free(a->shards[i].rows);
    }
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

enum err audit_record_step(struct audit *a, const struct audit_step *step)
{
    return audit_step_write(a->store, step);
}
