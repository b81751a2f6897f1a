#include "sandbox/make_int.h"

#include <stdio.h>
#include <string.h>

/* When it was done: DSTU2 and STU3 say date, R4 occurrenceDateTime. */
void make_vaccination(struct make *m, const struct vaccine *v)
{
    struct make_id id = make_new_id(m, "immunization");
    make_begin(m, "Immunization", &id);
    make_text(m, "status", "completed");
    if (m->release == STU3)
        make_flag(m, "notGiven", false);
    make_concept(m, "vaccineCode", "http://hl7.org/fhir/sid/cvx", v->cvx,
                 v->display);
    make_subject(m, "patient");
    make_ref(m, "encounter", "Encounter", &m->visit, NULL);
    make_time(m, m->release == R4 ? "occurrenceDateTime" : "date", m->day,
              m->minute + 20);
    if (m->release == DSTU2) {
        make_flag(m, "wasNotGiven", false);
        make_flag(m, "reported", false);
        make_doctor(m, "performer");
    } else {
        make_flag(m, "primarySource", true);
    }
    char lot[16];
    (void)snprintf(lot, sizeof lot, "L%05u", dice_below(&m->dice, 100000));
    make_text(m, "lotNumber", lot);
    make_ref(m, "location", "Location", &m->place,
             make_clinic_name(m->clinic_row));
    make_end(m);
}

void make_operation(struct make *m, const struct operation *o)
{
    char name[64];
    struct make_id id = make_new_id(m, "procedure");
    make_begin(m, "Procedure", &id);
    make_text(m, "status", "completed");
    make_open(m, "code");
    make_list(m, "coding");
    make_coding(m, NULL, SNOMED, o->snomed, o->display);
    make_coding(m, NULL, CPT, o->cpt, NULL);
    make_list_end(m);
    make_text(m, "text", o->display);
    make_close(m);
    make_subject(m, "subject");
    make_visit_ref(m);
    make_open(m, "performedPeriod");
    make_time(m, "start", m->day, m->minute + 30);
    make_time(m, "end", m->day, m->minute + 75);
    make_close(m);
    make_list(m, "performer");
    make_open(m, NULL);
    make_ref(m, "actor", "Practitioner", &m->specialist,
             make_doctor_name(m->specialist_row, name));
    make_close(m);
    make_list_end(m);
    make_ref(m, "location", "Location", &m->place,
             make_clinic_name(m->clinic_row));
    make_end(m);
}

static struct make_id drug_id(const struct make *m, const struct drug *drug)
{
    (void)m;
    unsigned n = 0;
    for (const char *c = drug->rxnorm; *c != '\0'; c++)
        n = n * 10 + (unsigned)(*c - '0');
    return make_id(MAKE_SHARED, "medication", n);
}

/* The Medication, once a record. */
static void medication(struct make *m, const struct drug *drug)
{
    for (unsigned i = 0; i < m->drug_count; i++) {
        if (strcmp(m->drugs[i]->rxnorm, drug->rxnorm) == 0)
            return;
    }
    if (m->drug_count == MAKE_DRUGS_MAX)
        return;
    m->drugs[m->drug_count++] = drug;
    struct make_id id = drug_id(m, drug);
    make_begin(m, "Medication", &id);
    make_concept(m, "code", RXNORM, drug->rxnorm, drug->display);
    if (m->release != DSTU2)
        make_text(m, "status", "active");
    else
        make_open(m, "product");
    make_open(m, "form");
    make_text(m, "text", drug->form);
    make_close(m);
    if (m->release == DSTU2)
        make_close(m);
    make_end(m);
}

static void dose(struct make *m, const struct drug *drug)
{
    make_list(m, "dosageInstruction");
    make_open(m, NULL);
    if (m->release != DSTU2)
        make_whole(m, "sequence", 1);
    make_text(m, "text", drug->sig);
    make_open(m, "timing");
    make_open(m, "repeat");
    make_whole(m, "frequency", drug->per_day);
    make_whole(m, "period", 1);
    make_text(m, m->release == DSTU2 ? "periodUnits" : "periodUnit", "d");
    make_close(m);
    make_close(m);
    if (m->release == R4) {
        make_list(m, "doseAndRate");
        make_open(m, NULL);
    }
    make_open(m, "doseQuantity");
    make_whole(m, "value", 1);
    make_text(m, "unit", drug->form);
    make_close(m);
    if (m->release == R4) {
        make_close(m);
        make_list_end(m);
    }
    make_close(m);
    make_list_end(m);
}

static void prescriber(struct make *m)
{
    if (m->release == DSTU2) {
        make_doctor(m, "prescriber");
    } else if (m->release == STU3) {
        make_open(m, "requester");
        make_doctor(m, "agent");
        make_close(m);
    } else {
        make_doctor(m, "requester");
    }
}

static void reason(struct make *m, const struct illness *ill)
{
    if (m->release == DSTU2)
        make_concept(m, "reasonCodeableConcept", SNOMED, ill->snomed,
                     ill->display);
    else
        make_concepts(m, "reasonCode", SNOMED, ill->snomed, ill->display);
}

/* MedicationOrder before, MedicationRequest since STU3.  Every second one
 * points to a Medication, the others spell the drug out: both are common. */
void make_prescription(struct make *m, const struct drug *drug,
                       const struct illness *ill, bool is_over)
{
    bool by_reference = m->counter % 2 == 0;
    if (by_reference)
        medication(m, drug);
    struct make_id medicine = drug_id(m, drug);
    struct make_id id = make_new_id(m, "prescription");
    make_begin(m, m->release == DSTU2 ? "MedicationOrder" : "MedicationRequest",
               &id);
    make_text(m, "status", is_over ? "completed" : "active");
    if (m->release == DSTU2)
        make_time(m, "dateWritten", m->day, m->minute + 25);
    else
        make_text(m, "intent", "order");
    if (by_reference)
        make_ref(m, "medicationReference", "Medication", &medicine,
                 drug->display);
    else
        make_concept(m, "medicationCodeableConcept", RXNORM, drug->rxnorm,
                     drug->display);
    make_subject(m, m->release == DSTU2 ? "patient" : "subject");
    make_visit_ref(m);
    if (m->release != DSTU2)
        make_time(m, "authoredOn", m->day, m->minute + 25);
    prescriber(m);
    reason(m, ill);
    dose(m, drug);
    make_open(m, "dispenseRequest");
    make_whole(m, "numberOfRepeatsAllowed", is_over ? 1 : 3);
    make_open(m, "quantity");
    make_whole(m, "value", drug->per_day * 30);
    make_text(m, "unit", drug->form);
    make_close(m);
    make_close(m);
    make_end(m);
}
