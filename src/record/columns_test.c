#include <pthread.h>

#include "record/world_test_int.h"

#define THREADS 4

static struct str closed_bytes(struct world *w, struct segment *s)
{
    struct buf b = BUF_IN(&w->a, MUCH);
    struct str data;
    assert_int_equal(segment_encode_closed(s, &w->a, &b), OK);
    assert_int_equal(buf_view(&b, &data), OK);
    return data;
}

/* Everything that the index knows, as its bytes. */
static struct str open_bytes(struct world *w, struct segment *s)
{
    struct buf b = BUF_IN(&w->a, MUCH);
    struct str data;
    assert_int_equal(segment_encode(s, &w->a, &b), OK);
    assert_int_equal(buf_view(&b, &data), OK);
    return data;
}

static void a_closed_segment_opens_to_what_it_was(void **state)
{
    struct world *w = *state;
    rand_seed(11);
    for (int round = 0; round < 50; round++) {
        grow(w);
        size_t n = record_segment_count(w->record);
        struct segment *s = record_segment(w->record, n - 1), *again;
        struct str data = closed_bytes(w, s);
        assert_int_equal(segment_decode(data, &w->a, &again), OK);
        assert_int_equal(segment_count(again), segment_count(s));
        assert_true(str_eq(open_bytes(w, again), open_bytes(w, s)));
        segment_unref(again);
    }
}

/* Its columns are read long after: so all of it is looked at when it comes. */
static void a_closed_segment_with_any_wrong_byte_is_refused(void **state)
{
    struct world *w = *state;
    rand_seed(5);
    struct segment *s = change(w);
    struct str data = closed_bytes(w, s);
    segment_unref(s);
    for (size_t i = 0; i < data.n; i++) {
        struct segment *again = NULL;
        char *copy = arena_cstr(&w->a, data);
        copy[i] = (char)(copy[i] ^ (1 << rand_below(8)));
        assert_int_equal(
            segment_decode((struct str){ copy, data.n }, &w->a, &again),
            ERR_FORMAT);
        assert_null(again);
        assert_int_equal(segment_decode(str_slice(data, 0, i), &w->a, &again),
                         ERR_FORMAT);
    }
}

static void *open_all(void *context)
{
    AUTO_ARENA a = ARENA(MUCH);
    segment_open(context, &a);
    return arena_err(&a) == OK ? context : NULL;
}

static void many_threads_may_open_one_segment(void **state)
{
    struct world *w = *state;
    rand_seed(7);
    for (int round = 0; round < 20; round++) {
        grow(w);
        size_t n = record_segment_count(w->record);
        struct segment *s = record_segment(w->record, n - 1), *again;
        struct str data = closed_bytes(w, s);
        assert_int_equal(segment_decode(data, &w->a, &again), OK);
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, open_all, again),
                             0);
        for (size_t i = 0; i < THREADS; i++) {
            void *result;
            assert_int_equal(pthread_join(threads[i], &result), 0);
            assert_ptr_equal(result, again);
        }
        assert_true(str_eq(open_bytes(w, again), open_bytes(w, s)));
        segment_unref(again);
    }
}

static void a_loaded_record_is_the_one_that_was_pushed(void **state)
{
    struct world *w = *state;
    rand_seed(13);
    for (int round = 0; round < 60; round++) {
        grow(w);
        struct segment *all[HISTORY * 8];
        size_t n = record_segment_count(w->record);
        assert_true(n <= sizeof all / sizeof all[0]);
        for (size_t i = 0; i < n; i++)
            all[i] = record_segment(w->record, i);
        struct record *loaded;
        assert_int_equal(record_new(R4, all, n, &loaded), OK);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(record_count(loaded, w->types[k]),
                             record_count(w->record, w->types[k]));
            for (size_t i = 0; i < IDS; i++) {
                struct record_entry a, b;
                bool is_in =
                    record_find(loaded, w->types[k], str_of(ids[i]), &a);
                assert_int_equal(is_in, w->things[k][i].exists);
                if (!is_in)
                    continue;
                assert_true(
                    record_find(w->record, w->types[k], str_of(ids[i]), &b));
                assert_int_equal(a.version, b.version);
                assert_int_equal(a.is_deleted, b.is_deleted);
            }
        }
        record_unref(loaded);
    }
}

#define SET(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SET(a_closed_segment_opens_to_what_it_was),
        SET(a_closed_segment_with_any_wrong_byte_is_refused),
        SET(many_threads_may_open_one_segment),
        SET(a_loaded_record_is_the_one_that_was_pushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
