#include "bulk/bulk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void an_ask_comes_back_as_it_went(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    uint16_t types[] = { release_type_find(R4, STR("Observation"), false),
                         release_type_find(R4, STR("Patient"), false) };
    struct str patients[] = { STR("p\"1") };
    struct bulk_filter filters[] = { { types[0],
                                       STR("code=a|b&date=gt2020") } };
    struct bulk_ask ask = { .release = R4,
                            .level = BULK_GROUP,
                            .patients = patients,
                            .patient_count = 1,
                            .types = types,
                            .type_count = 2,
                            .filters = filters,
                            .filter_count = 1,
                            .elements = STR("id,name"),
                            .since_ms = 5,
                            .until_ms = INT64_C(1700000000000) };
    struct bulk_ask back;
    struct buf b = BUF_IN(&a, 65536), again = BUF_IN(&a, 65536);
    struct str text, same;
    bulk_ask_render(&b, &ask);
    assert_int_equal(buf_view(&b, &text), OK);
    assert_int_equal(bulk_ask_parse(&a, text, &back), OK);
    bulk_ask_render(&again, &back);
    assert_int_equal(buf_view(&again, &same), OK);
    assert_true(str_eq(text, same));
    assert_true(str_eq(back.patients[0], STR("p\"1")));
    assert_true(bulk_wants_type(&back, types[1]));
    assert_false(bulk_wants_type(&back, (uint16_t)(types[1] + 1)));
}

static void what_is_no_ask_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    struct bulk_ask ask;
    assert_int_not_equal(bulk_ask_parse(&a, STR("{}"), &ask), OK);
    assert_int_not_equal(
        bulk_ask_parse(&a,
                       STR("{\"release\":9,\"level\":0,\"since\":0,"
                           "\"until\":1}"),
                       &ask),
        OK);
    assert_int_not_equal(
        bulk_ask_parse(&a,
                       STR("{\"release\":2,\"level\":0,\"since\":0,"
                           "\"until\":1,\"types\":[\"Nonsense\"]}"),
                       &ask),
        OK);
}

static void a_filter_is_a_search_of_a_type_that_is_asked(void **state)
{
    (void)state;
    AUTO_ARENA a = ARENA(1 << 20);
    uint16_t observation = release_type_find(R4, STR("Observation"), false);
    uint16_t patient = release_type_find(R4, STR("Patient"), false);
    struct bulk_filter filter = { observation, STR("status=final") };
    struct bulk_ask ask = { .release = R4,
                            .filters = &filter,
                            .filter_count = 1 };
    assert_int_equal(bulk_check_filters(&ask, &a, NULL), OK);
    filter.query = STR("nonsense=1");
    assert_int_equal(bulk_check_filters(&ask, &a, NULL), ERR_INVALID);
    filter.query = STR("status=final");
    ask.types = &patient;
    ask.type_count = 1;
    assert_int_equal(bulk_check_filters(&ask, &a, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_comes_back_as_it_went),
        cmocka_unit_test(what_is_no_ask_is_refused),
        cmocka_unit_test(a_filter_is_a_search_of_a_type_that_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
