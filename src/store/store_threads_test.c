/* Writers and readers of the same records at once; run under TSan too. */
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/testing.h"
#include "record/record.h"

#define MUCH    ((size_t)256 << 20)
#define WRITERS 3
#define COMMITS 60
#define USERS   2

struct shared {
    struct store *store;
    atomic_int writing;
    atomic_int failed;
};

static struct resource parse(struct arena *a, const char *family)
{
    struct resource r;
    struct str text = arena_cat(a,
                                STR("{\"resourceType\":\"Patient\",\"name\":[{"
                                    "\"family\":\""),
                                str_of(family), STR("\"}]}"));
    if (resource_parse(a, R4, text, &r, NULL) != OK)
        abort();
    return r;
}

/* Left and right always change together. */
static void *write_pairs(void *context)
{
    struct shared *s = context;
    for (int i = 0; i < COMMITS; i++) {
        AUTO_ARENA
        a = ARENA(MUCH);
        char family[16];
        (void)snprintf(family, sizeof family, "family%d", i);
        struct resource r = parse(&a, family);
        struct store_op ops[] = {
            { .verb = STORE_PUT, .resource = &r, .id = STR("left") },
            { .verb = STORE_PUT, .resource = &r, .id = STR("right") },
        };
        if (store_commit(s->store, 1 + i % USERS, RECORD_R4, -1, ops, 2, &a,
                         NULL, NULL, NULL) != OK)
            atomic_fetch_add(&s->failed, 1);
    }
    atomic_fetch_sub(&s->writing, 1);
    return NULL;
}

static const char *family_of(struct store_snapshot *snap, struct arena *a,
                             const char *id)
{
    struct store_version v;
    struct buf b = BUF_IN(a, MUCH);
    uint16_t type = release_type_find(R4, STR("Patient"), false);
    if (store_read(snap, type, str_of(id), &v) != OK)
        return "none";
    if (store_body(snap, v.slot, &b) != OK)
        return id; /* left and right differ: a failure */
    return strstr(b.data, "\"family\"");
}

static void *read_pairs(void *context)
{
    struct shared *s = context;
    for (int i = 0; atomic_load(&s->writing) > 0; i++) {
        AUTO_ARENA
        a = ARENA(MUCH);
        struct store_snapshot *snap;
        if (store_open(s->store, 1 + i % USERS, RECORD_R4, &snap) != OK) {
            atomic_fetch_add(&s->failed, 1);
            continue;
        }
        if (strcmp(family_of(snap, &a, "left"), family_of(snap, &a, "right")) !=
            0)
            atomic_fetch_add(&s->failed, 1);
        store_close(snap);
    }
    return NULL;
}

/* The memory for hot records is next to none, so they come and go. */
static void readers_see_whole_commits_and_none_is_lost(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct store_options o = { .db = t.db, .cache_bytes = 1 };
    struct shared s = { .writing = WRITERS };
    assert_int_equal(store_new(&o, &s.store, NULL), OK);
    pthread_t threads[2 * WRITERS];
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i < WRITERS ? write_pairs : read_pairs,
                                        &s),
                         0);
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&s.failed), 0);
    for (int64_t user = 1; user <= USERS; user++) {
        struct store_snapshot *snap;
        struct store_version v;
        uint16_t type = release_type_find(R4, STR("Patient"), false);
        assert_int_equal(store_open(s.store, user, RECORD_R4, &snap), OK);
        assert_int_equal(store_seq(snap), WRITERS * COMMITS / USERS);
        assert_int_equal(store_read(snap, type, STR("left"), &v), OK);
        assert_int_equal(v.version_id,
                         9000000000000 + WRITERS * COMMITS / USERS - 1);
        store_close(snap);
    }
    store_free(s.store);
    db_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_commits_and_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
