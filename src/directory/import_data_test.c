/* The real lists, where they are (../shared/data/directory): all are read, and
 * a second import changes nothing. */
#include "directory/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "directory/system.h"
#include "db/testing.h"

/* seen from a checkout, and from a worktree beside others */
static const char *lists(void)
{
    static const char *const places[] = { "../shared/data/directory",
                                          "../../shared/data/directory" };
    for (size_t i = 0; i < 2; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static char folder[] = "/tmp/tributary-directory-XXXXXX";

static int set_up(void **state)
{
    static char path[128];
    struct db *db = NULL;
    struct why w = { 0 };
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    assert_int_equal(db_test_open_at(path, &db, &w), OK);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];
    db_close(*state);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/t.db%s", folder, ends[i]);
        unlink(name);
    }
    rmdir(folder);
    return 0;
}

struct seen {
    int files, failed;
    bool is_loud;
};

static void note(void *context, const struct import_report *r, enum err err,
                 const struct why *w)
{
    struct seen *seen = context;
    seen->files++;
    seen->failed += err != OK;
    if (err != OK)
        printf("# %.*s: %s\n", (int)r->file.n, r->file.p, w->text);
    assert_int_equal(r->entries, r->taken + r->merged + r->same + r->refused);
    if (seen->is_loud)
        printf("# %6lld %6lld %6lld %6lld  %-14.*s %.*s\n", (long long)r->taken,
               (long long)r->merged, (long long)r->same, (long long)r->refused,
               (int)r->format.n, r->format.p, (int)r->file.n, r->file.p);
}

static void search_is_quick(struct db *db, struct arena *a, int64_t expected)
{
    static const struct str queries[] = { STR_INIT(""), STR_INIT("mayo"),
                                          STR_INIT("family medicine"),
                                          STR_INIT("St Marys") };
    struct system *found;
    size_t n;
    int64_t total;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct system_search ask = { .query = queries[i], .count = 20 };
        int64_t started = clock_monotonic_ns();
        assert_int_equal(system_find(db, &ask, a, &found, &n, &total), OK);
        printf("# '%.*s': %lld of %lld us\n", (int)queries[i].n, queries[i].p,
               (long long)total,
               (long long)(clock_monotonic_ns() - started) / 1000);
        assert_true(total > 0);
        if (i == 0)
            assert_int_equal(total, expected);
    }
}

static void all_lists_are_read_and_a_second_import_changes_nothing(void **state)
{
    struct db *db = *state;
    struct why w = { 0 };
    struct seen seen = { .is_loud = true };
    AUTO_ARENA a = ARENA(64 << 20);
    struct import_report first = { .entries = 0 }, second = { .entries = 0 };
    const char *path = lists();
    if (path == NULL) {
        printf("# ../shared/data/directory is not here: nothing imported\n");
        skip();
    }
    int64_t started = clock_monotonic_ns();
    assert_int_equal(import_path(db, path, &a, note, &seen, &first, &w), OK);
    printf("# %d files, %lld entries: taken %lld, merged %lld, same %lld, "
           "refused %lld in %lld ms\n",
           seen.files, (long long)first.entries, (long long)first.taken,
           (long long)first.merged, (long long)first.same,
           (long long)first.refused,
           (long long)(clock_monotonic_ns() - started) / 1000000);
    for (size_t i = 0; i < first.reason_count; i++)
        printf("#   %6lld %.*s\n", (long long)first.reasons[i].count,
               (int)first.reasons[i].text.n, first.reasons[i].text.p);
    assert_int_equal(seen.files, 67);
    assert_int_equal(seen.failed, 0);
    search_is_quick(db, &a, first.taken);

    seen = (struct seen){ 0 };
    assert_int_equal(import_path(db, path, &a, note, &seen, &second, &w), OK);
    assert_int_equal(second.taken, 0);
    assert_int_equal(second.merged, 0);
    assert_int_equal(second.entries, first.entries);
    assert_int_equal(second.refused, first.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            all_lists_are_read_and_a_second_import_changes_nothing, set_up,
            tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
