#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/rand.h"
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
    AUTO_ARENA a = ARENA(4096);
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
    AUTO_ARENA a = ARENA(65536);
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
    AUTO_ARENA a = ARENA(65536);
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
        AUTO_ARENA a = ARENA((size_t)1 << 20);
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

/* RFC 5869 for the keys, AES-256-GCM, aad = key id | context; computed with
 * another implementation. */
static void the_sealed_form_is_the_documented_one(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct seal *s = NULL;
    struct str sealed;
    assert_int_equal(seal_new(KEY, &s, NULL), OK);
    rand_seed(1);
    assert_int_equal(
        seal_close(s, STR("vault|connection 7"), STR("token"), &a, &sealed),
        OK);
    rand_release();
    assert_true(same(hex_encode(&a, sealed),
                     "54366fac8965fbeed190d712357401147b94a5f5"
                     "b3560763a9f8f629c9498b37f6d3621856"));
    struct digest name;
    struct str part = STR("x");
    seal_name(s, &part, 1, &name);
    struct str naming;
    assert_int_equal(hex_decode(&a,
                                STR("4c43332d1ef78970cadbb36c2ff0c4ea"
                                    "1920589c107f8b37ed1466e2d1291c8e"),
                                &naming),
                     OK);
    struct digest want = digest_hmac_parts(naming, &part, 1);
    assert_memory_equal(name.bytes, want.bytes, DIGEST_BYTES);
    seal_free(s);
}

static void another_master_key_does_not_open(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct seal *s = NULL, *other = NULL;
    struct str sealed;
    AUTO_SECRET out = { 0 };
    assert_int_equal(seal_new(KEY, &s, NULL), OK);
    assert_int_equal(
        seal_new(STR("another key of more than 32 bytes"), &other, NULL), OK);
    assert_int_equal(seal_close(s, STR("x"), STR("token"), &a, &sealed), OK);
    assert_int_equal(seal_open(other, STR("x"), sealed, &out), ERR_CRYPTO);
    assert_null(out.bytes);
    seal_free(s);
    seal_free(other);
}

static void sealing_twice_shows_nothing(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(65536);
    struct seal *s = NULL;
    struct str one, two;
    assert_int_equal(seal_new(KEY, &s, NULL), OK);
    assert_int_equal(seal_close(s, STR("x"), STR(""), &a, &one), OK);
    assert_int_equal(seal_close(s, STR("x"), STR(""), &a, &two), OK);
    assert_int_equal(one.n, 4 + 12 + 16);
    assert_false(str_eq(one, two));
    AUTO_SECRET out = { 0 };
    assert_int_equal(seal_open(s, STR("x"), one, &out), OK);
    assert_int_equal(secret_reveal(&out).n, 0);
    seal_free(s);
}

static void a_secret_has_a_limit_and_goes_empty(void **state)
{
    (void)state;
    static char long_text[SECRET_MAX + 1];
    struct secret s = { 0 };
    assert_int_equal(
        secret_init(&s, (struct str){ long_text, sizeof long_text }),
        ERR_LIMIT);
    assert_int_equal(secret_init(&s, STR("hush")), OK);
    assert_true(str_eq(secret_reveal(&s), STR("hush")));
    secret_fini(&s);
    secret_fini(&s);
    assert_null(s.bytes);
}

static void comparing_wants_the_same_bytes(void **state)
{
    (void)state;
    assert_true(digest_same(STR("abc"), STR("abc")));
    assert_false(digest_same(STR("abc"), STR("abd")));
    assert_false(digest_same(STR("abc"), STR("ab")));
    assert_true(digest_same(STR(""), STR("")));
}

/* RFC 7515 appendix A.3. */
#define ES256_KEY                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\","                                       \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                   \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define ES256_TOKEN                                                            \
    "eyJhbGciOiJFUzI1NiJ9."                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"         \
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."                                          \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"         \
    "pmWQxfKTUJqPP3-Kg6NU1Q"

static void the_token_of_the_standard_verifies(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct str claims;
    assert_int_equal(jwt_verify(&a, STR(ES256_KEY), STR("ES256"),
                                STR(ES256_TOKEN), &claims, NULL),
                     OK);
    assert_true(str_starts(claims, STR("{\"iss\":\"joe\",\r\n")));
    char *changed = arena_cstr(&a, STR(ES256_TOKEN));
    assert_non_null(changed);
    changed[30] = changed[30] == 'A' ? 'B' : 'A';
    assert_int_equal(jwt_verify(&a, STR(ES256_KEY), STR("ES256"),
                                str_of(changed), &claims, NULL),
                     ERR_CRYPTO);
}

/* header.claims with an HMAC under the public key's own text. */
static struct str forge(struct arena *a, const char *header, struct str key)
{
    struct str head = base64url_encode(a, str_of(header));
    struct str text =
        arena_cat(a, head, STR("."), base64url_encode(a, STR("{}")));
    struct digest mac = digest_hmac(key, text);
    return arena_cat(a, text, STR("."), base64url_encode(a, digest_str(&mac)));
}

static void forged_headers_do_not_choose_the_algorithm(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct str key, public_key, claims = STR("untouched"), token;
    assert_int_equal(jwt_new_key(&a, STR("RS384"), &key, &public_key), OK);
    static const char *const headers[] = {
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"none\"}",
        "{}",
        "{\"alg\":\"RS384\",\"alg\":\"HS256\"}",
        "{\"alg\":7}",
        "[]",
        "x"
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        token = forge(&a, headers[i], public_key);
        assert_int_equal(
            jwt_verify(&a, public_key, STR("RS384"), token, &claims, NULL),
            ERR_CRYPTO);
        assert_int_equal(
            jwt_verify(&a, public_key, STR("HS256"), token, &claims, NULL),
            ERR_CRYPTO);
    }
    static const char *const texts[] = { "",        ".",    "..",      "a.b",
                                         "a.b.c.d", "....", "e30.e30." };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(jwt_verify(&a, public_key, STR("RS384"),
                                    str_of(texts[i]), &claims, NULL),
                         ERR_CRYPTO);
    assert_true(same(claims, "untouched"));
}

static void a_key_set_gives_the_key_that_the_token_names(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA((size_t)1 << 20);
    struct str one, one_public, two, two_public, ec, ec_public, token, claims;
    assert_int_equal(jwt_new_key(&a, STR("RS384"), &one, &one_public), OK);
    assert_int_equal(jwt_new_key(&a, STR("RS384"), &two, &two_public), OK);
    assert_int_equal(jwt_new_key(&a, STR("ES384"), &ec, &ec_public), OK);
    struct str set = arena_cat(&a, STR("{\"keys\":["), one_public, STR(","),
                               ec_public, STR(","), two_public, STR("]}"));
    struct str without = arena_cat(&a, STR("{\"keys\":["), one_public, STR(","),
                                   ec_public, STR("]}"));
    assert_int_equal(jwt_sign(&a, two, STR("RS384"), STR("{}"), &token, NULL),
                     OK);
    assert_int_equal(jwt_verify(&a, set, STR("RS384"), token, &claims, NULL),
                     OK);
    assert_int_equal(
        jwt_verify(&a, without, STR("RS384"), token, &claims, NULL),
        ERR_CRYPTO);
    assert_int_equal(jwt_sign(&a, ec, STR("ES384"), STR("{}"), &token, NULL),
                     OK);
    assert_int_equal(jwt_verify(&a, set, STR("ES384"), token, &claims, NULL),
                     OK);
    assert_int_equal(str_search(one_public, STR("\"d\"")), one_public.n);
    assert_true(str_search(one, STR("\"d\"")) < one.n);
}

static void a_key_worked_in_once_gives_the_same_mac(void **state)
{
    (void)state;
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    static const size_t keys[] = { 0, 1, 32, 63, 64, 65, 200 };
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct str key = { bytes, keys[k] };
        struct digest_mac *m = digest_mac_new(key);
        assert_non_null(m);
        for (size_t n = 0; n < sizeof bytes; n += 13) {
            struct str data = { bytes, n };
            struct digest got, want = digest_hmac(key, data);
            assert_true(digest_mac(m, data, &got));
            assert_memory_equal(got.bytes, want.bytes, DIGEST_BYTES);
            const struct str parts[] = { data, key, STR("x") };
            want = digest_hmac_parts(key, parts, n % 4);
            assert_true(digest_mac_parts(m, parts, n % 4, &got));
            assert_memory_equal(got.bytes, want.bytes, DIGEST_BYTES);
        }
        digest_mac_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_worked_in_once_gives_the_same_mac),
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(parts_do_not_flow_into_each_other),
        cmocka_unit_test(what_was_sealed_opens_with_the_same_context_only),
        cmocka_unit_test(a_changed_byte_does_not_open),
        cmocka_unit_test(a_short_key_is_refused),
        cmocka_unit_test(a_token_verifies_with_its_key_and_algorithm_only),
        cmocka_unit_test(the_sealed_form_is_the_documented_one),
        cmocka_unit_test(another_master_key_does_not_open),
        cmocka_unit_test(sealing_twice_shows_nothing),
        cmocka_unit_test(a_secret_has_a_limit_and_goes_empty),
        cmocka_unit_test(comparing_wants_the_same_bytes),
        cmocka_unit_test(the_token_of_the_standard_verifies),
        cmocka_unit_test(forged_headers_do_not_choose_the_algorithm),
        cmocka_unit_test(a_key_set_gives_the_key_that_the_token_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
