/* clinic.h - what the generator knows of medicine: illnesses with their drugs,
 * panels of measurements, vaccines, allergies, procedures; codes of SNOMED CT,
 * ICD-10-CM, RxNorm, LOINC and CVX.
 */
#ifndef SANDBOX_CLINIC_H
#define SANDBOX_CLINIC_H

#include <stdbool.h>

#define CLINIC_DRUGS_MAX 2

struct drug {
    const char *rxnorm, *display, *sig, *form;
    unsigned per_day;
};
struct illness {
    const char *snomed, *display, *icd10;
    bool is_chronic;
    int from_age;
    unsigned percent; /* of those older than from_age */
    struct drug drugs[CLINIC_DRUGS_MAX];
};
unsigned clinic_illness_count(void);
const struct illness *clinic_illness(unsigned row);
/* One that passes, for a visit. */
const struct illness *clinic_acute(unsigned any);

/* Values are whole numbers of 10^-decimals. */
struct measure {
    const char *loinc, *display, *unit; /* unit: UCUM */
    int low, high;                      /* the reference range */
    int spread;                         /* how far people stray beyond it */
    unsigned decimals;
};
struct panel {
    const char *loinc, *display;
    const struct measure *measures;
    unsigned count;
    bool only_ill;       /* only for those with `illness` */
    const char *illness; /* SNOMED */
};
extern const struct panel clinic_panels[];
extern const unsigned clinic_panel_count;

struct coded {
    const char *code, *display;
};
struct vaccine {
    const char *cvx, *display;
    int from_age, to_age; /* years */
    int every_years;      /* 0: once */
};
extern const struct vaccine clinic_vaccines[];
extern const unsigned clinic_vaccine_count;

struct allergen {
    const char *snomed, *display;
    const char *category; /* food, medication, environment */
    const char *reaction_code, *reaction;
    bool is_high;
};
extern const struct allergen clinic_allergens[];
extern const unsigned clinic_allergen_count;

struct operation {
    const char *snomed, *display, *cpt;
    int from_age;
    unsigned percent;
    unsigned price; /* US$ */
};
extern const struct operation clinic_operations[];
extern const unsigned clinic_operation_count;

#endif
