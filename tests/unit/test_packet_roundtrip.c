/*
 * Unit tests of whole packets: each type and version, from bytes to struct and
 * back, at every length. Properties have a file of their own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/packet_equal.h"

#define STR(text)                                                                                                      \
    {                                                                                                                  \
        .data = (text), .len = sizeof(text) - 1                                                                        \
    }
#define CLIENT MQTT_FROM_CLIENT
#define SERVER MQTT_FROM_SERVER
#define NONE   .props = {0}

/* The bytes are those of the standard's own figures where it has some. */
static const struct sample {
    enum mqtt_version version;
    enum mqtt_sender sender;
    struct str bytes;
    struct mqtt_packet packet;
} samples[] = {
    {MQTT_V31,
     CLIENT,
     STR("\x10\x0f\0\6MQIsdp\3\2\0\x0a\0\1c"),
     {MQTT_CONNECT, .connect = {MQTT_V31, true, .keep_alive = 10, .client_id = STR("c")}}},
    {MQTT_V311,
     CLIENT,
     STR("\x10\x0c\0\4MQTT\4\0\0\0\0\0"),
     {MQTT_CONNECT, .connect = {MQTT_V311, .client_id = STR("")}}},
    {MQTT_V311,
     CLIENT,
     STR("\x10\x1b\0\4MQTT\4\xf6\xff\xff\0\1c\0\2w/\0\2\0\1\0\1u\0\1\0"),
     {MQTT_CONNECT, .connect = {MQTT_V311,
                                true,
                                true,
                                true,
                                true,
                                0xffff,
                                STR("c"),
                                {STR("w/"), STR("\0\1"), 2, true, NONE},
                                STR("u"),
                                STR("\0")}}},
    {MQTT_V5,
     CLIENT,
     STR("\x10\x0e\0\4MQTT\5\2\0\x1e\0\0\1c"),
     {MQTT_CONNECT, .connect = {MQTT_V5, true, .keep_alive = 30, .client_id = STR("c")}}},
    {MQTT_V5,
     CLIENT,
     STR("\x10\x17\0\4MQTT\5\x4c\0\0\0\0\0\0\0\1w\0\0\0\2pw"),
     {MQTT_CONNECT, .connect = {MQTT_V5, .has_will = true, .has_password = true, .client_id = STR(""),
                                .will = {STR("w"), STR(""), 1, false, NONE}, .password = STR("pw")}}},

    {MQTT_V31, SERVER, STR("\x20\2\0\5"), {MQTT_CONNACK, .connack = {false, 5}}},
    {MQTT_V311, SERVER, STR("\x20\2\1\0"), {MQTT_CONNACK, .connack = {true, 0}}},
    {MQTT_V5, SERVER, STR("\x20\3\1\0\0"), {MQTT_CONNACK, .connack = {true, 0}}},
    {MQTT_V5, SERVER, STR("\x20\3\0\x9f\0"), {MQTT_CONNACK, .connack = {false, MQTT_CONNECTION_RATE_EXCEEDED}}},

    {MQTT_V311, CLIENT, STR("\x30\5\0\3a/b"), {MQTT_PUBLISH, .publish = {.topic = STR("a/b")}}},
    {MQTT_V311,
     SERVER,
     STR("\x3b\7\0\1t\1\2\0\xff"),
     {MQTT_PUBLISH, .publish = {1, true, true, 0x0102, STR("t"), STR("\0\xff")}}},
    {MQTT_V31, CLIENT, STR("\x34\5\0\1t\0\x0a"), {MQTT_PUBLISH, .publish = {2, .id = 10, .topic = STR("t")}}},
    {MQTT_V5,
     CLIENT,
     STR("\x35\7\0\1t\xff\xff\0x"),
     {MQTT_PUBLISH, .publish = {2, false, true, 0xffff, STR("t"), STR("x")}}},
    {MQTT_V5,
     CLIENT,
     STR("\x30\6\0\0\3\x23\0\7"),
     {MQTT_PUBLISH, .props = {UINT64_C(1) << MQTT_PROP_TOPIC_ALIAS, .topic_alias = 7}, .publish = {.topic = STR("")}}},

    {MQTT_V311, CLIENT, STR("\x40\2\0\1"), {MQTT_PUBACK, .ack = {1, 0}}},
    {MQTT_V311, SERVER, STR("\x50\2\xff\xff"), {MQTT_PUBREC, .ack = {0xffff, 0}}},
    {MQTT_V311, CLIENT, STR("\x62\2\0\1"), {MQTT_PUBREL, .ack = {1, 0}}},
    {MQTT_V31, SERVER, STR("\x70\2\1\0"), {MQTT_PUBCOMP, .ack = {256, 0}}},
    {MQTT_V5, SERVER, STR("\x40\2\0\1"), {MQTT_PUBACK, .ack = {1, 0}}},
    {MQTT_V5, SERVER, STR("\x40\3\0\1\x10"), {MQTT_PUBACK, .ack = {1, MQTT_NO_MATCHING_SUBSCRIBERS}}},
    {MQTT_V5, CLIENT, STR("\x50\3\0\1\x97"), {MQTT_PUBREC, .ack = {1, MQTT_QUOTA_EXCEEDED}}},
    {MQTT_V5, CLIENT, STR("\x62\3\0\1\x92"), {MQTT_PUBREL, .ack = {1, MQTT_PACKET_ID_NOT_FOUND}}},
    {MQTT_V5, SERVER, STR("\x70\3\0\1\x92"), {MQTT_PUBCOMP, .ack = {1, MQTT_PACKET_ID_NOT_FOUND}}},

    {MQTT_V311,
     CLIENT,
     STR("\x82\x0e\0\x0a\0\3a/b\1\0\3c/d\2"),
     {MQTT_SUBSCRIBE, .subscribe = {10, STR("\0\3a/b\1\0\3c/d\2")}}},
    {MQTT_V5,
     CLIENT,
     STR("\x82\x0b\0\x0a\0\0\1#\x2e\0\1+\0"),
     {MQTT_SUBSCRIBE, .subscribe = {10, STR("\0\1#\x2e\0\1+\0")}}},
    {MQTT_V311, SERVER, STR("\x90\6\0\x0a\0\1\2\x80"), {MQTT_SUBACK, .suback = {10, STR("\0\1\2\x80")}}},
    {MQTT_V5, SERVER, STR("\x90\5\0\x0a\0\2\xa2"), {MQTT_SUBACK, .suback = {10, STR("\2\xa2")}}},
    {MQTT_V311,
     CLIENT,
     STR("\xa2\x0c\0\x0a\0\3a/b\0\3c/d"),
     {MQTT_UNSUBSCRIBE, .subscribe = {10, STR("\0\3a/b\0\3c/d")}}},
    {MQTT_V5, CLIENT, STR("\xa2\x06\0\x0a\0\0\1a"), {MQTT_UNSUBSCRIBE, .subscribe = {10, STR("\0\1a")}}},
    {MQTT_V311, SERVER, STR("\xb0\2\0\x0a"), {MQTT_UNSUBACK, .suback = {10, STR("")}}},
    {MQTT_V5, SERVER, STR("\xb0\5\0\x0a\0\0\x11"), {MQTT_UNSUBACK, .suback = {10, STR("\0\x11")}}},

    {MQTT_V311, CLIENT, STR("\xc0\0"), {.type = MQTT_PINGREQ}},
    {MQTT_V5, SERVER, STR("\xd0\0"), {.type = MQTT_PINGRESP}},
    {MQTT_V311, CLIENT, STR("\xe0\0"), {.type = MQTT_DISCONNECT}},
    {MQTT_V5, CLIENT, STR("\xe0\0"), {.type = MQTT_DISCONNECT}},
    {MQTT_V5, CLIENT, STR("\xe0\1\4"), {.type = MQTT_DISCONNECT, .reason = MQTT_DISCONNECT_WITH_WILL}},
    {MQTT_V5, SERVER, STR("\xe0\1\x8e"), {.type = MQTT_DISCONNECT, .reason = MQTT_SESSION_TAKEN_OVER}},
    {MQTT_V5, SERVER, STR("\xf0\0"), {.type = MQTT_AUTH}},
    {MQTT_V5,
     CLIENT,
     STR("\xf0\6\x19\4\x15\0\1m"),
     {MQTT_AUTH, MQTT_REAUTHENTICATE, .props = {UINT64_C(1) << MQTT_PROP_AUTH_METHOD, .auth_method = STR("m")}}},
};

/* As long as the packet and not a byte longer, so that a sanitizer sees each step too far. */
static uint8_t *exact_copy(struct str bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes.data, len);
    return copy;
}

static void bytes_become_the_packet_they_describe(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *s = &samples[i];
        uint8_t *data = exact_copy(s->bytes, s->bytes.len);
        struct mqtt_packet p;

        assert_int_equal(mqtt_decode(data, s->bytes.len, s->version, s->sender, &p), s->bytes.len);
        if (!packets_equal(&p, &s->packet))
            fail_msg("sample %zu, %s, decodes to something else", i, mqtt_type_name(s->packet.type));
        free(data);
    }
}

static void packets_become_the_bytes_that_describe_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct buf out = {0};

        assert_int_equal(mqtt_encode(&out, samples[i].version, &samples[i].packet), 0);
        if (!str_equal(buf_str(&out), samples[i].bytes))
            fail_msg("sample %zu, %s, encodes to something else", i, mqtt_type_name(samples[i].packet.type));
        buf_fini(&out);
    }
}

static void every_prefix_of_a_packet_waits_for_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        for (size_t len = 0; len < samples[i].bytes.len; len++) {
            uint8_t *data = exact_copy(samples[i].bytes, len);
            struct mqtt_packet p;

            assert_int_equal(mqtt_decode(data, len, samples[i].version, samples[i].sender, &p), 0);
            free(data);
        }
    }
}

/* The remaining length is made to fit, so it is the fields that end too soon or too late. */
static void bodies_cut_short_never_read_past_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        for (size_t len = 2; len < samples[i].bytes.len; len++) {
            uint8_t *data = exact_copy(samples[i].bytes, len);
            struct mqtt_packet p;
            int r;

            data[1] = (uint8_t)(len - 2);
            r = mqtt_decode(data, len, samples[i].version, samples[i].sender, &p);
            assert_true(r < 0 || (size_t)r == len);
            free(data);
        }
    }
}

/* Not of a PUBLISH or SUBACK, nor of MQTT 5, where one more byte can be one more field. */
static void bytes_after_the_last_field_are_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *s = &samples[i];
        struct buf longer = {0};
        struct mqtt_packet p;

        if (s->version == MQTT_V5 || s->packet.type == MQTT_PUBLISH || s->packet.type == MQTT_SUBACK)
            continue;
        buf_append(&longer, s->bytes.data, s->bytes.len);
        buf_put_u8(&longer, 0);
        longer.data[1]++;
        assert_int_equal(mqtt_decode(longer.data, buf_len(&longer), s->version, s->sender, &p), -EBADMSG);
        buf_fini(&longer);
    }
}

static void packets_are_taken_one_at_a_time(void **state)
{
    (void)state;
    const uint8_t two[] = {0xc0, 0, 0x30, 3, 0, 1, 't'};
    struct mqtt_packet p;

    assert_int_equal(mqtt_decode(two, sizeof(two), MQTT_V5, MQTT_FROM_CLIENT, &p), 2);
    assert_int_equal(mqtt_decode(two + 2, sizeof(two) - 2, MQTT_V311, MQTT_FROM_CLIENT, &p), 5);
}

static void filters_are_walked_with_their_options(void **state)
{
    (void)state;
    const struct mqtt_filter in[] = {{STR("a/#"), 2, true, false, 2}, {STR("b"), 1, false, true, 1}};
    struct buf filters = {0};
    struct reader walk;
    struct mqtt_filter f;

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        mqtt_add_filter(&filters, MQTT_SUBSCRIBE, &in[i]);
    walk = reader_of(buf_data(&filters), buf_len(&filters));
    for (size_t i = 0; i < ARRAY_LEN(in); i++) {
        assert_true(mqtt_next_filter(&walk, MQTT_SUBSCRIBE, &f));
        assert_true(str_equal(f.filter, in[i].filter));
        assert_int_equal(f.qos, in[i].qos);
        assert_int_equal(f.no_local, in[i].no_local);
        assert_int_equal(f.retain_as_published, in[i].retain_as_published);
        assert_int_equal(f.retain_handling, in[i].retain_handling);
    }
    assert_false(mqtt_next_filter(&walk, MQTT_SUBSCRIBE, &f));
    buf_fini(&filters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_the_packet_they_describe),
        cmocka_unit_test(packets_become_the_bytes_that_describe_them),
        cmocka_unit_test(every_prefix_of_a_packet_waits_for_more),
        cmocka_unit_test(bodies_cut_short_never_read_past_the_end),
        cmocka_unit_test(bytes_after_the_last_field_are_malformed),
        cmocka_unit_test(packets_are_taken_one_at_a_time),
        cmocka_unit_test(filters_are_walked_with_their_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
