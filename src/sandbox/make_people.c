#include "sandbox/make_int.h"

#include <stdio.h>

static const struct {
    const char *given, *family;
    bool is_female;
    const char *specialty_code, *specialty; /* NUCC */
} doctors[] = {
    { "Helen", "Marchetti", true, "207Q00000X", "Family Medicine" },
    { "Robert", "Achebe", false, "207R00000X", "Internal Medicine" },
    { "Sunita", "Kapoor", true, "207Q00000X", "Family Medicine" },
    { "Daniel", "Ostrowski", false, "208000000X", "Pediatrics" },
    { "Claire", "Dubois", true, "207RC0000X", "Cardiovascular Disease" },
    { "Miguel", "Arroyo", false, "207RE0101X", "Endocrinology" },
    { "Naomi", "Feldman", true, "207X00000X", "Orthopaedic Surgery" },
    { "Hiroshi", "Tanabe", false, "2084P0800X", "Psychiatry" },
};
#define DOCTORS     8
#define FIRST_OTHER 4 /* specialists from here on */

static const struct {
    const char *name, *line, *city, *state, *zip;
} clinics[] = {
    { "Fruit Street Family Medicine", "55 Fruit St", "Boston", "MA", "02114" },
    { "Lakeshore Health Partners", "12 Gorham St", "Madison", "WI", "53703" },
    { "River Market Clinic", "310 Delaware St", "Kansas City", "MO", "64108" },
    { "Alton Road Medical Group", "4300 Alton Rd", "Miami Beach", "FL",
      "33140" },
    { "Old Port Community Hospital", "9 Harbor Ave", "Portland", "ME",
      "04101" },
};
#define CLINICS 5
static const char *const insurers[] = { "Medicare",
                                        "Commonwealth Mutual Health",
                                        "Blue Harbor Health Plan" };

const char *make_doctor_name(unsigned row, char out[64])
{
    (void)snprintf(out, 64, "Dr. %s %s", doctors[row].given,
                   doctors[row].family);
    return out;
}

const char *make_clinic_name(unsigned row)
{
    return clinics[row].name;
}

const char *make_insurer_name(unsigned row)
{
    return insurers[row];
}

static void phone(struct make *m, const char *number)
{
    make_open(m, NULL);
    make_text(m, "system", "phone");
    make_text(m, "value", number);
    make_text(m, "use", "work");
    make_close(m);
}

static void npi(struct make *m, unsigned n)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%010u", 1730000000u + n * 7919u);
    make_identifier(m, "identifier", NPI, text);
}

static void doctor(struct make *m, const struct make_id *id, unsigned row)
{
    make_begin(m, "Practitioner", id);
    npi(m, row);
    make_flag(m, "active", true);
    if (m->release != DSTU2)
        make_list(m, "name");
    make_name(m, m->release == DSTU2 ? "name" : NULL, doctors[row].given, NULL,
              doctors[row].family, "Dr.");
    if (m->release != DSTU2)
        make_list_end(m);
    make_list(m, "telecom");
    phone(m, "555-010-2200");
    make_list_end(m);
    make_text(m, "gender", doctors[row].is_female ? "female" : "male");
    if (m->release == DSTU2) {
        make_list(m, "practitionerRole");
        make_open(m, NULL);
        make_list(m, "specialty");
        make_concept(m, NULL, "http://nucc.org/provider-taxonomy",
                     doctors[row].specialty_code, doctors[row].specialty);
        make_list_end(m);
        make_close(m);
        make_list_end(m);
    }
    make_end(m);
}

static void organization(struct make *m, const struct make_id *id,
                         const char *name, const char *type_code,
                         const char *type, unsigned row)
{
    make_begin(m, "Organization", id);
    npi(m, 100 + row);
    make_flag(m, "active", true);
    if (m->release != DSTU2)
        make_list(m, "type");
    make_concept(m, m->release == DSTU2 ? "type" : NULL,
                 m->release == R4
                     ? "http://terminology.hl7.org/CodeSystem/organization-type"
                     : "http://hl7.org/fhir/organization-type",
                 type_code, type);
    if (m->release != DSTU2)
        make_list_end(m);
    make_text(m, "name", name);
    make_list(m, "telecom");
    phone(m, "555-010-2000");
    make_list_end(m);
    make_list(m, "address");
    make_open(m, NULL);
    unsigned at = row % CLINICS;
    make_address(m, clinics[at].line, clinics[at].city, clinics[at].state,
                 clinics[at].zip);
    make_close(m);
    make_list_end(m);
    make_end(m);
}

static void place(struct make *m)
{
    unsigned row = m->clinic_row;
    make_begin(m, "Location", &m->place);
    make_text(m, "status", "active");
    make_text(m, "name", clinics[row].name);
    make_text(m, "mode", "instance");
    make_list(m, "telecom");
    phone(m, "555-010-2000");
    make_list_end(m);
    make_open(m, "address");
    make_address(m, clinics[row].line, clinics[row].city, clinics[row].state,
                 clinics[row].zip);
    make_close(m);
    make_ref(m, "managingOrganization", "Organization", &m->clinic,
             clinics[row].name);
    make_end(m);
}

static void us_core(struct make *m, const char *url, const char *code,
                    const char *display)
{
    make_open(m, NULL);
    make_text(m, "url", url);
    if (m->release == R4) {
        make_list(m, "extension");
        make_open(m, NULL);
        make_text(m, "url", "ombCategory");
        make_coding(m, "valueCoding", "urn:oid:2.16.840.1.113883.6.238", code,
                    display);
        make_close(m);
        make_open(m, NULL);
        make_text(m, "url", "text");
        make_text(m, "valueString", display);
        make_close(m);
        make_list_end(m);
    } else {
        make_concept(m, "valueCodeableConcept", "http://hl7.org/fhir/v3/Race",
                     code, display);
    }
    make_close(m);
}

static void patient_contact(struct make *m)
{
    const struct person *p = &m->person;
    make_list(m, "telecom");
    make_open(m, NULL);
    make_text(m, "system", "phone");
    make_text(m, "value", p->phone);
    make_text(m, "use", "home");
    make_close(m);
    make_open(m, NULL);
    make_text(m, "system", "email");
    make_text(m, "value", p->email);
    make_close(m);
    make_list_end(m);
    make_text(m, "gender", p->is_female ? "female" : "male");
    make_date(m, "birthDate", p->birth_day);
    make_list(m, "address");
    make_open(m, NULL);
    make_text(m, "use", "home");
    make_address(m, p->line, p->city, p->state, p->zip);
    make_close(m);
    make_list_end(m);
}

static void patient(struct make *m)
{
    const struct person *p = &m->person;
    make_begin(m, "Patient", &m->patient);
    make_list(m, "extension");
#define US_CORE "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
    bool is_r4 = m->release == R4;
    us_core(m,
            is_r4 ? US_CORE "race"
                  : "http://hl7.org/fhir/StructureDefinition/us-core-race",
            p->race_code, p->race);
    us_core(m,
            is_r4 ? US_CORE "ethnicity"
                  : "http://hl7.org/fhir/StructureDefinition/us-core-ethnicity",
            p->ethnicity_code, p->ethnicity);
    make_list_end(m);
    make_list(m, "identifier");
    make_open(m, NULL);
    make_text(m, "use", "usual");
    make_concept(m, "type", make_terms(m, TERMS_IDENTIFIER_TYPE), "MR",
                 "Medical Record Number");
    make_text(m, "system", "urn:oid:2.16.840.1.113883.19.5");
    make_text(m, "value", p->mrn);
    make_close(m);
    make_list_end(m);
    make_flag(m, "active", true);
    make_list(m, "name");
    make_name(m, NULL, p->given, p->middle, p->family, NULL);
    make_list_end(m);
    patient_contact(m);
    bool is_married = person_age(p, PERSON_TODAY) > 27 && p->number % 3 != 0;
    make_concept(m, "maritalStatus", make_terms(m, TERMS_MARITAL),
                 is_married ? "M" : "S",
                 is_married ? "Married" : "Never Married");
    make_list(m, "communication");
    make_open(m, NULL);
    make_concept(m, "language", "urn:ietf:bcp:47", "en-US", "English (US)");
    make_flag(m, "preferred", true);
    make_close(m);
    make_list_end(m);
    make_list(m, m->release == DSTU2 ? "careProvider" : "generalPractitioner");
    make_doctor(m, NULL);
    make_list_end(m);
    make_ref(m, "managingOrganization", "Organization", &m->clinic,
             make_clinic_name(m->clinic_row));
    make_end(m);
}

void make_household(struct make *m)
{
    bool is_child = person_age(&m->person, PERSON_TODAY) < 18;
    bool is_old = person_age(&m->person, PERSON_TODAY) >= 65;
    m->doctor_row = is_child ? 3 : dice_below(&m->dice, FIRST_OTHER - 1);
    m->specialist_row = FIRST_OTHER + dice_below(&m->dice, 4);
    m->clinic_row = dice_below(&m->dice, CLINICS);
    m->insurer_row = is_old ? 0 : 1 + dice_below(&m->dice, 2);
    m->doctor = make_id(MAKE_SHARED, "doctor", m->doctor_row);
    m->specialist = make_id(MAKE_SHARED, "doctor", m->specialist_row);
    m->clinic = make_id(MAKE_SHARED, "clinic", m->clinic_row);
    m->place = make_id(MAKE_SHARED, "place", m->clinic_row);
    m->insurer = make_id(MAKE_SHARED, "insurer", m->insurer_row);
    m->patient = make_id(m->person.number, "patient", 0);
    patient(m);
    organization(m, &m->clinic, make_clinic_name(m->clinic_row), "prov",
                 "Healthcare Provider", m->clinic_row);
    organization(m, &m->insurer, make_insurer_name(m->insurer_row), "ins",
                 "Insurance Company", CLINICS + m->insurer_row);
    place(m);
    doctor(m, &m->doctor, m->doctor_row);
    doctor(m, &m->specialist, m->specialist_row);
}
