/* A scope of any bytes gives nothing that it does not spell out. */
#include <assert.h>
#include <stdint.h>

#include "auth/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str scope = { (const char *)data, size };
    struct principal p = { .app_id = 1, .user_id = 2, .scope = scope };
    for (int i = INTERACTION_READ; i <= INTERACTION_EXPORT; i++) {
        enum err err =
            policy_allows(&p, (enum interaction)i, STR("Observation"), NULL);
        bool is_named = str_search(scope, STR("/Observation.")) < scope.n ||
                        str_search(scope, STR("/*.")) < scope.n;
        bool is_user = str_search(scope, STR("user/")) < scope.n ||
                       str_search(scope, STR("patient/")) < scope.n;
        assert(err == ERR_DENIED || (err == OK && is_named && is_user));
    }
    return 0;
}
