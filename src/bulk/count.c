#include "auth/user.h"
#include "bulk/bulk.h"
#include "fhir/release.h"
#include "record/record.h"

#define USERS_AT_ONCE 200
#define USER_ARENA    ((size_t)2 << 30)

enum err bulk_count(struct store *s, int64_t user_id,
                    const struct bulk_ask *ask, struct arena *a,
                    struct bulk_totals *totals)
{
    AUTO_ARENA room = ARENA(USER_ARENA);
    struct bulk_found found;
    enum err err = bulk_find(s, user_id, ask, TYPE_NONE, false, &room, &found);
    if (err != OK)
        return err;
    for (size_t i = 0; i < found.n; i++) {
        const struct record_entry *e = &found.at[i];
        struct bulk_total *t = &totals->types[e->type];
        bool is_last = i + 1 == found.n || found.at[i + 1].type != e->type;
        if (t->count++ == 0)
            t->first = arena_str(a, e->id);
        if (is_last)
            t->last = arena_str(a, e->id);
    }
    store_close(found.snap);
    if (ask->since_ms > 0) {
        err = bulk_find(s, user_id, ask, TYPE_NONE, true, &room, &found);
        if (err != OK)
            return err;
        totals->deleted += found.n;
        store_close(found.snap);
    }
    return arena_err(a);
}

struct walk {
    struct store *store;
    struct db *db;
    int64_t app_id;
    const struct bulk_ask *ask;
    struct arena *a;
    struct bulk_totals *totals;
    enum err (*seen)(void *context, size_t n);
    void *context;
    size_t n;
};

static enum err count_one(struct walk *w, int64_t user_id)
{
    enum err err = bulk_count(w->store, user_id, w->ask, w->a, w->totals);
    w->n++;
    if (err == OK && w->seen != NULL)
        err = w->seen(w->context, w->n);
    return err;
}

static enum err count_users(struct walk *w)
{
    int64_t after = 0;
    for (;;) {
        AUTO_ARENA arena = ARENA((size_t)16 << 20);
        struct user *users;
        size_t n;
        enum err err = user_list(w->db, w->app_id, after, USERS_AT_ONCE, &arena,
                                 &users, &n);
        for (size_t i = 0; err == OK && i < n; i++)
            err = count_one(w, users[i].id);
        if (err != OK || n < USERS_AT_ONCE)
            return err;
        after = users[n - 1].id;
    }
}

enum err bulk_count_all(struct store *s, struct db *db, int64_t app_id,
                        int64_t user_id, const struct bulk_ask *ask,
                        struct arena *a, struct bulk_totals *out,
                        enum err (*seen)(void *context, size_t n),
                        void *context)
{
    struct bulk_totals totals = {
        .type_count = release_type_count(ask->release),
    };
    totals.types = arena_zalloc(a, totals.type_count, sizeof *totals.types);
    if (totals.types == NULL)
        return arena_err(a);
    struct walk w = { .store = s,
                      .db = db,
                      .app_id = app_id,
                      .ask = ask,
                      .a = a,
                      .totals = &totals,
                      .seen = seen,
                      .context = context };
    enum err err = user_id != 0 ? count_one(&w, user_id) : count_users(&w);
    if (err == OK)
        *out = totals;
    return err;
}
