/* app_authenticate() without the database for an app that is in use.
 *
 * Design notes
 * Another process (tributary app ...) may change an app: an entry is believed
 * for FRESH_MS, also one that says "unknown".  Unknown ones are kept
 * so that a wrong client_id takes the time of a wrong secret.  An entry's arena
 * holds its text; the caller gets a copy. */
#include <string.h>

#include "auth/auth_int.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/hash.h"

#define SLOTS     512
#define FRESH_MS  1000
#define ENTRY_MAX ((size_t)512 * 1024)

struct slot {
    uint64_t db_number; /* 0: free */
    struct hash128 key;
    int64_t until_ms;
    bool is_known;
    struct arena arena;
    struct app app;
    struct digest secret_hash;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];

void auth_app_cache_clear(void)
{
    GUARD(&lock);
    for (size_t i = 0; i < SLOTS; i++) {
        arena_fini(&slots[i].arena);
        slots[i] = (struct slot){ 0 };
    }
}

static enum err copy_app(const struct app *app, struct arena *a,
                         struct app *out)
{
    struct app copy = *app;
    copy.name = arena_str(a, app->name);
    copy.client_id = arena_str(a, app->client_id);
    copy.redirect_uris =
        arena_zalloc(a, app->redirect_count + 1, sizeof *copy.redirect_uris);
    if (copy.redirect_uris == NULL)
        return arena_err(a);
    for (size_t i = 0; i < app->redirect_count; i++)
        copy.redirect_uris[i] = arena_str(a, app->redirect_uris[i]);
    if (arena_err(a) == OK)
        *out = copy;
    return arena_err(a);
}

/* ERR_NOT_FOUND: not in the cache; ERR_UNAUTHENTICATED: known as unknown. */
static enum err look(struct db *db, struct hash128 key, struct arena *a,
                     struct app *out, struct digest *out_hash)
{
    GUARD(&lock);
    struct slot *s = &slots[key.low % SLOTS];
    if (s->db_number != db_number(db) || !hash128_eq(s->key, key) ||
        s->until_ms <= clock_now_ms())
        return ERR_NOT_FOUND;
    if (!s->is_known)
        return ERR_UNAUTHENTICATED;
    *out_hash = s->secret_hash;
    return copy_app(&s->app, a, out);
}

/* A failure to keep it is no failure: the next call asks the database. */
static void keep(struct db *db, struct hash128 key, const struct app *app,
                 const struct digest *hash)
{
    GUARD(&lock);
    struct slot *s = &slots[key.low % SLOTS];
    arena_fini(&s->arena);
    *s = (struct slot){ .key = key, .arena = ARENA(ENTRY_MAX) };
    s->until_ms = clock_now_ms() + FRESH_MS;
    s->is_known = app != NULL;
    if (app != NULL) {
        s->secret_hash = *hash;
        if (copy_app(app, &s->arena, &s->app) != OK)
            return;
    }
    s->db_number = db_number(db);
}

static enum err find(struct db *db, struct str client_id, struct arena *a,
                     struct app *out, struct digest *out_hash)
{
    struct hash128 key = hash128(client_id);
    enum err err = look(db, key, a, out, out_hash);
    if (err != ERR_NOT_FOUND)
        return err;
    err = auth_app_with_hash(db, client_id, a, out, out_hash);
    if (err == OK)
        keep(db, key, out, out_hash);
    else if (err == ERR_NOT_FOUND)
        keep(db, key, NULL, NULL);
    return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

enum err app_authenticate(struct db *db, struct str client_id,
                          struct str client_secret, struct arena *a,
                          struct app *out)
{
    struct app app = { 0 };
    struct digest want = { { 0 } }; /* for an unknown app: nothing hashes so */
    struct digest got = digest_sha256(client_secret);
    enum err err = find(db, client_id, a, &app, &want);
    if (err != OK && err != ERR_UNAUTHENTICATED)
        return err;
    bool is_same = digest_same(digest_str(&want), digest_str(&got));
    if (err != OK || !is_same || app.is_disabled)
        return ERR_UNAUTHENTICATED;
    *out = app;
    return OK;
}
