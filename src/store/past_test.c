#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rand.h"
#include "db/testing.h"
#include "record/segment.h"

#define USER  7
#define BEGIN INT64_C(1700000000000)

struct fixture {
    struct db_test t;
    struct store *store;
    struct arena a;
    struct store_snapshot *snap;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->t = db_test_open();
    f->a = ARENA((size_t)64 << 20);
    struct store_options o = { .db = f->t.db };
    assert_int_equal(store_new(&o, &f->store, NULL), OK);
    clock_freeze(BEGIN);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    clock_release();
    store_close(f->snap);
    store_free(f->store);
    db_test_close(&f->t);
    arena_fini(&f->a);
    free(f);
    return 0;
}

static uint16_t patient_type(void)
{
    return release_type_find(R4, STR("Patient"), false);
}

/* One commit, a second after the one before; family "": a deletion. */
static void write_patient(struct fixture *f, const char *id, const char *family)
{
    struct store_op op = { .verb = STORE_DELETE,
                           .type = patient_type(),
                           .id = str_of(id) };
    struct resource r;
    clock_advance(1000);
    if (family[0] != '\0') {
        struct str text = arena_cat(
            &f->a,
            STR("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\""),
            str_of(family), STR("\"}]}"));
        assert_int_equal(resource_parse(&f->a, R4, text, &r, NULL), OK);
        op.verb = STORE_PUT;
        op.resource = &r;
    }
    assert_int_equal(store_commit(f->store, USER, RECORD_R4, -1, &op, 1, &f->a,
                                  NULL, NULL, NULL),
                     OK);
}

/* The record as it was after so many commits. */
static void rewind_to(struct fixture *f, int64_t commits)
{
    struct store_point point = { .until_ms = BEGIN + commits * 1000 };
    store_close(f->snap);
    f->snap = NULL;
    assert_int_equal(store_open(f->store, USER, RECORD_R4, &f->snap), OK);
    assert_int_equal(store_rewind(f->snap, &point), OK);
}

static size_t found(struct fixture *f, const char *family)
{
    struct url_param param = { STR("family"), str_of(family) };
    struct url_params params = { .at = &param, .n = 1 };
    struct query q;
    struct record_hits hits;
    assert_int_equal(
        query_parse(&f->a, R4, patient_type(), &params, 0, &q, NULL), OK);
    assert_int_equal(
        record_search(store_record(f->snap), &q, &f->a, &hits, NULL), OK);
    return (size_t)hits.total;
}

static void an_old_moment_has_the_values_and_bodies_of_then(void **state)
{
    struct fixture *f = *state;
    struct store_version v;
    struct buf body = BUF_IN(&f->a, 4096);
    write_patient(f, "a", "Berg");
    write_patient(f, "a", "Tal");
    write_patient(f, "a", "See");
    rewind_to(f, 2);
    assert_int_equal(found(f, "Berg"), 0);
    assert_int_equal(found(f, "Tal"), 1);
    assert_int_equal(found(f, "See"), 0);
    assert_int_equal(store_read(f->snap, patient_type(), STR("a"), &v), OK);
    assert_int_equal(v.version_id, STORE_VERSION_FIRST + 1);
    assert_int_equal(v.last_updated_ms, BEGIN + 2000);
    assert_int_equal(store_body(f->snap, v.slot, &body), OK);
    assert_non_null(strstr(body.data, "Tal"));
    rewind_to(f, 3);
    assert_int_equal(found(f, "See"), 1);
}

static void what_was_not_there_yet_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct record_entry e;
    write_patient(f, "a", "Berg");
    write_patient(f, "b", "Berg");
    rewind_to(f, 1);
    assert_int_equal(found(f, "Berg"), 1);
    assert_int_equal(record_count(store_record(f->snap), TYPE_NONE), 1);
    assert_true(
        record_find(store_record(f->snap), patient_type(), STR("b"), &e));
    assert_true(e.is_deleted);
    assert_int_equal(e.version, 0);
    rewind_to(f, 0);
    assert_int_equal(record_count(store_record(f->snap), TYPE_NONE), 0);
}

static void what_is_deleted_now_lived_then_and_the_reverse(void **state)
{
    struct fixture *f = *state;
    struct store_version v;
    write_patient(f, "a", "Berg");
    write_patient(f, "a", "");
    write_patient(f, "a", "Tal");
    rewind_to(f, 1);
    assert_int_equal(found(f, "Berg"), 1);
    rewind_to(f, 2);
    assert_int_equal(found(f, "Berg") + found(f, "Tal"), 0);
    assert_int_equal(store_read(f->snap, patient_type(), STR("a"), &v),
                     ERR_GONE);
}

static void a_slot_is_a_point_too(void **state)
{
    struct fixture *f = *state;
    struct store_point point = { .before_slot = 1, .has_slot = true };
    write_patient(f, "a", "Berg");
    write_patient(f, "a", "Tal");
    assert_int_equal(store_open(f->store, USER, RECORD_R4, &f->snap), OK);
    assert_int_equal(store_rewind(f->snap, &point), OK);
    assert_int_equal(found(f, "Berg"), 1);
}

/* --- pages of a sorted list ----------------------------------------------- */

#define PEOPLE 60

static void write_person(struct fixture *f, size_t i, bool is_deleted)
{
    static const char *const families[] = { "Berg", "Tal", "See", "Au" };
    static const char *const births[] = { "", ",\"birthDate\":\"1970\"",
                                          ",\"birthDate\":\"1980-05-05\"" };
    char id[3] = { (char)('a' + i / 10), (char)('0' + i % 10), '\0' };
    struct resource r;
    struct store_op op = { .verb = STORE_DELETE,
                           .type = patient_type(),
                           .id = arena_str(&f->a, str_of(id)) };
    struct str text = arena_cat(
        &f->a, STR("{\"resourceType\":\"Patient\",\"name\":[{\"family\":\""),
        str_of(families[rand_below(4)]), STR("\"}]"),
        str_of(births[rand_below(3)]), STR("}"));
    clock_advance(1000);
    assert_int_equal(resource_parse(&f->a, R4, text, &r, NULL), OK);
    if (!is_deleted) {
        op.verb = STORE_PUT;
        op.resource = &r;
    }
    assert_int_equal(store_commit(f->store, USER, RECORD_R4, -1, &op, 1, &f->a,
                                  NULL, NULL, NULL),
                     OK);
}

static struct record_hits sorted(struct fixture *f, const struct record *now,
                                 struct str after, unsigned count)
{
    struct url_param sort = { STR("_sort"), STR("-family,birthdate") };
    struct url_params params = { .at = &sort, .n = 1 };
    struct query q;
    struct record_hits hits;
    assert_int_equal(
        query_parse(&f->a, R4, patient_type(), &params, 0, &q, NULL), OK);
    q.count = count;
    q.after_id = after;
    assert_int_equal(
        record_search_past(store_record(f->snap), now, &q, &f->a, &hits, NULL),
        OK);
    for (size_t i = 0; i < hits.n; i++)
        hits.at[i].id = arena_str(&f->a, hits.at[i].id);
    return hits;
}

static void reopen(struct fixture *f)
{
    store_close(f->snap);
    f->snap = NULL;
    assert_int_equal(store_open(f->store, USER, RECORD_R4, &f->snap), OK);
}

static bool is_alive(const struct record *r, struct str id)
{
    struct record_entry e;
    return record_find(r, patient_type(), id, &e) && !e.is_deleted;
}

/* Each page must go on in the list of the first one, without what is deleted
 * by then. */
static void check_next(struct fixture *f, struct store_mark mark,
                       const struct record_hits *all, size_t *at,
                       struct str *after, bool *has_next)
{
    struct record *now;
    unsigned count = 1 + (unsigned)rand_below(7);
    reopen(f);
    assert_int_equal(store_rewind_to(f->snap, mark, 0, &now), OK);
    struct record_hits page = sorted(f, now, *after, count);
    assert_int_equal(page.total, all->total);
    for (size_t i = 0; i < page.n; i++, (*at)++) {
        while (!is_alive(now, all->at[*at].id))
            (*at)++;
        assert_true(str_eq(page.at[i].id, all->at[*at].id));
        assert_int_equal(page.at[i].slot, all->at[*at].slot);
    }
    *has_next = page.has_next;
    if (page.has_next) {
        assert_int_equal(page.n, count);
        *after = page.at[page.n - 1].id;
    }
    while (!page.has_next && *at < all->n)
        assert_false(is_alive(now, all->at[(*at)++].id));
    record_unref(now);
}

static void a_sorted_list_is_paged_while_it_is_written(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct str after = STR_NONE;
        bool has_next = true;
        size_t at = 0;
        rand_seed(seed);
        for (size_t i = 0; i < PEOPLE / 2; i++)
            write_person(f, rand_below(PEOPLE), false);
        reopen(f);
        struct store_mark mark = store_mark(f->snap);
        struct record_hits all = sorted(f, NULL, STR_NONE, 1000);
        while (has_next) {
            check_next(f, mark, &all, &at, &after, &has_next);
            for (uint64_t i = rand_below(12); i > 0; i--)
                write_person(f, rand_below(PEOPLE), rand_below(3) == 0);
        }
        assert_int_equal(at, all.n);
    }
    rand_release();
}

static void a_mark_of_an_erased_record_is_gone(void **state)
{
    struct fixture *f = *state;
    write_patient(f, "a", "Berg");
    write_patient(f, "b", "Berg");
    reopen(f);
    struct store_mark mark = store_mark(f->snap);
    assert_int_equal(store_rewind_to(f->snap, mark, 0, NULL), OK);
    assert_int_equal(store_erase(f->store, USER), OK);
    write_patient(f, "a", "Tal");
    write_patient(f, "a", "See");
    write_patient(f, "a", "Au");
    reopen(f);
    assert_int_equal(store_rewind_to(f->snap, mark, 0, NULL), ERR_GONE);
}

static void too_much_changed_is_told_what_is_new_costs_little(void **state)
{
    struct fixture *f = *state;
    write_patient(f, "a", "Berg");
    write_patient(f, "b", "Berg");
    reopen(f);
    struct store_mark mark = store_mark(f->snap);
    write_patient(f, "c", "Tal");
    write_patient(f, "a", "Tal");
    reopen(f);
    assert_int_equal(store_rewind_to(f->snap, mark, 1, NULL), OK);
    assert_int_equal(found(f, "Berg"), 2);
    assert_int_equal(found(f, "Tal"), 0);
    write_patient(f, "b", "Tal");
    reopen(f);
    assert_int_equal(store_rewind_to(f->snap, mark, 1, NULL), ERR_LIMIT);
    assert_int_equal(found(f, "Tal"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_old_moment_has_the_values_and_bodies_of_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_there_yet_is_not_there,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_deleted_now_lived_then_and_the_reverse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slot_is_a_point_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_sorted_list_is_paged_while_it_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            too_much_changed_is_told_what_is_new_costs_little, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_mark_of_an_erased_record_is_gone,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
