#include "sandbox/person.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fold.h"
#include "base/str.h"
#include "sandbox/clinic.h"

struct dice dice_new(uint64_t seed, uint64_t stream)
{
    struct dice d = { seed * 0x9e3779b97f4a7c15u ^ stream << 32 };
    (void)dice_roll(&d);
    return d;
}

uint64_t dice_roll(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned dice_below(struct dice *d, unsigned below)
{
    return (unsigned)(dice_roll(d) % below);
}

int dice_between(struct dice *d, int low, int high)
{
    return low + (int)dice_below(d, (unsigned)(high - low + 1));
}

bool dice_percent(struct dice *d, unsigned percent)
{
    return dice_below(d, 100) < percent;
}

/* username NULL: given.family; password NULL: "tributary". */
static const struct {
    const char *username, *password, *given, *middle, *family;
    bool is_female;
    short year;
} named[PERSON_NAMED] = {
    { "fhirjason", "epicepic1", "Jason", "Theodore", "Rivers", false, 1978 },
    { "wilmasmart", "Cerner01", "Wilma", "Jean", "Smart", true, 1947 },
    { "joe_smart", "Cerner01", "Joe", "Henry", "Smart", false, 1976 },
    { "timmy_smart", "Cerner01", "Timmy", "Alan", "Smart", false, 2012 },
    { "fredrick_smart", "Cerner01", "Fredrick", "Paul", "Smart", false, 1949 },
    { "nancysmart", "Cerner01", "Nancy", "Ursula", "Smart", true, 1980 },
    { "BBUser29999", "PW29999!", "Ruth", "Elaine", "Hollis", true, 1939 },
    { "john.allen", NULL, "John", "Peter", "Allen", false, 1950 },
    { NULL, NULL, "Amara", "Grace", "Okafor", true, 1991 },
    { NULL, NULL, "Mateo", "Luis", "Castellanos", false, 1985 },
    { NULL, NULL, "Priya", "Anjali", "Raman", true, 1969 },
    { NULL, NULL, "Walter", "Eugene", "Lindqvist", false, 1942 },
    { NULL, NULL, "Mei", "Lan", "Zhou", true, 2001 },
    { NULL, NULL, "Samuel", "Isaac", "Greenberg", false, 1958 },
    { NULL, NULL, "Zoë", "Renée", "Desjardins", true, 1996 },
    { NULL, NULL, "Darnell", "Marcus", "Whitfield", false, 1973 },
    { NULL, NULL, "Ingrid", "Solveig", "Haugen", true, 1954 },
    { NULL, NULL, "Noah", "James", "Begaye", false, 2017 },
    { NULL, NULL, "Soledad", "María", "Núñez", true, 1963 },
    { NULL, NULL, "Tomasz", "Jan", "Wójcik", false, 1988 },
};

static const char *const women[] = { "Alice",  "Beatriz", "Chloe",  "Dorothy",
                                     "Esther", "Fatima",  "Gloria", "Hana",
                                     "Irene",  "Jasmine", "Keiko",  "Lucia" };
static const char *const men[] = { "Abel",  "Bruno",  "Curtis", "Dmitri",
                                   "Elias", "Felix",  "Gordon", "Hassan",
                                   "Ivan",  "Jerome", "Kofi",   "Leon" };
static const char *const families[] = {
    "Abernathy", "Barlow",  "Chandra",   "Delgado",   "Eriksen", "Farouk",
    "Gallagher", "Hoshino", "Ibarra",    "Jankowski", "Kimball", "Laurent",
    "Mbeki",     "Novak",   "Oyelaran",  "Petrov",    "Quigley", "Romero",
    "Sorensen",  "Tran",    "Underhill", "Vasquez",   "Winslow", "Yamada",
};
static const struct {
    const char *city, *state, *zip;
} places[] = {
    { "Boston", "MA", "02114" },      { "Madison", "WI", "53703" },
    { "Kansas City", "MO", "64108" }, { "Baltimore", "MD", "21201" },
    { "Miami Beach", "FL", "33140" }, { "Portland", "OR", "97205" },
    { "Ann Arbor", "MI", "48104" },   { "San Antonio", "TX", "78205" },
    { "Flagstaff", "AZ", "86001" },   { "Burlington", "VT", "05401" },
};
static const char *const streets[] = { "Fruit St",   "Alton Rd",  "Mill Ln",
                                       "Harbor Ave", "Cedar Ct",  "Lincoln Way",
                                       "Orchard Dr", "Station Rd" };
static const struct {
    const char *text, *code;
} races[] = {
    { "White", "2106-3" },
    { "Black or African American", "2054-5" },
    { "Asian", "2028-9" },
    { "American Indian or Alaska Native", "1002-5" },
};

#define PICK(table_, dice_)                                                    \
    ((table_)[dice_below((dice_), sizeof(table_) / sizeof((table_)[0]))])

static void set_names(struct person *p, struct dice *d)
{
    int year;
    if (p->number < PERSON_NAMED) {
        p->given = named[p->number].given;
        p->middle = named[p->number].middle;
        p->family = named[p->number].family;
        p->is_female = named[p->number].is_female;
        p->password = named[p->number].password;
        year = named[p->number].year;
    } else {
        p->is_female = dice_percent(d, 51);
        p->given = p->is_female ? PICK(women, d) : PICK(men, d);
        p->middle = p->is_female ? PICK(women, d) : PICK(men, d);
        p->family = PICK(families, d);
        year = dice_between(d, 1934, 2019);
    }
    int month = dice_between(d, 1, 12);
    int day = dice_between(d, 1, 28);
    if (p->number == 7) { /* the contract's sample member */
        month = 10;
        day = 19;
    }
    p->birth_day = clock_days_from_civil(year, month, day);
    if (p->password == NULL)
        p->password = "tributary";
}

/* given.family, folded; what is no letter then falls out. */
static void set_username(struct person *p)
{
    if (p->number < PERSON_NAMED && named[p->number].username != NULL) {
        (void)snprintf(p->username, sizeof p->username, "%s",
                       named[p->number].username);
        return;
    }
    AUTO_BUF folded = BUF(256);
    fold_add(&folded, str_of(p->given));
    buf_add_char(&folded, '.');
    fold_add(&folded, str_of(p->family));
    size_t n = 0;
    for (size_t i = 0; i < folded.len && n < 30; i++) {
        if (char_is_alpha(folded.data[i]) || folded.data[i] == '.')
            p->username[n++] = folded.data[i];
    }
    p->username[n] = '\0';
    if (p->number >= PERSON_NAMED)
        (void)snprintf(p->username + n, sizeof p->username - n, ".%u",
                       p->number);
}

static void set_place(struct person *p, struct dice *d)
{
    size_t place = dice_below(d, sizeof places / sizeof places[0]);
    if (p->number == 7)
        place = 0;
    p->city = places[place].city;
    p->state = places[place].state;
    p->zip = places[place].zip;
    (void)snprintf(p->line, sizeof p->line, "%d %s", dice_between(d, 10, 990),
                   PICK(streets, d));
    (void)snprintf(p->phone, sizeof p->phone, "555-%03d-%04d",
                   dice_between(d, 200, 989), dice_between(d, 0, 9999));
    (void)snprintf(p->email, sizeof p->email, "%s@example.org", p->username);
    (void)snprintf(p->mrn, sizeof p->mrn, "MRN%07u", 1200000 + p->number * 37);
    (void)snprintf(p->member, sizeof p->member, "%010" PRIu64,
                   dice_roll(d) % 9000000000u + 1000000000u);
    size_t race = dice_below(d, sizeof races / sizeof races[0]);
    p->race = races[race].text;
    p->race_code = races[race].code;
    bool is_hispanic = dice_percent(d, 20);
    p->ethnicity =
        is_hispanic ? "Hispanic or Latino" : "Not Hispanic or Latino";
    p->ethnicity_code = is_hispanic ? "2135-2" : "2186-5";
}

static void set_illnesses(struct person *p, struct dice *d)
{
    int age = person_age(p, PERSON_TODAY);
    for (unsigned i = 0; i < clinic_illness_count(); i++) {
        const struct illness *ill = clinic_illness(i);
        if (!ill->is_chronic || p->illness_count == PERSON_ILL_MAX)
            continue;
        if (age > ill->from_age + 2 && dice_percent(d, ill->percent))
            p->illnesses[p->illness_count++] = i;
    }
    p->smoked = age > 30 && dice_percent(d, 25);
}

void person_get(unsigned number, struct person *out)
{
    assert(number < PERSON_MAX);
    struct dice d = dice_new(number + 1, 1);
    *out = (struct person){ .number = number };
    set_names(out, &d);
    set_username(out);
    set_place(out, &d);
    set_illnesses(out, &d);
}

int person_age(const struct person *p, int64_t day)
{
    int64_t year, born_year;
    int month, born_month, mday, born_mday;
    clock_civil_from_days(day, &year, &month, &mday);
    clock_civil_from_days(p->birth_day, &born_year, &born_month, &born_mday);
    int age = (int)(year - born_year);
    bool is_before =
        month < born_month || (month == born_month && mday < born_mday);
    return is_before ? age - 1 : age;
}
