#include "base/map.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 10000

static void every_key_finds_its_own_value(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)16 << 20);
    struct map m = MAP_IN(&a);
    static int values[KEYS];
    assert_null(map_get(&m, STR("none yet")));
    for (size_t i = 0; i < KEYS; i++) {
        struct buf key = BUF_IN(&a, 32);
        buf_add_u64(&key, i);
        map_put(&m, (struct str){ key.data, key.len }, &values[i]);
    }
    assert_int_equal(m.n, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        AUTO_BUF key = BUF(32);
        buf_add_u64(&key, i);
        assert_ptr_equal(map_get(&m, (struct str){ key.data, key.len }),
                         &values[i]);
    }
    assert_null(map_get(&m, STR("10000")));
}

static void a_new_value_takes_the_place_of_the_old(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct map m = MAP_IN(&a);
    int one, two;
    map_put(&m, STR("k"), &one);
    map_put(&m, STR("k"), &two);
    assert_ptr_equal(map_get(&m, STR("k")), &two);
    assert_int_equal(m.n, 1);
}

static void the_empty_key_is_a_key(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct map m = MAP_IN(&a);
    int one;
    map_put(&m, STR_NONE, &one);
    assert_ptr_equal(map_get(&m, STR("")), &one);
    assert_null(map_get(&m, STR("x")));
}

static void a_slot_starts_empty_and_is_found_again(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct map m = MAP_IN(&a);
    int one;
    void **slot = map_slot(&m, STR("k"));
    assert_non_null(slot);
    assert_null(*slot);
    *slot = &one;
    assert_ptr_equal(*map_slot(&m, STR("k")), &one);
}

static void a_full_arena_makes_the_failure_stick(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(100);
    struct map m = MAP_IN(&a);
    int one;
    map_put(&m, STR("k"), &one);
    assert_int_equal(arena_err(&a), ERR_LIMIT);
    assert_null(map_get(&m, STR("k")));
    assert_null(map_slot(&m, STR("k")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_finds_its_own_value),
        cmocka_unit_test(a_new_value_takes_the_place_of_the_old),
        cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(a_slot_starts_empty_and_is_found_again),
        cmocka_unit_test(a_full_arena_makes_the_failure_stick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
