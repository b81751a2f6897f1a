#include "auth/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/user.h"
#include "base/clock.h"
#include "db/testing.h"

#define NOW INT64_C(1800000000000)

struct made {
    struct db_test t;
    struct arena a;
    struct app app;
    struct secret secret;
};

static void set_up(struct made *m)
{
    static const struct str uris[] = {
        STR_INIT("https://app.test/cb"),
        STR_INIT("http://127.0.0.1:5000/cb"),
        STR_INIT("com.example.app:/done"),
    };
    clock_freeze(NOW);
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)16 * 1024 * 1024);
    assert_int_equal(app_create(m->t.db, STR("An app"), uris, 3, &m->a, &m->app,
                                &m->secret, NULL),
                     OK);
}

static void tear_down(struct made *m)
{
    secret_fini(&m->secret);
    arena_fini(&m->a);
    db_test_close(&m->t);
    clock_release();
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_hex(s.p[i]) || char_lower(s.p[i]) != s.p[i])
            return false;
    return true;
}

static void keys_have_the_contracts_form(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    assert_int_equal(m.app.client_id.n, 32);
    assert_true(is_hex(m.app.client_id));
    assert_int_equal(secret_reveal(&m.secret).n, 32);
    tear_down(&m);
}

static void the_secret_opens_and_a_wrong_one_does_not(void **state)
{
    (void)state;
    struct made m;
    struct app app = { 0 };
    set_up(&m);
    for (int i = 0; i < 2; i++) { /* from the database, then the cache */
        assert_int_equal(app_authenticate(m.t.db, m.app.client_id,
                                          secret_reveal(&m.secret), &m.a, &app),
                         OK);
        assert_int_equal(app.id, m.app.id);
        assert_true(str_eq(app.name, STR("An app")));
        assert_int_equal(app.redirect_count, 3);
        assert_int_equal(
            app_authenticate(m.t.db, m.app.client_id, STR("wrong"), &m.a, &app),
            ERR_UNAUTHENTICATED);
        assert_int_equal(
            app_authenticate(m.t.db, m.app.client_id, STR(""), &m.a, &app),
            ERR_UNAUTHENTICATED);
        assert_int_equal(app_authenticate(m.t.db, STR("nobody"),
                                          secret_reveal(&m.secret), &m.a, &app),
                         ERR_UNAUTHENTICATED);
    }
    tear_down(&m);
}

static void only_the_hash_of_a_secret_is_in_the_files(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct made m;
    set_up(&m);
    struct str secret = secret_reveal(&m.secret);
    assert_int_equal(db_scrub(m.t.db), OK);
    FILE *f = fopen(m.t.path, "rb");
    assert_non_null(f);
    static char bytes[4 * 1024 * 1024];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    struct str all = { bytes, n };
    assert_true(str_search(all, m.app.client_id) < n);
    assert_int_equal(str_search(all, secret), n);
    tear_down(&m);
}

static void a_disabled_app_is_out_at_once(void **state)
{
    (void)state;
    struct made m;
    struct app app;
    set_up(&m);
    assert_int_equal(app_authenticate(m.t.db, m.app.client_id,
                                      secret_reveal(&m.secret), &m.a, &app),
                     OK);
    assert_int_equal(app_set_disabled(m.t.db, m.app.id, true), OK);
    assert_int_equal(app_authenticate(m.t.db, m.app.client_id,
                                      secret_reveal(&m.secret), &m.a, &app),
                     ERR_UNAUTHENTICATED);
    assert_int_equal(app_set_disabled(m.t.db, 999, true), ERR_NOT_FOUND);
    tear_down(&m);
}

static void redirects_fit_exactly_but_for_a_loopback_port(void **state)
{
    (void)state;
    static const struct {
        struct str uri;
        bool want;
    } cases[] = {
        { STR_INIT("https://app.test/cb"), true },
        { STR_INIT("com.example.app:/done"), true },
        { STR_INIT("http://127.0.0.1:5000/cb"), true },
        { STR_INIT("http://127.0.0.1:61234/cb"), true },
        { STR_INIT("http://127.0.0.1/cb"), true },
        { STR_INIT("https://app.test/cb/"), false },
        { STR_INIT("https://app.test/CB"), false },
        { STR_INIT("https://app.test/cb?x=1"), false },
        { STR_INIT("https://app.test/cb#f"), false },
        { STR_INIT("https://app.test:444/cb"), false },
        { STR_INIT("https://app.test@evil.test/cb"), false },
        { STR_INIT("https://app.test.evil.test/cb"), false },
        { STR_INIT("http://app.test/cb"), false },
        { STR_INIT("http://127.0.0.1:5000/other"), false },
        { STR_INIT("http://127.0.0.1:5000/cb?x=1"), false },
        { STR_INIT("https://127.0.0.1:5000/cb"), false },
        { STR_INIT("http://localhost:5000/cb"), false },
        { STR_INIT("http://0.0.0.0:5000/cb"), false },
        { STR_INIT("http://127.0.0.1:5000@evil.test/cb"), false },
        { STR_INIT(""), false },
    };
    struct made m;
    set_up(&m);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (app_may_redirect(&m.app, cases[i].uri) != cases[i].want)
            fail_msg("%s", cases[i].uri.p);
    tear_down(&m);
}

static void unsafe_redirects_are_not_registered(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT("http://app.test/cb"),
        STR_INIT("javascript:alert(1)"),
        STR_INIT("data:text/html,x"),
        STR_INIT("//app.test/cb"),
        STR_INIT("https://app.test/#f"),
        STR_INIT("https://a b.test/"),
        STR_INIT("myapp:/cb"),
        STR_INIT("a.b:/c\nd"),
        STR_INIT(""),
        STR_INIT("https:///cb"),
    };
    struct made m;
    set_up(&m);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (app_set_redirects(m.t.db, m.app.id, &bad[i], 1) != ERR_INVALID)
            fail_msg("%s", bad[i].p);
    struct app app;
    assert_int_equal(app_by_id(m.t.db, m.app.id, &m.a, &app), OK);
    assert_int_equal(app.redirect_count, 3);
    struct str good = STR("http://localhost:3000/cb");
    assert_int_equal(app_set_redirects(m.t.db, m.app.id, &good, 1), OK);
    assert_int_equal(app_by_id(m.t.db, m.app.id, &m.a, &app), OK);
    assert_true(app_may_redirect(&app, good));
    tear_down(&m);
}

static void apps_are_listed_and_found(void **state)
{
    (void)state;
    struct made m;
    struct app *apps;
    struct app app;
    size_t n;
    set_up(&m);
    AUTO_SECRET other = { 0 };
    assert_int_equal(
        app_create(m.t.db, STR("B"), NULL, 0, &m.a, &app, &other, NULL), OK);
    assert_int_equal(app_list(m.t.db, &m.a, &apps, &n), OK);
    assert_int_equal(n, 2);
    assert_true(str_eq(apps[1].name, STR("B")));
    assert_int_equal(apps[0].redirect_count, 3);
    assert_int_equal(app_by_client_id(m.t.db, m.app.client_id, &m.a, &app), OK);
    assert_int_equal(app.id, m.app.id);
    assert_int_equal(app_by_id(m.t.db, 77, &m.a, &app), ERR_NOT_FOUND);
    assert_int_equal(
        app_create(m.t.db, STR("  "), NULL, 0, &m.a, &app, &other, NULL),
        ERR_INVALID);
    tear_down(&m);
}

/* --- users --------------------------------------------------------------- */

static void a_users_name_is_unique_within_its_app_only(void **state)
{
    (void)state;
    struct made m;
    struct app other;
    struct user u, v, w;
    set_up(&m);
    AUTO_SECRET secret = { 0 };
    assert_int_equal(
        app_create(m.t.db, STR("B"), NULL, 0, &m.a, &other, &secret, NULL), OK);
    assert_int_equal(
        user_create(m.t.db, m.app.id, STR("al@x.org"), true, &m.a, &u), OK);
    assert_int_equal(
        user_create(m.t.db, m.app.id, STR("al@x.org"), true, &m.a, &v),
        ERR_EXISTS);
    assert_int_equal(
        user_create(m.t.db, other.id, STR("al@x.org"), false, &m.a, &v), OK);
    assert_int_not_equal(u.id, v.id);
    assert_int_equal(user_by_id(m.t.db, m.app.id, v.id, &m.a, &w),
                     ERR_NOT_FOUND);
    assert_int_equal(
        user_by_app_user_id(m.t.db, other.id, STR("al@x.org"), &m.a, &w), OK);
    assert_int_equal(w.id, v.id);
    assert_false(w.is_active);
    assert_int_equal(user_create(m.t.db, m.app.id, STR(""), true, &m.a, &w),
                     ERR_INVALID);
    tear_down(&m);
}

static void users_come_in_pages_and_by_number(void **state)
{
    (void)state;
    struct made m;
    struct user *users, u;
    size_t n;
    int64_t total;
    set_up(&m);
    for (int i = 0; i < 250; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "u%03d", i);
        assert_int_equal(
            user_create(m.t.db, m.app.id, str_of(name), true, &m.a, &u), OK);
    }
    assert_int_equal(
        user_page(m.t.db, m.app.id, 240, 100, &m.a, &users, &n, &total), OK);
    assert_int_equal(n, 10);
    assert_int_equal(total, 250);
    assert_true(str_eq(users[0].app_user_id, STR("u240")));
    assert_int_equal(
        user_list(m.t.db, m.app.id, users[0].id, 5, &m.a, &users, &n), OK);
    assert_int_equal(n, 5);
    assert_true(str_eq(users[0].app_user_id, STR("u241")));
    tear_down(&m);
}

static enum err do_erase(struct db_session *s, void *context)
{
    return user_erase_in(s, *(int64_t *)context);
}

static void a_deleted_users_number_is_not_given_again(void **state)
{
    (void)state;
    struct made m;
    struct user u, v;
    set_up(&m);
    assert_int_equal(user_create(m.t.db, m.app.id, STR("a"), true, &m.a, &u),
                     OK);
    assert_int_equal(db_write(m.t.db, do_erase, &u.id), OK);
    assert_int_equal(db_write(m.t.db, do_erase, &u.id), ERR_NOT_FOUND);
    assert_int_equal(user_create(m.t.db, m.app.id, STR("a"), true, &m.a, &v),
                     OK);
    assert_true(v.id > u.id);
    tear_down(&m);
}

static void a_user_may_be_renamed_but_not_to_anothers_name(void **state)
{
    (void)state;
    struct made m;
    struct user u, v;
    set_up(&m);
    assert_int_equal(user_create(m.t.db, m.app.id, STR("a"), true, &m.a, &u),
                     OK);
    assert_int_equal(user_create(m.t.db, m.app.id, STR("b"), true, &m.a, &v),
                     OK);
    u.app_user_id = STR("b");
    assert_int_equal(user_set(m.t.db, &u), ERR_EXISTS);
    u.app_user_id = STR("c");
    u.is_active = false;
    assert_int_equal(user_set(m.t.db, &u), OK);
    assert_int_equal(user_by_id(m.t.db, m.app.id, u.id, &m.a, &v), OK);
    assert_true(str_eq(v.app_user_id, STR("c")));
    assert_false(v.is_active);
    u.id = 999;
    assert_int_equal(user_set(m.t.db, &u), ERR_NOT_FOUND);
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_the_contracts_form),
        cmocka_unit_test(the_secret_opens_and_a_wrong_one_does_not),
        cmocka_unit_test(only_the_hash_of_a_secret_is_in_the_files),
        cmocka_unit_test(a_disabled_app_is_out_at_once),
        cmocka_unit_test(redirects_fit_exactly_but_for_a_loopback_port),
        cmocka_unit_test(unsafe_redirects_are_not_registered),
        cmocka_unit_test(apps_are_listed_and_found),
        cmocka_unit_test(a_users_name_is_unique_within_its_app_only),
        cmocka_unit_test(users_come_in_pages_and_by_number),
        cmocka_unit_test(a_deleted_users_number_is_not_given_again),
        cmocka_unit_test(a_user_may_be_renamed_but_not_to_anothers_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
