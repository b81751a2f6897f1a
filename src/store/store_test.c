/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "db/testing.h"
#include "record/record.h"

#define MUCH ((size_t)256 << 20)
#define USER 7

/* --- allocations that fail ------------------------------------------------ */

static _Thread_local int until_failure = -1; /* negative: never fail */

static bool fails(void)
{
    if (until_failure < 0)
        return false;
    if (until_failure > 0)
        until_failure--;
    return until_failure == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

/* --- the bench ------------------------------------------------------------ */

struct fixture {
    struct db_test t;
    struct store *store;
    struct arena a;
};

static void open_store(struct fixture *f)
{
    struct store_options o = { .db = f->t.db };
    struct why w = { 0 };
    if (store_new(&o, &f->store, &w) != OK) {
        (void)fprintf(stderr, "%s\n", w.text);
        abort();
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->t = db_test_open();
    f->a = ARENA(MUCH);
    open_store(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    clock_release();
    store_free(f->store);
    db_test_close(&f->t);
    arena_fini(&f->a);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    store_free(f->store);
    db_close(f->t.db);
    db_test_reopen(&f->t);
    open_store(f);
}

static struct resource *parse(struct fixture *f, const char *text)
{
    struct resource *r = arena_zalloc(&f->a, 1, sizeof *r);
    struct why w = { 0 };
    assert_int_equal(resource_parse(&f->a, R4, str_of(text), r, &w), OK);
    return r;
}

static struct store_op put(struct fixture *f, const char *id, const char *text)
{
    return (struct store_op){ .verb = STORE_PUT,
                              .resource = parse(f, text),
                              .id = str_of(id) };
}

static uint16_t type(const char *name)
{
    return release_type_find(R4, str_of(name), false);
}

static struct store_op removal(const char *type_name, const char *id)
{
    return (struct store_op){ .verb = STORE_DELETE,
                              .type = type(type_name),
                              .id = str_of(id) };
}

static enum err commit(struct fixture *f, struct store_op *ops, size_t n)
{
    return store_commit(f->store, USER, RECORD_R4, -1, ops, n, &f->a, NULL,
                        NULL, NULL);
}

static struct store_snapshot *snapshot(struct fixture *f)
{
    struct store_snapshot *snap;
    assert_int_equal(store_open(f->store, USER, RECORD_R4, &snap), OK);
    return snap;
}

/* The body of what a name stands for, NUL-terminated; or the failure. */
static enum err read_text(struct fixture *f, const char *type_name,
                          const char *id, const char **out)
{
    struct store_snapshot *snap = snapshot(f);
    struct store_version v;
    enum err err = store_read(snap, type(type_name), str_of(id), &v);
    struct buf b = BUF_IN(&f->a, MUCH);
    if (err == OK)
        err = store_body(snap, v.slot, &b);
    if (err == OK)
        *out = b.data;
    store_close(snap);
    return err;
}

static size_t found(struct fixture *f, const char *type_name, const char *name,
                    const char *value)
{
    struct store_snapshot *snap = snapshot(f);
    struct url_param param = { str_of(name), str_of(value) };
    struct url_params params = { .at = &param, .n = 1 };
    struct query q;
    struct record_hits hits;
    assert_int_equal(
        query_parse(&f->a, R4, type(type_name), &params, 0, &q, NULL), OK);
    assert_int_equal(record_search(store_record(snap), &q, &f->a, &hits, NULL),
                     OK);
    store_close(snap);
    return (size_t)hits.total;
}

#define ANNA                                                                   \
    "{\"resourceType\":\"Patient\",\"id\":\"x\",\"name\":[{\"family\":"        \
    "\"Berg\",\"given\":[\"Anna\"]}],\"birthDate\":\"1970-05-01\"}"
#define ANNE                                                                   \
    "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Berg\","            \
    "\"given\":[\"Anne\"]}]}"

/* --- tests ---------------------------------------------------------------- */

static void what_is_created_is_read_back_stamped(void **state)
{
    struct fixture *f = *state;
    clock_freeze(1700000000123);
    struct store_op op = { .verb = STORE_CREATE, .resource = parse(f, ANNA) };

    assert_int_equal(commit(f, &op, 1), OK);

    assert_int_equal(op.outcome, STORED_CREATED);
    assert_int_equal(op.version_id, 9000000000000);
    assert_int_equal(op.id.n, 12);
    const char *text;
    char *id = arena_cstr(&f->a, op.id);
    assert_int_equal(read_text(f, "Patient", id, &text), OK);
    assert_non_null(strstr(text, id));
    assert_non_null(strstr(text, "\"versionId\":\"9000000000000\""));
    assert_non_null(
        strstr(text, "\"lastUpdated\":\"2023-11-14T22:13:20.123Z\""));
    assert_non_null(strstr(text, "\"family\":\"Berg\",\"given\":[\"Anna\"]"));
}

static void versions_follow_each_other_and_all_are_kept(void **state)
{
    struct fixture *f = *state;
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    op = put(f, "a", ANNE);
    assert_int_equal(commit(f, &op, 1), OK);
    assert_int_equal(op.outcome, STORED_UPDATED);
    assert_int_equal(op.version_id, 9000000000001);
    op = removal("Patient", "a");
    assert_int_equal(commit(f, &op, 1), OK);
    assert_int_equal(op.outcome, STORED_DELETED);
    const char *text;
    assert_int_equal(read_text(f, "Patient", "a", &text), ERR_GONE);
    op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    assert_int_equal(op.outcome, STORED_CREATED);
    assert_int_equal(op.version_id, 9000000000003);

    struct store_snapshot *snap = snapshot(f);
    struct store_version v, *all;
    size_t n, total;
    assert_int_equal(
        store_vread(snap, type("Patient"), STR("a"), 9000000000001, &f->a, &v),
        OK);
    struct buf b = BUF_IN(&f->a, MUCH);
    assert_int_equal(store_body(snap, v.slot, &b), OK);
    assert_non_null(strstr(b.data, "Anne"));
    assert_int_equal(
        store_vread(snap, type("Patient"), STR("a"), 9000000000002, &f->a, &v),
        ERR_GONE);
    assert_int_equal(
        store_vread(snap, type("Patient"), STR("a"), 9000000000004, &f->a, &v),
        ERR_NOT_FOUND);
    assert_int_equal(
        store_history(snap,
                      &(struct store_history_ask){ .type = type("Patient"),
                                                   .id = STR("a"),
                                                   .since_ms = 0,
                                                   .skip = 1,
                                                   .count = 2 },
                      &f->a, &all, &n, &total),
        OK);
    assert_int_equal(total, 4);
    assert_int_equal(n, 2);
    assert_true(all[0].is_deleted);
    assert_int_equal(all[1].version_id, 9000000000001);
    assert_int_equal(
        store_history(snap,
                      &(struct store_history_ask){ .type = type("Patient"),
                                                   .id = STR("b"),
                                                   .since_ms = 0,
                                                   .skip = 0,
                                                   .count = 9 },
                      &f->a, &all, &n, &total),
        ERR_NOT_FOUND);
    store_close(snap);
}

static void the_history_of_all_is_newest_first_and_since_an_instant(
    void **state)
{
    struct fixture *f = *state;
    struct store_op ops[] = { put(f, "a", ANNA), put(f, "b", ANNE) };
    clock_freeze(1000);
    assert_int_equal(commit(f, ops, 2), OK);
    clock_freeze(2000);
    ops[0] = put(f, "a", ANNE);
    assert_int_equal(commit(f, ops, 1), OK);

    struct store_snapshot *snap = snapshot(f);
    struct store_version *all;
    size_t n, total;
    assert_int_equal(
        store_history(snap,
                      &(struct store_history_ask){ .type = TYPE_NONE,
                                                   .id = STR(""),
                                                   .since_ms = 0,
                                                   .skip = 0,
                                                   .count = 10 },
                      &f->a, &all, &n, &total),
        OK);
    assert_int_equal(n, 3);
    assert_int_equal(total, 3);
    assert_int_equal(all[0].version_id, 9000000000001);
    assert_true(str_eq(all[1].id, STR("b")));
    assert_true(all[2].is_first && str_eq(all[2].id, STR("a")));
    assert_int_equal(
        store_history(snap,
                      &(struct store_history_ask){ .type = type("Patient"),
                                                   .id = STR(""),
                                                   .since_ms = 1500,
                                                   .skip = 0,
                                                   .count = 10 },
                      &f->a, &all, &n, &total),
        OK);
    assert_int_equal(n, 1);
    assert_int_equal(total, 1);
    store_close(snap);
}

static void preconditions_and_doubles_are_refused_whole(void **state)
{
    struct fixture *f = *state;
    struct store_op ops[] = { put(f, "a", ANNA), put(f, "a", ANNE) };
    assert_int_equal(commit(f, ops, 2), ERR_INVALID);
    assert_int_equal(commit(f, ops, 1), OK);
    ops[0] = put(f, "b", ANNA);
    ops[1] = put(f, "a", ANNE);
    ops[1].if_version = 9000000000005;
    assert_int_equal(commit(f, ops, 2), ERR_PRECONDITION);
    const char *text;
    assert_int_equal(read_text(f, "Patient", "b", &text), ERR_NOT_FOUND);
    ops[1].if_version = 9000000000000;
    assert_int_equal(commit(f, ops, 2), OK);
    ops[0] = put(f, "b", ANNA);
    ops[0].verb = STORE_CREATE;
    assert_int_equal(commit(f, ops, 1), ERR_EXISTS);
    struct store_op gone = removal("Patient", "never");
    assert_int_equal(commit(f, &gone, 1), OK);
    assert_int_equal(gone.outcome, STORED_ABSENT);
}

static void a_decision_on_an_old_record_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct store_snapshot *snap = snapshot(f);
    int64_t seq = store_seq(snap);
    store_close(snap);
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(store_commit(f->store, USER, RECORD_R4, seq, &op, 1, &f->a,
                                  NULL, NULL, NULL),
                     OK);
    op = put(f, "b", ANNA);
    assert_int_equal(store_commit(f->store, USER, RECORD_R4, seq, &op, 1, &f->a,
                                  NULL, NULL, NULL),
                     ERR_CONFLICT);
}

static void unchanged_content_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    int64_t first = op.last_updated_ms;
    op = put(f, "a", ANNA);
    op.keep_same = true;
    assert_int_equal(commit(f, &op, 1), OK);
    assert_int_equal(op.outcome, STORED_SAME);
    assert_int_equal(op.last_updated_ms, first);
    struct store_snapshot *snap = snapshot(f);
    assert_int_equal(store_seq(snap), 1);
    store_close(snap);
    op = put(f, "a", ANNE);
    op.keep_same = true;
    assert_int_equal(commit(f, &op, 1), OK);
    assert_int_equal(op.outcome, STORED_UPDATED);
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct store_op ops[] = { put(f, "a", ANNA), put(f, "b", ANNE) };
    assert_int_equal(commit(f, ops, 2), OK);
    ops[0] = put(f, "a", ANNE);
    assert_int_equal(commit(f, ops, 1), OK);

    reopen(f);

    const char *text;
    assert_int_equal(read_text(f, "Patient", "a", &text), OK);
    assert_non_null(strstr(text, "Anne"));
    assert_int_equal(found(f, "Patient", "family", "berg"), 2);
    assert_int_equal(found(f, "Patient", "given", "anna"), 0);
}

static void many_small_commits_keep_few_segments(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 300; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "p-%d", i % 200);
        struct store_op op = put(f, id, i % 2 == 0 ? ANNA : ANNE);
        assert_int_equal(commit(f, &op, 1), OK);
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(found(f, "Patient", "family", "berg"), 200);
        assert_int_equal(found(f, "Patient", "given", "anna"), 100);
        struct store_snapshot *snap = snapshot(f);
        assert_int_equal(record_count(store_record(snap), TYPE_NONE), 200);
        store_close(snap);
        reopen(f);
    }
}

static enum err run_statement(struct db_session *s, void *context)
{
    return db_run_n(s, context, NULL, 0, NULL);
}

static void an_index_of_another_format_is_rebuilt(void **state)
{
    struct fixture *f = *state;
    static struct db_statement spoil = { "UPDATE segment SET format = 1" };
    struct store_op ops[] = { put(f, "a", ANNA), put(f, "b", ANNE) };
    assert_int_equal(commit(f, ops, 2), OK);
    ops[0] = put(f, "a", ANNE);
    ops[1] = removal("Patient", "b");
    assert_int_equal(commit(f, ops, 2), OK);
    assert_int_equal(db_write(f->t.db, run_statement, &spoil), OK);
    for (int again = 0; again < 2; again++) {
        reopen(f);
        assert_int_equal(found(f, "Patient", "given", "anne"), 1);
        const char *text;
        assert_int_equal(read_text(f, "Patient", "b", &text), ERR_GONE);
        struct store_op op = put(f, "a", ANNE);
        op.keep_same = true;
        assert_int_equal(commit(f, &op, 1), OK);
        assert_int_equal(op.outcome, STORED_SAME);
        assert_int_equal(op.version_id, 9000000000001);
    }
}

/* True when a file of the folder holds the bytes. */
static bool holds(const char *folder, struct str bytes)
{
    DIR *d = opendir(folder);
    bool is_there = false;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *file = e->d_type == DT_REG ? fopen(path, "rb") : NULL;
        if (file == NULL)
            continue;
        static char all[1 << 24];
        size_t n = fread(all, 1, sizeof all, file);
        is_there = is_there || memmem(all, n, bytes.p, bytes.n) != NULL;
        (void)fclose(file);
    }
    closedir(d);
    return is_there;
}

#define MARKS 24

struct marks {
    struct arena *a;
    struct str at[MARKS];
    size_t n;
};

/* Pieces of what the files hold of the user: packed, as they are at rest. */
static enum err take_marks(struct db_session *s, void *context)
{
    static const struct db_statement rows_of[] = {
        { "SELECT data FROM body ORDER BY key DESC LIMIT 16" },
        { "SELECT data FROM segment LIMIT 8" },
    };
    struct marks *m = context;
    for (size_t i = 0; i < 2; i++) {
        AUTO_ROWS rows = { 0 };
        assert_int_equal(db_query_n(s, &rows_of[i], NULL, 0, &rows), OK);
        while (db_next(&rows) == OK && m->n < MARKS) {
            struct str data = db_blob(&rows, 0);
            m->at[m->n++] = arena_str(m->a, str_slice(data, 4, 44));
        }
    }
    return OK;
}

static void an_erased_user_leaves_no_trace_in_the_files(void **state)
{
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "marked-id-%d", i);
        struct store_op op = put(f, id, ANNA);
        assert_int_equal(commit(f, &op, 1), OK);
        op = removal("Patient", id);
        if (i % 5 == 0)
            assert_int_equal(commit(f, &op, 1), OK);
    }
    struct marks marks = { .a = &f->a };
    assert_int_equal(db_read(f->t.db, take_marks, &marks), OK);
    assert_true(marks.n > 16);
    for (size_t i = 0; i < marks.n; i++)
        assert_true(holds(f->t.folder, marks.at[i]));
    assert_true(holds(f->t.folder, STR("marked-id-")));

    assert_int_equal(store_erase(f->store, USER), OK);

    for (size_t i = 0; i < marks.n; i++)
        assert_false(holds(f->t.folder, marks.at[i]));
    assert_false(holds(f->t.folder, STR("marked-id-")));
    const char *body;
    assert_int_equal(read_text(f, "Patient", "marked-id-1", &body),
                     ERR_NOT_FOUND);
}

static void users_and_kinds_are_worlds_apart(void **state)
{
    struct fixture *f = *state;
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    struct store_snapshot *other;
    struct store_version v;
    assert_int_equal(store_open(f->store, USER + 1, RECORD_R4, &other), OK);
    assert_int_equal(store_read(other, type("Patient"), STR("a"), &v),
                     ERR_NOT_FOUND);
    store_close(other);
    assert_int_equal(store_open(f->store, USER, RECORD_AUDIT, &other), OK);
    assert_int_equal(store_read(other, type("Patient"), STR("a"), &v),
                     ERR_NOT_FOUND);
    store_close(other);
}

static void a_snapshot_does_not_see_later_commits(void **state)
{
    struct fixture *f = *state;
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    struct store_snapshot *snap = snapshot(f);
    op = put(f, "a", ANNE);
    assert_int_equal(commit(f, &op, 1), OK);
    struct store_version v;
    assert_int_equal(store_read(snap, type("Patient"), STR("a"), &v), OK);
    struct buf b = BUF_IN(&f->a, MUCH);
    assert_int_equal(store_body(snap, v.slot, &b), OK);
    assert_non_null(strstr(b.data, "Anna"));
    store_close(snap);
}

/* A copy of the files taken while commits go on is a database after a power
 * cut: every commit acknowledged before the copy began is in it. */
static void a_copy_taken_midway_has_all_that_was_acknowledged(void **state)
{
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct fixture *f = *state;
    struct fixture copy = { .a = ARENA(MUCH) };
    for (int i = 0; i < 40; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "c-%d", i);
        struct store_op op = put(f, id, ANNA);
        assert_int_equal(commit(f, &op, 1), OK);
    }
    (void)snprintf(copy.t.folder, sizeof copy.t.folder, "%s",
                   "/tmp/tributary-copy-XXXXXX");
    assert_non_null(mkdtemp(copy.t.folder));
    (void)snprintf(copy.t.path, sizeof copy.t.path, "%s/test.db",
                   copy.t.folder);
    static const char *const suffixes[] = { "", "-wal" };
    for (size_t i = 0; i < 2; i++) {
        char from[300], to[300];
        (void)snprintf(from, sizeof from, "%s%s", f->t.path, suffixes[i]);
        (void)snprintf(to, sizeof to, "%s%s", copy.t.path, suffixes[i]);
        FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
        assert_non_null(in);
        assert_non_null(out);
        static char bytes[1 << 24];
        size_t n = fread(bytes, 1, sizeof bytes, in);
        assert_int_equal(fwrite(bytes, 1, n, out), n);
        (void)fclose(in);
        assert_int_equal(fclose(out), 0);
    }
    db_test_reopen(&copy.t);
    open_store(&copy);
    assert_int_equal(found(&copy, "Patient", "family", "berg"), 40);
    const char *text;
    assert_int_equal(read_text(&copy, "Patient", "c-39", &text), OK);
    store_free(copy.store);
    db_test_close(&copy.t);
    arena_fini(&copy.a);
}

/* Two stores stand for two servers: each has an older view when the other has
 * written, and takes from it what still holds. */
static void what_another_store_wrote_is_found_whatever_was_merged(void **state)
{
    struct fixture *f = *state;
    struct fixture other = { .t = f->t, .a = ARENA(MUCH) };
    open_store(&other);
    struct fixture *both[] = { f, &other };
    uint32_t seed = 1;
    int lives[40] = { 0 };
    for (int i = 0; i < 400; i++) {
        seed = seed * 1664525u + 1013904223u;
        struct fixture *writer = both[seed >> 30 & 1];
        char id[16];
        int which = (int)(seed >> 16 & 255) % 40;
        (void)snprintf(id, sizeof id, "w-%d", which);
        bool is_removal = (seed >> 24 & 3) == 0;
        struct store_op op = is_removal ? removal("Patient", id)
                                        : put(writer, id, i % 2 ? ANNA : ANNE);
        assert_int_equal(commit(writer, &op, 1), OK);
        lives[which] = is_removal ? 0 : 1 + i % 2;
        size_t annas = 0, all = 0;
        for (size_t k = 0; k < 40; k++) {
            annas += lives[k] == 2;
            all += lives[k] != 0;
        }
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(found(both[k], "Patient", "given", "anna"), annas);
            assert_int_equal(found(both[k], "Patient", "family", "berg"), all);
        }
        if (i == 200) { /* made anew behind the other's back */
            static struct db_statement spoil = {
                "UPDATE segment SET format = 1"
            };
            assert_int_equal(db_write(f->t.db, run_statement, &spoil), OK);
            store_free(other.store);
            open_store(&other);
            assert_int_equal(found(&other, "Patient", "family", "berg"), all);
            assert_int_equal(found(f, "Patient", "family", "berg"), all);
        }
    }
    store_free(other.store);
    arena_fini(&other.a);
}

static void hot_records_keep_within_their_memory(void **state)
{
    struct fixture *f = *state;
    struct store_options o = { .db = f->t.db, .cache_bytes = 64 * 1024 };
    store_free(f->store);
    assert_int_equal(store_new(&o, &f->store, NULL), OK);
    for (int64_t round = 0; round < 3; round++)
        for (int64_t user = 1; user <= 60; user++) {
            struct store_op op = put(f, "a", round % 2 ? ANNA : ANNE);
            assert_int_equal(store_commit(f->store, user, RECORD_R4, -1, &op, 1,
                                          &f->a, NULL, NULL, NULL),
                             OK);
            struct store_stats stats = store_stats(f->store);
            assert_in_range(stats.bytes_hot, 1, o.cache_bytes);
            assert_in_range(stats.records_hot, 1, 59);
        }
    struct store_stats stats = store_stats(f->store);
    assert_true(stats.records_hot > 5 && stats.misses > 60);
    for (int64_t user = 1; user <= 60; user++)
        assert_int_equal(store_erase(f->store, user), OK);
    stats = store_stats(f->store);
    assert_int_equal(stats.bytes_hot, 0);
    assert_int_equal(stats.records_hot, 0);
}

/* Fails each allocation in turn; ASan sees whether one of them leaks. */
static void no_allocation_failure_leaks_or_half_commits(void **state)
{
    struct fixture *f = *state;
    struct store_op first = put(f, "first", ANNA);
    assert_int_equal(commit(f, &first, 1), OK);
    enum err err = ERR_NOMEM;
    int failures = 1;
    for (; err == ERR_NOMEM && failures < 2000; failures++) {
        AUTO_ARENA a = ARENA(MUCH);
        struct store_op op = put(f, "a", ANNA);
        until_failure = failures;
        err = store_commit(f->store, USER, RECORD_R4, -1, &op, 1, &a, NULL,
                           NULL, NULL);
        until_failure = -1;
        const char *text;
        if (err != OK)
            assert_int_equal(read_text(f, "Patient", "a", &text),
                             ERR_NOT_FOUND);
    }
    assert_int_equal(err, OK);
    assert_in_range(failures, 5, 2000);
    assert_int_equal(found(f, "Patient", "family", "berg"), 2);
}

static void no_allocation_failure_harms_a_search(void **state)
{
    struct fixture *f = *state;
    struct store_op op = put(f, "a", ANNA);
    assert_int_equal(commit(f, &op, 1), OK);
    struct url_param param = { STR("name"), STR("BERG") };
    struct url_params params = { .at = &param, .n = 1 };
    enum err err = ERR_NOMEM;
    int failures = 1;
    for (; err == ERR_NOMEM && failures < 100; failures++) {
        AUTO_ARENA a = ARENA(MUCH);
        struct query q;
        struct record_hits hits = { .total = 77 };
        struct store_snapshot *snap = snapshot(f);
        until_failure = failures;
        err = query_parse(&a, R4, type("Patient"), &params, 0, &q, NULL);
        if (err == OK)
            err = record_search(store_record(snap), &q, &a, &hits, NULL);
        until_failure = -1;
        assert_int_equal(hits.total, err == OK ? 1 : 77);
        store_close(snap);
    }
    assert_int_equal(err, OK);
    assert_in_range(failures, 2, 100);
}

#define SET(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SET(what_is_created_is_read_back_stamped),
        SET(versions_follow_each_other_and_all_are_kept),
        SET(the_history_of_all_is_newest_first_and_since_an_instant),
        SET(preconditions_and_doubles_are_refused_whole),
        SET(a_decision_on_an_old_record_is_a_conflict),
        SET(unchanged_content_writes_nothing),
        SET(what_was_committed_is_there_after_reopening),
        SET(many_small_commits_keep_few_segments),
        SET(an_index_of_another_format_is_rebuilt),
        SET(an_erased_user_leaves_no_trace_in_the_files),
        SET(users_and_kinds_are_worlds_apart),
        SET(a_snapshot_does_not_see_later_commits),
        SET(a_copy_taken_midway_has_all_that_was_acknowledged),
        SET(what_another_store_wrote_is_found_whatever_was_merged),
        SET(hot_records_keep_within_their_memory),
        SET(no_allocation_failure_leaks_or_half_commits),
        SET(no_allocation_failure_harms_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
