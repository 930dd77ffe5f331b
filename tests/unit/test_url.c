/* Where a broker is, in one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/url.h"

static void check(const char *text, bool tls, bool websocket, const char *host, uint16_t port, const char *path)
{
    struct client_url url;

    assert_null(client_url_parse(str_of(text), &url));
    assert_int_equal(url.tls, tls);
    assert_int_equal(url.websocket, websocket);
    assert_true(str_equal(url.host, str_of(host)));
    assert_int_equal(url.port, port);
    assert_true(str_equal(url.path, str_of(path)));
}

static void each_scheme_has_its_port_and_path(void **state)
{
    (void)state;
    check("mqtt://a", false, false, "a", 1883, "");
    check("mqtts://a.example", true, false, "a.example", 8883, "");
    check("ws://a", false, true, "a", 80, "/mqtt");
    check("wss://a", true, true, "a", 443, "/mqtt");
}

static void ports_addresses_and_paths_are_taken(void **state)
{
    (void)state;
    check("mqtt://10.0.0.1:1884", false, false, "10.0.0.1", 1884, "");
    check("mqtts://[::1]", true, false, "::1", 8883, "");
    check("mqtts://[::1]:18883", true, false, "::1", 18883, "");
    check("ws://a:8080/", false, true, "a", 8080, "/");
    check("wss://a:8443/x/mqtt?token=1", true, true, "a", 8443, "/x/mqtt?token=1");
}

static void a_user_and_a_password_may_stand_before_the_host(void **state)
{
    (void)state;
    struct client_url url;
    char text[32];

    assert_null(client_url_parse(str_of("mqtt://me:p%40ss:w@rd@host:99"), &url));
    assert_true(url.has_user && url.has_password);
    assert_true(str_equal(url.user, str_of("me")));
    assert_true(str_equal(url.host, str_of("host")));
    assert_int_equal(client_url_unescape(url.password, text), 0);
    assert_string_equal(text, "p@ss:w@rd");

    assert_null(client_url_parse(str_of("ws://me@host"), &url));
    assert_true(url.has_user && !url.has_password);
    assert_null(client_url_parse(str_of("ws://host"), &url));
    assert_true(!url.has_user && !url.has_password);
    assert_null(client_url_parse(str_of("mqtt://me:@host"), &url));
    assert_true(url.has_password && url.password.len == 0);
}

static void wrong_escapes_are_refused(void **state)
{
    (void)state;
    char text[32];

    assert_int_equal(client_url_unescape(str_of("a%4"), text), -EINVAL);
    assert_int_equal(client_url_unescape(str_of("%zz"), text), -EINVAL);
    assert_int_equal(client_url_unescape(str_of("%00"), text), -EINVAL);
    assert_int_equal(client_url_unescape(str_of(""), text), 0);
    assert_string_equal(text, "");
}

static void what_is_no_url_is_refused_with_words(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "host",
        "http://a",
        "mqtt:/a",
        "MQTT://a",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://a:0",
        "mqtt://a:x",
        "mqtt://a:65536",
        "mqtt://a:",
        "mqtt://a:1:2",
        "mqtt://a/b",
        "mqtt://a?b",
        "mqtt://[::1",
        "mqtt://[]",
        "mqtt://[::1]x",
        "ws://a/ b",
        "ws://a/b#c",
        "ws://a?token",
        "ws://a/\r\nX: y",
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct client_url url;

        assert_non_null(client_url_parse(str_of(wrong[i]), &url));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_has_its_port_and_path),
        cmocka_unit_test(ports_addresses_and_paths_are_taken),
        cmocka_unit_test(a_user_and_a_password_may_stand_before_the_host),
        cmocka_unit_test(wrong_escapes_are_refused),
        cmocka_unit_test(what_is_no_url_is_refused_with_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
