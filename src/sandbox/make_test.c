#include "sandbox/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "sandbox/person.h"

#define ROOM ((size_t)32 * 1024 * 1024)

static void one_number_gives_one_record_in_each_release(void **state)
{
    (void)state;
    for (enum release r = DSTU2; r < RELEASE_COUNT; r++) {
        AUTO_BUF once = BUF(ROOM);
        AUTO_BUF twice = BUF(ROOM);
        AUTO_BUF other = BUF(ROOM);
        assert_int_equal(make_bundle(3, r, &once), OK);
        assert_int_equal(make_bundle(3, r, &twice), OK);
        assert_int_equal(make_bundle(4, r, &other), OK);
        assert_int_equal(once.len, twice.len);
        assert_memory_equal(once.data, twice.data, once.len);
        assert_true(once.len != other.len ||
                    memcmp(once.data, other.data, once.len) != 0);
    }
}

static struct str key_of(struct arena *a, struct yyjson_val *resource)
{
    return arena_cat(a, json_get_text(resource, STR("resourceType")), STR("/"),
                     json_get_text(resource, STR("id")));
}

/* Every member named reference in v points into the map. */
static size_t check_references(struct map *have, struct yyjson_val *v)
{
    size_t n = 0;
    for (JSON_EACH(item, v))
        n += check_references(have, item.now);
    for (JSON_MEMBERS(m, v)) {
        if (str_eq(json_key_of(&m), STR("reference"))) {
            assert_non_null(map_get(have, json_text(m.value)));
            n++;
        }
        n += check_references(have, m.value);
    }
    return n;
}

static void every_reference_points_into_the_record(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PERSON_NAMED + 5; i++) {
        enum release r = (enum release)(i % RELEASE_COUNT);
        AUTO_ARENA a = ARENA(8 * ROOM);
        AUTO_BUF b = BUF(ROOM);
        assert_int_equal(make_bundle(i, r, &b), OK);
        struct yyjson_val *root;
        assert_int_equal(
            json_parse(&a, (struct str){ b.data, b.len }, &root, NULL), OK);
        struct map have = MAP_IN(&a);
        struct yyjson_val *entries = json_get(root, STR("entry"));
        for (JSON_EACH(e, entries)) {
            struct yyjson_val *resource = json_get(e.now, STR("resource"));
            struct str key = key_of(&a, resource);
            assert_null(map_get(&have, key)); /* ids are not used twice */
            map_put(&have, key, resource);
        }
        assert_true(json_count(entries) > 40);
        assert_true(check_references(&have, root) > 100);
    }
}

static void a_dstu2_record_speaks_dstu2(void **state)
{
    (void)state;
    AUTO_BUF b = BUF(ROOM);
    assert_int_equal(make_bundle(1, DSTU2, &b), OK);
    struct str text = { b.data, b.len };
    assert_true(str_search(text, STR("\"MedicationOrder\"")) < text.n);
    assert_true(str_search(text, STR("\"MedicationRequest\"")) == text.n);
    assert_true(str_search(text, STR("terminology.hl7.org")) == text.n);
}

static void the_contracts_test_users_are_among_the_people(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        { "fhirjason", "epicepic1" },     { "wilmasmart", "Cerner01" },
        { "joe_smart", "Cerner01" },      { "timmy_smart", "Cerner01" },
        { "fredrick_smart", "Cerner01" }, { "nancysmart", "Cerner01" },
        { "BBUser29999", "PW29999!" },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        bool is_there = false;
        for (unsigned n = 0; n < PERSON_NAMED; n++) {
            struct person p;
            person_get(n, &p);
            is_there = is_there || (strcmp(p.username, wanted[i][0]) == 0 &&
                                    strcmp(p.password, wanted[i][1]) == 0);
        }
        assert_true(is_there);
    }
}

static void names_with_accents_make_plain_user_names(void **state)
{
    (void)state;
    struct person p;
    person_get(18, &p);
    assert_string_equal(p.username, "soledad.nunez");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number_gives_one_record_in_each_release),
        cmocka_unit_test(every_reference_points_into_the_record),
        cmocka_unit_test(a_dstu2_record_speaks_dstu2),
        cmocka_unit_test(the_contracts_test_users_are_among_the_people),
        cmocka_unit_test(names_with_accents_make_plain_user_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
