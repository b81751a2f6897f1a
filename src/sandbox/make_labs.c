#include "sandbox/make_int.h"

#include <string.h>

static void category(struct make *m, const char *code, const char *display)
{
    const char *terms = make_terms(m, TERMS_OBSERVATION_CATEGORY);
    if (m->release == DSTU2)
        make_concept(m, "category", terms, code, display);
    else
        make_concepts(m, "category", terms, code, display);
}

/* Opens an Observation with all but its value. */
static void observation(struct make *m, const struct make_id *id,
                        const char *group, const char *group_display,
                        const char *loinc, const char *display)
{
    make_begin(m, "Observation", id);
    make_text(m, "status", "final");
    category(m, group, group_display);
    make_concept(m, "code", LOINC, loinc, display);
    make_subject(m, "subject");
    make_visit_ref(m);
    make_time(m, "effectiveDateTime", m->day, m->minute + 10);
    make_time(m, "issued", m->day, m->minute + 10);
    make_list(m, "performer");
    make_doctor(m, NULL);
    make_list_end(m);
}

static void quantity(struct make *m, const char *key, int64_t value,
                     unsigned decimals, const char *unit)
{
    make_open(m, key);
    make_decimal(m, "value", value, decimals);
    make_text(m, "unit", unit);
    make_text(m, "system", UCUM);
    make_text(m, "code", unit);
    make_close(m);
}

static void vital(struct make *m, const char *loinc, const char *display,
                  int64_t value, unsigned decimals, const char *unit)
{
    struct make_id id = make_new_id(m, "observation");
    observation(m, &id, "vital-signs", "Vital Signs", loinc, display);
    quantity(m, "valueQuantity", value, decimals, unit);
    make_end(m);
}

static void blood_pressure(struct make *m, bool is_high)
{
    int systolic = dice_between(&m->dice, 104, 128) + (is_high ? 20 : 0);
    int diastolic = dice_between(&m->dice, 64, 82) + (is_high ? 10 : 0);
    struct make_id id = make_new_id(m, "observation");
    observation(m, &id, "vital-signs", "Vital Signs",
                m->release == R4 ? "85354-9" : "55284-4",
                "Blood pressure systolic and diastolic");
    make_list(m, "component");
    make_open(m, NULL);
    make_concept(m, "code", LOINC, "8480-6", "Systolic blood pressure");
    quantity(m, "valueQuantity", systolic, 0, "mm[Hg]");
    make_close(m);
    make_open(m, NULL);
    make_concept(m, "code", LOINC, "8462-4", "Diastolic blood pressure");
    quantity(m, "valueQuantity", diastolic, 0, "mm[Hg]");
    make_close(m);
    make_list_end(m);
    make_end(m);
}

static bool has_illness(const struct make *m, const char *snomed)
{
    for (unsigned i = 0; i < m->person.illness_count; i++) {
        const struct illness *ill = clinic_illness(m->person.illnesses[i]);
        if (strcmp(ill->snomed, snomed) == 0)
            return true;
    }
    return false;
}

void make_vitals(struct make *m)
{
    int age = person_age(&m->person, m->day);
    int64_t height = m->person.is_female ? 1630 : 1765; /* 0.1 cm */
    height += (int64_t)(m->person.number * 37 % 140) - 70;
    if (age < 18)
        height = 500 + (height - 500) * (age + 2) / 20;
    int64_t bmi = 190 + (int64_t)(m->person.number * 53 % 130) +
                  dice_between(&m->dice, -5, 5); /* 0.1 kg/m2 */
    if (age < 18)
        bmi = 150 + age * 3;
    int64_t weight = bmi * height * height / 10000000; /* 0.1 kg */
    vital(m, "8302-2", "Body height", height, 1, "cm");
    vital(m, "29463-7", "Body weight", weight, 1, "kg");
    vital(m, "39156-5", "Body mass index (BMI) [Ratio]", bmi, 1, "kg/m2");
    blood_pressure(m, has_illness(m, "59621000"));
    vital(m, "8867-4", "Heart rate", dice_between(&m->dice, 58, 92), 0, "/min");
    vital(m, "9279-1", "Respiratory rate", dice_between(&m->dice, 12, 18), 0,
          "/min");
    vital(m, "8310-5", "Body temperature", dice_between(&m->dice, 362, 374), 1,
          "Cel");
    vital(m, m->release == R4 ? "2708-6" : "59408-5",
          "Oxygen saturation in Arterial blood",
          dice_between(&m->dice, 95, 100), 0, "%");
}

void make_smoking(struct make *m)
{
    struct make_id id = make_new_id(m, "observation");
    observation(m, &id, "social-history", "Social History", "72166-2",
                "Tobacco smoking status");
    if (m->person.smoked)
        make_concept(m, "valueCodeableConcept", SNOMED, "8517006",
                     "Former smoker");
    else
        make_concept(m, "valueCodeableConcept", SNOMED, "266919005",
                     "Never smoked tobacco");
    make_end(m);
}

static int64_t roll_value(struct make *m, const struct measure *what,
                          bool is_ill)
{
    int value = dice_between(&m->dice, what->low, what->high);
    if (is_ill ? dice_percent(&m->dice, 60) : dice_percent(&m->dice, 12))
        value = what->high + dice_between(&m->dice, 1, what->spread);
    return value;
}

static void lab(struct make *m, const struct make_id *id,
                const struct measure *what, bool is_ill)
{
    int64_t value = roll_value(m, what, is_ill);
    observation(m, id, "laboratory", "Laboratory", what->loinc, what->display);
    quantity(m, "valueQuantity", value, what->decimals, what->unit);
    const char *code = value > what->high ? "H" : "N";
    const char *display = value > what->high ? "High" : "Normal";
    const char *terms = make_terms(m, TERMS_INTERPRETATION);
    if (m->release == R4)
        make_concepts(m, "interpretation", terms, code, display);
    else
        make_concept(m, "interpretation", terms, code, display);
    make_list(m, "referenceRange");
    make_open(m, NULL);
    quantity(m, "low", what->low, what->decimals, what->unit);
    quantity(m, "high", what->high, what->decimals, what->unit);
    make_close(m);
    make_list_end(m);
    make_end(m);
}

static void report_performer(struct make *m)
{
    const char *name = make_clinic_name(m->clinic_row);
    if (m->release == DSTU2) {
        make_ref(m, "performer", "Organization", &m->clinic, name);
        return;
    }
    make_list(m, "performer");
    if (m->release == STU3) {
        make_open(m, NULL);
        make_ref(m, "actor", "Organization", &m->clinic, name);
        make_close(m);
    } else {
        make_ref(m, NULL, "Organization", &m->clinic, name);
    }
    make_list_end(m);
}

#define PANEL_MAX 16

static void panel(struct make *m, const struct panel *p)
{
    struct make_id results[PANEL_MAX];
    unsigned n = p->count < PANEL_MAX ? p->count : PANEL_MAX;
    for (unsigned i = 0; i < n; i++) {
        results[i] = make_new_id(m, "observation");
        lab(m, &results[i], &p->measures[i], p->only_ill);
    }
    struct make_id id = make_new_id(m, "report");
    make_begin(m, "DiagnosticReport", &id);
    make_text(m, "status", "final");
    const char *terms = make_terms(m, TERMS_DIAGNOSTIC_SERVICE);
    if (m->release == R4)
        make_concepts(m, "category", terms, "LAB", "Laboratory");
    else
        make_concept(m, "category", terms, "LAB", "Laboratory");
    make_concept(m, "code", LOINC, p->loinc, p->display);
    make_subject(m, "subject");
    make_visit_ref(m);
    make_time(m, "effectiveDateTime", m->day, m->minute + 10);
    make_time(m, "issued", m->day, m->minute + 240);
    report_performer(m);
    make_list(m, "result");
    for (unsigned i = 0; i < n; i++)
        make_ref(m, NULL, "Observation", &results[i], p->measures[i].display);
    make_list_end(m);
    make_end(m);
}

void make_labs(struct make *m)
{
    for (unsigned i = 0; i < clinic_panel_count; i++) {
        const struct panel *p = &clinic_panels[i];
        if (!p->only_ill || has_illness(m, p->illness))
            panel(m, p);
    }
}
