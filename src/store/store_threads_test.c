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
        AUTO_ARENA a = ARENA(MUCH);
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
        AUTO_ARENA a = ARENA(MUCH);
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

#define LARGE 2500

/* Enough for all the threads that prepare. */
static void a_large_commit_is_whole(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct store_options o = { .db = t.db };
    struct store *store;
    AUTO_ARENA a = ARENA(MUCH);
    assert_int_equal(store_new(&o, &store, NULL), OK);
    struct store_op *ops = arena_zalloc(&a, LARGE, sizeof *ops);
    struct resource *resources = arena_zalloc(&a, LARGE, sizeof *resources);
    for (int i = 0; i < LARGE; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d", i);
        resources[i] = parse(&a, name);
        ops[i] = (struct store_op){ .verb = STORE_PUT,
                                    .resource = &resources[i],
                                    .id = arena_str(&a, str_of(name)) };
    }
    assert_int_equal(
        store_commit(store, 1, RECORD_R4, -1, ops, LARGE, &a, NULL, NULL, NULL),
        OK);
    struct store_snapshot *snap;
    assert_int_equal(store_open(store, 1, RECORD_R4, &snap), OK);
    assert_int_equal(record_count(store_record(snap), TYPE_NONE), LARGE);
    for (int i = 0; i < LARGE; i += 97) {
        assert_int_equal(ops[i].outcome, STORED_CREATED);
        struct store_version v;
        struct buf b = BUF_IN(&a, MUCH);
        struct str text, id = ops[i].id;
        assert_int_equal(store_read(snap, resources[i].type, id, &v), OK);
        assert_int_equal(store_body(snap, v.slot, &b), OK);
        assert_int_equal(buf_view(&b, &text), OK);
        struct str family = arena_cat(&a, STR("\"family\":\""), id, STR("\""));
        assert_true(str_search(text, family) < text.n);
    }
    store_close(snap);
    store_free(store);
    db_test_close(&t);
}

/* Two stores over one database are two processes: each has its own memory, and
 * must see what the other wrote. */
static void another_process_commits_are_seen_and_not_lost(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct store_options o = { .db = t.db };
    struct store *stores[2];
    AUTO_ARENA a = ARENA(MUCH);
    uint16_t type = release_type_find(R4, STR("Patient"), false);
    assert_int_equal(store_new(&o, &stores[0], NULL), OK);
    assert_int_equal(store_new(&o, &stores[1], NULL), OK);
    for (int i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "turn%d", i);
        struct resource r = parse(&a, name);
        struct store_op op = { .verb = STORE_PUT,
                               .resource = &r,
                               .id = i % 3 ? STR("both") : str_of(name) };
        assert_int_equal(store_commit(stores[i % 2], 1, RECORD_R4, -1, &op, 1,
                                      &a, NULL, NULL, NULL),
                         OK);
        struct store_snapshot *snap;
        struct store_version v;
        struct buf b = BUF_IN(&a, MUCH);
        assert_int_equal(store_open(stores[(i + 1) % 2], 1, RECORD_R4, &snap),
                         OK);
        assert_int_equal(store_read(snap, type, op.id, &v), OK);
        assert_int_equal(v.version_id, op.version_id);
        assert_int_equal(store_body(snap, v.slot, &b), OK);
        assert_non_null(strstr(b.data, name));
        store_close(snap);
    }
    store_free(stores[0]);
    store_free(stores[1]);
    db_test_close(&t);
}

/* The decision of one process meets the commit of another: begun again. */
static void both_processes_at_once_lose_no_version(void **state)
{
    (void)state;
    struct db_test t = db_test_open();
    struct store_options o = { .db = t.db };
    struct shared s[2] = { { .writing = 1 }, { .writing = 1 } };
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(store_new(&o, &s[i].store, NULL), OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_pairs, &s[i]),
                         0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    int failed = s[0].failed + s[1].failed;
    struct store_snapshot *snap;
    int64_t seq = 0;
    for (int64_t user = 1; user <= USERS; user++) {
        assert_int_equal(store_open(s[0].store, user, RECORD_R4, &snap), OK);
        seq += store_seq(snap);
        store_close(snap);
    }
    assert_int_equal(seq, 2 * COMMITS - failed);
    assert_in_range(failed, 0, COMMITS / 4); /* given up after eight tries */
    store_free(s[0].store);
    store_free(s[1].store);
    db_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_commits_and_none_is_lost),
        cmocka_unit_test(a_large_commit_is_whole),
        cmocka_unit_test(another_process_commits_are_seen_and_not_lost),
        cmocka_unit_test(both_processes_at_once_lose_no_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
