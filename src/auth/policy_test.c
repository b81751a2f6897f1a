#include "auth/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void scopes_allow_what_they_say_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        struct str scope;
        bool is_app;
        enum interaction interaction;
        struct str type;
        bool want;
    } cases[] = {
        { STR_INIT("user/*.*"), false, INTERACTION_READ,
          STR_INIT("Observation"), true },
        { STR_INIT("user/*.*"), false, INTERACTION_EVERYTHING, STR_INIT(""),
          true },
        { STR_INIT("user/*.*"), true, INTERACTION_READ, STR_INIT("Patient"),
          false },
        { STR_INIT("system/*.*"), true, INTERACTION_EXPORT, STR_INIT(""),
          true },
        { STR_INIT("system/*.*"), false, INTERACTION_READ, STR_INIT("Patient"),
          false },
        { STR_INIT("user/Observation.read"), false, INTERACTION_SEARCH,
          STR_INIT("Observation"), true },
        { STR_INIT("user/Observation.read"), false, INTERACTION_SEARCH,
          STR_INIT("Condition"), false },
        { STR_INIT("user/Observation.read"), false, INTERACTION_CREATE,
          STR_INIT("Observation"), false },
        { STR_INIT("user/Observation.read"), false, INTERACTION_EVERYTHING,
          STR_INIT(""), false },
        { STR_INIT("user/Observation.write"), false, INTERACTION_DELETE,
          STR_INIT("Observation"), true },
        { STR_INIT("user/Observation.write"), false, INTERACTION_READ,
          STR_INIT("Observation"), false },
        { STR_INIT("patient/Observation.rs"), false, INTERACTION_SEARCH,
          STR_INIT("Observation"), true },
        { STR_INIT("patient/Observation.r"), false, INTERACTION_SEARCH,
          STR_INIT("Observation"), false },
        { STR_INIT("patient/Observation.cud"), false, INTERACTION_PATCH,
          STR_INIT("Observation"), true },
        { STR_INIT("patient/Observation.dus"), false, INTERACTION_SEARCH,
          STR_INIT("Observation"), false }, /* out of order */
        { STR_INIT("patient/Observation.rr"), false, INTERACTION_READ,
          STR_INIT("Observation"), false },
        { STR_INIT("patient/Observation.rs?category=vital-signs"), false,
          INTERACTION_READ, STR_INIT("Observation"), false },
        { STR_INIT("openid fhirUser user/Patient.r user/Patient.s"), false,
          INTERACTION_EVERYTHING, STR_INIT("Patient"), true },
        { STR_INIT(""), false, INTERACTION_READ, STR_INIT("Patient"), false },
        { STR_INIT(""), false, INTERACTION_BATCH, STR_INIT(""), false },
        { STR_INIT("user/Patient.r"), false, INTERACTION_BATCH, STR_INIT(""),
          true },
        { STR_INIT("user.*/"), false, INTERACTION_READ, STR_INIT("Patient"),
          false },
        { STR_INIT("user/*."), false, INTERACTION_READ, STR_INIT("Patient"),
          false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct principal p = { .app_id = 1,
                               .user_id = cases[i].is_app ? 0 : 5,
                               .scope = cases[i].scope };
        struct why w = { 0 };
        enum err err =
            policy_allows(&p, cases[i].interaction, cases[i].type, &w);
        if ((err == OK) != cases[i].want)
            fail_msg("case %zu: %s", i, cases[i].scope.p);
        assert_int_equal(err == OK ? OK : ERR_DENIED, err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_allow_what_they_say_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
