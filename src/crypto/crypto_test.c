#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "crypto/seal.h"

static struct str hex_of(struct arena *a, struct digest d)
{
    return hex_encode(a, digest_str(&d));
}

static bool same(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

/* FIPS 180-2 appendix B.1, RFC 4231 test case 2. */
static void digests_are_those_of_the_standards(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA(4096);
    assert_true(same(hex_of(&a, digest_sha256(STR("abc"))),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                     "f20015ad"));
    assert_true(
        same(hex_of(&a, digest_hmac(STR("Jefe"),
                                    STR("what do ya want for nothing?"))),
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b9"
             "64ec3843"));
}

static void parts_do_not_flow_into_each_other(void **state)
{
    (void)state;
    struct str one[] = { STR("ab"), STR("c") }, two[] = { STR("a"), STR("bc") };
    struct digest a = digest_hmac_parts(STR("k"), one, 2);
    struct digest b = digest_hmac_parts(STR("k"), two, 2);
    assert_memory_not_equal(a.bytes, b.bytes, DIGEST_BYTES);
}

#define KEY STR("0123456789abcdef0123456789abcdef")

static void what_was_sealed_opens_with_the_same_context_only(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA(65536);
    struct seal *s = NULL;
    struct str sealed;
    AUTO_SECRET out = { 0 };
    assert_int_equal(seal_new(KEY, &s, NULL), OK);
    assert_int_equal(seal_close(s, STR("row 1"), STR("token"), &a, &sealed),
                     OK);
    assert_int_equal(seal_open(s, STR("row 1"), sealed, &out), OK);
    assert_true(str_eq(secret_reveal(&out), STR("token")));
    assert_int_equal(seal_open(s, STR("row 2"), sealed, &out), ERR_CRYPTO);
    seal_free(s);
}

static void a_changed_byte_does_not_open(void **state)
{
    (void)state;
    AUTO_ARENA
    a = ARENA(65536);
    struct seal *s = NULL;
    struct str sealed;
    assert_int_equal(seal_new(KEY, &s, NULL), OK);
    assert_int_equal(seal_close(s, STR("x"), STR("token"), &a, &sealed), OK);
    for (size_t i = 0; i < sealed.n; i++) {
        AUTO_SECRET out = { 0 };
        char *copy = arena_cstr(&a, sealed);
        assert_non_null(copy);
        copy[i] ^= 1;
        assert_int_equal(
            seal_open(s, STR("x"), (struct str){ copy, sealed.n }, &out),
            ERR_CRYPTO);
    }
    seal_free(s);
}

static void a_short_key_is_refused(void **state)
{
    (void)state;
    struct seal *s = NULL;
    assert_int_equal(seal_new(STR("short"), &s, NULL), ERR_INVALID);
}

static void a_token_verifies_with_its_key_and_algorithm_only(void **state)
{
    (void)state;
    static const struct str algs[] = { STR_INIT("RS384"), STR_INIT("ES384") };
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA
        a = ARENA((size_t)1 << 20);
        struct str key, public_key, other, other_public, token, claims;
        assert_int_equal(jwt_new_key(&a, algs[i], &key, &public_key), OK);
        assert_int_equal(jwt_new_key(&a, algs[i], &other, &other_public), OK);
        assert_int_equal(
            jwt_sign(&a, key, algs[i], STR("{\"iss\":\"x\"}"), &token, NULL),
            OK);
        assert_int_equal(
            jwt_verify(&a, public_key, algs[i], token, &claims, NULL), OK);
        assert_true(same(claims, "{\"iss\":\"x\"}"));
        assert_int_equal(
            jwt_verify(&a, other_public, algs[i], token, &claims, NULL),
            ERR_CRYPTO);
        assert_int_equal(
            jwt_verify(&a, public_key, algs[1 - i], token, &claims, NULL),
            ERR_CRYPTO);
        assert_int_equal(jwt_peek(&a, token, &claims), OK);
        assert_true(same(claims, "{\"iss\":\"x\"}"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(parts_do_not_flow_into_each_other),
        cmocka_unit_test(what_was_sealed_opens_with_the_same_context_only),
        cmocka_unit_test(a_changed_byte_does_not_open),
        cmocka_unit_test(a_short_key_is_refused),
        cmocka_unit_test(a_token_verifies_with_its_key_and_algorithm_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
