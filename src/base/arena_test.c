/* link: -Wl,--wrap=malloc */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The link step sends arena.c's malloc here (-Wl,--wrap=malloc). */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static bool is_out_of_memory;

void *__wrap_malloc(size_t n)
{
    return is_out_of_memory ? NULL : __real_malloc(n);
}

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 23);
    char *before = NULL;
    for (size_t size = 0; size < 2000; size++) {
        char *p = arena_alloc(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(p, before);
        memset(p, 0xaa, size);
        before = p;
    }
    assert_int_equal(arena_err(&a), OK);
}

static void cleared_memory_is_zero_and_does_not_wrap(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    memset(arena_alloc(&a, 1000), 0xff, 1000);
    arena_reset(&a);
    const char *p = arena_zalloc(&a, 10, 100);
    assert_non_null(p);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    assert_null(arena_zalloc(&a, SIZE_MAX / 2, 3));
    assert_int_equal(arena_err(&a), ERR_LIMIT);
}

static void past_the_limit_the_failure_sticks(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(10000);
    assert_non_null(arena_alloc(&a, 8000));
    assert_null(arena_alloc(&a, 8000));
    assert_int_equal(arena_err(&a), ERR_LIMIT);
    assert_null(arena_alloc(&a, 1));
    assert_true(a.used <= a.limit);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 1)); /* as new */
}

static void without_memory_the_failure_sticks(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    is_out_of_memory = true;
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_str(&a, STR("x")).p);
    is_out_of_memory = false;
    assert_int_equal(arena_err(&a), ERR_NOMEM);
    assert_null(arena_alloc(&a, 1));
}

static void growing_keeps_the_bytes_in_place_or_moved(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    char *p = arena_alloc(&a, 10);
    assert_non_null(p);
    memcpy(p, "0123456789", 10);
    assert_ptr_equal(arena_grow(&a, p, 10, 1000), p); /* the newest */
    assert_non_null(arena_alloc(&a, 1));
    char *moved = arena_grow(&a, p, 1000, 2000);
    assert_non_null(moved);
    assert_ptr_not_equal(moved, p);
    assert_memory_equal(moved, "0123456789", 10);
    char *far = arena_grow(&a, moved, 2000, 100000); /* another block */
    assert_non_null(far);
    assert_memory_equal(far, "0123456789", 10);
}

static void texts_are_copied_with_a_nul_behind(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    struct str joined = arena_cat(&a, STR("a"), STR_NONE, STR("bc"));
    assert_int_equal(joined.n, 3);
    assert_string_equal(joined.p, "abc");
    assert_string_equal(arena_cstr(&a, str_slice(STR("hello"), 1, 3)), "el");
    struct str none = arena_str(&a, STR_NONE);
    assert_non_null(none.p);
    assert_string_equal(none.p, "");
}

static void a_reset_arena_uses_its_block_again(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    void *first = arena_alloc(&a, 100);
    arena_reset(&a);
    is_out_of_memory = true; /* no need for more */
    assert_ptr_equal(arena_alloc(&a, 100), first);
    is_out_of_memory = false;
    assert_non_null(arena_alloc(&a, 500000));
    arena_reset(&a);
    assert_int_equal(a.used, 0); /* a large block is not kept */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(cleared_memory_is_zero_and_does_not_wrap),
        cmocka_unit_test(past_the_limit_the_failure_sticks),
        cmocka_unit_test(without_memory_the_failure_sticks),
        cmocka_unit_test(growing_keeps_the_bytes_in_place_or_moved),
        cmocka_unit_test(texts_are_copied_with_a_nul_behind),
        cmocka_unit_test(a_reset_arena_uses_its_block_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
