#include "directory/text_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct pair {
    struct str in, want;
};
typedef struct str one_text(struct arena *a, struct str s);

static void check(one_text *f, const struct pair *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        AUTO_ARENA a = ARENA(65536);
        struct str got = f(&a, cases[i].in);
        if (!str_eq(got, cases[i].want))
            printf("# '%.*s' gives '%.*s'\n", (int)cases[i].in.n, cases[i].in.p,
                   (int)got.n, got.p);
        assert_true(str_eq(got, cases[i].want));
    }
}
#define CHECK(f_, ...)                                                         \
    check((f_), (const struct pair[]){ __VA_ARGS__ },                          \
          sizeof((const struct pair[]){ __VA_ARGS__ }) / sizeof(struct pair))
#define P(in_, want_)                                                          \
    {                                                                          \
        STR_INIT(in_), STR_INIT(want_)                                         \
    }

static void escapes_and_blanks_go(void **state)
{
    (void)state;
    CHECK(text_clean, P(" Head &amp;  Neck\t\n", "Head & Neck"),
          P("O&#39;Neil &bogus; &", "O'Neil &bogus; &"), P("", ""));
}

static void a_search_compares_letters_and_digits_only(void **state)
{
    (void)state;
    CHECK(text_words, P("St. Mary\xe2\x80\x99s Hosp.", "st marys hosp"),
          P("CL\xc3\x8dNICA", "clinica"), P("--", ""),
          P("4300 Alton Rd", "4300 alton rd"));
}

static void legal_forms_do_not_make_another_name(void **state)
{
    (void)state;
    CHECK(text_name_key, P("The Acme Clinic, LLC", "acme clinic"),
          P("ACME CLINIC", "acme clinic"), P("Inc", "inc"));
}

static void postal_codes_are_made_whole_or_dropped(void **state)
{
    (void)state;
    CHECK(text_zip, P("02114", "02114"), P("2114", "02114"),
          P("32073-3035", "32073-3035"), P("320733035", "32073-3035"),
          P("99999", ""), P("99999-9999", ""), P("999999999", ""),
          P("80045-9999", "80045"), P("junk", ""), P("", ""), P("123", ""));
}

static struct str state_of(struct arena *a, struct str s)
{
    (void)a;
    return text_state(s);
}

static void states_become_two_letters(void **state)
{
    (void)state;
    CHECK(state_of, P("California", "CA"), P("ny", "NY"),
          P("Ontario", "Ontario"));
    assert_true(text_is_state(STR("TX")));
    assert_false(text_is_state(STR("tx")));
}

static struct str base_of(struct arena *a, struct str s)
{
    struct str out;
    return text_base_url(a, s, &out, NULL) == OK ? out : STR("refused");
}

static void addresses_take_one_form(void **state)
{
    (void)state;
    CHECK(base_of,
          P("HTTPS://FHIR.KP.ORG:443//service/FHIR/DSTU2/",
            "https://fhir.kp.org/service/FHIR/DSTU2"),
          P("fhir.x.org/r4", "https://fhir.x.org/r4"),
          P(": https://x.org/r4/metadata", "https://x.org/r4"),
          P("http://x.org/r4?_format=json", "https://x.org/r4"),
          P("https://x.org:9443/r4/metadata/", "https://x.org:9443/r4"),
          P("http://127.0.0.1:9001/epic/r4/", "http://127.0.0.1:9001/epic/r4"));
}

static void addresses_that_lead_nowhere_are_refused(void **state)
{
    (void)state;
    CHECK(base_of, P("", "refused"), P("api/eyesite/R4", "refused"),
          P("ftp://x.org/r4", "refused"),
          P("https://10.160.1.2/fhir", "refused"),
          P("https://172.20.0.1/fhir", "refused"),
          P("https://192.168.1.1/fhir", "refused"),
          P("https://server/fhir", "refused"),
          P("https://x.services.local/fhir", "refused"),
          P("http://x.org:8080/fhir", "refused"),
          P("https://x.org/list.html", "refused"),
          P("https://user@x.org/fhir", "refused"),
          P("https://[::1]x/fhir", "refused"));
}

static struct str release_of(struct arena *a, struct str s)
{
    (void)a;
    return text_release_of_url(s);
}

static void a_url_may_say_its_release(void **state)
{
    (void)state;
    CHECK(release_of, P("https://x.org/api/FHIR/DSTU2", "DSTU2"),
          P("https://x.org/fhir/r4/AB", "R4"), P("https://x.org/4_0_0", "R4"),
          P("https://fhir.healow.com/FHIRServer/fhir/AB", "DSTU2"),
          P("https://x.org/fhir", ""));
    assert_true(str_eq(text_release_of_version(STR("4.0.1")), STR("R4")));
    assert_true(str_eq(text_release_of_version(STR("dstu2")), STR("DSTU2")));
    assert_int_equal(text_release_of_version(STR("5.0.0")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_and_blanks_go),
        cmocka_unit_test(a_search_compares_letters_and_digits_only),
        cmocka_unit_test(legal_forms_do_not_make_another_name),
        cmocka_unit_test(postal_codes_are_made_whole_or_dropped),
        cmocka_unit_test(states_become_two_letters),
        cmocka_unit_test(addresses_take_one_form),
        cmocka_unit_test(addresses_that_lead_nowhere_are_refused),
        cmocka_unit_test(a_url_may_say_its_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
