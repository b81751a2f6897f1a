#include "sandbox/make_int.h"

#include <string.h>

static void visit_class(struct make *m)
{
    if (m->release == DSTU2)
        make_text(m, "class", "ambulatory");
    else
        make_coding(m, "class", make_terms(m, TERMS_ACT_CODE), "AMB",
                    "ambulatory");
}

/* Opens the visit of m->day: later resources point to it. */
void make_visit(struct make *m, const struct illness *reason)
{
    m->visit = make_new_id(m, "encounter");
    make_begin(m, "Encounter", &m->visit);
    make_text(m, "status", "finished");
    visit_class(m);
    if (reason != NULL)
        make_concepts(m, "type", SNOMED, "185345009", "Encounter for symptom");
    else
        make_concepts(m, "type", SNOMED, "162673000",
                      "General examination of patient");
    make_subject(m, m->release == DSTU2 ? "patient" : "subject");
    make_list(m, "participant");
    make_open(m, NULL);
    make_concepts(m, "type", make_terms(m, TERMS_PARTICIPATION), "PPRF",
                  "primary performer");
    make_doctor(m, "individual");
    make_close(m);
    make_list_end(m);
    make_open(m, "period");
    make_time(m, "start", m->day, m->minute);
    make_time(m, "end", m->day, m->minute + 30);
    make_close(m);
    if (reason != NULL)
        make_concepts(m, m->release == R4 ? "reasonCode" : "reason", SNOMED,
                      reason->snomed, reason->display);
    make_list(m, "location");
    make_open(m, NULL);
    make_ref(m, "location", "Location", &m->place,
             make_clinic_name(m->clinic_row));
    make_close(m);
    make_list_end(m);
    make_ref(m, "serviceProvider", "Organization", &m->clinic,
             make_clinic_name(m->clinic_row));
    make_end(m);
}

static void condition_status(struct make *m, const char *clinical)
{
    if (m->release != R4) {
        make_text(m, "clinicalStatus", clinical);
        make_text(m, "verificationStatus", "confirmed");
        return;
    }
    make_concept(m, "clinicalStatus",
                 "http://terminology.hl7.org/CodeSystem/condition-clinical",
                 clinical, NULL);
    make_concept(m, "verificationStatus",
                 "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                 "confirmed", NULL);
}

static void condition_code(struct make *m, const struct illness *ill)
{
    make_open(m, "code");
    make_list(m, "coding");
    make_coding(m, NULL, SNOMED, ill->snomed, ill->display);
    make_coding(m, NULL, ICD10, ill->icd10, NULL);
    make_list_end(m);
    make_text(m, "text", ill->display);
    make_close(m);
}

void make_condition(struct make *m, const struct illness *ill, bool is_over)
{
    struct make_id id = make_new_id(m, "condition");
    make_begin(m, "Condition", &id);
    make_subject(m, m->release == DSTU2 ? "patient" : "subject");
    make_visit_ref(m);
    if (m->release == DSTU2)
        make_doctor(m, "asserter");
    if (m->release == DSTU2)
        make_date(m, "dateRecorded", m->day);
    else if (m->release == STU3)
        make_date(m, "assertedDate", m->day);
    else
        make_date(m, "recordedDate", m->day);
    condition_code(m, ill);
    const char *terms = make_terms(m, TERMS_CONDITION_CATEGORY);
    if (m->release == DSTU2)
        make_concept(m, "category", terms, "diagnosis", "Diagnosis");
    else if (ill->is_chronic)
        make_concepts(m, "category", terms, "problem-list-item",
                      "Problem List Item");
    else
        make_concepts(m, "category", terms, "encounter-diagnosis",
                      "Encounter Diagnosis");
    condition_status(m, is_over ? "resolved" : "active");
    make_date(m, "onsetDateTime", m->day - dice_between(&m->dice, 1, 20));
    if (is_over)
        make_date(m, "abatementDateTime",
                  m->day + dice_between(&m->dice, 5, 25));
    make_end(m);
}

static void allergy_head(struct make *m, const struct allergen *a)
{
    const char *severity = a->is_high ? "high" : "low";
    if (m->release == DSTU2) {
        make_time(m, "recordedDate", m->day, m->minute);
        make_subject(m, "patient");
        make_concept(m, "substance", SNOMED, a->snomed, a->display);
        make_text(m, "status", "active");
        make_text(m, "criticality", a->is_high ? "CRITH" : "CRITL");
        make_text(m, "type", "allergy");
        make_text(m, "category", a->category);
        return;
    }
    if (m->release == STU3) {
        make_text(m, "clinicalStatus", "active");
        make_text(m, "verificationStatus", "confirmed");
    } else {
#define ALLERGY_TERMS                                                          \
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
        make_concept(m, "clinicalStatus", ALLERGY_TERMS "clinical", "active",
                     NULL);
        make_concept(m, "verificationStatus", ALLERGY_TERMS "verification",
                     "confirmed", NULL);
    }
    make_text(m, "type", "allergy");
    make_list(m, "category");
    make_text(m, NULL, a->category);
    make_list_end(m);
    make_text(m, "criticality", severity);
    make_concept(m, "code", SNOMED, a->snomed, a->display);
    make_subject(m, "patient");
    make_time(m, m->release == STU3 ? "assertedDate" : "recordedDate", m->day,
              m->minute);
}

void make_allergies(struct make *m)
{
    for (unsigned i = 0; i < clinic_allergen_count; i++) {
        const struct allergen *a = &clinic_allergens[i];
        if (!dice_percent(&m->dice, 14))
            continue;
        struct make_id id = make_new_id(m, "allergy");
        make_begin(m, "AllergyIntolerance", &id);
        allergy_head(m, a);
        make_list(m, "reaction");
        make_open(m, NULL);
        make_concepts(m, "manifestation", SNOMED, a->reaction_code,
                      a->reaction);
        make_text(m, "severity", a->is_high ? "severe" : "mild");
        make_close(m);
        make_list_end(m);
        make_end(m);
    }
}

static void goal(struct make *m, const struct make_id *id,
                 const struct illness *ill)
{
    static const char text[] = "Keep the condition under control and repeat "
                               "the laboratory tests within a year";
    make_begin(m, "Goal", id);
    make_subject(m, "subject");
    if (m->release == R4) {
        make_text(m, "lifecycleStatus", "active");
    } else {
        make_text(m, "status", "in-progress");
    }
    if (m->release == DSTU2) {
        make_text(m, "description", text);
    } else {
        make_open(m, "description");
        make_text(m, "text", text);
        make_close(m);
    }
    make_date(m, "startDate", m->day);
    make_list(m, "note");
    make_open(m, NULL);
    make_text(m, "text", ill->display);
    make_close(m);
    make_list_end(m);
    make_end(m);
}

static void team(struct make *m, const struct make_id *id)
{
    char name[64];
    make_begin(m, "CareTeam", id);
    make_text(m, "status", "active");
    make_text(m, "name", "Primary care team");
    make_subject(m, "subject");
    make_list(m, "participant");
    make_open(m, NULL);
    make_doctor(m, "member");
    make_close(m);
    make_open(m, NULL);
    make_ref(m, "member", "Practitioner", &m->specialist,
             make_doctor_name(m->specialist_row, name));
    make_close(m);
    make_list_end(m);
    make_end(m);
}

static void plan_activity(struct make *m, const char *code, const char *display)
{
    make_open(m, NULL);
    make_open(m, "detail");
    make_concept(m, "code", SNOMED, code, display);
    make_text(m, "status", "in-progress");
    if (m->release == DSTU2)
        make_flag(m, "prohibited", false);
    make_close(m);
    make_close(m);
}

/* The plan for a chronic illness: Goal, CareTeam (not in DSTU2), CarePlan. */
void make_plan(struct make *m, const struct illness *ill)
{
    struct make_id goal_id = make_new_id(m, "goal");
    struct make_id team_id = make_new_id(m, "team");
    struct make_id id = make_new_id(m, "careplan");
    goal(m, &goal_id, ill);
    if (m->release != DSTU2)
        team(m, &team_id);
    make_begin(m, "CarePlan", &id);
    make_text(m, "status", "active");
    if (m->release != DSTU2)
        make_text(m, "intent", "plan");
    make_concepts(m, "category",
                  m->release == R4 ? "http://hl7.org/fhir/us/core/CodeSystem/"
                                     "careplan-category"
                                   : "http://argonaut.hl7.org",
                  "assess-plan", "Assessment and Plan of Treatment");
    make_subject(m, "subject");
    make_ref(m, m->release == R4 ? "encounter" : "context", "Encounter",
             &m->visit, NULL);
    make_open(m, "period");
    make_date(m, "start", m->day);
    make_close(m);
    if (m->release != DSTU2) {
        make_list(m, "careTeam");
        make_ref(m, NULL, "CareTeam", &team_id, NULL);
        make_list_end(m);
    }
    make_list(m, "goal");
    make_ref(m, NULL, "Goal", &goal_id, NULL);
    make_list_end(m);
    make_list(m, "activity");
    plan_activity(m, "229065009", "Exercise therapy");
    plan_activity(m, "182836005", "Review of medication");
    make_list_end(m);
    make_end(m);
}

/* What a parent had. */
void make_family(struct make *m)
{
    const struct illness *ill = clinic_illness(dice_below(&m->dice, 6));
    bool is_father = dice_percent(&m->dice, 50);
    struct make_id id = make_new_id(m, "family");
    make_begin(m, "FamilyMemberHistory", &id);
    make_text(m, "status", "completed");
    make_subject(m, "patient");
    make_date(m, "date", m->day);
    make_concept(m, "relationship", make_terms(m, TERMS_RELATIONSHIP),
                 is_father ? "FTH" : "MTH", is_father ? "father" : "mother");
    make_list(m, "condition");
    make_open(m, NULL);
    make_concept(m, "code", SNOMED, ill->snomed, ill->display);
    make_close(m);
    make_list_end(m);
    make_end(m);
}
