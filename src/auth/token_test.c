#include "auth/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "auth/app.h"
#include "auth/user.h"
#include "base/clock.h"
#include "db/testing.h"

#define NOW   INT64_C(1800000000000)
#define SCOPE STR(TOKEN_USER_SCOPE)

struct made {
    struct db_test t;
    struct arena a;
    struct app app, other;
    struct user user;
    struct tokens *tokens;
};

static void make_app(struct made *m, const char *name, struct app *out)
{
    AUTO_SECRET secret = { 0 };
    assert_int_equal(
        app_create(m->t.db, str_of(name), NULL, 0, &m->a, out, &secret, NULL),
        OK);
}

static void set_up(struct made *m)
{
    clock_freeze(NOW);
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)64 * 1024 * 1024);
    make_app(m, "A", &m->app);
    make_app(m, "B", &m->other);
    assert_int_equal(
        user_create(m->t.db, m->app.id, STR("al"), true, &m->a, &m->user), OK);
    assert_int_equal(tokens_new(m->t.db, &m->tokens), OK);
}

static void tear_down(struct made *m)
{
    tokens_free(m->tokens);
    arena_fini(&m->a);
    db_test_close(&m->t);
    clock_release();
}

static struct str code_of(struct made *m)
{
    struct str code = STR_NONE;
    assert_int_equal(token_code_create(m->tokens, m->app.id, m->user.id, SCOPE,
                                       &m->a, &code),
                     OK);
    return code;
}

static struct token_pair pair_of(struct made *m)
{
    struct token_pair pair = { 0 };
    assert_int_equal(
        token_code_redeem(m->tokens, m->app.id, code_of(m), &m->a, &pair), OK);
    return pair;
}

static enum err refresh(struct made *m, struct str token,
                        struct token_pair *out)
{
    return token_refresh(m->tokens, m->app.id, token, STR(""), &m->a, out);
}

static enum err check(struct made *m, struct str token)
{
    struct principal who;
    return token_check(m->tokens, token, &who);
}

static void a_code_gives_tokens_in_the_contracts_form(void **state)
{
    (void)state;
    struct made m;
    struct principal who;
    set_up(&m);
    struct str code = code_of(&m);
    struct token_pair pair;
    assert_int_equal(code.n, 32);
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, code, &m.a, &pair),
                     OK);
    assert_int_equal(pair.access.n, 40);
    assert_int_equal(pair.refresh.n, 40);
    assert_false(str_eq(pair.access, pair.refresh));
    assert_int_equal(pair.expires_in, 7200);
    assert_true(str_eq(pair.scope, STR("user/*.*")));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(token_check(m.tokens, pair.access, &who), OK);
        assert_int_equal(who.user_id, m.user.id);
        assert_int_equal(who.app_id, m.app.id);
        assert_true(str_eq(who.scope, STR("user/*.*")));
        assert_int_equal(who.expires_ms, NOW + 7200000);
    }
    tear_down(&m);
}

static void a_refresh_token_or_a_code_is_no_access_token(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(check(&m, pair.refresh), ERR_UNAUTHENTICATED);
    assert_int_equal(check(&m, code_of(&m)), ERR_UNAUTHENTICATED);
    assert_int_equal(check(&m, STR("")), ERR_UNAUTHENTICATED);
    assert_int_equal(check(&m, STR("x")), ERR_UNAUTHENTICATED);
    tear_down(&m);
}

static void a_code_used_twice_revokes_what_came_of_it(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    struct str code = code_of(&m);
    struct token_pair pair, again;
    struct token_pair spared = pair_of(&m);
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, code, &m.a, &pair),
                     OK);
    assert_int_equal(check(&m, pair.access), OK); /* and is cached */
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, code, &m.a, &again),
                     ERR_INVALID);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    assert_int_equal(refresh(&m, pair.refresh, &again), ERR_INVALID);
    assert_int_equal(check(&m, spared.access), OK);
    tear_down(&m);
}

static void another_apps_code_is_refused_and_burnt(void **state)
{
    (void)state;
    struct made m;
    struct token_pair pair;
    set_up(&m);
    struct str code = code_of(&m);
    assert_int_equal(token_code_redeem(m.tokens, m.other.id, code, &m.a, &pair),
                     ERR_INVALID);
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, code, &m.a, &pair),
                     ERR_INVALID);
    tear_down(&m);
}

static void codes_and_tokens_end_when_their_time_is_over(void **state)
{
    (void)state;
    struct made m;
    struct token_pair pair, next;
    set_up(&m);
    struct str late = code_of(&m);
    struct str in_time = code_of(&m);
    pair = pair_of(&m);
    assert_int_equal(check(&m, pair.access), OK);
    clock_advance(7199999);
    assert_int_equal(check(&m, pair.access), OK);
    assert_int_equal(
        token_code_redeem(m.tokens, m.app.id, in_time, &m.a, &next), OK);
    clock_advance(1);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, late, &m.a, &next),
                     ERR_INVALID);
    clock_advance((int64_t)TOKEN_REFRESH_SECONDS * 1000);
    assert_int_equal(refresh(&m, pair.refresh, &next), ERR_INVALID);
    tear_down(&m);
}

static void refreshing_rotates_and_spares_the_old_access_token(void **state)
{
    (void)state;
    struct made m;
    struct token_pair second, third;
    set_up(&m);
    struct token_pair first = pair_of(&m);
    clock_advance(1000);
    assert_int_equal(refresh(&m, first.refresh, &second), OK);
    assert_false(str_eq(first.refresh, second.refresh));
    assert_false(str_eq(first.access, second.access));
    assert_int_equal(second.expires_in, 7200);
    assert_int_equal(check(&m, first.access), OK);
    assert_int_equal(check(&m, second.access), OK);
    assert_int_equal(refresh(&m, second.refresh, &third), OK);
    assert_int_equal(check(&m, third.access), OK);
    tear_down(&m);
}

static void within_the_grace_the_same_successor_is_given(void **state)
{
    (void)state;
    struct made m;
    struct token_pair second, again;
    set_up(&m);
    struct token_pair first = pair_of(&m);
    assert_int_equal(refresh(&m, first.refresh, &second), OK);
    clock_advance(60000);
    assert_int_equal(refresh(&m, first.refresh, &again), OK);
    assert_true(str_eq(second.access, again.access));
    assert_true(str_eq(second.refresh, again.refresh));
    assert_int_equal(again.expires_in, 7140);
    tear_down(&m);
}

static void a_refresh_token_reused_after_the_grace_ends_its_family(void **state)
{
    (void)state;
    struct made m;
    struct token_pair second, again;
    set_up(&m);
    struct token_pair first = pair_of(&m);
    assert_int_equal(refresh(&m, first.refresh, &second), OK);
    assert_int_equal(check(&m, second.access), OK);
    clock_advance(60001);
    assert_int_equal(refresh(&m, first.refresh, &again), ERR_INVALID);
    assert_int_equal(refresh(&m, second.refresh, &again), ERR_INVALID);
    assert_int_equal(check(&m, second.access), ERR_UNAUTHENTICATED);
    assert_int_equal(check(&m, first.access), ERR_UNAUTHENTICATED);
    tear_down(&m);
}

static void another_app_cannot_refresh(void **state)
{
    (void)state;
    struct made m;
    struct token_pair next;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(
        token_refresh(m.tokens, m.other.id, pair.refresh, STR(""), &m.a, &next),
        ERR_INVALID);
    assert_int_equal(refresh(&m, pair.refresh, &next), OK);
    tear_down(&m);
}

static void revoking_a_user_empties_the_cache(void **state)
{
    (void)state;
    struct made m;
    struct token_pair next;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    struct str code = code_of(&m);
    assert_int_equal(check(&m, pair.access), OK);
    assert_int_equal(token_revoke_user(m.tokens, m.user.id), OK);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    assert_int_equal(refresh(&m, pair.refresh, &next), ERR_INVALID);
    assert_int_equal(token_code_redeem(m.tokens, m.app.id, code, &m.a, &next),
                     ERR_INVALID);
    tear_down(&m);
}

static void an_inactive_users_tokens_stop(void **state)
{
    (void)state;
    struct made m;
    struct token_pair next;
    struct str code;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(check(&m, pair.access), OK);
    m.user.is_active = false;
    assert_int_equal(user_set(m.t.db, &m.user), OK);
    tokens_forget_user(m.tokens, m.user.id);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    assert_int_equal(refresh(&m, pair.refresh, &next), ERR_INVALID);
    assert_int_equal(
        token_code_create(m.tokens, m.app.id, m.user.id, SCOPE, &m.a, &code),
        ERR_NOT_FOUND);
    tear_down(&m);
}

static void what_another_process_revoked_is_seen_in_five_seconds(void **state)
{
    (void)state;
    struct made m;
    struct tokens *elsewhere;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(check(&m, pair.access), OK);
    assert_int_equal(tokens_new(m.t.db, &elsewhere), OK);
    assert_int_equal(token_revoke_user(elsewhere, m.user.id), OK);
    clock_advance(TOKEN_FRESH_MS);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    tokens_free(elsewhere);
    tear_down(&m);
}

static void an_app_may_have_a_token_of_its_own(void **state)
{
    (void)state;
    struct made m;
    struct token_pair pair;
    struct principal who;
    set_up(&m);
    assert_int_equal(token_for_app(m.tokens, m.app.id, &m.a, &pair), OK);
    assert_null(pair.refresh.p);
    assert_int_equal(token_check(m.tokens, pair.access, &who), OK);
    assert_int_equal(who.user_id, 0);
    assert_int_equal(who.app_id, m.app.id);
    assert_int_equal(app_set_disabled(m.t.db, m.app.id, true), OK);
    clock_advance(TOKEN_FRESH_MS);
    assert_int_equal(check(&m, pair.access), ERR_UNAUTHENTICATED);
    assert_int_equal(token_for_app(m.tokens, m.app.id, &m.a, &pair),
                     ERR_INVALID);
    tear_down(&m);
}

/* --- at the same time ---------------------------------------------------- */

#define THREADS 8

struct racer {
    struct made *m;
    struct str token;
    bool is_code;
    struct arena a;
    struct token_pair pair;
    enum err err;
};

static void *race(void *context)
{
    struct racer *r = context;
    r->a = ARENA((size_t)1024 * 1024);
    struct made *m = r->m;
    r->err = r->is_code ? token_code_redeem(m->tokens, m->app.id, r->token,
                                            &r->a, &r->pair)
                        : token_refresh(m->tokens, m->app.id, r->token, STR(""),
                                        &r->a, &r->pair);
    return NULL;
}

static int run_race(struct made *m, struct racer *racers, struct str token,
                    bool is_code)
{
    pthread_t threads[THREADS];
    int won = 0;
    for (int i = 0; i < THREADS; i++) {
        racers[i] =
            (struct racer){ .m = m, .token = token, .is_code = is_code };
        pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        won += racers[i].err == OK;
    }
    return won;
}

static void of_many_who_redeem_one_code_one_wins_at_most(void **state)
{
    (void)state;
    struct made m;
    struct racer racers[THREADS];
    set_up(&m);
    assert_int_equal(run_race(&m, racers, code_of(&m), true), 1);
    for (int i = 0; i < THREADS; i++)
        arena_fini(&racers[i].a);
    tear_down(&m);
}

static void many_who_refresh_at_once_all_get_the_same(void **state)
{
    (void)state;
    struct made m;
    struct racer racers[THREADS];
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(run_race(&m, racers, pair.refresh, false), THREADS);
    for (int i = 1; i < THREADS; i++) {
        assert_true(str_eq(racers[0].pair.access, racers[i].pair.access));
        assert_true(str_eq(racers[0].pair.refresh, racers[i].pair.refresh));
    }
    assert_int_equal(check(&m, racers[0].pair.access), OK);
    for (int i = 0; i < THREADS; i++)
        arena_fini(&racers[i].a);
    tear_down(&m);
}

static void no_token_stands_in_the_files(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct made m;
    struct token_pair next;
    static char bytes[8 * 1024 * 1024];
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    struct str code = code_of(&m);
    assert_int_equal(refresh(&m, pair.refresh, &next), OK);
    assert_int_equal(db_scrub(m.t.db), OK);
    FILE *f = fopen(m.t.path, "rb");
    assert_non_null(f);
    struct str all = { bytes, fread(bytes, 1, sizeof bytes, f) };
    (void)fclose(f);
    assert_true(str_search(all, m.app.client_id) < all.n);
    const struct str secrets[] = { code, pair.access, pair.refresh, next.access,
                                   next.refresh };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(str_search(all, secrets[i]), all.n);
    tear_down(&m);
}

static void a_hot_check_takes_about_a_microsecond(void **state)
{
    (void)state;
    struct made m;
    struct principal who;
    set_up(&m);
    struct token_pair pair = pair_of(&m);
    assert_int_equal(check(&m, pair.access), OK);
    int64_t best = INT64_MAX;
    for (int round = 0; round < 20; round++) {
        int64_t start = clock_monotonic_ns();
        for (int i = 0; i < 1000; i++)
            if (token_check(m.tokens, pair.access, &who) != OK)
                fail();
        int64_t each = (clock_monotonic_ns() - start) / 1000;
        best = each < best ? each : best;
    }
    print_message("token_check: %lld ns\n", (long long)best);
    assert_in_range(best, 1, 20000); /* under sanitizers too; no database */
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_gives_tokens_in_the_contracts_form),
        cmocka_unit_test(a_refresh_token_or_a_code_is_no_access_token),
        cmocka_unit_test(a_code_used_twice_revokes_what_came_of_it),
        cmocka_unit_test(another_apps_code_is_refused_and_burnt),
        cmocka_unit_test(codes_and_tokens_end_when_their_time_is_over),
        cmocka_unit_test(refreshing_rotates_and_spares_the_old_access_token),
        cmocka_unit_test(within_the_grace_the_same_successor_is_given),
        cmocka_unit_test(
            a_refresh_token_reused_after_the_grace_ends_its_family),
        cmocka_unit_test(another_app_cannot_refresh),
        cmocka_unit_test(revoking_a_user_empties_the_cache),
        cmocka_unit_test(an_inactive_users_tokens_stop),
        cmocka_unit_test(what_another_process_revoked_is_seen_in_five_seconds),
        cmocka_unit_test(an_app_may_have_a_token_of_its_own),
        cmocka_unit_test(of_many_who_redeem_one_code_one_wins_at_most),
        cmocka_unit_test(many_who_refresh_at_once_all_get_the_same),
        cmocka_unit_test(no_token_stands_in_the_files),
        cmocka_unit_test(a_hot_check_takes_about_a_microsecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
