#include "base/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"

static void what_was_packed_in_pieces_comes_back_whole(void **state)
{
    (void)state;
    AUTO_BUF plain = BUF(1 << 22);
    for (int64_t i = 0; i < 100000; i++)
        buf_add_i64(&plain, i * 7919);
    struct str text = { plain.data, plain.len };
    AUTO_BUF packed = BUF(1 << 22);
    struct gzip *g;
    assert_int_equal(gzip_new(&g), OK);
    for (size_t at = 0; at < text.n; at += 1000)
        assert_int_equal(
            gzip_add(
                g, str_slice(text, at, at + 1000 < text.n ? at + 1000 : text.n),
                false, &packed),
            OK);
    assert_int_equal(gzip_add(g, STR(""), true, &packed), OK);
    gzip_free(g);
    assert_true(packed.len < text.n);
    AUTO_BUF back = BUF(1 << 22);
    assert_int_equal(
        file_gunzip((struct str){ packed.data, packed.len }, &back), OK);
    assert_true(str_eq((struct str){ back.data, back.len }, text));
}

static void nothing_is_a_gzip_too(void **state)
{
    (void)state;
    AUTO_BUF packed = BUF(1 << 20), back = BUF(10);
    struct gzip *g;
    assert_int_equal(gzip_new(&g), OK);
    assert_int_equal(gzip_add(g, STR(""), true, &packed), OK);
    gzip_free(g);
    assert_int_equal(
        file_gunzip((struct str){ packed.data, packed.len }, &back), OK);
    assert_int_equal(back.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_in_pieces_comes_back_whole),
        cmocka_unit_test(nothing_is_a_gzip_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
