#include "sandbox/systems.h"

#include "base/arena.h"
#include "base/json.h"

#define R4_ONLY    SYSTEM_RELEASE(R4)
#define STU3_ONLY  SYSTEM_RELEASE(STU3)
#define DSTU2_ONLY SYSTEM_RELEASE(DSTU2)
#define R4_DSTU2   (R4_ONLY | DSTU2_ONLY)
#define R4_STU3    (R4_ONLY | STU3_ONLY)
#define ALL3       (R4_ONLY | STU3_ONLY | DSTU2_ONLY)

/* Ids: the contract's where it has one (section 11), ours from 12001 on. */
const struct sandbox_system systems_all[] = {
    { 4706, "epic", "EPIC Medical Center (demo)", "epic", false, R4_DSTU2,
      GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_WILDCARD | SYSTEM_GRANTS_ALL |
          SYSTEM_CATEGORY | SYSTEM_PAGE_TOTAL | SYSTEM_OUTCOMES |
          SYSTEM_EMPTY_403,
      PAGING_SESSION, 100, 1000, 3600, "1979 Milky Way", "Verona", "WI",
      "53593", "#8a2be2" },
    { 4707, "oracle", "Cerner Medical Center (demo)", "cerner", false, R4_DSTU2,
      GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_WILDCARD | SYSTEM_FHIRUSER |
          SYSTEM_KEEPS_REFRESH | SYSTEM_STRICT_JSON | SYSTEM_SINCE,
      PAGING_CONTEXT, 50, 200, 570, "2800 Rockcreek Pkwy", "Kansas City", "MO",
      "64117", "#0d6fb8" },
    { 4748, "bluebutton", "Medicare Blue Button 2.0 (demo)", "bluebutton", true,
      R4_STU3, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_NO_WILDCARD | SYSTEM_PLAIN_SCOPES |
          SYSTEM_NO_PATIENT | SYSTEM_CLAIMS | SYSTEM_SINCE,
      PAGING_START, 10, 50, 3600, "7500 Security Blvd", "Baltimore", "MD",
      "21244", "#1e4fa3" },
    { 11207, "lakeside", "Lakeside Community Health (sandbox)", "default",
      false, ALL3, GRANT_PUBLIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_GRANTS_ALL | SYSTEM_SINCE,
      PAGING_CURSOR, 50, 500, 3600, "12 Gorham St", "Madison", "WI", "53703",
      "#0b7a75" },
    { 11208, "harborplan", "Blue Harbor Health Plan (sandbox)", "payer", true,
      R4_STU3, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_SINCE,
      PAGING_CURSOR, 50, 200, 3600, "9 Harbor Ave", "Portland", "ME", "04101",
      "#12507b" },
    { 32, "allscripts", "Allscripts-like Practice (sandbox)", "allscripts",
      false, R4_DSTU2, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD, PAGING_HAPI, 50,
      200, 3600, "305 Church St", "Raleigh", "NC", "27601", "#3c7d22" },
    { 11035, "eclinicalworks", "eClinicalWorks-like Family Practice (sandbox)",
      "eclinicalworks", false, R4_STU3, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_CATEGORY | SYSTEM_STATUS |
          SYSTEM_FHIRUSER,
      PAGING_HAPI, 50, 200, 3600, "2 Technology Dr", "Westborough", "MA",
      "01581", "#e07b00" },
    { 12001, "athena", "Athena-like Physicians (sandbox)", "athena", false,
      R4_ONLY, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_WILDCARD | SYSTEM_NONCE |
          SYSTEM_REFRESH_SCOPE | SYSTEM_INTENT | SYSTEM_NO_TOTAL,
      PAGING_CURSOR, 50, 100, 3600, "311 Arsenal St", "Watertown", "MA",
      "02472", "#5c2d91" },
    { 12002, "nextgen", "NextGen-like Orthopaedics (sandbox)", "nextgen", false,
      R4_DSTU2, GRANT_BASIC, SYSTEM_CATEGORY | SYSTEM_CATEGORY_404,
      PAGING_NUMBER, 25, 25, 3600, "3525 Piedmont Rd", "Atlanta", "GA", "30305",
      "#d1473c" },
    { 12003, "meditech", "Meditech-like Regional Hospital (sandbox)",
      "meditech", false, R4_DSTU2, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_EVERYTHING | SYSTEM_SINCE,
      PAGING_CURSOR, 100, 500, 3600, "7 Blue Hill River Rd", "Canton", "MA",
      "02021", "#00674f" },
    { 12004, "modmed", "ModMed-like Dermatology (sandbox)", "modmed", false,
      R4_ONLY, GRANT_JWT, SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_SCOPES_V2,
      PAGING_NUMBER, 50, 100, 3600, "4850 T-Rex Ave", "Boca Raton", "FL",
      "33431", "#e4572e" },
    { 12005, "practicefusion", "Practice-Fusion-like Clinic (sandbox)",
      "practicefusion", false, R4_ONLY, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD,
      PAGING_CURSOR, 50, 100, 3600, "731 Market St", "San Francisco", "CA",
      "94103", "#f08c00" },
    { 12006, "meldrx", "MeldRx-like Workspace (sandbox)", "meldrx", false,
      R4_ONLY, GRANT_JWT,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_SCOPES_V2 | SYSTEM_EVERYTHING,
      PAGING_CURSOR, 50, 200, 3600, "1300 N 17th St", "Arlington", "VA",
      "22209", "#2f3e9e" },
    { 12007, "drchrono", "DrChrono-like Urgent Care (sandbox)", "drchrono",
      false, R4_ONLY, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_NO_PATIENT | SYSTEM_ANY_PATIENT | SYSTEM_SINCE,
      PAGING_NUMBER, 50, 100, 172800, "328 Gibraltar Dr", "Sunnyvale", "CA",
      "94089", "#3aa6a0" },
    { 12008, "chbase", "CHBase-like Record Bank (sandbox)", "chbase", false,
      R4_ONLY, GRANT_PUBLIC, SYSTEM_PKCE | SYSTEM_AUD, PAGING_CURSOR, 1000,
      1000, 3600, "1 Main St", "Lexington", "KY", "40507", "#7a5c3e" },
    { 12009, "medhost", "MEDHOST-like General Hospital (sandbox)", "medhost",
      false, R4_ONLY, GRANT_PUBLIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_RAW_BINARY, PAGING_CURSOR, 50, 200,
      3600, "6550 Carothers Pkwy", "Franklin", "TN", "37067", "#b3261e" },
    { 12010, "careevolution", "CareEvolution-like Exchange (sandbox)",
      "careevolution", false, R4_ONLY, GRANT_BASIC, SYSTEM_EVERYTHING,
      PAGING_CURSOR, 500, 1000, 3600, "625 N Main St", "Ann Arbor", "MI",
      "48104", "#2b6777" },
    { 12011, "netsmart", "Netsmart-like Behavioral Health (sandbox)",
      "netsmart", false, R4_ONLY, GRANT_BASIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_EVERYTHING, PAGING_CURSOR, 50, 200,
      3600, "11100 Nall Ave", "Overland Park", "KS", "66211", "#0072bc" },
    { 12012, "advancedmd", "AdvancedMD-like Partners (sandbox)", "advancedmd",
      false, R4_ONLY, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_EVERYTHING,
      PAGING_CURSOR, 50, 200, 3600, "10876 S River Front Pkwy", "South Jordan",
      "UT", "84095", "#f26522" },
    { 12013, "greenway", "Greenway-like Pediatrics (sandbox)", "greenway",
      false, R4_ONLY, GRANT_PUBLIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_OAUTH_URIS, PAGING_CURSOR, 50, 200,
      3600, "100 Greenway Blvd", "Carrollton", "GA", "30117", "#4c9a2a" },
    { 12014, "onemedical", "One-Medical-like Group (sandbox)", "onemedical",
      false, R4_ONLY, GRANT_PUBLIC, SYSTEM_PKCE | SYSTEM_AUD, PAGING_CURSOR, 50,
      200, 3600, "1 Embarcadero Ctr", "San Francisco", "CA", "94111",
      "#00593b" },
    { 12015, "va", "VA-like Veterans Health (sandbox)", "va", false, R4_DSTU2,
      GRANT_PUBLIC, SYSTEM_PKCE | SYSTEM_REFRESH_SCOPE, PAGING_NUMBER, 30, 100,
      3600, "810 Vermont Ave", "Washington", "DC", "20420", "#112e51" },
    { 12016, "quest", "Quest-like Laboratory Portal (sandbox)", "quest", false,
      R4_ONLY, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_CATEGORY, PAGING_CURSOR, 50,
      200, 3600, "500 Plaza Dr", "Secaucus", "NJ", "07094", "#4b8b2b" },
    { 12017, "aetna", "Aetna-like Health Plan (sandbox)", "aetna", true,
      R4_ONLY, GRANT_PUBLIC, SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_REFRESH,
      PAGING_CURSOR, 50, 200, 3600, "151 Farmington Ave", "Hartford", "CT",
      "06156", "#7d3f98" },
    { 12018, "cigna", "Cigna-like Health Plan (sandbox)", "cigna", true,
      R4_ONLY, GRANT_PUBLIC, SYSTEM_PKCE | SYSTEM_EVERYTHING, PAGING_CURSOR,
      1000, 1000, 3600, "900 Cottage Grove Rd", "Bloomfield", "CT", "06002",
      "#0b7cc1" },
    { 12019, "humana", "Humana-like Health Plan (sandbox)", "humana", true,
      R4_ONLY, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_EVERYTHING,
      PAGING_CURSOR, 1000, 1000, 3600, "500 W Main St", "Louisville", "KY",
      "40202", "#5c9a1b" },
    { 12020, "anthem", "Anthem-like Health Plan (sandbox)", "anthem", true,
      R4_ONLY, GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_EVERYTHING,
      PAGING_CURSOR, 100, 500, 3600, "220 Virginia Ave", "Indianapolis", "IN",
      "46204", "#0f4c9c" },
    { 12021, "unitedhealthcare", "UnitedHealthcare-like Plan (sandbox)",
      "unitedhealthcare", true, R4_ONLY, GRANT_PUBLIC,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_NO_REFRESH, PAGING_CURSOR, 50, 200,
      3600, "9900 Bren Rd E", "Minnetonka", "MN", "55343", "#002677" },
    { 12022, "kaiser", "Kaiser-like Center (sandbox)", "kaiser", false, R4_ONLY,
      GRANT_BASIC, SYSTEM_PKCE | SYSTEM_AUD, PAGING_CURSOR, 50, 200, 3600,
      "1 Kaiser Plaza", "Oakland", "CA", "94612", "#006ba6" },
    { 12040, "oldmill", "Old Mill County Hospital (sandbox, DSTU2)", "default",
      false, DSTU2_ONLY, GRANT_POST,
      SYSTEM_AUD | SYSTEM_NO_SMART | SYSTEM_GRANTS_ALL | SYSTEM_OLD_JSON |
          SYSTEM_HTML_404,
      PAGING_HAPI, 50, 100, 3600, "77 Mill Ln", "Flagstaff", "AZ", "86001",
      "#8c5a2b" },
    { 12041, "riverbend", "Riverbend Clinic (sandbox, STU3)", "default", false,
      STU3_ONLY, GRANT_POST,
      SYSTEM_PKCE | SYSTEM_AUD | SYSTEM_GRANTS_ALL | SYSTEM_EVERYTHING,
      PAGING_CURSOR, 50, 200, 3600, "4 Bend Rd", "Burlington", "VT", "05401",
      "#20639b" },
};
const unsigned systems_count = sizeof systems_all / sizeof systems_all[0];

const struct str systems_client_private_jwk = STR_INIT(
    "{\"kty\":\"EC\",\"kid\":\"sandbox-client\",\"alg\":\"ES384\","
    "\"crv\":\"P-384\",\"x\":\"1pq-uLQXPnQx97g7peukuJAJGv3E9CkSojOrXrKrkrP5uS4"
    "YQDQ2OLb69NHJELV6\",\"y\":\"RrQOVsWJS6fGYfxVAuFxS1iUh5cXuya5KXzUpuDjbGZNw"
    "G9nhT6etx2kNeQlZgx_\",\"d\":\"0wSweZOHoTDyG2OrXBo-GM-AoWJCT81fW-UTOWqdPjV"
    "C3i40KnJqXKxlImHX8SYF\"}");
const struct str systems_client_public_jwk = STR_INIT(
    "{\"kty\":\"EC\",\"kid\":\"sandbox-client\",\"alg\":\"ES384\","
    "\"crv\":\"P-384\",\"x\":\"1pq-uLQXPnQx97g7peukuJAJGv3E9CkSojOrXrKrkrP5uS4"
    "YQDQ2OLb69NHJELV6\",\"y\":\"RrQOVsWJS6fGYfxVAuFxS1iUh5cXuya5KXzUpuDjbGZNw"
    "G9nhT6etx2kNeQlZgx_\"}");
const struct str systems_server_private_jwk = STR_INIT(
    "{\"kty\":\"EC\",\"kid\":\"sandbox-server\",\"alg\":\"ES384\","
    "\"crv\":\"P-384\",\"x\":\"JDefHB8D2sl8_e-81jwLjf_xFlHRCc-A-uxaotUNwpM2Ys"
    "vaQzTILRPyrpq9PAIL\",\"y\":\"UR2mhLUKrVcoyvkLrhCuqHPKs1r7Ri2YmUCWKsMs3J59"
    "gIVXiqEsi1QMuuJaBmTa\",\"d\":\"vOoDS3jNSvpLWQfg5UAfLxa0gSpt2iBWUCZas-T53t"
    "zkGatEwTnJdudyeX3Y11Y5\"}");
const struct str systems_server_public_jwk = STR_INIT(
    "{\"kty\":\"EC\",\"kid\":\"sandbox-server\",\"alg\":\"ES384\","
    "\"crv\":\"P-384\",\"x\":\"JDefHB8D2sl8_e-81jwLjf_xFlHRCc-A-uxaotUNwpM2Ys"
    "vaQzTILRPyrpq9PAIL\",\"y\":\"UR2mhLUKrVcoyvkLrhCuqHPKs1r7Ri2YmUCWKsMs3J59"
    "gIVXiqEsi1QMuuJaBmTa\"}");

const struct sandbox_system *systems_find(struct str slug)
{
    for (unsigned i = 0; i < systems_count; i++)
        if (str_eq(str_of(systems_all[i].slug), slug))
            return &systems_all[i];
    return NULL;
}

struct str systems_release_name(enum release release)
{
    static const struct str names[] = { STR_INIT("DSTU2"), STR_INIT("STU3"),
                                        STR_INIT("R4") };
    return names[release];
}

bool systems_release_find(struct str name, enum release *out)
{
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
        if (!str_eq_nocase(systems_release_name(r), name))
            continue;
        *out = r;
        return true;
    }
    return false;
}

struct str systems_client_id(struct arena *a, const struct sandbox_system *s)
{
    return arena_cat(a, STR("tributary-"), str_of(s->slug));
}

struct str systems_client_secret(struct arena *a,
                                 const struct sandbox_system *s)
{
    return arena_cat(a, STR("sandbox-secret-of-"), str_of(s->slug));
}

static void print_client(struct buf *b, struct arena *a,
                         const struct sandbox_system *s)
{
    static const char *const auths[] = { "public", "basic", "post", "jwt" };
    bool has_secret = s->auth == GRANT_BASIC || s->auth == GRANT_POST;
    json_key(b, STR("client"));
    json_object(b);
    json_member(b, STR("client_id"), systems_client_id(a, s));
    if (has_secret)
        json_member(b, STR("client_secret"), systems_client_secret(a, s));
    json_member(b, STR("auth"), str_of(auths[s->auth]));
    if (s->auth == GRANT_JWT) {
        json_key(b, STR("private_jwk"));
        json_raw(b, systems_client_private_jwk);
    }
    json_object_end(b);
}

static void print_system(struct buf *b, struct arena *a,
                         const struct sandbox_system *s, struct str base_url)
{
    json_object(b);
    json_member_i64(b, STR("id"), s->id);
    json_member(b, STR("name"), str_of(s->name));
    json_member(b, STR("kind"),
                s->is_plan ? STR("health_plan") : STR("health_system"));
    json_member(b, STR("vendor"), str_of(s->vendor));
    json_key(b, STR("endpoints"));
    json_array(b);
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
        if ((s->releases & SYSTEM_RELEASE(r)) == 0)
            continue;
        json_object(b);
        json_member(b, STR("fhir_version"), systems_release_name(r));
        json_member(b, STR("base_url"),
                    arena_cat(a, base_url, STR("/"), str_of(s->slug),
                              STR("/api/FHIR/"), systems_release_name(r)));
        json_object_end(b);
    }
    json_array_end(b);
    json_key(b, STR("locations"));
    json_array(b);
    json_object(b);
    json_member(b, STR("name"), str_of(s->name));
    json_member(b, STR("line"), str_of(s->line));
    json_member(b, STR("city"), str_of(s->city));
    json_member(b, STR("state"), str_of(s->state));
    json_member(b, STR("postal_code"), str_of(s->zip));
    json_object_end(b);
    json_array_end(b);
    print_client(b, a, s);
    json_object_end(b);
}

void systems_print(struct buf *b, struct str base_url)
{
    AUTO_ARENA a = ARENA((size_t)1024 * 1024);
    json_object(b);
    json_key(b, STR("systems"));
    json_array(b);
    for (unsigned i = 0; i < systems_count; i++) {
        print_system(b, &a, &systems_all[i], base_url);
        if (i + 1 < systems_count)
            buf_add(b, STR(",\n"));
    }
    json_array_end(b);
    json_object_end(b);
    buf_add_char(b, '\n');
}

/* --- types -----------------------------------------------------------------
 */

static const char *const claims_types[] = { "Coverage", "ExplanationOfBenefit",
                                            "Patient", NULL };
#define TYPES_OF_ALL                                                           \
    "Account", "AllergyIntolerance", "Appointment", "AppointmentResponse",     \
        "AuditEvent", "Basic", "Binary", "CarePlan", "Claim",                  \
        "ClinicalImpression", "Communication", "CommunicationRequest",         \
        "Composition", "Condition", "Coverage", "Device", "DiagnosticReport",  \
        "DocumentManifest", "DocumentReference", "Encounter", "Endpoint",      \
        "EpisodeOfCare", "ExplanationOfBenefit", "FamilyMemberHistory",        \
        "Flag", "Goal", "Group", "ImagingStudy", "Immunization",               \
        "ImmunizationRecommendation", "List", "Location", "Media",             \
        "Medication", "MedicationAdministration", "MedicationDispense",        \
        "MedicationStatement", "NutritionOrder", "Observation",                \
        "Organization", "Patient", "Practitioner", "Procedure", "Provenance",  \
        "Questionnaire", "QuestionnaireResponse", "RelatedPerson",             \
        "RiskAssessment", "Schedule", "Slot", "Specimen", "SupplyDelivery",    \
        "ValueSet", "VisionPrescription"
static const char *const dstu2_types[] = {
    TYPES_OF_ALL,      "DetectedIssue",   "DeviceUseStatement",
    "DiagnosticOrder", "MedicationOrder", "ProcedureRequest",
    "ReferralRequest", "SupplyRequest",   NULL
};
static const char *const stu3_types[] = { TYPES_OF_ALL,
                                          "AdverseEvent",
                                          "BodySite",
                                          "CareTeam",
                                          "ChargeItem",
                                          "ClaimResponse",
                                          "Consent",
                                          "DetectedIssue",
                                          "DeviceRequest",
                                          "DeviceUseStatement",
                                          "MedicationRequest",
                                          "PractitionerRole",
                                          "ProcedureRequest",
                                          "ReferralRequest",
                                          "RequestGroup",
                                          "ResearchSubject",
                                          "SupplyRequest",
                                          "Task",
                                          NULL };
static const char *const r4_types[] = { TYPES_OF_ALL,
                                        "AdverseEvent",
                                        "BodyStructure",
                                        "CareTeam",
                                        "ChargeItem",
                                        "ClaimResponse",
                                        "Consent",
                                        "DetectedIssue",
                                        "DeviceRequest",
                                        "DeviceUseStatement",
                                        "MedicationRequest",
                                        "MolecularSequence",
                                        "PractitionerRole",
                                        "RequestGroup",
                                        "ResearchSubject",
                                        "ServiceRequest",
                                        "SupplyRequest",
                                        "Task",
                                        NULL };

const char *const *systems_types(const struct sandbox_system *s,
                                 enum release release)
{
    if ((s->flags & SYSTEM_CLAIMS) != 0)
        return claims_types;
    return release == DSTU2  ? dstu2_types
           : release == STU3 ? stu3_types
                             : r4_types;
}

bool systems_is_shared_type(struct str type)
{
    static const struct str shared[] = {
        STR_INIT("Binary"),        STR_INIT("Endpoint"),
        STR_INIT("Group"),         STR_INIT("Location"),
        STR_INIT("Medication"),    STR_INIT("Organization"),
        STR_INIT("Practitioner"),  STR_INIT("PractitionerRole"),
        STR_INIT("Questionnaire"), STR_INIT("Schedule"),
        STR_INIT("Slot"),          STR_INIT("ValueSet"),
    };
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (str_eq(shared[i], type))
            return true;
    return false;
}
