#include "sandbox/make_int.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

struct make_id make_id(unsigned owner, const char *kind, unsigned n)
{
    char seed[64];
    int len = snprintf(seed, sizeof seed, "tributary|%u|%s|%u", owner, kind, n);
    struct hash128 h = hash128((struct str){ seed, (size_t)len });
    struct make_id id;
    (void)snprintf(id.text, sizeof id.text, "%08x-%04x-4%03x-a%03x-%012llx",
                   (unsigned)(h.high >> 32), (unsigned)(h.high >> 16 & 0xffff),
                   (unsigned)(h.high & 0xfff), (unsigned)(h.low >> 52),
                   (unsigned long long)(h.low & 0xffffffffffff));
    return id;
}

struct make_id make_new_id(struct make *m, const char *kind)
{
    return make_id(m->person.number, kind, m->counter++);
}

const char *make_terms(const struct make *m, enum make_terms which)
{
    static const char *const before[] = {
        "http://hl7.org/fhir/observation-category",
        "http://hl7.org/fhir/v2/0078",
        "http://hl7.org/fhir/v2/0203",
        "http://hl7.org/fhir/v3/MaritalStatus",
        "http://hl7.org/fhir/v3/ActCode",
        "http://hl7.org/fhir/v3/ParticipationType",
        "http://hl7.org/fhir/condition-category",
        "http://hl7.org/fhir/v2/0074",
        "http://hl7.org/fhir/v3/RoleCode",
    };
#define R4_TERMS "http://terminology.hl7.org/CodeSystem/"
    static const char *const now[] = {
        R4_TERMS "observation-category",
        R4_TERMS "v3-ObservationInterpretation",
        R4_TERMS "v2-0203",
        R4_TERMS "v3-MaritalStatus",
        R4_TERMS "v3-ActCode",
        R4_TERMS "v3-ParticipationType",
        R4_TERMS "condition-category",
        R4_TERMS "v2-0074",
        R4_TERMS "v3-RoleCode",
    };
    if (m->release == DSTU2 && which == TERMS_CONDITION_CATEGORY)
        return "http://hl7.org/fhir/condition-category";
    return m->release == R4 ? now[which] : before[which];
}

static void key_of(struct make *m, const char *key)
{
    if (key != NULL)
        json_key(m->b, str_of(key));
}

void make_begin(struct make *m, const char *type, const struct make_id *id)
{
    json_object(m->b);
    json_key(m->b, STR("fullUrl"));
    char url[64];
    int n = snprintf(url, sizeof url, "urn:uuid:%s", id->text);
    json_string(m->b, (struct str){ url, (size_t)n });
    json_key(m->b, STR("request"));
    json_object(m->b);
    make_text(m, "method", "PUT");
    n = snprintf(url, sizeof url, "%s/%s", type, id->text);
    json_member(m->b, STR("url"), (struct str){ url, (size_t)n });
    json_object_end(m->b);
    json_key(m->b, STR("resource"));
    json_object(m->b);
    make_text(m, "resourceType", type);
    make_text(m, "id", id->text);
}

void make_end(struct make *m)
{
    json_object_end(m->b);
    json_object_end(m->b);
}

void make_text(struct make *m, const char *key, const char *value)
{
    key_of(m, key);
    json_string(m->b, str_of(value));
}

void make_flag(struct make *m, const char *key, bool value)
{
    key_of(m, key);
    json_bool(m->b, value);
}

void make_whole(struct make *m, const char *key, int64_t value)
{
    key_of(m, key);
    json_i64(m->b, value);
}

void make_decimal(struct make *m, const char *key, int64_t scaled,
                  unsigned decimals)
{
    char text[32];
    int64_t one = 1;
    for (unsigned i = 0; i < decimals; i++)
        one *= 10;
    int n = decimals == 0
                ? snprintf(text, sizeof text, "%lld", (long long)scaled)
                : snprintf(text, sizeof text, "%lld.%0*lld",
                           (long long)(scaled / one), (int)decimals,
                           (long long)(scaled % one));
    key_of(m, key);
    json_raw(m->b, (struct str){ text, (size_t)n });
}

void make_open(struct make *m, const char *key)
{
    key_of(m, key);
    json_object(m->b);
}

void make_close(struct make *m)
{
    json_object_end(m->b);
}

void make_list(struct make *m, const char *key)
{
    key_of(m, key);
    json_array(m->b);
}

void make_list_end(struct make *m)
{
    json_array_end(m->b);
}

static int date_text(char *out, size_t room, int64_t day)
{
    int64_t year;
    int month, mday;
    clock_civil_from_days(day, &year, &month, &mday);
    return snprintf(out, room, "%04d-%02d-%02d", (int)year, month, mday);
}

void make_date(struct make *m, const char *key, int64_t day)
{
    char text[40];
    (void)date_text(text, sizeof text, day);
    make_text(m, key, text);
}

void make_time(struct make *m, const char *key, int64_t day, int minute)
{
    char text[64];
    int n = date_text(text, sizeof text, day);
    (void)snprintf(text + n, sizeof text - (size_t)n, "T%02d:%02d:00-05:00",
                   minute / 60 % 24, minute % 60);
    make_text(m, key, text);
}

void make_period(struct make *m, const char *key, int64_t from, int64_t to)
{
    make_open(m, key);
    make_date(m, "start", from);
    make_date(m, "end", to);
    make_close(m);
}

void make_coding(struct make *m, const char *key, const char *system,
                 const char *code, const char *display)
{
    make_open(m, key);
    make_text(m, "system", system);
    make_text(m, "code", code);
    if (display != NULL)
        make_text(m, "display", display);
    make_close(m);
}

void make_concept(struct make *m, const char *key, const char *system,
                  const char *code, const char *display)
{
    make_open(m, key);
    make_list(m, "coding");
    make_coding(m, NULL, system, code, display);
    make_list_end(m);
    if (display != NULL)
        make_text(m, "text", display);
    make_close(m);
}

void make_concepts(struct make *m, const char *key, const char *system,
                   const char *code, const char *display)
{
    make_list(m, key);
    make_concept(m, NULL, system, code, display);
    make_list_end(m);
}

void make_ref(struct make *m, const char *key, const char *type,
              const struct make_id *id, const char *display)
{
    char text[80];
    (void)snprintf(text, sizeof text, "%s/%s", type, id->text);
    make_open(m, key);
    make_text(m, "reference", text);
    if (display != NULL)
        make_text(m, "display", display);
    make_close(m);
}

void make_identifier(struct make *m, const char *key, const char *system,
                     const char *value)
{
    make_list(m, key);
    make_open(m, NULL);
    make_text(m, "system", system);
    make_text(m, "value", value);
    make_close(m);
    make_list_end(m);
}

void make_money(struct make *m, const char *key, unsigned dollars)
{
    make_open(m, key);
    make_decimal(m, "value", dollars * 100, 2);
    if (m->release == R4) {
        make_text(m, "currency", "USD");
    } else {
        make_text(m, "system", "urn:iso:std:iso:4217");
        make_text(m, "code", "USD");
    }
    make_close(m);
}

void make_name(struct make *m, const char *key, const char *given,
               const char *middle, const char *family, const char *prefix)
{
    make_open(m, key);
    make_text(m, "use", "official");
    if (m->release == DSTU2) {
        make_list(m, "family");
        make_text(m, NULL, family);
        make_list_end(m);
    } else {
        make_text(m, "family", family);
    }
    make_list(m, "given");
    make_text(m, NULL, given);
    if (middle != NULL)
        make_text(m, NULL, middle);
    make_list_end(m);
    if (prefix != NULL) {
        make_list(m, "prefix");
        make_text(m, NULL, prefix);
        make_list_end(m);
    }
    make_close(m);
}

void make_address(struct make *m, const char *line, const char *city,
                  const char *state, const char *zip)
{
    make_list(m, "line");
    make_text(m, NULL, line);
    make_list_end(m);
    make_text(m, "city", city);
    make_text(m, "state", state);
    make_text(m, "postalCode", zip);
    make_text(m, "country", "US");
}

void make_subject(struct make *m, const char *key)
{
    make_ref(m, key, "Patient", &m->patient, NULL);
}

void make_doctor(struct make *m, const char *key)
{
    char name[64];
    make_ref(m, key, "Practitioner", &m->doctor,
             make_doctor_name(m->doctor_row, name));
}

void make_visit_ref(struct make *m)
{
    make_ref(m, m->release == STU3 ? "context" : "encounter", "Encounter",
             &m->visit, NULL);
}
