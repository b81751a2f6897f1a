#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_str(got_, want_) assert_true(str_eq((got_), str_of(want_)))

static const struct {
    const char *plain, *standard, *url;
} vectors[] = {
    /* RFC 4648 section 10 */
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xbf", "+/+/", "-_-_" },
};

static void the_vectors_of_the_standard_go_both_ways(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct str plain = str_of(vectors[i].plain), back;
        assert_str(base64_encode(&a, plain), vectors[i].standard);
        assert_str(base64url_encode(&a, plain), vectors[i].url);
        assert_int_equal(base64_decode(&a, str_of(vectors[i].standard), &back),
                         OK);
        assert_true(str_eq(back, plain));
        assert_int_equal(base64_decode(&a, str_of(vectors[i].url), &back), OK);
        assert_true(str_eq(back, plain));
    }
}

static void every_byte_survives(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    char bytes[256];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t n = 0; n <= 256; n++) {
        struct str plain = { bytes, n }, back;
        assert_int_equal(base64_decode(&a, base64_encode(&a, plain), &back),
                         OK);
        assert_true(str_eq(back, plain));
        assert_int_equal(hex_decode(&a, hex_encode(&a, plain), &back), OK);
        assert_true(str_eq(back, plain));
    }
}

static void broken_text_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    static const char *const bad[] = { "A",     "AAAAA", "A=AA",
                                       "AA===", "A*AA",  "Zm9v\x01" };
    struct str out = STR("untouched");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(base64_decode(&a, str_of(bad[i]), &out), ERR_FORMAT);
    assert_int_equal(hex_decode(&a, STR("abc"), &out), ERR_FORMAT);
    assert_int_equal(hex_decode(&a, STR("ag"), &out), ERR_FORMAT);
    assert_str(out, "untouched");
}

static void blanks_between_are_no_matter(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 16);
    struct str out;
    assert_int_equal(base64_decode(&a, STR("Zm9v\r\n YmFy\n"), &out), OK);
    assert_str(out, "foobar");
    assert_int_equal(hex_decode(&a, STR("00fFAb"), &out), OK);
    assert_true(str_eq(out, STR("\x00\xff\xab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_go_both_ways),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(blanks_between_are_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
