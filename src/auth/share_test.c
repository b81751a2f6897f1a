#include "auth/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "db/testing.h"

struct fixture {
    struct db_test t;
    struct shares *shares;
    struct arena a;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->t = db_test_open();
    f->a = ARENA(1 << 20);
    assert_int_equal(shares_new(f->t.db, &f->shares), OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    shares_free(f->shares);
    db_test_close(&f->t);
    arena_fini(&f->a);
    free(f);
    return 0;
}

static size_t count(struct fixture *f, int64_t grantee, int kind)
{
    struct share *at;
    size_t n;
    assert_int_equal(shares_of(f->shares, grantee, kind, &f->a, &at, &n), OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(at[i].grantee_id, grantee);
    return n;
}

static void a_share_is_of_one_grantee_and_one_release(void **state)
{
    struct fixture *f = *state;
    struct share share = { 1, 2, 0, STR("p") };
    assert_int_equal(count(f, 2, 0), 0);
    assert_int_equal(share_grant(f->shares, &share), OK);
    assert_int_equal(share_grant(f->shares, &share), OK);
    assert_int_equal(count(f, 2, 0), 1);
    assert_int_equal(count(f, 2, 1), 0);
    assert_int_equal(count(f, 1, 0), 0);
    share.patient_id = STR("q");
    assert_int_equal(share_revoke(f->shares, &share), OK);
    assert_int_equal(count(f, 2, 0), 1);
    share.patient_id = STR("p");
    assert_int_equal(share_revoke(f->shares, &share), OK);
    assert_int_equal(count(f, 2, 0), 0);
}

static enum err erase(struct db_session *s, void *context)
{
    return share_erase(s, *(int64_t *)context);
}

static void an_erased_user_neither_gives_nor_takes(void **state)
{
    struct fixture *f = *state;
    int64_t gone = 2;
    struct share shares[] = { { 1, 2, 2, STR("p") },
                              { 2, 3, 2, STR("p") },
                              { 1, 3, 2, STR("p") } };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(share_grant(f->shares, &shares[i]), OK);
    assert_int_equal(db_write(f->t.db, erase, &gone), OK);
    assert_int_equal(count(f, 2, 2), 0);
    assert_int_equal(count(f, 3, 2), 1);
}

static void shared_is_for_looking_only(void **state)
{
    (void)state;
    for (int i = INTERACTION_READ; i <= INTERACTION_SHARE; i++)
        assert_int_equal(policy_reaches_shared((enum interaction)i),
                         i == INTERACTION_READ || i == INTERACTION_SEARCH ||
                             i == INTERACTION_EVERYTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_share_is_of_one_grantee_and_one_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erased_user_neither_gives_nor_takes,
                                        set_up, tear_down),
        cmocka_unit_test(shared_is_for_looking_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
