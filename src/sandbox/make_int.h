/* make_int.h - shared by the make_*.c: the bundle being written, and the small
 * words in which resources are spelled.
 */
#ifndef SANDBOX_MAKE_INT_H
#define SANDBOX_MAKE_INT_H

#include "base/buf.h"
#include "fhir/release.h"
#include "sandbox/clinic.h"
#include "sandbox/person.h"

struct make_id {
    char text[37]; /* a UUID */
};
/* The n-th thing of a kind; owner: the person, or MAKE_SHARED. */
#define MAKE_SHARED UINT32_MAX
struct make_id make_id(unsigned owner, const char *kind, unsigned n);

#define MAKE_DRUGS_MAX 24

struct make {
    struct buf *b;
    enum release release;
    struct person person;
    struct dice dice;
    struct make_id patient;
    struct make_id clinic, place, doctor, specialist, insurer;
    unsigned doctor_row, specialist_row, clinic_row, insurer_row;
    struct make_id coverage[2];
    unsigned coverage_count;
    const struct drug *drugs[MAKE_DRUGS_MAX]; /* whose Medication is written */
    unsigned drug_count;
    unsigned counter; /* of everything the person owns */
    /* the visit being written */
    struct make_id visit;
    int64_t day;
    int minute;
    unsigned visit_number;
};

/* Terminology whose URLs moved with R4. */
enum make_terms {
    TERMS_OBSERVATION_CATEGORY,
    TERMS_INTERPRETATION,
    TERMS_IDENTIFIER_TYPE,
    TERMS_MARITAL,
    TERMS_ACT_CODE,
    TERMS_PARTICIPATION,
    TERMS_CONDITION_CATEGORY,
    TERMS_DIAGNOSTIC_SERVICE,
    TERMS_RELATIONSHIP,
};
const char *make_terms(const struct make *m, enum make_terms which);
#define SNOMED "http://snomed.info/sct"
#define LOINC  "http://loinc.org"
#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define UCUM   "http://unitsofmeasure.org"
#define ICD10  "http://hl7.org/fhir/sid/icd-10-cm"
#define CPT    "http://www.ama-assn.org/go/cpt"
#define NPI    "http://hl7.org/fhir/sid/us-npi"

/* An entry with a resource of that type and id, until make_end(). */
void make_begin(struct make *m, const char *type, const struct make_id *id);
void make_end(struct make *m);
/* A new id of this person. */
struct make_id make_new_id(struct make *m, const char *kind);

/* key NULL: as an array's element. */
void make_text(struct make *m, const char *key, const char *value);
void make_flag(struct make *m, const char *key, bool value);
void make_whole(struct make *m, const char *key, int64_t value);
/* scaled * 10^-decimals, with all its decimals. */
void make_decimal(struct make *m, const char *key, int64_t scaled,
                  unsigned decimals);
void make_open(struct make *m, const char *key); /* { */
void make_close(struct make *m);
void make_list(struct make *m, const char *key); /* [ */
void make_list_end(struct make *m);
void make_date(struct make *m, const char *key, int64_t day);
void make_time(struct make *m, const char *key, int64_t day, int minute);
void make_period(struct make *m, const char *key, int64_t from, int64_t to);
/* Coding; CodeableConcept with text; text NULL: the display. */
void make_coding(struct make *m, const char *key, const char *system,
                 const char *code, const char *display);
void make_concept(struct make *m, const char *key, const char *system,
                  const char *code, const char *display);
/* The same in an array of one, for what became plural after DSTU2. */
void make_concepts(struct make *m, const char *key, const char *system,
                   const char *code, const char *display);
void make_ref(struct make *m, const char *key, const char *type,
              const struct make_id *id, const char *display);
void make_identifier(struct make *m, const char *key, const char *system,
                     const char *value);
void make_money(struct make *m, const char *key, unsigned dollars);
void make_name(struct make *m, const char *key, const char *given,
               const char *middle, const char *family, const char *prefix);
void make_address(struct make *m, const char *line, const char *city,
                  const char *state, const char *zip);
void make_subject(struct make *m, const char *key);
void make_doctor(struct make *m, const char *key);
/* The visit, under the name that the release gives it. */
void make_visit_ref(struct make *m);

/* The parts of a record. */
void make_household(struct make *m); /* make_people.c */
const char *make_doctor_name(unsigned row, char out[64]);
const char *make_clinic_name(unsigned row);
const char *make_insurer_name(unsigned row);
void make_visit(struct make *m, const struct illness *reason); /* make_care.c */
void make_condition(struct make *m, const struct illness *ill, bool is_over);
void make_allergies(struct make *m);
void make_plan(struct make *m, const struct illness *ill);
void make_family(struct make *m);
void make_vaccination(struct make *m,
                      const struct vaccine *v); /* make_acts.c */
void make_operation(struct make *m, const struct operation *o);
void make_prescription(struct make *m, const struct drug *drug,
                       const struct illness *ill, bool is_over);
void make_vitals(struct make *m); /* make_labs.c */
void make_smoking(struct make *m);
void make_labs(struct make *m);
void make_documents(struct make *m, const struct illness *reason);
void make_coverages(struct make *m); /* make_claims.c */
void make_claim(struct make *m, const struct illness *reason, unsigned price);

#endif
