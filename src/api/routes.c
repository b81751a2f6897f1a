/* Every route.  Literal segments win over :names, so the FHIR rows, which
 * begin with :release, stand for all that is not named before. */
#include "api/routes.h"

#include "api/health.h"

#define WRITES   (HTTP_POOLED)
#define SECRETS  (HTTP_NO_STORE | HTTP_SMALL_BODY)
#define MESSAGES (HTTP_POOLED | HTTP_NO_STORE | HTTP_SMALL_BODY)

/* clang-format off */
const struct http_route api_routes[] = {
    /* operators */
    { "GET", "/health",  health_alive,   family_json, 0, "health" },
    { "GET", "/ready",   health_ready,   family_json, 0, "ready" },
    { "GET", "/metrics", health_metrics, family_json, 0, "metrics" },
    /* user management: contract 4 */
    /* tokens: contract 5 */
    /* systems: contract 8.1, 8.2, 8.5, 9 */
    /* connect: contract 8.3, 8.4 */
    /* ingest: contract 8.7 */
    /* pages: contract 10 */
    /* FHIR: contract 7 */
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];

/* Pages with a session cookie are none of these. */
bool api_is_cors_open(struct str path)
{
    static const struct str closed[] = {
        STR_INIT("/devconsole"), STR_INIT("/patient-viewer"),
        STR_INIT("/health"),     STR_INIT("/ready"),
        STR_INIT("/metrics"),    STR_INIT("/admin"),
    };
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        if (str_starts(path, closed[i]))
            return false;
    return true;
}
