#include "sandbox/make.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "sandbox/make_int.h"

#define FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define YEAR           365

static bool is_due(struct make *m, const struct vaccine *v, int age)
{
    if (age < v->from_age || age > v->to_age)
        return false;
    if (v->every_years == 0)
        return age == v->from_age;
    return (age - v->from_age) % v->every_years == 0 &&
           dice_percent(&m->dice, 75);
}

/* A year's check-up: vitals, laboratory, vaccines, now and then a procedure. */
static void check_up(struct make *m, int age)
{
    make_visit(m, NULL);
    make_vitals(m);
    if (age >= 16)
        make_smoking(m);
    if (age >= 18 || m->visit_number % 3 == 0)
        make_labs(m);
    for (unsigned i = 0; i < clinic_vaccine_count; i++) {
        if (is_due(m, &clinic_vaccines[i], age))
            make_vaccination(m, &clinic_vaccines[i]);
    }
    unsigned price = 140;
    for (unsigned i = 0; i < clinic_operation_count; i++) {
        const struct operation *o = &clinic_operations[i];
        bool is_hers = i != 3 || m->person.is_female; /* mammography */
        if (is_hers && age >= o->from_age &&
            dice_percent(&m->dice, o->percent / 6)) {
            make_operation(m, o);
            price += o->price;
        }
    }
    make_documents(m, NULL);
    make_claim(m, NULL, price);
}

/* A visit because of an illness that passes. */
static void sick_visit(struct make *m)
{
    const struct illness *ill = clinic_acute(dice_below(&m->dice, 1000));
    make_visit(m, ill);
    make_vitals(m);
    make_condition(m, ill, true);
    if (ill->drugs[0].rxnorm != NULL)
        make_prescription(m, &ill->drugs[0], ill, true);
    make_documents(m, ill);
    make_claim(m, ill, 95);
}

/* The visit where a chronic illness is found. */
static void diagnosis_visit(struct make *m, const struct illness *ill)
{
    make_visit(m, ill);
    make_vitals(m);
    make_condition(m, ill, false);
    for (int i = 0; i < CLINIC_DRUGS_MAX; i++) {
        if (ill->drugs[i].rxnorm != NULL)
            make_prescription(m, &ill->drugs[i], ill, false);
    }
    make_plan(m, ill);
    make_documents(m, ill);
    make_claim(m, ill, 180);
}

static void start_visit(struct make *m, int64_t day)
{
    m->day = day;
    m->minute = 8 * 60 + (int)dice_below(&m->dice, 16) * 30;
    m->visit_number++;
}

/* The chronic illnesses of the person that begin in this year of theirs. */
static void find_illnesses(struct make *m, int64_t year_start, unsigned year,
                           unsigned years)
{
    for (unsigned i = 0; i < m->person.illness_count; i++) {
        const struct illness *ill = clinic_illness(m->person.illnesses[i]);
        if ((m->person.number + i * 3) % years != year)
            continue;
        start_visit(m, year_start + 200 + (int64_t)i * 9);
        diagnosis_visit(m, ill);
    }
}

static void tell_story(struct make *m)
{
    int64_t day = m->person.birth_day + 60;
    if (day < PERSON_FIRST)
        day = PERSON_FIRST + m->person.number % 90;
    unsigned years = (unsigned)((PERSON_TODAY - day) / YEAR);
    m->day = day;
    make_coverages(m);
    for (unsigned year = 0; year < years; year++, day += YEAR) {
        start_visit(m, day + dice_between(&m->dice, 0, 60));
        check_up(m, person_age(&m->person, m->day));
        if (year == 0) {
            make_allergies(m);
            make_family(m);
        }
        if (dice_percent(&m->dice, 45)) {
            start_visit(m, day + dice_between(&m->dice, 80, 190));
            sick_visit(m);
        }
        find_illnesses(m, day, year, years);
    }
}

enum err make_bundle(unsigned number, enum release release, struct buf *b)
{
    struct make m = { .b = b, .release = release };
    person_get(number, &m.person);
    m.dice = dice_new(number + 1, 2);
    json_object(b);
    json_member(b, STR("resourceType"), STR("Bundle"));
    json_member(b, STR("type"), STR("transaction"));
    json_key(b, STR("entry"));
    json_array(b);
    make_household(&m);
    tell_story(&m);
    json_array_end(b);
    json_object_end(b);
    return b->err;
}

static enum err make_file(const char *dir, unsigned number,
                          enum release release, struct why *w)
{
    static const char *const folders[RELEASE_COUNT] = { "dstu2", "stu3", "r4" };
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", dir, folders[release]);
    if (n < 0 || (size_t)n > sizeof path - 80)
        return why(w, ERR_LIMIT, "the folder's name is too long");
    enum err err = file_make_dir(path, w);
    if (err != OK)
        return err;
    AUTO_BUF b = BUF(FILE_BYTES_MAX);
    err = make_bundle(number, release, &b);
    if (err != OK)
        return why(w, err, "a generated record is too large");
    struct person p;
    person_get(number, &p);
    (void)snprintf(path + n, sizeof path - (size_t)n, "/%s.json", p.username);
    return file_write(path, (struct str){ b.data, b.len }, 0644, w);
}

enum err make_files(const char *dir, unsigned n, struct why *w)
{
    for (unsigned i = 0; i < n; i++) {
        for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
            enum err err = make_file(dir, i, r, w);
            if (err != OK)
                return err;
        }
    }
    return OK;
}
