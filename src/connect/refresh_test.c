/* Tokens kept fresh, against a health system that the test plays itself. */
#include "connect/testing.h"

static void a_token_is_refreshed_ahead_of_its_end(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET one = { 0 }, two = { 0 }, three = { 0 };
    assert_int_equal(connect_access_token(w.connect, &c, false, &one, NULL),
                     OK);
    assert_int_equal(up.tokens, 1);
    clock_freeze(clock_now_ms() + 3590 * 1000);
    up.token_reply = "{\"access_token\":\"at2\",\"refresh_token\":\"rt2\","
                     "\"expires_in\":3600}";
    assert_int_equal(connect_access_token(w.connect, &c, false, &two, NULL),
                     OK);
    assert_true(str_eq(secret_reveal(&two), STR("at2")));
    assert_string_equal(up.last_form, "grant_type=refresh_token&"
                                      "refresh_token=rt1&client_id=our-id");
    clock_advance(3590 * 1000);
    up.token_reply = "{\"access_token\":\"at3\"}"; /* keeps the old one */
    assert_int_equal(connect_access_token(w.connect, &c, false, &three, NULL),
                     OK);
    assert_non_null(strstr(up.last_form, "refresh_token=rt2"));
    clock_advance(3590 * 1000);
    AUTO_SECRET four = { 0 };
    assert_int_equal(connect_access_token(w.connect, &c, false, &four, NULL),
                     OK);
    assert_non_null(strstr(up.last_form, "refresh_token=rt2"));
}

struct racer {
    pthread_t thread;
    const struct connection *c;
    enum err err;
    char token[20];
};

static void *race(void *context)
{
    struct racer *r = context;
    AUTO_SECRET secret = { 0 };
    r->err = connect_access_token(w.connect, r->c, true, &secret, NULL);
    if (r->err == OK)
        keep(r->token, sizeof r->token, secret_reveal(&secret));
    return NULL;
}

static void many_who_need_a_refresh_cause_one(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    struct racer racers[16];
    up.token_reply = "{\"access_token\":\"at2\",\"refresh_token\":\"rt2\"}";
    for (size_t i = 0; i < 16; i++) {
        racers[i].c = &c;
        assert_int_equal(
            pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].err, OK);
        assert_string_equal(racers[i].token, "at2");
    }
    assert_int_equal(up.tokens, 2); /* the code, and one refresh */
}

static void status_is(const struct connection *c, const char *want)
{
    struct connection now;
    assert_int_equal(connection_get(w.db, c->user_id, c->id, &w.a, &now), OK);
    assert_true(str_eq(now.status, str_of(want)));
}

static void a_refused_refresh_wants_a_new_sign_in(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 };
    up.token_reply = "{\"error\":\"invalid_grant\"}";
    up.token_status = 400;
    assert_int_equal(connect_access_token(w.connect, &c, true, &secret, NULL),
                     ERR_DENIED);
    status_is(&c, "needs_login");
}

static void an_outage_keeps_the_connection_and_the_token(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 }, late = { 0 };
    up.token_reply = "down";
    up.token_status = 503;
    clock_freeze(clock_now_ms() + 3580 * 1000);
    assert_int_equal(connect_access_token(w.connect, &c, false, &secret, NULL),
                     OK);
    assert_true(str_eq(secret_reveal(&secret), STR("at1")));
    clock_advance(60 * 1000);
    assert_int_equal(connect_access_token(w.connect, &c, false, &late, NULL),
                     ERR_UPSTREAM);
    status_is(&c, "active");
}

static void a_refresh_for_another_patient_suspends(void **state)
{
    (void)state;
    struct connection c = connect_once().connection;
    AUTO_SECRET secret = { 0 };
    up.token_reply = "{\"access_token\":\"at2\",\"patient\":\"someone\"}";
    assert_int_equal(connect_access_token(w.connect, &c, true, &secret, NULL),
                     ERR_DENIED);
    status_is(&c, "failed");
}

static enum err do_erase(struct db_session *s, void *context)
{
    (void)context;
    return connection_erase(s, 251);
}

static void erasing_a_user_leaves_no_connection_and_no_token(void **state)
{
    (void)state;
    struct connection c = connect_once().connection, *all;
    size_t n = 9;
    AUTO_SECRET secret = { 0 };
    (void)start(ask_of(STR("")));
    assert_int_equal(db_write(w.db, do_erase, NULL), OK);
    assert_int_equal(connection_list(w.db, 251, &w.a, &all, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(connect_access_token(w.connect, &c, false, &secret, NULL),
                     ERR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_refreshed_ahead_of_its_end),
        TEST(many_who_need_a_refresh_cause_one),
        TEST(a_refused_refresh_wants_a_new_sign_in),
        TEST(an_outage_keeps_the_connection_and_the_token),
        TEST(a_refresh_for_another_patient_suspends),
        TEST(erasing_a_user_leaves_no_connection_and_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
