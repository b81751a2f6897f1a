#include "fhir/capability.h"

#include "base/clock.h"
#include "base/json.h"
#include "fhir/capability_int.h"

#define OAUTH_URIS                                                             \
    "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

static void add_uri(struct buf *b, struct str url, struct str value)
{
    json_object(b);
    json_member(b, STR("url"), url);
    json_member(b, STR("valueUri"), value);
    json_object_end(b);
}

static void add_security(struct buf *b, enum release release,
                         const struct capability_facts *facts)
{
    json_key(b, STR("security"));
    json_object(b);
    buf_add(b,
            STR("\"extension\":[{\"url\":\"" OAUTH_URIS "\",\"extension\":["));
    add_uri(b, STR("token"), facts->token_url);
    if (facts->authorize_url.n > 0)
        add_uri(b, STR("authorize"), facts->authorize_url);
    buf_add(b, STR("]}],\"cors\":true,\"service\":[{\"coding\":[{\"system\":"));
    buf_add(b, release == R4 ? STR("\"http://terminology.hl7.org/CodeSystem/"
                                   "restful-security-service\"")
                             : STR("\"http://hl7.org/fhir/"
                                   "restful-security-service\""));
    buf_add(b, STR(",\"code\":\"SMART-on-FHIR\"}],\"text\":\"OAuth2 with SMART "
                   "scopes\"}]}"));
}

static void add_rest(struct buf *b, enum release release,
                     const struct capability_facts *facts)
{
    buf_add(b, STR(",\"rest\":[{\"mode\":\"server\""));
    add_security(b, release, facts);
    json_key(b, STR("resource"));
    json_array(b);
    for (unsigned i = 0; i < release_type_count(release); i++)
        capability_add_type(b, release, (uint16_t)i);
    json_array_end(b);
    buf_add(b, STR(",\"interaction\":[{\"code\":\"transaction\"},"));
    if (release != DSTU2) /* has no code for it */
        buf_add(b, STR("{\"code\":\"batch\"},"));
    buf_add(b, STR("{\"code\":\"search-system\"},"
                   "{\"code\":\"history-system\"}]"));
    capability_add_operations(b, release, STR(""));
    buf_add(b, STR("}]"));
}

void capability_render(struct buf *b, enum release release,
                       const struct capability_facts *facts)
{
    json_object(b);
    json_member(b, STR("resourceType"),
                release == DSTU2 ? STR("Conformance")
                                 : STR("CapabilityStatement"));
    json_member(b, STR("name"), STR("Tributary"));
    json_member(b, STR("status"), STR("active"));
    buf_add(b, STR(",\"date\":\""));
    clock_add_instant(b, facts->date_ms);
    buf_add(b, STR("\",\"kind\":\"instance\",\"software\":{"));
    json_member(b, STR("name"), STR("Tributary"));
    json_member(b, STR("version"), facts->software_version);
    buf_add(b, STR("},\"implementation\":{"));
    json_member(b, STR("description"),
                STR("Tributary, compatible with the Patient Connect API"));
    json_member(b, STR("url"), facts->base_url);
    buf_add(b, STR("}"));
    if (release == R4)
        buf_add(b, STR(",\"instantiates\":[\"http://hl7.org/fhir/us/core/"
                       "CapabilityStatement/us-core-server\",\"http://"
                       "hl7.org/fhir/uv/bulkdata/CapabilityStatement/"
                       "bulk-data\"]"));
    json_member(b, STR("fhirVersion"), release_info(release)->version);
    if (release != R4)
        json_member(b, STR("acceptUnknown"), STR("both"));
    buf_add(b, release == DSTU2
                   ? STR(",\"format\":[\"application/json+fhir\",\"json\"]")
                   : STR(",\"format\":[\"application/fhir+json\",\"json\"]"));
    if (release != DSTU2)
        buf_add(b, STR(",\"patchFormat\":[\"application/json-patch+json\","
                       "\"application/fhir+json\"]"));
    add_rest(b, release, facts);
    json_object_end(b);
}
