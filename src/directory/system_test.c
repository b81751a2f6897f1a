#include "directory/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "db/testing.h"

static char folder[64];

static int set_up(void **state)
{
    static char path[128];
    struct db *db = NULL;
    struct why w = { 0 };
    snprintf(folder, sizeof folder, "/tmp/tributary-system-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    assert_int_equal(db_test_open_at(path, &db, &w), OK);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];
    db_close(*state);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/t.db%s", folder, ends[i]);
        unlink(name);
    }
    rmdir(folder);
    return 0;
}

struct put {
    const struct system *system;
    int64_t id;
};

static enum err do_put(struct db_session *s, void *context)
{
    struct put *put = context;
    return system_put(s, put->system, &put->id, NULL);
}

static int64_t put(struct db *db, const struct system *system)
{
    struct put p = { system, 0 };
    assert_int_equal(db_write(db, do_put, &p), OK);
    return p.id;
}

static struct system make(int64_t id, struct str name, struct str url,
                          struct system_location *l)
{
    return (struct system){
        .id = id,
        .name = name,
        .kind = STR("health_system"),
        .vendor = STR("epic"),
        .status = STR("connection_working"),
        .source = STR("operator"),
        .endpoints = { { .fhir_version = STR("R4"), .base_url = url } },
        .endpoint_count = 1,
        .locations = l,
        .location_count = l != NULL,
    };
}

static void what_is_put_is_got(void **state)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct system_location l = { .line = STR("1 Main St"),
                                 .city = STR("Madison"),
                                 .state = STR("WI"),
                                 .postal_code = STR("53703") };
    struct system s =
        make(4706, STR("Epic \"like\""), STR("http://127.0.0.1:1/r4"), &l);
    s.overrides = STR("{\"pkce\":false}");
    s.endpoints[1] = (struct system_endpoint){
        .fhir_version = STR("DSTU2"),
        .base_url = STR("http://127.0.0.1:1/dstu2"),
        .aud = STR("http://127.0.0.1:1/dstu2/"),
    };
    s.endpoint_count = 2;
    struct system got;
    assert_int_equal(put(*state, &s), 4706);
    assert_int_equal(system_get(*state, 4706, &a, &got), OK);
    assert_true(str_eq(got.name, s.name));
    assert_true(str_eq(got.overrides, s.overrides));
    assert_int_equal(got.endpoint_count, 2);
    assert_true(str_eq(got.endpoints[1].aud, s.endpoints[1].aud));
    assert_int_equal(got.location_count, 1);
    assert_true(str_eq(got.locations[0].city, STR("Madison")));
    assert_int_equal(system_get(*state, 4, &a, &got), ERR_NOT_FOUND);

    assert_true(
        str_eq(system_endpoint(&got, STR(""))->fhir_version, STR("R4")));
    assert_true(str_eq(system_endpoint(&got, STR("dstu2"))->base_url,
                       STR("http://127.0.0.1:1/dstu2")));
    assert_null(system_endpoint(&got, STR("STU3")));
    struct vendor v;
    assert_int_equal(system_vendor(&got, &a, &v), OK);
    assert_true(v.flags & VENDOR_NO_PKCE);
}

static void the_same_system_gets_the_same_id(void **state)
{
    struct system s = make(0, STR("Acme"), STR("https://acme.test/r4"), NULL);
    int64_t id = put(*state, &s);
    assert_true(id >= 1000000 && id < INT32_MAX);
    assert_int_equal(put(*state, &s), id);
    s.name = STR("Other");
    assert_int_not_equal(put(*state, &s), id);
}

static void a_system_without_name_or_endpoint_is_refused(void **state)
{
    (void)state;
    struct why w = { 0 };
    int64_t id;
    struct system s = make(1, STR(" "), STR("https://a.test"), NULL);
    assert_int_equal(system_put(NULL, &s, &id, &w), ERR_INVALID);
    s = make(1, STR("A"), STR("https://a.test"), NULL);
    s.endpoint_count = 0;
    assert_int_equal(system_put(NULL, &s, &id, &w), ERR_INVALID);
    s = make(1, STR("A"), STR("javascript:alert(1)"), NULL);
    assert_int_equal(system_put(NULL, &s, &id, &w), ERR_INVALID);
    s = make(1, STR("A"), STR("https://a.test"), NULL);
    s.overrides = STR("nonsense");
    assert_int_equal(system_put(NULL, &s, &id, &w), ERR_INVALID);
}

static void fill(struct db *db)
{
    struct system_location miami = { .line = STR("4300 Alton Rd"),
                                     .city = STR("Miami Beach"),
                                     .state = STR("FL"),
                                     .postal_code = STR("33140-1234") };
    struct system_location near = { .postal_code = STR("33101") };
    struct system_location far = { .postal_code = STR("02114") };
    struct system s[] = {
        make(5153, STR("Mount Sinai Medical Center"), STR("https://a.test/r4"),
             &miami),
        make(10,
             STR("\xc3\x89"
                 "clair Clinic"),
             STR("https://b.test/r4"), &near),
        make(11, STR("St. Mary's"), STR("https://c.test/r4"), &far),
        make(12, STR("Zeta Health Plan"), STR("https://d.test/r4"), NULL),
    };
    s[3].kind = STR("health_plan");
    for (size_t i = 0; i < 4; i++)
        put(db, &s[i]);
}

static void expect(struct db *db, struct system_search ask, int64_t total,
                   size_t n, const int64_t *ids)
{
    AUTO_ARENA a = ARENA(1 << 20);
    struct system *found;
    size_t count;
    int64_t all;
    assert_int_equal(system_find(db, &ask, &a, &found, &count, &all), OK);
    assert_int_equal(all, total);
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(found[i].id, ids[i]);
}
#define IDS(...)                                                               \
    (const int64_t[])                                                          \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

static void all_are_listed_by_folded_name_a_page_at_a_time(void **state)
{
    struct db *db = *state;
    expect(db, (struct system_search){ .count = 20 }, 0, 0, NULL);
    fill(db);
    expect(db, (struct system_search){ .count = 20 }, 4, 4,
           IDS(10, 5153, 11, 12));
    expect(db, (struct system_search){ .count = 2, .offset = 1 }, 4, 2,
           IDS(5153, 11));
    expect(db, (struct system_search){ .count = 2, .offset = 9 }, 4, 0, NULL);
}

static void every_word_is_found_in_name_line_or_city(void **state)
{
    struct db *db = *state;
    fill(db);
#define FIND(text_) ((struct system_search){ .query = STR(text_), .count = 20 })
    expect(db, FIND("ECLAIR"), 1, 1, IDS(10));
    expect(db, FIND("sinai beach"), 1, 1, IDS(5153));
    expect(db, FIND("alton 4300"), 1, 1, IDS(5153));
    expect(db, FIND("st marys"), 1, 1, IDS(11));
    expect(db, FIND("st mary's"), 1, 1, IDS(11));
    expect(db, FIND("sinai boston"), 0, 0, NULL);
    expect(db, FIND("%"), 4, 4, IDS(10, 5153, 11, 12)); /* no word at all */
}

static void a_postal_code_finds_the_same_first_then_its_neighbours(void **state)
{
    struct db *db = *state;
    fill(db);
    expect(db, (struct system_search){ .zip = STR("33140"), .count = 20 }, 2, 2,
           IDS(5153, 10));
    expect(db, (struct system_search){ .zip = STR("33101-0001"), .count = 20 },
           2, 2, IDS(10, 5153));
    expect(db, (struct system_search){ .zip = STR("90210"), .count = 20 }, 0, 0,
           NULL);
}

static void kinds_are_told_apart_and_changes_are_seen(void **state)
{
    struct db *db = *state;
    fill(db);
    struct system_search plans = { .kind = STR("health_plan"), .count = 20 };
    expect(db, plans, 1, 1, IDS(12));
    struct system more =
        make(13, STR("Alpha Plan"), STR("https://e.test"), NULL);
    more.kind = STR("health_plan");
    put(db, &more);
    expect(db, plans, 2, 2, IDS(13, 12));
}

static void json_goes_in_and_out(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    struct yyjson_val *v;
    struct system s;
    struct why w = { 0 };
    struct str text = STR(
        "{\"id\":4707,\"name\":\"X\",\"vendor\":\"cerner\",\"endpoints\":["
        "{\"fhirVersion\":\"4.0.1\",\"url\":\"http://127.0.0.1:2/r4/\"},"
        "{\"fhir_version\":\"DSTU2\",\"base_url\":\"http://127.0.0.1:2/d\"}],"
        "\"locations\":[{\"line\":[\"1 A "
        "St\",\"2\"],\"postalCode\":\"02114\"}],"
        "\"overrides\":{\"aud\":false}}");
    assert_int_equal(json_parse(&a, text, &v, NULL), OK);
    assert_int_equal(system_read_json(&a, v, &s, &w), OK);
    assert_int_equal(s.id, 4707);
    assert_true(str_eq(s.endpoints[0].base_url, STR("http://127.0.0.1:2/r4")));
    assert_true(str_eq(s.endpoints[0].fhir_version, STR("R4")));
    assert_true(str_eq(s.locations[0].line, STR("1 A St, 2")));
    assert_true(str_eq(s.overrides, STR("{\"aud\":false}")));
    struct buf b = BUF_IN(&a, 10000);
    struct str again;
    struct system t;
    system_add_json(&b, &s);
    assert_int_equal(buf_view(&b, &again), OK);
    assert_int_equal(json_parse(&a, again, &v, NULL), OK);
    assert_int_equal(system_read_json(&a, v, &t, &w), OK);
    assert_int_equal(t.endpoint_count, 2);
    assert_true(str_eq(t.overrides, s.overrides));

    assert_int_equal(json_parse(&a,
                                STR("{\"endpoints\":[{\"fhir_version\":\"R9\","
                                    "\"base_url\":\"https://x.test\"}]}"),
                                &v, NULL),
                     OK);
    assert_int_equal(system_read_json(&a, v, &s, &w), ERR_INVALID);
}

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_got),
        TEST(the_same_system_gets_the_same_id),
        cmocka_unit_test(a_system_without_name_or_endpoint_is_refused),
        TEST(all_are_listed_by_folded_name_a_page_at_a_time),
        TEST(every_word_is_found_in_name_line_or_city),
        TEST(a_postal_code_finds_the_same_first_then_its_neighbours),
        TEST(kinds_are_told_apart_and_changes_are_seen),
        cmocka_unit_test(json_goes_in_and_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
