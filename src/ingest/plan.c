#include "ingest/plan.h"

#include <string.h>

#include "base/json.h"
#include "base/map.h"

#define BY_PATIENT STR_INIT("patient={p}")
#define TYPES_MAX  200

struct row {
    struct str type;
    struct str attempts[PLAN_ATTEMPTS_MAX];
};

#define OBSERVATION_CATEGORIES                                                 \
    "patient={p}&category=laboratory\npatient={p}&category=vital-signs\n"      \
    "patient={p}&category=social-history\npatient={p}&category=survey\n"       \
    "patient={p}&category=exam\npatient={p}&category=imaging\n"                \
    "patient={p}&category=procedure\npatient={p}&category=therapy\n"           \
    "patient={p}&category=activity\npatient={p}&category=sdoh\n"               \
    "patient={p}&category=functional-status\n"                                 \
    "patient={p}&category=disability-status\n"                                 \
    "patient={p}&category=cognitive-status\n"                                  \
    "patient={p}&category=symptom\n"                                           \
    "patient={p}&category=treatment-intervention-preference\n"                 \
    "patient={p}&category=care-experience-preference"

/* A server that takes the plain query gives all; one that refuses it wants its
 * US Core combination. */
static const struct row r4[] = {
    { STR_INIT("AllergyIntolerance"), { BY_PATIENT } },
    { STR_INIT("CarePlan"),
      { BY_PATIENT, STR_INIT("patient={p}&category=assess-plan"),
        STR_INIT("patient={p}&category=734163000\n"
                 "patient={p}&category=38717003\n"
                 "patient={p}&category=736271009\n"
                 "patient={p}&category=inpatient-pathway") } },
    { STR_INIT("CareTeam"),
      { BY_PATIENT,
        STR_INIT(
            "patient={p}&status=active\npatient={p}&status=inactive\n"
            "patient={p}&status=proposed\npatient={p}&status=suspended") } },
    { STR_INIT("Condition"),
      { BY_PATIENT, STR_INIT("patient={p}&category=problem-list-item\n"
                             "patient={p}&category=encounter-diagnosis\n"
                             "patient={p}&category=health-concern") } },
    { STR_INIT("Coverage"), { BY_PATIENT, STR_INIT("beneficiary={p}") } },
    { STR_INIT("Device"), { BY_PATIENT } },
    { STR_INIT("DiagnosticReport"),
      { BY_PATIENT, STR_INIT("patient={p}&category=LAB\n"
                             "patient={p}&category=RAD\n"
                             "patient={p}&category=LP29684-5\n"
                             "patient={p}&category=LP29708-2\n"
                             "patient={p}&category=LP7839-6") } },
    { STR_INIT("DocumentReference"),
      { BY_PATIENT, STR_INIT("patient={p}&category=clinical-note") } },
    { STR_INIT("Encounter"), { BY_PATIENT } },
    { STR_INIT("ExplanationOfBenefit"), { BY_PATIENT } },
    { STR_INIT("FamilyMemberHistory"), { BY_PATIENT } },
    { STR_INIT("Goal"), { BY_PATIENT } },
    { STR_INIT("Immunization"), { BY_PATIENT } },
    { STR_INIT("MedicationDispense"), { BY_PATIENT } },
    { STR_INIT("MedicationRequest"),
      { BY_PATIENT, STR_INIT("patient={p}&intent=order,plan"),
        STR_INIT("patient={p}&intent=order\npatient={p}&intent=plan"),
        STR_INIT("patient={p}&intent=order") } },
    { STR_INIT("Observation"),
      { BY_PATIENT, STR_INIT(OBSERVATION_CATEGORIES) } },
    { STR_INIT("Procedure"), { BY_PATIENT } },
    { STR_INIT("QuestionnaireResponse"), { BY_PATIENT } },
    { STR_INIT("ServiceRequest"),
      { BY_PATIENT, STR_INIT("patient={p}&category=108252007") } },
};

static const struct row dstu2[] = {
    { STR_INIT("AllergyIntolerance"), { BY_PATIENT } },
    { STR_INIT("CarePlan"),
      { BY_PATIENT, STR_INIT("patient={p}&category=assess-plan\n"
                             "patient={p}&category=careteam") } },
    { STR_INIT("Condition"),
      { BY_PATIENT, STR_INIT("patient={p}&category=problem,complaint,symptom,"
                             "finding,diagnosis,health-concern") } },
    { STR_INIT("Device"), { BY_PATIENT } },
    { STR_INIT("DiagnosticReport"),
      { BY_PATIENT, STR_INIT("patient={p}&category=LAB") } },
    { STR_INIT("DocumentReference"), { BY_PATIENT } },
    { STR_INIT("Encounter"), { BY_PATIENT } },
    { STR_INIT("Goal"), { BY_PATIENT } },
    { STR_INIT("Immunization"), { BY_PATIENT } },
    { STR_INIT("MedicationOrder"), { BY_PATIENT } },
    { STR_INIT("MedicationStatement"), { BY_PATIENT } },
    { STR_INIT("Observation"),
      { BY_PATIENT, STR_INIT("patient={p}&category=laboratory\n"
                             "patient={p}&category=vital-signs\n"
                             "patient={p}&category=social-history") } },
    { STR_INIT("Procedure"), { BY_PATIENT } },
};

static const struct row stu3[] = {
    { STR_INIT("Coverage"), { STR_INIT("beneficiary={p}"), BY_PATIENT } },
    { STR_INIT("ExplanationOfBenefit"), { BY_PATIENT } },
    { STR_INIT("AllergyIntolerance"), { BY_PATIENT } },
    { STR_INIT("CarePlan"),
      { BY_PATIENT, STR_INIT("patient={p}&category=assess-plan") } },
    { STR_INIT("CareTeam"),
      { BY_PATIENT, STR_INIT("patient={p}&status=active") } },
    { STR_INIT("Condition"), { BY_PATIENT } },
    { STR_INIT("Device"), { BY_PATIENT } },
    { STR_INIT("DiagnosticReport"), { BY_PATIENT } },
    { STR_INIT("DocumentReference"), { BY_PATIENT } },
    { STR_INIT("Encounter"), { BY_PATIENT } },
    { STR_INIT("Goal"), { BY_PATIENT } },
    { STR_INIT("Immunization"), { BY_PATIENT } },
    { STR_INIT("MedicationRequest"), { BY_PATIENT } },
    { STR_INIT("MedicationStatement"), { BY_PATIENT } },
    { STR_INIT("Observation"),
      { BY_PATIENT, STR_INIT(OBSERVATION_CATEGORIES) } },
    { STR_INIT("Procedure"), { BY_PATIENT } },
};

/* A plan's own types; what else it has, its metadata says. */
static const struct row claims[] = {
    { STR_INIT("Coverage"), { STR_INIT("beneficiary={p}"), BY_PATIENT } },
    { STR_INIT("ExplanationOfBenefit"), { BY_PATIENT } },
};

static const struct row *rows_of(enum release release,
                                 const struct vendor *vendor, size_t *n)
{
    if ((vendor->flags & VENDOR_CLAIMS) != 0) {
        *n = sizeof claims / sizeof *claims;
        return claims;
    }
    *n = release == R4      ? sizeof r4 / sizeof *r4
         : release == DSTU2 ? sizeof dstu2 / sizeof *dstu2
                            : sizeof stu3 / sizeof *stu3;
    return release == R4 ? r4 : release == DSTU2 ? dstu2 : stu3;
}

bool plan_scope_covers(struct str scope, struct str type)
{
    struct str one, context, name;
    bool says_any = false;
    while (str_cut(&scope, ' ', &one)) {
        struct str rest = one;
        if (!str_cut(&rest, '/', &context) || rest.p == NULL)
            continue;
        if (!str_eq(context, STR("patient")) && !str_eq(context, STR("user")))
            continue;
        says_any = true;
        if (!str_cut(&rest, '.', &name) || rest.p == NULL)
            continue;
        struct str rights = str_slice(rest, 0, str_find(rest, '?'));
        bool reads = str_eq(rights, STR("read")) || str_eq(rights, STR("*")) ||
                     (str_find(rights, 'r') < rights.n &&
                      str_find(rights, 'w') == rights.n) ||
                     str_find(rights, 's') < rights.n;
        if (reads && (str_eq(name, STR("*")) || str_eq(name, type)))
            return true;
    }
    return !says_any; /* nothing said: try */
}

static bool has_param(struct yyjson_val *of, struct str name)
{
    for (JSON_EACH(param, json_get(of, STR("searchParam"))))
        if (str_eq(json_get_text(param.now, STR("name")), name))
            return true;
    return false;
}

/* The parameter that finds a patient's resources of a type; STR_NONE. */
static struct str patient_param(struct yyjson_val *resource)
{
    static const struct str names[] = {
        STR_INIT("patient"),       STR_INIT("subject"),
        STR_INIT("beneficiary"),   STR_INIT("individual"),
        STR_INIT("policy-holder"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (has_param(resource, names[i]))
            return names[i];
    return STR_NONE;
}

static bool is_everything(struct yyjson_val *operations)
{
    for (JSON_EACH(one, operations)) {
        struct str name = json_get_text(one.now, STR("name"));
        if (str_eq(name, STR("everything")) ||
            str_eq(name, STR("$everything")) ||
            str_eq(name, STR("patient-everything")))
            return true;
    }
    return false;
}

struct making {
    struct arena *arena;
    struct plan *plan;
    struct map by_type;
    struct str scope;
    enum release release;
};

static void add_type(struct making *m, struct str type,
                     const struct str *attempts)
{
    if (m->plan->count == TYPES_MAX || map_get(&m->by_type, type) != NULL ||
        !plan_scope_covers(m->scope, type))
        return;
    struct plan_type *t = &m->plan->types[m->plan->count++];
    t->type = type;
    while (t->attempt_count < PLAN_ATTEMPTS_MAX &&
           attempts[t->attempt_count].n > 0) {
        t->attempts[t->attempt_count] = attempts[t->attempt_count];
        t->attempt_count++;
    }
    map_put(&m->by_type, type, t);
}

static bool lists(struct yyjson_val *array, struct str text)
{
    for (JSON_EACH(one, array))
        if (str_eq(json_text(one.now), text))
            return true;
    return false;
}

/* Who wrote it comes with it, where the server says it can; a first attempt, as
 * some refuse it for want of a scope.  Provenance has no search by patient. */
static void with_provenance(struct making *m, struct plan_type *t,
                            struct yyjson_val *resource)
{
    if (t->attempt_count == 0 || t->attempt_count == PLAN_ATTEMPTS_MAX ||
        !plan_scope_covers(m->scope, STR("Provenance")) ||
        !lists(json_get(resource, STR("searchRevInclude")),
               STR("Provenance:target")))
        return;
    struct str first = STR(""), lines = t->attempts[0], one;
    while (str_cut(&lines, '\n', &one))
        first = arena_cat(m->arena, first, first.n > 0 ? STR("\n") : STR(""),
                          one, STR("&_revinclude=Provenance:target"));
    memmove(t->attempts + 1, t->attempts,
            t->attempt_count * sizeof t->attempts[0]);
    t->attempts[0] = first;
    t->attempt_count++;
}

/* Types that the server says it finds by patient and our table has not; for
 * those of the table a server's own parameter is one attempt more. */
static void join(struct making *m, struct yyjson_val *resource, bool has_since)
{
    struct str type = json_get_text(resource, STR("type"));
    struct str param = patient_param(resource);
    if (str_eq(type, STR("Patient")) &&
        is_everything(json_get(resource, STR("operation"))))
        m->plan->has_everything = true;
    if (param.p == NULL || str_eq(type, STR("Patient")) ||
        str_eq(type, STR("Group")) ||
        release_type_find(m->release, type, false) == TYPE_NONE)
        return;
    struct str query = arena_cat(m->arena, param, STR("={p}"));
    struct plan_type *known = map_get(&m->by_type, type);
    if (known == NULL) {
        struct str attempts[PLAN_ATTEMPTS_MAX] = { query };
        if (str_eq(type, STR("Appointment"))) /* Oracle wants a date */
            attempts[1] = arena_cat(m->arena, query, STR("&date=ge1900-01-01"));
        add_type(m, arena_str(m->arena, type), attempts);
    } else if (!str_eq(param, STR("patient")) &&
               known->attempt_count < PLAN_ATTEMPTS_MAX) {
        known->attempts[known->attempt_count++] = query;
    }
    known = map_get(&m->by_type, type);
    if (known == NULL)
        return;
    known->has_since = has_since || has_param(resource, STR("_lastUpdated"));
    with_provenance(m, known, resource);
}

enum err plan_make(struct arena *a, enum release release,
                   const struct vendor *vendor, struct yyjson_val *capability,
                   struct str scope, struct plan *out)
{
    struct plan plan = { arena_zalloc(a, TYPES_MAX, sizeof *plan.types), 0,
                         (vendor->flags & VENDOR_EVERYTHING) != 0 };
    struct making m = { a, &plan, MAP_IN(a), scope, release };
    size_t n;
    const struct row *rows = rows_of(release, vendor, &n);
    if (plan.types == NULL)
        return arena_err(a);
    for (size_t i = 0; i < n; i++)
        add_type(&m, rows[i].type, rows[i].attempts);
    for (JSON_EACH(rest, json_get(capability, STR("rest")))) {
        if (is_everything(json_get(rest.now, STR("operation"))))
            plan.has_everything = true;
        bool has_since = has_param(rest.now, STR("_lastUpdated"));
        for (JSON_EACH(resource, json_get(rest.now, STR("resource"))))
            join(&m, resource.now, has_since);
    }
    *out = plan;
    return arena_err(a);
}
