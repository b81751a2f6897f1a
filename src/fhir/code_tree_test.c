#include "fhir/code_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define ROLES STR("http://terminology.hl7.org/CodeSystem/v3-RoleCode")
#define MOST  200

static bool reaches(const char *code, bool is_above, const char *other)
{
    struct str out[MOST];
    size_t n = code_tree_reach(code_tree_find(R4, ROLES), str_of(code),
                               is_above, out, MOST);
    assert_in_range(n, 1, MOST);
    for (size_t i = 0; i < n; i++)
        if (str_eq(out[i], str_of(other)))
            return true;
    return false;
}

static void below_is_all_the_way_down(void **state)
{
    (void)state;
    assert_true(reaches("FAMMEMB", false, "NMTHF"));
    assert_true(reaches("PRN", false, "PRN"));
    assert_true(reaches("prn", false, "ADOPTF"));
    assert_false(reaches("PRN", false, "FAMMEMB"));
    assert_false(reaches("FTH", false, "MTH"));
}

static void a_code_may_stand_below_several(void **state)
{
    (void)state;
    assert_true(reaches("FTH", false, "ADOPTF"));
    assert_true(reaches("ADOPTP", false, "ADOPTF"));
    assert_true(reaches("ADOPTF", true, "FTH"));
    assert_true(reaches("ADOPTF", true, "ADOPTP"));
    assert_true(reaches("ADOPTF", true, "_PersonalRelationshipRoleType"));
    assert_false(reaches("ADOPTF", true, "MTH"));
}

static void what_is_not_there_reaches_nothing(void **state)
{
    struct str out[4];
    (void)state;
    assert_null(code_tree_find(R4, STR("http://loinc.org")));
    assert_null(code_tree_find(DSTU2, ROLES));
    assert_int_equal(
        code_tree_reach(code_tree_find(R4, ROLES), STR("x"), false, out, 4), 0);
}

static void too_many_are_told(void **state)
{
    struct str out[4];
    (void)state;
    assert_int_equal(
        code_tree_reach(code_tree_find(R4, ROLES), STR("PRN"), false, out, 4),
        5);
}

static void a_circle_ends(void **state)
{
    static const struct code_tree_edge edges[] = {
        { STR_INIT("a"), STR_INIT("b") }, { STR_INIT("b"), STR_INIT("a") }
    };
    const struct code_tree t = { STR_INIT("urn:x"), edges, 2 };
    struct str out[4];
    (void)state;
    assert_int_equal(code_tree_reach(&t, STR("a"), false, out, 4), 2);
}

/* Each tree of the tables: no code above itself, every parent a code. */
static void the_tables_are_trees(void **state)
{
    struct str out[MOST];
    (void)state;
    for (int r = 0; r < RELEASE_COUNT; r++)
        for (size_t i = 0; i < code_tree_count((enum release)r); i++) {
            const struct code_tree *t = code_tree_at((enum release)r, i);
            for (size_t e = 0; e < t->n; e++) {
                size_t n =
                    code_tree_reach(t, t->edges[e].parent, true, out, MOST);
                assert_true(t->edges[e].parent.n == 0 || n > 0);
                for (size_t k = 0; k < n; k++)
                    assert_false(str_eq(out[k], t->edges[e].code));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_is_all_the_way_down),
        cmocka_unit_test(a_code_may_stand_below_several),
        cmocka_unit_test(what_is_not_there_reaches_nothing),
        cmocka_unit_test(too_many_are_told),
        cmocka_unit_test(a_circle_ends),
        cmocka_unit_test(the_tables_are_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
