/* What other servers answer at our sign-in, in any bytes: an answer counts only
 * with what it needs. */
#include <assert.h>
#include <stdint.h>

#include "oauth/authorize.h"
#include "oauth/discovery.h"
#include "oauth/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 * 1024 * 1024);
    struct str text = { (const char *)data, size };
    struct discovery d;
    struct grant_reply r;
    struct grant_asked asked;
    struct authorize authorize;
    struct url_params params;
    struct url url;
    if (discovery_from_smart(&a, text, &d, NULL) == OK ||
        discovery_from_capability(&a, text, &d, NULL) == OK)
        assert(url_parse(d.authorize_url, &url) == OK &&
               url_parse(d.token_url, &url) == OK);
    if (grant_parse(&a, 200, text, &r, NULL) == OK)
        assert(r.access_token.n > 0 && r.error.n == 0 && r.expires_in >= 0);
    if (url_parse_params(&a, text, &params) == OK &&
        grant_read(&a, &params, text, &asked, NULL) == OK &&
        authorize_read(&params, &authorize, NULL) == OK)
        assert(str_eq(url_param(&params, STR("response_type")), STR("code")));
    return 0;
}
