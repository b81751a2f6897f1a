#include "oauth/scope.h"

#include "base/buf.h"

#define SCOPE_MAX       100
#define SCOPES_TEXT_MAX ((size_t)16 * 1024)

/* The types of a person's record and what they refer to: US Core for R4,
 * Argonaut for DSTU2. */
static const char *const types_r4[] = {
    "Patient",
    "AllergyIntolerance",
    "Binary",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "Immunization",
    "Location",
    "Media",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
};
static const char *const types_stu3[] = {
    "Patient",
    "AllergyIntolerance",
    "Binary",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "Immunization",
    "Location",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Practitioner",
    "Procedure",
    "RelatedPerson",
    "Specimen",
};
static const char *const types_dstu2[] = {
    "Patient",
    "AllergyIntolerance",
    "Binary",
    "CarePlan",
    "Condition",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "Immunization",
    "Location",
    "Medication",
    "MedicationOrder",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Practitioner",
    "Procedure",
    "RelatedPerson",
    "Specimen",
};
static const char *const types_claims[] = {
    "Patient",
    "Coverage",
    "ExplanationOfBenefit",
};

/* Part of a record too, where a server names them one by one: asked of others,
 * an unknown scope could refuse the whole sign-in. */
static const char *const types_more[] = {
    "Account",
    "AdverseEvent",
    "Appointment",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "Communication",
    "Composition",
    "Consent",
    "DetectedIssue",
    "DeviceRequest",
    "DeviceUseStatement",
    "EpisodeOfCare",
    "ExplanationOfBenefit",
    "Flag",
    "ImagingStudy",
    "ImmunizationRecommendation",
    "List",
    "MedicationAdministration",
    "MedicationStatement",
    "NutritionOrder",
    "RiskAssessment",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "VisionPrescription",
};

struct type_list {
    const char *const *at;
    size_t n;
};
#define LIST(a_) ((struct type_list){ a_, sizeof(a_) / sizeof(a_)[0] })

static struct type_list types_of(const struct scope_ask *ask)
{
    if (ask->flags & SCOPE_CLAIMS)
        return LIST(types_claims);
    if (str_eq(ask->release, STR("DSTU2")))
        return LIST(types_dstu2);
    if (str_eq(ask->release, STR("STU3")))
        return LIST(types_stu3);
    return LIST(types_r4);
}

/* "patient/Observation.rs" into its three parts. */
struct parts {
    struct str who, type, may;
};

static bool take_apart(struct str scope, struct parts *out)
{
    size_t slash = str_find(scope, '/');
    struct str rest = str_from(scope, slash + 1);
    size_t dot = str_find(rest, '.');
    if (slash >= scope.n || dot >= rest.n)
        return false;
    struct str may = str_from(rest, dot + 1);
    *out = (struct parts){
        .who = str_slice(scope, 0, slash),
        .type = str_slice(rest, 0, dot),
        .may = str_slice(may, 0, str_find(may, '?')),
    };
    return true;
}

/* v1 read and *, v2 any letters with r. */
static bool may_read(struct str may)
{
    if (str_eq(may, STR("read")) || str_eq(may, STR("*")))
        return true;
    if (str_eq(may, STR("write")))
        return false;
    return str_find(may, 'r') < may.n;
}

bool scope_next(struct str *rest, struct str *out)
{
    struct str one;
    while (rest->n > 0 && str_cut(rest, ' ', &one)) {
        if (one.n == 0)
            continue;
        *out = one;
        return true;
    }
    return false;
}

bool scope_has(struct str list, struct str scope)
{
    struct str one;
    while (scope_next(&list, &one))
        if (str_eq(one, scope))
            return true;
    return false;
}

bool scope_reads(struct str list, struct str type)
{
    struct str one;
    bool says = false;
    while (scope_next(&list, &one)) {
        struct parts p;
        if (!take_apart(one, &p) || str_eq(p.who, STR("launch")))
            continue;
        says = true;
        if ((str_eq(p.type, type) || str_eq(p.type, STR("*"))) &&
            may_read(p.may))
            return true;
    }
    return !says;
}

/* Servers that say what they have; a wildcard of theirs covers the type. */
static bool is_supported(const struct scope_ask *ask, struct str scope)
{
    if (ask->supported_count == 0)
        return true;
    struct parts want, have;
    bool is_resource = take_apart(scope, &want);
    for (size_t i = 0; i < ask->supported_count; i++) {
        if (str_eq(ask->supported[i], scope))
            return true;
        if (is_resource && take_apart(ask->supported[i], &have) &&
            str_eq(have.who, want.who) && may_read(have.may) &&
            (str_eq(have.type, STR("*")) || str_eq(have.type, want.type)))
            return true;
    }
    return false;
}

/* Whether the server names resource scopes at all; some list only openid. */
static bool names_resources(const struct scope_ask *ask)
{
    struct parts p;
    for (size_t i = 0; i < ask->supported_count; i++)
        if (take_apart(ask->supported[i], &p) && str_eq(p.who, STR("patient")))
            return true;
    return false;
}

static void add(struct buf *b, struct str scope)
{
    struct str so_far = { b->data, b->len };
    if (scope.n == 0 || scope_has(so_far, scope))
        return;
    if (b->len > 0)
        buf_add_char(b, ' ');
    buf_add(b, scope);
}

static void add_if(struct buf *b, const struct scope_ask *ask, struct str scope)
{
    if (is_supported(ask, scope))
        add(b, scope);
}

enum check { ASK_ANYWAY, ASK_IF_COVERED, ASK_IF_NAMED };

static bool is_named(const struct scope_ask *ask, struct str scope)
{
    for (size_t i = 0; i < ask->supported_count; i++)
        if (str_eq(ask->supported[i], scope))
            return true;
    return false;
}

static void add_type(struct buf *b, const struct scope_ask *ask,
                     struct str type, enum check check)
{
    struct str may = ask->flags & SCOPE_V2 ? STR(".rs") : STR(".read");
    AUTO_BUF scope = BUF(SCOPE_MAX);
    buf_add(&scope, STR("patient/"));
    buf_add(&scope, type);
    buf_add(&scope, may);
    struct str text;
    if (buf_view(&scope, &text) != OK)
        return;
    if (check == ASK_ANYWAY ||
        (check == ASK_IF_COVERED && is_supported(ask, text)) ||
        (check == ASK_IF_NAMED && is_named(ask, text)))
        add(b, text);
}

struct str scope_list(struct arena *a, const struct scope_ask *ask)
{
    struct buf b = BUF_IN(a, SCOPES_TEXT_MAX);
    struct str extra = ask->extra, one;

    add_if(&b, ask, STR("openid"));
    add_if(&b, ask,
           ask->flags & SCOPE_NO_FHIRUSER ? STR("profile") : STR("fhirUser"));
    add(&b, STR("launch/patient"));
    if (!(ask->flags & SCOPE_NO_OFFLINE))
        add_if(&b, ask, STR("offline_access"));
    if (ask->flags & SCOPE_WILDCARD) {
        add_type(&b, ask, STR("*"), ASK_ANYWAY);
    } else {
        struct type_list types = types_of(ask), more = LIST(types_more);
        enum check check = names_resources(ask) ? ASK_IF_COVERED : ASK_ANYWAY;
        for (size_t i = 0; i < types.n; i++)
            add_type(&b, ask, str_of(types.at[i]), check);
        for (size_t i = 0; i < more.n && !(ask->flags & SCOPE_CLAIMS); i++)
            add_type(&b, ask, str_of(more.at[i]), ASK_IF_NAMED);
    }
    while (scope_next(&extra, &one))
        add(&b, one);
    struct str text;
    return buf_view(&b, &text) == OK ? text : STR_NONE;
}
