#include "oauth/pkce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void the_challenge_is_that_of_rfc_7636_appendix_b(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(4096);
    struct str verifier = STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    struct str challenge = STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_true(str_eq(pkce_challenge(&a, verifier), challenge));
    assert_true(pkce_holds(&a, verifier, challenge));
}

static void a_verifier_is_43_characters_and_new_each_time(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(4096);
    struct str one = pkce_verifier(&a), two = pkce_verifier(&a);
    assert_int_equal(one.n, 43);
    assert_false(str_eq(one, two));
    assert_true(pkce_holds(&a, one, pkce_challenge(&a, one)));
    assert_false(pkce_holds(&a, two, pkce_challenge(&a, one)));
}

static void a_verifier_of_forbidden_length_never_holds(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(4096);
    struct str tiny = STR("abc");
    assert_false(pkce_holds(&a, tiny, pkce_challenge(&a, tiny)));
    assert_false(pkce_holds(&a, STR(""), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_challenge_is_that_of_rfc_7636_appendix_b),
        cmocka_unit_test(a_verifier_is_43_characters_and_new_each_time),
        cmocka_unit_test(a_verifier_of_forbidden_length_never_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
