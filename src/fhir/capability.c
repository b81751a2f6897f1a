#include "fhir/capability.h"

#include "base/clock.h"
#include "base/json.h"
#include "fhir/search_param.h"

#define OAUTH_URIS                                                             \
    "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

static struct str kind_name(enum param_kind kind)
{
    static const struct str names[] = {
        STR_INIT("number"),   STR_INIT("date"),      STR_INIT("string"),
        STR_INIT("token"),    STR_INIT("reference"), STR_INIT("composite"),
        STR_INIT("quantity"), STR_INIT("uri"),       STR_INIT("special"),
    };
    return names[kind];
}

static void add_param(struct buf *b, const struct search_param *p)
{
    json_object(b);
    json_member(b, STR("name"), p->code);
    if (p->definition.n > 0)
        json_member(b, STR("definition"), p->definition);
    json_member(b, STR("type"), kind_name(p->kind));
    json_object_end(b);
}

static void add_interactions(struct buf *b)
{
    static const struct str codes[] = {
        STR_INIT("read"),
        STR_INIT("vread"),
        STR_INIT("update"),
        STR_INIT("delete"),
        STR_INIT("create"),
        STR_INIT("search-type"),
        STR_INIT("history-instance"),
    };
    json_key(b, STR("interaction"));
    json_array(b);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        json_object(b);
        json_member(b, STR("code"), codes[i]);
        json_object_end(b);
    }
    json_array_end(b);
}

static void add_type(struct buf *b, enum release release, uint16_t type)
{
    uint16_t first, n = search_param_rows(release, type, &first);
    struct str name = release_type_name(release, type);
    json_object(b);
    json_member(b, STR("type"), name);
    add_interactions(b);
    json_member(b, STR("versioning"), STR("versioned-update"));
    json_member_bool(b, STR("readHistory"), true);
    json_member_bool(b, STR("updateCreate"), true);
    json_member_bool(b, STR("conditionalCreate"), true);
    json_key(b, STR("searchParam"));
    json_array(b);
    for (uint16_t i = 0; i < n; i++) {
        const struct search_param *p = search_param_row(release, first + i);
        if (p->kind != PARAM_SPECIAL)
            add_param(b, p);
    }
    json_array_end(b);
    if (release == R4 && str_eq(name, STR("Patient"))) {
        buf_add(b, STR(",\"operation\":[{\"name\":\"everything\",\"definition\""
                       ":\"http://hl7.org/fhir/OperationDefinition/"
                       "Patient-everything\"}]"));
    }
    json_object_end(b);
}

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
        add_type(b, release, (uint16_t)i);
    json_array_end(b);
    buf_add(b, STR(",\"interaction\":[{\"code\":\"transaction\"},{\"code\":"
                   "\"batch\"}]"));
    if (release != R4)
        buf_add(b, STR(",\"operation\":[{\"name\":\"everything\","
                       "\"definition\":"));
    if (release == DSTU2)
        buf_add(b, STR("{\"reference\":\"http://hl7.org/fhir/"
                       "OperationDefinition/Patient-everything\"}}]"));
    if (release == STU3)
        buf_add(b, STR("{\"reference\":\"http://hl7.org/fhir/"
                       "OperationDefinition/Patient-everything\"}}]"));
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
    json_member(b, STR("fhirVersion"), release_info(release)->version);
    if (release != R4)
        json_member(b, STR("acceptUnknown"), STR("both"));
    buf_add(b, release == R4
                   ? STR(",\"format\":[\"application/fhir+json\",\"json\"]")
               : release == STU3
                   ? STR(",\"format\":[\"application/fhir+json\"]")
                   : STR(",\"format\":[\"application/json+fhir\"]"));
    add_rest(b, release, facts);
    json_object_end(b);
}
