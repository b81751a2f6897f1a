/* person.h - the people that the generator invents: who they are, what ails
 * them.  Everything follows from a person's number: the same on every run and
 * every machine.
 */
#ifndef SANDBOX_PERSON_H
#define SANDBOX_PERSON_H

#include <stdbool.h>
#include <stdint.h>

/* The first ones have names of their own; the contract's test users (section
 * 11) are among them.  Any number beyond is put together from lists. */
#define PERSON_NAMED   20
#define PERSON_MAX     100000
#define PERSON_TODAY   20758 /* 2026-11-01, in days: the last day of all */
#define PERSON_FIRST   15340 /* 2012-01-01: records start here at the latest */
#define PERSON_ILL_MAX 6

/* A splitmix64 sequence: small, seedable, the same everywhere. */
struct dice {
    uint64_t state;
};
struct dice dice_new(uint64_t seed, uint64_t stream);
uint64_t dice_roll(struct dice *d);
/* Even in [0, below). */
unsigned dice_below(struct dice *d, unsigned below);
/* In [low, high]. */
int dice_between(struct dice *d, int low, int high);
bool dice_percent(struct dice *d, unsigned percent);

struct person {
    unsigned number;
    char username[40];
    const char *password;
    const char *given, *middle, *family;
    bool is_female;
    int64_t birth_day; /* days since 1970-01-01 */
    char line[40];
    const char *city, *state, *zip;
    const char *race, *race_code, *ethnicity, *ethnicity_code;
    char phone[16];
    char email[64];
    char mrn[16], member[16];
    unsigned illnesses[PERSON_ILL_MAX]; /* rows of clinic_illness() */
    unsigned illness_count;
    bool smoked;
};

/* number < PERSON_MAX. */
void person_get(unsigned number, struct person *out);
/* Whole years on a day. */
int person_age(const struct person *p, int64_t day);

#endif
