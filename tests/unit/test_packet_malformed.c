/*
 * Unit tests of what is refused, and as what: each row names the paragraph that
 * forbids it. Sections of MQTT 5.0 unless "3.1.1:" or "3.1:" stands before them.
 * Property values have a file of their own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mqtt/packet.h"

#define BYTES(text) (text), sizeof(text) - 1
#define CLIENT      MQTT_FROM_CLIENT
#define SERVER      MQTT_FROM_SERVER

enum { MALFORMED = -EBADMSG, PROTOCOL = -EPROTO, UNSUPPORTED = -EPROTONOSUPPORT };

struct bad {
    const char *what;
    enum mqtt_version version;
    enum mqtt_sender sender;
    const char *bytes;
    size_t len;
    int result;
};

static void assert_results(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *exact = malloc(cases[i].len);
        struct mqtt_packet p;
        int r;

        assert_non_null(exact);
        memcpy(exact, cases[i].bytes, cases[i].len);
        r = mqtt_decode(exact, cases[i].len, cases[i].version, cases[i].sender, &p);
        if (r != cases[i].result)
            fail_msg("%s: %d instead of %d", cases[i].what, r, cases[i].result);
        free(exact);
    }
}

static void wrong_fixed_headers_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"2.1.2: type 0", MQTT_V5, CLIENT, BYTES("\0\0"), MALFORMED},
        {"2.1.2: type 0, seen at once", MQTT_V5, CLIENT, BYTES("\x0f"), MALFORMED},
        {"3.1.1: 2.2.1: type 15", MQTT_V311, CLIENT, BYTES("\xf0\0"), MALFORMED},
        {"2.1.4: length of five bytes", MQTT_V5, CLIENT, BYTES("\x30\xff\xff\xff\xff\1"), MALFORMED},
        {"2.1.4: already after four", MQTT_V5, CLIENT, BYTES("\x30\xff\xff\xff\x80"), MALFORMED},
        {"1.5.5-1: length in too many bytes", MQTT_V5, CLIENT, BYTES("\xc0\x80\0"), MALFORMED},
        {"1.5.5-1: of a CONNECT", MQTT_V311, CLIENT, BYTES("\x10\x8e\0\0\4MQTT\5\2\0\x1e\0\0\1c"), MALFORMED},
        {"2.1.3-1: CONNECT flags", MQTT_V5, CLIENT, BYTES("\x11\0"), MALFORMED},
        {"2.1.3-1: CONNACK flags", MQTT_V5, SERVER, BYTES("\x22\0"), MALFORMED},
        {"2.1.3-1: PUBACK flags", MQTT_V5, SERVER, BYTES("\x42\2\0\1"), MALFORMED},
        {"2.1.3-1: PUBREC flags", MQTT_V5, SERVER, BYTES("\x58\2\0\1"), MALFORMED},
        {"3.6.1-1: PUBREL flags 0", MQTT_V5, SERVER, BYTES("\x60\2\0\1"), MALFORMED},
        {"3.6.1-1: PUBREL flags 3", MQTT_V5, SERVER, BYTES("\x63\2\0\1"), MALFORMED},
        {"3.1.1: 3.6.1-1: PUBREL with DUP", MQTT_V311, CLIENT, BYTES("\x6a\2\0\1"), MALFORMED},
        {"2.1.3-1: PUBCOMP flags", MQTT_V5, SERVER, BYTES("\x71\2\0\1"), MALFORMED},
        {"3.8.1-1: SUBSCRIBE flags", MQTT_V5, CLIENT, BYTES("\x80\6\0\1\0\0\1a\0"), MALFORMED},
        {"2.1.3-1: SUBACK flags", MQTT_V5, SERVER, BYTES("\x92\4\0\1\0\0"), MALFORMED},
        {"3.10.1-1: UNSUBSCRIBE flags", MQTT_V5, CLIENT, BYTES("\xa0\5\0\1\0\0\1a"), MALFORMED},
        {"2.1.3-1: UNSUBACK flags", MQTT_V5, SERVER, BYTES("\xb2\4\0\1\0\0"), MALFORMED},
        {"2.1.3-1: PINGREQ flags", MQTT_V311, CLIENT, BYTES("\xc1\0"), MALFORMED},
        {"2.1.3-1: PINGRESP flags", MQTT_V311, SERVER, BYTES("\xd2\0"), MALFORMED},
        {"3.14.1-1: DISCONNECT flags", MQTT_V311, CLIENT, BYTES("\xe1\0"), MALFORMED},
        {"3.15.1-1: AUTH flags", MQTT_V5, CLIENT, BYTES("\xf1\0"), MALFORMED},
        {"3.12.1: PINGREQ with a body", MQTT_V5, CLIENT, BYTES("\xc0\1\0"), MALFORMED},
        {"3.13.1: PINGRESP with a body", MQTT_V5, SERVER, BYTES("\xd0\1\0"), MALFORMED},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void packets_in_the_wrong_direction_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"2.1.2: CONNECT from a server", MQTT_V5, SERVER, BYTES("\x10\x0c\0\4MQTT\4\2\0\0\0\0"), PROTOCOL},
        {"2.1.2: CONNACK from a client", MQTT_V311, CLIENT, BYTES("\x20\2\0\0"), PROTOCOL},
        {"2.1.2: SUBSCRIBE from a server", MQTT_V311, SERVER, BYTES("\x82\6\0\1\0\1a\0"), PROTOCOL},
        {"2.1.2: SUBACK from a client", MQTT_V311, CLIENT, BYTES("\x90\3\0\1\0"), PROTOCOL},
        {"2.1.2: UNSUBSCRIBE from a server", MQTT_V311, SERVER, BYTES("\xa2\5\0\1\0\1a"), PROTOCOL},
        {"2.1.2: UNSUBACK from a client", MQTT_V311, CLIENT, BYTES("\xb0\2\0\1"), PROTOCOL},
        {"2.1.2: PINGREQ from a server", MQTT_V5, SERVER, BYTES("\xc0\0"), PROTOCOL},
        {"2.1.2: PINGRESP from a client", MQTT_V5, CLIENT, BYTES("\xd0\0"), PROTOCOL},
        {"3.1.1: 2.2.1: DISCONNECT from a server", MQTT_V311, SERVER, BYTES("\xe0\0"), PROTOCOL},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void wrong_openings_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"3.1.2-1: name", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTt\4\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2-1: longer name", MQTT_V311, CLIENT, BYTES("\x10\x0d\0\5MQTT5\4\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2-2: level 6", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\6\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2-2: level 3 of MQTT", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\3\2\0\0\0\0"), UNSUPPORTED},
        {"3.1: 3.1: level 4 of MQIsdp", MQTT_V311, CLIENT, BYTES("\x10\x0e\0\6MQIsdp\4\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2-2: bridge of 3.1", MQTT_V311, CLIENT, BYTES("\x10\x0e\0\6MQIsdp\x83\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2-2: bridge of 3.1.1", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\x84\2\0\0\0\0"), UNSUPPORTED},
        {"3.1.2.1: name cut short", MQTT_V311, CLIENT, BYTES("\x10\4\0\4MQ"), MALFORMED},
        {"3.1.2.2: no level", MQTT_V311, CLIENT, BYTES("\x10\6\0\4MQTT"), MALFORMED},
        {"3.1.2-3: reserved flag", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\4\3\0\0\0\0"), MALFORMED},
        {"3.1.2-11: will QoS alone", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\4\x0a\0\0\0\0"), MALFORMED},
        {"3.1.2-13: will retain alone", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\4\x22\0\0\0\0"), MALFORMED},
        {"3.1.2-12: will QoS 3", MQTT_V311, CLIENT, BYTES("\x10\x10\0\4MQTT\4\x1e\0\0\0\0\0\0\0\0"), MALFORMED},
        {"3.1: 3.1: will QoS 3", MQTT_V31, CLIENT, BYTES("\x10\x12\0\6MQIsdp\3\x1e\0\0\0\0\0\0\0\0"), MALFORMED},
        {"3.1.1: 3.1.2-22: password alone", MQTT_V311, CLIENT, BYTES("\x10\x0e\0\4MQTT\4\x42\0\0\0\0\0\0"), MALFORMED},
        {"3.1.3: will flag, no will", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\4\6\0\0\0\0"), MALFORMED},
        {"3.1.3: no user name", MQTT_V311, CLIENT, BYTES("\x10\x0c\0\4MQTT\4\x82\0\0\0\0"), MALFORMED},
        {"3.1.3: no password", MQTT_V311, CLIENT, BYTES("\x10\x0e\0\4MQTT\4\xc2\0\0\0\0\0\0"), MALFORMED},
        {"3.1.3: bytes left over", MQTT_V311, CLIENT, BYTES("\x10\x0d\0\4MQTT\4\2\0\0\0\0\0"), MALFORMED},
        {"1.5.4-2: U+0000 in client id", MQTT_V311, CLIENT, BYTES("\x10\x0d\0\4MQTT\4\2\0\0\0\1\0"), MALFORMED},
        {"1.5.4-1: overlong client id", MQTT_V311, CLIENT, BYTES("\x10\x0e\0\4MQTT\4\2\0\0\0\2\xc0\x80"), MALFORMED},
        {"1.5.4-1: user name", MQTT_V5, CLIENT, BYTES("\x10\x10\0\4MQTT\5\x82\0\0\0\0\0\0\1\xff"), MALFORMED},
        {"1.5.4-2: will topic", MQTT_V311, CLIENT, BYTES("\x10\x11\0\4MQTT\4\6\0\0\0\0\0\1\0\0\0"), MALFORMED},
        {"3.1.2.11.1: property length", MQTT_V5, CLIENT, BYTES("\x10\x0d\0\4MQTT\5\2\0\0\x05\0\0"), MALFORMED},
        {"3.2.2.1: CONNACK flags", MQTT_V311, SERVER, BYTES("\x20\2\2\0"), MALFORMED},
        {"3.2.2-6: session and refusal", MQTT_V5, SERVER, BYTES("\x20\3\1\x87\0"), PROTOCOL},
        {"3.1.1: 3.2.2-4: the same", MQTT_V311, SERVER, BYTES("\x20\2\1\5"), PROTOCOL},
        {"3.1.1: 3.2.2.3: code 6", MQTT_V311, SERVER, BYTES("\x20\2\0\6"), PROTOCOL},
        {"3.2.2-8: reason", MQTT_V5, SERVER, BYTES("\x20\3\0\x8e\0"), PROTOCOL},
        {"3.2.2.3.1: no property length", MQTT_V5, SERVER, BYTES("\x20\2\0\0"), MALFORMED},
        {"3.1.1: 3.1.2-2: no MQTT 5 there", MQTT_V5, SERVER, BYTES("\x20\2\0\1"), UNSUPPORTED},
        {"3.2.2.2: no code", MQTT_V311, SERVER, BYTES("\x20\1\0"), MALFORMED},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void wrong_publishes_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"3.3.1-4: QoS 3", MQTT_V311, CLIENT, BYTES("\x36\5\0\1t\0\1"), MALFORMED},
        {"3.3.1-2: DUP at QoS 0", MQTT_V311, CLIENT, BYTES("\x38\3\0\1t"), MALFORMED},
        {"2.2.1-3: id 0", MQTT_V311, CLIENT, BYTES("\x32\5\0\1t\0\0"), PROTOCOL},
        {"2.2.1-4: id 0 from a server", MQTT_V5, SERVER, BYTES("\x34\6\0\1t\0\0\0"), PROTOCOL},
        {"3.3.2.1: no topic", MQTT_V5, CLIENT, BYTES("\x30\3\0\0\0"), PROTOCOL},
        {"3.1.1: 4.7.3-1: no topic", MQTT_V311, CLIENT, BYTES("\x30\3\0\0x"), PROTOCOL},
        {"3.3.2.1: topic cut short", MQTT_V311, CLIENT, BYTES("\x30\3\0\2t"), MALFORMED},
        {"3.3.2.2: no id", MQTT_V311, CLIENT, BYTES("\x32\4\0\1t\0"), MALFORMED},
        {"3.3.2.3.1: no property length", MQTT_V5, CLIENT, BYTES("\x30\3\0\1t"), MALFORMED},
        {"3.3.2.3.1: length in 5 bytes", MQTT_V5, CLIENT, BYTES("\x30\x08\0\1t\x80\x80\x80\x80\1"), MALFORMED},
        {"3.3.2.3.1: longer than the packet", MQTT_V5, CLIENT, BYTES("\x30\6\0\1t\3\1\1"), MALFORMED},
        {"1.5.4-2: U+0000", MQTT_V311, CLIENT, BYTES("\x30\5\0\3a\0b"), MALFORMED},
        {"1.5.4-2: far inside", MQTT_V311, CLIENT,
         BYTES("\x30\x13\0\x11"
               "0123456789abcd\0ef"),
         MALFORMED},
        {"1.5.4-1: cut character at the end", MQTT_V311, CLIENT,
         BYTES("\x30\x0b\0\x09"
               "01234567\xc3"),
         MALFORMED},
        {"1.5.4-1: surrogate", MQTT_V311, CLIENT, BYTES("\x30\5\0\3\xed\xa0\x80"), MALFORMED},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void wrong_acknowledgements_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"3.4.2: PUBACK without id", MQTT_V311, CLIENT, BYTES("\x40\0"), MALFORMED},
        {"3.4.2: PUBACK with half an id", MQTT_V311, CLIENT, BYTES("\x40\1\0"), MALFORMED},
        {"2.2.1: PUBACK of id 0", MQTT_V311, CLIENT, BYTES("\x40\2\0\0"), PROTOCOL},
        {"2.2.1: PUBREL of id 0", MQTT_V5, SERVER, BYTES("\x62\2\0\0"), PROTOCOL},
        {"3.1.1: 3.4.2: PUBACK with a reason", MQTT_V311, CLIENT, BYTES("\x40\3\0\1\0"), MALFORMED},
        {"3.4.2-1: PUBACK reason", MQTT_V5, CLIENT, BYTES("\x40\3\0\1\x92"), PROTOCOL},
        {"3.4.2-1: unknown reason", MQTT_V5, CLIENT, BYTES("\x40\3\0\1\x55"), PROTOCOL},
        {"3.5.2-1: PUBREC reason", MQTT_V5, CLIENT, BYTES("\x50\3\0\1\x92"), PROTOCOL},
        {"3.6.2-1: PUBREL reason", MQTT_V5, CLIENT, BYTES("\x62\3\0\1\x10"), PROTOCOL},
        {"3.7.2-1: PUBCOMP reason", MQTT_V5, CLIENT, BYTES("\x70\3\0\1\x80"), PROTOCOL},
        {"2.2.2.1: property length", MQTT_V5, CLIENT, BYTES("\x40\4\0\1\0\1"), MALFORMED},
        {"2.2.2.1: bytes after the properties", MQTT_V5, CLIENT, BYTES("\x40\5\0\1\0\0\0"), MALFORMED},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void wrong_subscriptions_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"2.2.1-3: SUBSCRIBE id 0", MQTT_V311, CLIENT, BYTES("\x82\6\0\0\0\1a\0"), PROTOCOL},
        {"3.8.3-2: no filter", MQTT_V311, CLIENT, BYTES("\x82\2\0\1"), PROTOCOL},
        {"3.8.3-2: no filter", MQTT_V5, CLIENT, BYTES("\x82\3\0\1\0"), PROTOCOL},
        {"3.8.3: filter cut short", MQTT_V311, CLIENT, BYTES("\x82\5\0\1\0\2a"), MALFORMED},
        {"3.8.3: no options", MQTT_V311, CLIENT, BYTES("\x82\5\0\1\0\1a"), MALFORMED},
        {"3.8.3.1: QoS 3", MQTT_V5, CLIENT, BYTES("\x82\7\0\1\0\0\1a\3"), PROTOCOL},
        {"3.1.1: 3.8.3-4: QoS 3", MQTT_V311, CLIENT, BYTES("\x82\6\0\1\0\1a\3"), PROTOCOL},
        {"3.8.3.1: retain handling 3", MQTT_V5, CLIENT, BYTES("\x82\7\0\1\0\0\1a\x30"), PROTOCOL},
        {"3.8.3-5: reserved bits", MQTT_V5, CLIENT, BYTES("\x82\7\0\1\0\0\1a\x40"), MALFORMED},
        {"3.1.1: 3.8.3-4: reserved bits", MQTT_V311, CLIENT, BYTES("\x82\6\0\1\0\1a\4"), MALFORMED},
        {"3.8.3.1: second options", MQTT_V311, CLIENT, BYTES("\x82\x0a\0\1\0\1a\0\0\1b\3"), PROTOCOL},
        {"3.8.3-1: filter no UTF-8", MQTT_V311, CLIENT, BYTES("\x82\6\0\1\0\1\xff\0"), MALFORMED},
        {"2.2.1: SUBACK id 0", MQTT_V311, SERVER, BYTES("\x90\3\0\0\0"), PROTOCOL},
        {"3.9.3: SUBACK without codes", MQTT_V5, SERVER, BYTES("\x90\3\0\1\0"), PROTOCOL},
        {"3.9.3-2: code 3", MQTT_V5, SERVER, BYTES("\x90\4\0\1\0\3"), PROTOCOL},
        {"3.1.1: 3.9.3-2: code 3", MQTT_V311, SERVER, BYTES("\x90\3\0\1\3"), PROTOCOL},
        {"3.1.1: 3.9.3-2: code 0x87", MQTT_V311, SERVER, BYTES("\x90\4\0\1\0\x87"), PROTOCOL},
        {"2.2.1-3: UNSUBSCRIBE id 0", MQTT_V311, CLIENT, BYTES("\xa2\5\0\0\0\1a"), PROTOCOL},
        {"3.10.3-2: no filter", MQTT_V311, CLIENT, BYTES("\xa2\2\0\1"), PROTOCOL},
        {"3.10.3-1: filter no UTF-8", MQTT_V311, CLIENT, BYTES("\xa2\5\0\1\0\1\x80"), MALFORMED},
        {"2.2.1: UNSUBACK id 0", MQTT_V311, SERVER, BYTES("\xb0\2\0\0"), PROTOCOL},
        {"3.1.1: 3.11.3: UNSUBACK with codes", MQTT_V311, SERVER, BYTES("\xb0\3\0\1\0"), MALFORMED},
        {"3.11.3: UNSUBACK without codes", MQTT_V5, SERVER, BYTES("\xb0\3\0\1\0"), PROTOCOL},
        {"3.11.3-2: code 1", MQTT_V5, SERVER, BYTES("\xb0\4\0\1\0\1"), PROTOCOL},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

static void wrong_endings_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"3.1.1: 3.14: DISCONNECT with a body", MQTT_V311, CLIENT, BYTES("\xe0\1\0"), MALFORMED},
        {"3.14.2-1: reason", MQTT_V5, CLIENT, BYTES("\xe0\1\x10"), PROTOCOL},
        {"3.14.2-1: a CONNACK's reason", MQTT_V5, SERVER, BYTES("\xe0\1\x84"), PROTOCOL},
        {"3.14.2.2.1: property length", MQTT_V5, CLIENT, BYTES("\xe0\2\0\1"), MALFORMED},
        {"3.14.2.2: bytes left over", MQTT_V5, CLIENT, BYTES("\xe0\3\0\0\0"), MALFORMED},
        {"3.15.2.1: AUTH without properties", MQTT_V5, CLIENT, BYTES("\xf0\1\0"), MALFORMED},
        {"3.15.2-1: AUTH reason", MQTT_V5, CLIENT, BYTES("\xf0\2\x80\0"), PROTOCOL},
        {"3.15.2.2.2: AUTH without method", MQTT_V5, CLIENT, BYTES("\xf0\2\x18\0"), PROTOCOL},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

/* What looks wrong and is not; the same bytes are refused elsewhere or by others. */
static void the_standards_allow_what_they_do_not_forbid(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"1.5.4-3: U+FEFF stays", MQTT_V311, CLIENT, BYTES("\x30\5\0\3\xef\xbb\xbf"), 7},
        {"1.5.4: control characters", MQTT_V311, CLIENT, BYTES("\x30\4\0\2\1\x7f"), 6},
        {"3.1.1: 2.2.3: length in more bytes", MQTT_V311, CLIENT, BYTES("\xc0\x80\x80\0"), 4},
        {"3.1: 2.1: SUBSCRIBE with DUP", MQTT_V31, CLIENT, BYTES("\x8a\6\0\1\0\1a\0"), 8},
        {"3.1: 2.1: PUBREL with DUP", MQTT_V31, CLIENT, BYTES("\x6a\2\0\1"), 4},
        {"3.1: 3.1: flag without user name", MQTT_V311, CLIENT, BYTES("\x10\x0f\0\6MQIsdp\3\xc2\0\0\0\1c"), 17},
        {"3.1: 3.1: will QoS alone", MQTT_V311, CLIENT, BYTES("\x10\x0f\0\6MQIsdp\3\x1b\0\0\0\1c"), 17},
        {"3.1.3-7: no client id", MQTT_V5, CLIENT, BYTES("\x10\x0d\0\4MQTT\5\2\0\0\0\0\0"), 15},
        {"3.3: no payload", MQTT_V311, CLIENT, BYTES("\x30\3\0\1t"), 5},
        {"3.4.2.2.1: PUBACK with an empty block", MQTT_V5, CLIENT, BYTES("\x40\4\0\1\0\0"), 6},
        {"3.14.2.2.1: DISCONNECT with an empty block", MQTT_V5, CLIENT, BYTES("\xe0\2\0\0"), 4},
        {"4.7: a filter's grammar is asked elsewhere", MQTT_V311, CLIENT, BYTES("\x82\6\0\1\0\1#\0"), 8},
    };

    assert_results(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_fixed_headers_are_refused),
        cmocka_unit_test(packets_in_the_wrong_direction_are_refused),
        cmocka_unit_test(wrong_openings_are_refused),
        cmocka_unit_test(wrong_publishes_are_refused),
        cmocka_unit_test(wrong_acknowledgements_are_refused),
        cmocka_unit_test(wrong_subscriptions_are_refused),
        cmocka_unit_test(wrong_endings_are_refused),
        cmocka_unit_test(the_standards_allow_what_they_do_not_forbid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
