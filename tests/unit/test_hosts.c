/* Which Host and Origin headers are let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/hosts.h"

static const char *const names[] = {"plant7.local", "GW.example"};
static const struct web_hosts allowed = {.names = names, .count = ARRAY_LEN(names)};

static bool host_ok(const char *host)
{
    return web_host_allowed(&allowed, str_of(host));
}

static bool origin_ok(const char *origin, const char *host)
{
    return web_origin_allowed(&allowed, str_of(origin), str_of(host));
}

static void plain_addresses_and_localhost_are_allowed(void **state)
{
    (void)state;
    assert_true(host_ok("127.0.0.1"));
    assert_true(host_ok("192.168.1.20:8080"));
    assert_true(host_ok("[::1]"));
    assert_true(host_ok("[fd00::12]:8080"));
    assert_true(host_ok("localhost"));
    assert_true(host_ok("LocalHost:8080"));
}

static void configured_names_are_allowed_in_any_case(void **state)
{
    (void)state;
    assert_true(host_ok("plant7.local"));
    assert_true(host_ok("PLANT7.local:80"));
    assert_true(host_ok("gw.example:8443"));
}

static void other_names_are_refused(void **state)
{
    const char *const bad[] = {"evil.example",     "plant7.local.evil.example",
                               "notlocalhost",     "localhost.evil.example",
                               "127.0.0.1.nip.io", "1.2.3",
                               "0x7f000001",       "plant7"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(host_ok(bad[i]));
}

static void malformed_hosts_are_refused(void **state)
{
    const char *const bad[] = {"",
                               ":8080",

                               "localhost:80a",
                               "localhost:80:80",
                               "[::1",
                               "::1",
                               "[127.0.0.1]",
                               "[::1]8080",
                               "[::1]:80x",
                               "[]",
                               "localhost/x",
                               "user@localhost",
                               "localhost,evil.example",
                               "evil.example@127.0.0.1",
                               " 127.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(host_ok(bad[i]));
}

static void an_address_without_end_is_refused(void **state)
{
    char host[300];

    (void)state;
    for (size_t i = 0; i < sizeof(host); i++)
        host[i] = "1234"[i % 4];
    assert_false(web_host_allowed(&allowed, (struct str){.data = host, .len = sizeof(host)}));
}

static void the_page_itself_may_open_a_socket(void **state)
{
    (void)state;
    assert_true(origin_ok("http://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_true(origin_ok("http://[::1]:8080", "[::1]:8080"));
    assert_true(origin_ok("https://Plant7.local", "plant7.local"));
    assert_true(origin_ok("https://gw.example", "127.0.0.1:8080")); /* a configured name, through a proxy */
}

static void pages_from_elsewhere_may_not(void **state)
{
    (void)state;
    assert_false(origin_ok("http://evil.example", "127.0.0.1:8080"));
    assert_false(origin_ok("http://127.0.0.1:8081", "127.0.0.1:8080")); /* another program on the same machine */
    assert_false(origin_ok("http://localhost:8080", "127.0.0.1:8080"));
    assert_false(origin_ok("http://10.0.0.9", "127.0.0.1:8080"));
    assert_false(origin_ok("http://127.0.0.1:8080.evil.example", "127.0.0.1:8080"));
    assert_false(origin_ok("null", "127.0.0.1:8080"));
    assert_false(origin_ok("", "127.0.0.1:8080"));
    assert_false(origin_ok("file://", "127.0.0.1:8080"));
    assert_false(origin_ok("127.0.0.1:8080", "127.0.0.1:8080"));
    assert_false(origin_ok("http://", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_addresses_and_localhost_are_allowed),
        cmocka_unit_test(configured_names_are_allowed_in_any_case),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(malformed_hosts_are_refused),
        cmocka_unit_test(an_address_without_end_is_refused),
        cmocka_unit_test(the_page_itself_may_open_a_socket),
        cmocka_unit_test(pages_from_elsewhere_may_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
