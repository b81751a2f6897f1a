/* Every route.  Literal segments win over :names, so the FHIR rows, which
 * begin with :release, stand for all that is not named before. */
#include "api/routes.h"

#include <pthread.h>

#include "api/connect.h"
#include "api/fhir.h"
#include "api/fhir_export.h"
#include "api/fhir_share.h"
#include "api/health.h"
#include "api/ingest.h"
#include "api/pages.h"
#include "api/systems.h"
#include "api/token.h"
#include "api/user_management.h"

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
    { "POST", "/user-management/v1/user", user_management_create, family_um, MESSAGES, "um.create" },
    { "GET", "/user-management/v1/user", user_management_list, family_um, SECRETS, "um.list" },
    { "PUT", "/user-management/v1/user", user_management_update, family_um, MESSAGES, "um.update" },
    { "POST", "/user-management/v1/user/auth-code", user_management_auth_code, family_um, MESSAGES, "um.auth_code" },
    /* tokens: contract 5 */
    { "POST", "/fhir/oauth2/token", oauth_token, family_oauth, MESSAGES, "oauth.token" },
    { "POST", "/oauth2/token", oauth_token, family_oauth, MESSAGES, "oauth.token" },
    { "POST", "/fhir/oauth2/revoke", oauth_revoke, family_oauth, MESSAGES, "oauth.revoke" },
    { "POST", "/oauth2/revoke", oauth_revoke, family_oauth, MESSAGES, "oauth.revoke" },
    { "POST", "/fhir/oauth2/introspect", oauth_introspect, family_oauth, MESSAGES, "oauth.introspect" },
    { "POST", "/oauth2/introspect", oauth_introspect, family_oauth, MESSAGES, "oauth.introspect" },
    { "GET", "/fhir/oauth2/token", oauth_token_not_get, family_oauth, SECRETS, "oauth.token" },
    { "GET", "/oauth2/token", oauth_token_not_get, family_oauth, SECRETS, "oauth.token" },
    /* systems: contract 8.1, 8.2, 8.5, 9 */
    { "GET", "/connect/system/clinical", systems_clinical, family_json, MESSAGES, "systems.list" },
    { "POST", "/connect/system/clinical", systems_clinical, family_json, MESSAGES, "systems.list" },
    { "GET", "/connect/system/device", systems_device, family_json, MESSAGES, "systems.device" },
    { "POST", "/connect/system/device", systems_device, family_json, MESSAGES, "systems.device" },
    { "GET", "/connect/system/provider", systems_provider, family_json, MESSAGES, "systems.provider" },
    { "GET", "/connect/system/provider/search", systems_provider, family_json, MESSAGES, "systems.provider" },
    { "GET", "/api/search", systems_search, family_systems, MESSAGES, "systems.search" },
    { "POST", "/api/search", systems_search, family_systems, MESSAGES, "systems.search" },
    { "GET", "/api/systems/:zip", systems_by_zip, family_systems, MESSAGES, "systems.zip" },
    { "GET", "/api/all-systems", systems_all, family_systems, MESSAGES, "systems.all" },
    /* connect: contract 8.3, 8.4, 9.4 */
    { "GET", "/connect/system/clinical/:id", connect_to_system, family_connect, MESSAGES, "connect.start" },
    { "POST", "/connect/system/clinical/:id", connect_to_system, family_connect, MESSAGES, "connect.start" },
    { "GET", "/api/clinical/:id", connect_to_system, family_systems, MESSAGES, "connect.start" },
    { "GET", "/connect/callback", connect_callback, family_connect, MESSAGES, "connect.callback" },
    /* ingest: contract 8.7 */
    { "POST", "/connect/api/on-demand-ingest", ingest_on_demand, family_um, MESSAGES, "ingest.on-demand" },
    { "GET", "/connect/api/token-status", ingest_token_status, family_um, MESSAGES, "ingest.token-status" },
    { "POST", "/connect/api/token-status", ingest_token_status, family_um, MESSAGES, "ingest.token-status" },
    { "POST", "/connect/api/revoke-data-access", ingest_revoke, family_um, MESSAGES, "ingest.revoke" },
    { "DELETE", "/connect/api/revoke-data-access", ingest_revoke, family_um, MESSAGES, "ingest.revoke" },
    { "GET", "/connect/api/ingest-report", ingest_status, family_um, MESSAGES, "ingest.report" },
    { "POST", "/connect/api/ingest-report", ingest_status, family_um, MESSAGES, "ingest.report" },
    /* pages: contract 10 */
    { "GET", "/", pages_home, family_page, HTTP_NO_STORE, "page.home" },
    { "GET", "/assets/:tag/:name", pages_asset, family_page, 0, "page.asset" },
    { "GET", "/search", search_page, family_page, MESSAGES, "page.search" },
    { "GET", "/search/results", search_results, family_systems, MESSAGES, "page.search" },
    { "GET", "/connect/marketplace", search_page, family_page, MESSAGES, "page.search" },
    { "GET", "/connect/:system", connect_page, family_page, MESSAGES, "page.connect" },
    { "GET", "/connected", connected_page, family_page, MESSAGES, "page.connected" },
    /* exports: contract 7.9 */
    { "GET", "/bulk-data/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/bulk-data/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/bulk-data/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/bulk-data/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/bulk-data/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/bulk-data/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/fhir/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/fhir/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/fhir/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/fhir/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/fhir/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/fhir/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/fhir/:release/$export-status/:id", fhir_export_status, family_fhir, WRITES, "fhir.export_status" },
    { "DELETE", "/fhir/:release/$export-status/:id", fhir_export_cancel, family_fhir, WRITES, "fhir.export_cancel" },
    { "GET", "/fhir/:release/$export-file/:id/:name", fhir_export_file, family_fhir, WRITES, "fhir.export_file" },
    { "GET", "/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/:release/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/:release/Patient/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "POST", "/:release/Group/:id/$export", fhir_export, family_fhir, WRITES, "fhir.export" },
    { "GET", "/:release/$export-status/:id", fhir_export_status, family_fhir, WRITES, "fhir.export_status" },
    { "DELETE", "/:release/$export-status/:id", fhir_export_cancel, family_fhir, WRITES, "fhir.export_cancel" },
    { "GET", "/:release/$export-file/:id/:name", fhir_export_file, family_fhir, WRITES, "fhir.export_file" },
    { "GET", "/bulk-data/:release/$export/:kind/:token", fhir_export_sync_file, family_fhir, WRITES, "fhir.export_file" },
    /* sharing: contract 7.8 */
    { "PUT", "/fhir/:release/:type/:id/_permission/:user", fhir_permission_put, family_um, MESSAGES, "fhir.permission" },
    { "DELETE", "/fhir/:release/:type/:id/_permission/:user", fhir_permission_delete, family_um, MESSAGES, "fhir.permission" },
    { "PUT", "/:release/:type/:id/_permission/:user", fhir_permission_put, family_um, MESSAGES, "fhir.permission" },
    { "DELETE", "/:release/:type/:id/_permission/:user", fhir_permission_delete, family_um, MESSAGES, "fhir.permission" },
    /* FHIR: contract 7 */
    { "GET", "/fhir/:release", fhir_root, family_fhir, 0, "fhir.root" },
    { "GET", "/:release", fhir_root, family_fhir, 0, "fhir.root" },
    { "POST", "/fhir/:release/_search", fhir_search_post, family_fhir, 0, "fhir.search" },
    { "POST", "/:release/_search", fhir_search_post, family_fhir, 0, "fhir.search" },
    { "GET", "/fhir/:release/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "GET", "/:release/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "POST", "/fhir/:release", fhir_bundle, family_fhir, WRITES, "fhir.bundle" },
    { "POST", "/:release", fhir_bundle, family_fhir, WRITES, "fhir.bundle" },
    { "GET", "/fhir/:release/metadata", fhir_metadata, family_fhir, 0, "fhir.metadata" },
    { "GET", "/:release/metadata", fhir_metadata, family_fhir, 0, "fhir.metadata" },
    { "GET", "/fhir/:release/.well-known/smart-configuration", fhir_smart_configuration, family_fhir, 0, "fhir.smart" },
    { "GET", "/:release/.well-known/smart-configuration", fhir_smart_configuration, family_fhir, 0, "fhir.smart" },
    { "GET", "/fhir/:release/:type", fhir_search, family_fhir, 0, "fhir.search" },
    { "GET", "/:release/:type", fhir_search, family_fhir, 0, "fhir.search" },
    { "POST", "/fhir/:release/:type", fhir_create, family_fhir, WRITES, "fhir.create" },
    { "POST", "/:release/:type", fhir_create, family_fhir, WRITES, "fhir.create" },
    { "POST", "/fhir/:release/:type/_search", fhir_search_post, family_fhir, 0, "fhir.search" },
    { "POST", "/:release/:type/_search", fhir_search_post, family_fhir, 0, "fhir.search" },
    { "PUT", "/fhir/:release/:type", fhir_update, family_fhir, WRITES, "fhir.update" },
    { "PUT", "/:release/:type", fhir_update, family_fhir, WRITES, "fhir.update" },
    { "PATCH", "/fhir/:release/:type", fhir_patch, family_fhir, WRITES, "fhir.patch" },
    { "PATCH", "/:release/:type", fhir_patch, family_fhir, WRITES, "fhir.patch" },
    { "DELETE", "/fhir/:release/:type", fhir_delete, family_fhir, WRITES, "fhir.delete" },
    { "DELETE", "/:release/:type", fhir_delete, family_fhir, WRITES, "fhir.delete" },
    { "GET", "/fhir/:release/:type/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "GET", "/:release/:type/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "GET", "/fhir/:release/:type/:id", fhir_read, family_fhir, 0, "fhir.read" },
    { "GET", "/:release/:type/:id", fhir_read, family_fhir, 0, "fhir.read" },
    { "PUT", "/fhir/:release/:type/:id", fhir_update, family_fhir, WRITES, "fhir.update" },
    { "PUT", "/:release/:type/:id", fhir_update, family_fhir, WRITES, "fhir.update" },
    { "PATCH", "/fhir/:release/:type/:id", fhir_patch, family_fhir, WRITES, "fhir.patch" },
    { "PATCH", "/:release/:type/:id", fhir_patch, family_fhir, WRITES, "fhir.patch" },
    { "DELETE", "/fhir/:release/:type/:id", fhir_delete, family_fhir, WRITES, "fhir.delete" },
    { "DELETE", "/:release/:type/:id", fhir_delete, family_fhir, WRITES, "fhir.delete" },
    { "GET", "/fhir/:release/:type/:id/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "GET", "/:release/:type/:id/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "POST", "/fhir/:release/:type/:id/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "POST", "/:release/:type/:id/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "DELETE", "/fhir/:release/:type/:id/$everything", fhir_everything_delete, family_fhir, WRITES, "fhir.delete_everything" },
    { "DELETE", "/:release/:type/:id/$everything", fhir_everything_delete, family_fhir, WRITES, "fhir.delete_everything" },
    { "GET", "/fhir/:release/:type/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "GET", "/:release/:type/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "POST", "/fhir/:release/:type/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "POST", "/:release/:type/$everything", fhir_everything, family_fhir, 0, "fhir.everything" },
    { "POST", "/fhir/:release/:type/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "POST", "/:release/:type/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "POST", "/fhir/:release/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "POST", "/:release/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "POST", "/fhir/:release/:type/:id/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "POST", "/:release/:type/:id/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "GET", "/fhir/:release/:type/:id/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "GET", "/:release/:type/:id/$validate", fhir_validate, family_fhir, 0, "fhir.validate" },
    { "GET", "/fhir/:release/Observation/$lastn", fhir_lastn, family_fhir, 0, "fhir.lastn" },
    { "GET", "/:release/Observation/$lastn", fhir_lastn, family_fhir, 0, "fhir.lastn" },
    { "POST", "/fhir/:release/Observation/$lastn", fhir_lastn, family_fhir, 0, "fhir.lastn" },
    { "POST", "/:release/Observation/$lastn", fhir_lastn, family_fhir, 0, "fhir.lastn" },
    { "GET", "/fhir/:release/DocumentReference/$docref", fhir_docref, family_fhir, 0, "fhir.docref" },
    { "GET", "/:release/DocumentReference/$docref", fhir_docref, family_fhir, 0, "fhir.docref" },
    { "POST", "/fhir/:release/DocumentReference/$docref", fhir_docref, family_fhir, 0, "fhir.docref" },
    { "POST", "/:release/DocumentReference/$docref", fhir_docref, family_fhir, 0, "fhir.docref" },
    { "GET", "/fhir/:release/:type/:id/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "GET", "/:release/:type/:id/_history", fhir_history, family_fhir, 0, "fhir.history" },
    { "GET", "/fhir/:release/:type/:id/_history/:version", fhir_vread, family_fhir, 0, "fhir.vread" },
    { "GET", "/:release/:type/:id/_history/:version", fhir_vread, family_fhir, 0, "fhir.vread" },
    { "GET", "/fhir/:release/:type/:id/:member", fhir_compartment, family_fhir, 0, "fhir.compartment" },
    { "GET", "/:release/:type/:id/:member", fhir_compartment, family_fhir, 0, "fhir.compartment" },
    { "GET", "/fhir/:release/:type/:id/:member/_search", fhir_compartment, family_fhir, 0, "fhir.compartment" },
    { "GET", "/:release/:type/:id/:member/_search", fhir_compartment, family_fhir, 0, "fhir.compartment" },
    { "POST", "/fhir/:release/:type/:id/:member/_search", fhir_compartment_post, family_fhir, 0, "fhir.compartment" },
    { "POST", "/:release/:type/:id/:member/_search", fhir_compartment_post, family_fhir, 0, "fhir.compartment" },
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];

static struct http_router *router;

static void make_router(void)
{
    if (http_router_new(api_routes, api_route_count, &router) != OK)
        router = NULL;
}

const struct http_router *api_router(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_router);
    return router;
}

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
