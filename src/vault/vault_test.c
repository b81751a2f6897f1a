#include "vault/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "db/testing.h"

struct made {
    struct db_test t;
    struct seal *seal;
    struct vault *v;
    struct arena a;
};

static void set_up(struct made *m)
{
    *m = (struct made){ .t = db_test_open() };
    m->a = ARENA((size_t)1024 * 1024);
    assert_int_equal(
        seal_new(STR("0123456789abcdef0123456789abcdef"), &m->seal, NULL), OK);
    assert_int_equal(vault_new(m->t.db, m->seal, &m->v), OK);
}

static void tear_down(struct made *m)
{
    vault_free(m->v);
    seal_free(m->seal);
    arena_fini(&m->a);
    db_test_close(&m->t);
}

struct put {
    struct vault *v;
    int64_t user_id, connection_id;
    const struct vault_tokens *tokens;
};

static enum err do_put(struct db_session *s, void *context)
{
    const struct put *p = context;
    return vault_put(p->v, s, p->user_id, p->connection_id, p->tokens);
}

static void put(struct made *m, int64_t user_id, int64_t connection_id,
                const char *access, const char *refresh, int64_t generation)
{
    AUTO_TOKENS t = { .access_expires_ms = 123, .generation = generation };
    assert_int_equal(secret_init(&t.access, str_of(access)), OK);
    if (refresh != NULL)
        assert_int_equal(secret_init(&t.refresh, str_of(refresh)), OK);
    struct put p = { m->v, user_id, connection_id, &t };
    assert_int_equal(db_write(m->t.db, do_put, &p), OK);
}

static void tokens_come_back_as_they_went(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    put(&m, 1, 10, "first access", "first refresh", 1);
    put(&m, 1, 10, "second access", NULL, 2);
    AUTO_TOKENS t = { 0 };
    assert_int_equal(vault_get(m.v, 1, 10, &t), OK);
    assert_true(str_eq(secret_reveal(&t.access), STR("second access")));
    assert_int_equal(t.refresh.n, 0);
    assert_int_equal(t.generation, 2);
    assert_int_equal(t.access_expires_ms, 123);
    AUTO_TOKENS none = { 0 };
    assert_int_equal(vault_get(m.v, 2, 10, &none), ERR_NOT_FOUND);
    tear_down(&m);
}

static const struct db_statement copy_row = {
    "UPDATE vault_token SET sealed = (SELECT o.sealed FROM vault_token o"
    " WHERE o.user_id = 2) WHERE user_id = 1"
};
static const struct db_statement older = {
    "UPDATE vault_token SET generation = generation - 1"
};

static enum err do_run(struct db_session *s, void *context)
{
    return db_run_n(s, context, NULL, 0, NULL);
}

static void a_value_moved_to_another_row_or_time_does_not_open(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    AUTO_TOKENS t = { 0 };
    put(&m, 1, 10, "a", "b", 5);
    put(&m, 2, 10, "c", "d", 5);
    assert_int_equal(db_write(m.t.db, do_run, (void *)(uintptr_t)&copy_row),
                     OK);
    assert_int_equal(vault_get(m.v, 1, 10, &t), ERR_CRYPTO);
    put(&m, 1, 10, "a", "b", 6);
    assert_int_equal(db_write(m.t.db, do_run, (void *)(uintptr_t)&older), OK);
    assert_int_equal(vault_get(m.v, 1, 10, &t), ERR_CRYPTO);
    tear_down(&m);
}

static void another_key_opens_nothing(void **state)
{
    (void)state;
    struct made m;
    struct seal *other;
    struct vault *v;
    set_up(&m);
    put(&m, 1, 10, "a", "b", 1);
    assert_int_equal(
        seal_new(STR("another key, another key, another"), &other, NULL), OK);
    assert_int_equal(vault_new(m.t.db, other, &v), OK);
    AUTO_TOKENS t = { 0 };
    assert_int_equal(vault_get(v, 1, 10, &t), ERR_CRYPTO);
    assert_int_equal(t.access.n, 0);
    vault_free(v);
    seal_free(other);
    tear_down(&m);
}

static enum err do_erase_user(struct db_session *s, void *context)
{
    return vault_erase(s, 1, *(int64_t *)context);
}

static void erasing_removes_one_connection_or_all_of_a_user(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    for (int64_t c = 10; c < 13; c++)
        put(&m, 1, c, "a", "b", 1);
    put(&m, 2, 10, "a", "b", 1);
    int64_t which = 11;
    AUTO_TOKENS t = { 0 };
    assert_int_equal(db_write(m.t.db, do_erase_user, &which), OK);
    assert_int_equal(vault_get(m.v, 1, 11, &t), ERR_NOT_FOUND);
    assert_int_equal(vault_get(m.v, 1, 12, &t), OK);
    vault_tokens_fini(&t);
    which = 0;
    assert_int_equal(db_write(m.t.db, do_erase_user, &which), OK);
    assert_int_equal(vault_get(m.v, 1, 12, &t), ERR_NOT_FOUND);
    assert_int_equal(vault_get(m.v, 2, 10, &t), OK);
    tear_down(&m);
}

static void put_client(struct made *m, struct str vendor, int64_t system_id,
                       struct str id, const char *secret)
{
    AUTO_CLIENT c = { .client_id = id, .auth = STR("basic") };
    assert_int_equal(secret_init(&c.client_secret, str_of(secret)), OK);
    assert_int_equal(vault_client_put(m->v, vendor, system_id, &c), OK);
}

static void a_systems_credentials_win_over_its_vendors(void **state)
{
    (void)state;
    struct made m;
    set_up(&m);
    AUTO_CLIENT of_vendor = { 0 };
    AUTO_CLIENT of_system = { 0 };
    AUTO_CLIENT none = { 0 };
    assert_int_equal(vault_client_get(m.v, STR("epic"), 4706, &m.a, &none),
                     ERR_NOT_FOUND);
    put_client(&m, STR("epic"), 0, STR("everyone's"), "s0");
    put_client(&m, STR("epic"), 4706, STR("its own"), "s1");
    put_client(&m, STR("epic"), 4706, STR("its newer"), "s2");
    assert_int_equal(vault_client_get(m.v, STR("epic"), 4711, &m.a, &of_vendor),
                     OK);
    assert_true(str_eq(of_vendor.client_id, STR("everyone's")));
    assert_int_equal(vault_client_get(m.v, STR("epic"), 4706, &m.a, &of_system),
                     OK);
    assert_true(str_eq(of_system.client_id, STR("its newer")));
    assert_true(str_eq(secret_reveal(&of_system.client_secret), STR("s2")));
    assert_true(str_eq(of_system.auth, STR("basic")));
    assert_int_equal(of_system.private_jwk.n, 0);
    assert_int_equal(vault_client_get(m.v, STR("cerner"), 4707, &m.a, &none),
                     ERR_NOT_FOUND);
    tear_down(&m);
}

static void no_secret_stands_in_the_file(void **state)
{
    (void)state;
    if (db_test_is_postgres())
        skip(); /* files are the server's */
    struct made m;
    static char bytes[4 * 1024 * 1024];
    set_up(&m);
    put(&m, 1, 10, "canary-access", "canary-refresh", 1);
    put_client(&m, STR("epic"), 0, STR("shown"), "canary-secret");
    assert_int_equal(db_scrub(m.t.db), OK);
    FILE *f = fopen(m.t.path, "rb");
    assert_non_null(f);
    struct str all = { bytes, fread(bytes, 1, sizeof bytes, f) };
    (void)fclose(f);
    assert_true(str_search(all, STR("shown")) < all.n);
    assert_int_equal(str_search(all, STR("canary")), all.n);
    tear_down(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_back_as_they_went),
        cmocka_unit_test(a_value_moved_to_another_row_or_time_does_not_open),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(erasing_removes_one_connection_or_all_of_a_user),
        cmocka_unit_test(a_systems_credentials_win_over_its_vendors),
        cmocka_unit_test(no_secret_stands_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
