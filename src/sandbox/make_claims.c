#include "sandbox/make_int.h"

#include <stdio.h>

#define R4_CODES "http://terminology.hl7.org/CodeSystem/"

static void coverage_old(struct make *m, const char *plan)
{
    make_ref(m, "issuer", "Organization", &m->insurer,
             make_insurer_name(m->insurer_row));
    make_coding(m, "type", "http://hl7.org/fhir/v3/ActCode", "EHCPOL",
                "extended healthcare");
    make_identifier(m, "identifier", "http://hl7.org/fhir/sid/us-medicare",
                    m->person.member);
    make_text(m, "plan", plan);
    make_ref(m, "subscriber", "Patient", &m->patient, NULL);
}

static void coverage_class(struct make *m, const char *plan)
{
    if (m->release == STU3) {
        make_open(m, "grouping");
        make_text(m, "plan", plan);
        make_close(m);
        return;
    }
    make_list(m, "class");
    make_open(m, NULL);
    make_concept(m, "type", R4_CODES "coverage-class", "plan", "Plan");
    make_text(m, "value", plan);
    make_close(m);
    make_list_end(m);
}

static void coverage(struct make *m, const struct make_id *id, const char *plan)
{
    make_begin(m, "Coverage", id);
    if (m->release == DSTU2) {
        coverage_old(m, plan);
        make_end(m);
        return;
    }
    make_identifier(m, "identifier", "https://plans.example.org/member",
                    m->person.member);
    make_text(m, "status", "active");
    make_concept(m, "type", make_terms(m, TERMS_ACT_CODE), "EHCPOL",
                 "extended healthcare");
    make_subject(m, "subscriber");
    make_text(m, "subscriberId", m->person.member);
    make_subject(m, "beneficiary");
    make_concept(m, "relationship",
                 m->release == R4 ? R4_CODES "subscriber-relationship"
                                  : "http://hl7.org/fhir/policyholder-"
                                    "relationship",
                 "self", "Self");
    make_open(m, "period");
    make_date(m, "start", m->day);
    make_close(m);
    make_list(m, "payor");
    make_ref(m, NULL, "Organization", &m->insurer,
             make_insurer_name(m->insurer_row));
    make_list_end(m);
    coverage_class(m, plan);
    make_end(m);
}

/* Two for Medicare (parts A and B), one for the others. */
void make_coverages(struct make *m)
{
    static const char *const medicare[] = { "Part A", "Part B" };
    bool is_medicare = m->insurer_row == 0;
    m->coverage_count = is_medicare ? 2 : 1;
    for (unsigned i = 0; i < m->coverage_count; i++) {
        m->coverage[i] = make_new_id(m, "coverage");
        coverage(m, &m->coverage[i], is_medicare ? medicare[i] : "PPO Silver");
    }
}

static void claim_type(struct make *m)
{
    make_concept(m, "type",
                 m->release == R4 ? R4_CODES "claim-type"
                                  : "http://hl7.org/fhir/ex-claimtype",
                 "professional", "Professional");
}

static void diagnosis(struct make *m, const struct illness *reason)
{
    make_list(m, "diagnosis");
    make_open(m, NULL);
    make_whole(m, "sequence", 1);
    const char *code = reason != NULL ? reason->icd10 : "Z00.00";
    const char *display =
        reason != NULL ? reason->display : "General medical examination";
    if (m->release == DSTU2)
        make_coding(m, "diagnosis", ICD10, code, display);
    else
        make_concept(m, "diagnosisCodeableConcept", ICD10, code, display);
    make_close(m);
    make_list_end(m);
}

static void insurance(struct make *m, bool is_claim)
{
    const struct make_id *id = &m->coverage[m->coverage_count - 1];
    if (m->release == DSTU2) {
        make_list(m, "coverage");
        make_open(m, NULL);
        make_whole(m, "sequence", 1);
        make_flag(m, "focal", true);
        make_ref(m, "coverage", "Coverage", id, NULL);
        make_coding(m, "relationship", "http://hl7.org/fhir/relationship", "1",
                    "self");
        make_close(m);
        make_list_end(m);
        return;
    }
    bool is_list = is_claim || m->release == R4;
    if (is_list)
        make_list(m, "insurance");
    make_open(m, is_list ? NULL : "insurance");
    if (is_claim)
        make_whole(m, "sequence", 1);
    if (is_list)
        make_flag(m, "focal", true);
    make_ref(m, "coverage", "Coverage", id, NULL);
    make_close(m);
    if (is_list)
        make_list_end(m);
}

static void item(struct make *m, unsigned price, bool is_adjudicated)
{
    make_list(m, "item");
    make_open(m, NULL);
    make_whole(m, "sequence", 1);
    if (m->release == DSTU2) {
        make_coding(m, "type", "http://hl7.org/fhir/v3/ActCode", "SERVICE",
                    "service");
        make_coding(m, "service", CPT, "99213", "Office visit");
    } else {
        make_concept(m, m->release == R4 ? "productOrService" : "service", CPT,
                     "99213", "Office visit");
        make_date(m, "servicedDate", m->day);
    }
    make_money(m, "net", price);
    if (is_adjudicated) {
        make_list(m, "adjudication");
        make_open(m, NULL);
        make_concept(m, "category",
                     m->release == R4 ? R4_CODES "adjudication"
                                      : "http://hl7.org/fhir/adjudication",
                     "benefit", "Benefit Amount");
        make_money(m, "amount", price * 4 / 5);
        make_close(m);
        make_list_end(m);
    }
    make_close(m);
    make_list_end(m);
}

static struct make_id claim(struct make *m, const struct illness *reason,
                            unsigned price)
{
    struct make_id id = make_new_id(m, "claim");
    make_begin(m, "Claim", &id);
    if (m->release == DSTU2) {
        make_text(m, "type", "professional");
        make_text(m, "use", "complete");
    } else {
        make_text(m, "status", "active");
        claim_type(m);
        make_text(m, "use", m->release == R4 ? "claim" : "complete");
    }
    make_subject(m, "patient");
    if (m->release != DSTU2)
        make_period(m, "billablePeriod", m->day, m->day);
    make_time(m, "created", m->day + 1, 9 * 60);
    make_doctor(m, "provider");
    if (m->release != DSTU2) {
        make_ref(m, "insurer", "Organization", &m->insurer,
                 make_insurer_name(m->insurer_row));
        make_concept(m, "priority",
                     m->release == R4 ? R4_CODES "processpriority"
                                      : "http://hl7.org/fhir/processpriority",
                     "normal", NULL);
    }
    diagnosis(m, reason);
    insurance(m, true);
    item(m, price, false);
    if (m->release != DSTU2)
        make_money(m, "total", price);
    make_end(m);
    return id;
}

static void total(struct make *m, unsigned price)
{
    if (m->release == STU3) {
        make_money(m, "totalCost", price);
    } else {
        make_list(m, "total");
        make_open(m, NULL);
        make_concept(m, "category", R4_CODES "adjudication", "submitted",
                     "Submitted Amount");
        make_money(m, "amount", price);
        make_close(m);
        make_list_end(m);
    }
    make_open(m, "payment");
    make_date(m, "date", m->day + 21);
    make_money(m, "amount", price * 4 / 5);
    make_close(m);
}

/* A Claim, and what became of it (STU3 and R4: DSTU2's ExplanationOfBenefit
 * names no patient). */
void make_claim(struct make *m, const struct illness *reason, unsigned price)
{
    struct make_id claimed = claim(m, reason, price);
    struct make_id id = make_new_id(m, "eob");
    if (m->release == DSTU2)
        return;
    char number[32];
    (void)snprintf(number, sizeof number, "%u-%u", m->person.number + 1000,
                   m->visit_number);
    make_begin(m, "ExplanationOfBenefit", &id);
    make_identifier(m, "identifier", "https://plans.example.org/claim", number);
    make_text(m, "status", "active");
    claim_type(m);
    if (m->release == R4)
        make_text(m, "use", "claim");
    make_subject(m, "patient");
    make_period(m, "billablePeriod", m->day, m->day);
    make_time(m, "created", m->day + 20, 12 * 60);
    make_ref(m, "insurer", "Organization", &m->insurer,
             make_insurer_name(m->insurer_row));
    make_doctor(m, "provider");
    make_ref(m, "claim", "Claim", &claimed, NULL);
    if (m->release == R4)
        make_text(m, "outcome", "complete");
    diagnosis(m, reason);
    insurance(m, false);
    item(m, price, true);
    total(m, price);
    make_end(m);
}
