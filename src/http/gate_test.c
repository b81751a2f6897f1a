#include "http/gate.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct http_gate *gate(const char *allow)
{
    struct http_gate *g;
    struct why w = { "" };
    if (http_gate_new(str_of(allow), &g, &w) != OK)
        fail_msg("%s: %s", allow, w.text);
    return g;
}

static enum err check(const char *allow, const char *text)
{
    struct url u;
    struct why w;
    struct http_gate *g = gate(allow);
    enum err err = url_parse(str_of(text), &u);
    if (err == OK)
        err = http_gate_check_url(g, &u, &w);
    http_gate_free(g);
    return err;
}

/* Whether a socket to that address opens, for a name that is not allowed. */
static bool opens(const char *allow, const char *address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct http_gate *g = gate(allow);
    const struct sockaddr *to = (const void *)&v4;
    if (inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
        to = (const void *)&v6;
    }
    bool does = http_gate_allows(g, to, STR("name.example"), 443);
    http_gate_free(g);
    return does;
}

static const char *const private[] = {
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fdff::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:db8::1",
    "2001::1",
    "::127.0.0.1",
};

static const char *const public[] = {
    "1.1.1.1",          "8.8.8.8",
    "9.255.255.255",    "11.0.0.0",
    "172.15.0.1",       "172.32.0.1",
    "100.63.255.255",   "100.128.0.0",
    "192.167.0.1",      "223.255.255.255",
    "2606:4700::1",     "2a00:1450::1",
    "64:ff9b::8.8.8.8", "2002:808:808::",
    "::ffff:8.8.8.8",   "2001:4860:4860::8888",
};

static void sockets_to_private_addresses_stay_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
        if (opens("", private[i]))
            fail_msg("%s opens", private[i]);
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
        if (!opens("", public[i]))
            fail_msg("%s does not open", public[i]);
}

static void urls_with_private_hosts_are_refused_however_they_are_written(
    void **state)
{
    (void)state;
    static const char *const urls[] = {
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://10.0.0.1:8443/x",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://printer.local/",
        "https://169.254.169.254/latest/meta-data",
        "https://metadata.google.internal/",
        "http://example.org/", /* not https */
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        if (check("", urls[i]) != ERR_DENIED)
            fail_msg("%s passes", urls[i]);
    assert_int_equal(check("", "https://fhir.example.org/r4"), OK);
    assert_int_equal(check("", "https://notlocalhost/"), OK);
    assert_int_equal(check("", "https://8.8.8.8/"), OK);
}

static void the_operator_may_allow_names_ports_and_networks(void **state)
{
    (void)state;
    static const struct {
        const char *allow, *url;
        enum err want;
    } cases[] = {
        { "127.0.0.1:9000", "http://127.0.0.1:9000/", OK },
        { "127.0.0.1:9000", "http://127.0.0.1:9001/", ERR_DENIED },
        { "sandbox.test:443", "https://sandbox.test/", OK },
        { "sandbox.test", "http://SANDBOX.test:81/", OK },
        { "10.0.0.0/8", "http://10.9.9.9/", OK },
        { "10.0.0.0/8", "http://11.0.0.1/", ERR_DENIED },
        { "10.0.0.0/9", "http://10.128.0.1/", ERR_DENIED },
        { "fd00::/8", "http://[fd12::1]:80/", OK },
        { "[::1]:9000", "http://[::1]:9000/", OK },
        { "[::1]:9000", "http://[::1]:9001/", ERR_DENIED },
        { "a.test:1, ,*:*", "http://127.0.0.1/", OK },
        { "*:8443", "http://127.0.0.1/", ERR_DENIED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (check(cases[i].allow, cases[i].url) != cases[i].want)
            fail_msg("%s with %s", cases[i].url, cases[i].allow);
    assert_true(opens("10.0.0.0/8", "10.1.1.1"));
    assert_true(opens("10.0.0.0/8", "::ffff:10.1.1.1"));
    assert_false(opens("10.0.0.0/8", "127.0.0.1"));
    assert_true(opens("name.example:443", "127.0.0.1"));
    assert_false(opens("name.example:444", "127.0.0.1"));
    assert_true(opens("0.0.0.0/0", "127.0.0.1"));
    assert_false(opens("0.0.0.0/0", "::1"));
}

static void a_broken_entry_is_refused_with_its_text(void **state)
{
    (void)state;
    static const char *const bad[] = { "a:b",         "a:70000", ":80",
                                       "10.0.0.0/33", "a/b",     "[::1]x",
                                       "fd00::/129",  "a:0" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_gate *g;
        struct why w = { "" };
        assert_int_equal(http_gate_new(str_of(bad[i]), &g, &w), ERR_INVALID);
        assert_non_null(strstr(w.text, bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_to_private_addresses_stay_closed),
        cmocka_unit_test(
            urls_with_private_hosts_are_refused_however_they_are_written),
        cmocka_unit_test(the_operator_may_allow_names_ports_and_networks),
        cmocka_unit_test(a_broken_entry_is_refused_with_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
