/* Unit tests of the codec's small parts and edges: lengths, short acknowledgements, versions, reasons. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mqtt/packet.h"

static struct str filled(size_t len)
{
    char *data = malloc(len);

    assert_non_null(data);
    memset(data, 'x', len);
    return (struct str){.data = data, .len = len};
}

/* 1.5.5, table 1-1. */
static void lengths_take_the_fewest_bytes(void **state)
{
    (void)state;
    const struct {
        uint32_t value;
        size_t len;
        uint8_t bytes[4];
    } cases[] = {
        {0, 1, {0x00}},
        {127, 1, {0x7f}},
        {128, 2, {0x80, 0x01}},
        {16383, 2, {0xff, 0x7f}},
        {16384, 3, {0x80, 0x80, 0x01}},
        {2097151, 3, {0xff, 0xff, 0x7f}},
        {2097152, 4, {0x80, 0x80, 0x80, 0x01}},
        {268435455, 4, {0xff, 0xff, 0xff, 0x7f}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        struct mqtt_header h;

        buf_put_u8(&b, 0x30);
        mqtt_put_varint(&b, cases[i].value);
        assert_int_equal(mqtt_varint_len(cases[i].value), cases[i].len);
        assert_int_equal(buf_len(&b), 1 + cases[i].len);
        assert_memory_equal(buf_data(&b) + 1, cases[i].bytes, cases[i].len);
        for (size_t len = 0; len <= cases[i].len; len++)
            assert_int_equal(mqtt_read_header(buf_data(&b), len, &h), 0);
        assert_int_equal(mqtt_read_header(buf_data(&b), buf_len(&b), &h), 1);
        assert_int_equal(h.first, 0x30);
        assert_int_equal(h.header_len, 1 + cases[i].len);
        assert_int_equal(h.remaining, cases[i].value);
        buf_fini(&b);
    }
}

static void a_length_of_more_than_four_bytes_is_malformed(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x30, 0x80, 0x80, 0x80, 0x80, 0x01};
    struct mqtt_header h;

    assert_int_equal(mqtt_read_header(bytes, 4, &h), 0);
    assert_int_equal(mqtt_read_header(bytes, 5, &h), -EBADMSG);
}

static void a_large_publish_survives_the_round_trip(void **state)
{
    (void)state;
    const size_t sizes[] = {121, 122, 16377, 16378, 2097145, 2097146};
    struct str payload = filled(2097146);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct mqtt_packet p = {.type = MQTT_PUBLISH, .publish = {.topic = str_of("a/b/")}};
        struct mqtt_packet q;
        struct buf out = {0};

        p.publish.payload = (struct str){.data = payload.data, .len = sizes[i]};
        assert_int_equal(mqtt_encode(&out, MQTT_V311, &p), 0);
        assert_int_equal(mqtt_decode(buf_data(&out), buf_len(&out) - 1, MQTT_V311, MQTT_FROM_CLIENT, &q), 0);
        assert_int_equal(mqtt_decode(buf_data(&out), buf_len(&out), MQTT_V311, MQTT_FROM_CLIENT, &q), buf_len(&out));
        assert_true(str_equal(q.publish.payload, p.publish.payload));
        buf_fini(&out);
    }
    free((void *)(uintptr_t)payload.data);
}

static void what_does_not_fit_its_length_is_not_encoded(void **state)
{
    (void)state;
    struct str text = filled(UINT16_MAX + 1);
    struct mqtt_packet p = {.type = MQTT_PUBLISH, .publish = {.topic = text}};
    struct buf out = {0};
    struct buf list = {0};

    buf_put_u8(&out, '!');
    assert_int_equal(mqtt_encode(&out, MQTT_V311, &p), -EMSGSIZE);
    p.publish.topic = str_of("t");
    p.props.correlation_data = text;
    mqtt_set(&p.props, MQTT_PROP_CORRELATION_DATA);
    assert_int_equal(mqtt_encode(&out, MQTT_V5, &p), -EMSGSIZE);
    p.publish.payload = (struct str){.data = text.data, .len = MQTT_MAX_REMAINING};
    assert_int_equal(mqtt_encode(&out, MQTT_V311, &p), -EMSGSIZE);
    assert_int_equal(buf_len(&out), 1);

    mqtt_list_add_user(&list, text, str_of(""));
    assert_true(buf_failed(&list));
    buf_clear(&list);
    mqtt_add_filter(&list, MQTT_SUBSCRIBE, &(struct mqtt_filter){.filter = text});
    assert_true(buf_failed(&list));

    buf_fini(&out);
    buf_fini(&list);
    free((void *)(uintptr_t)text.data);
}

static void assert_short_is_long(enum mqtt_version version, enum mqtt_type type, uint8_t reason)
{
    struct mqtt_packet p = {.type = (uint8_t)type, .ack = {.id = 0x1234, .reason = reason}};
    struct buf shorter = {0};
    struct buf longer = {0};

    mqtt_put_ack(&shorter, version, type, 0x1234, reason);
    assert_int_equal(mqtt_encode(&longer, version, &p), 0);
    assert_true(str_equal(buf_str(&shorter), buf_str(&longer)));
    buf_fini(&shorter);
    buf_fini(&longer);
}

static void the_short_acknowledgement_is_the_long_one(void **state)
{
    (void)state;
    for (int version = MQTT_V31; version <= MQTT_V5; version++) {
        for (int type = MQTT_PUBACK; type <= MQTT_PUBCOMP; type++) {
            assert_short_is_long((enum mqtt_version)version, (enum mqtt_type)type, MQTT_SUCCESS);
            assert_short_is_long((enum mqtt_version)version, (enum mqtt_type)type, MQTT_UNSPECIFIED_ERROR);
        }
    }
}

static void what_a_version_does_not_have_is_left_out(void **state)
{
    (void)state;
    struct mqtt_packet p = {.type = MQTT_SUBSCRIBE, .props = {.subscription_id = 9}};
    struct buf out = {0};

    mqtt_set(&p.props, MQTT_PROP_SUBSCRIPTION_ID);
    p.subscribe = (struct mqtt_subscribe){.id = 1, .filters = {.data = "\0\1f\x2e", .len = 4}};
    assert_int_equal(mqtt_encode(&out, MQTT_V311, &p), 0);
    assert_true(str_equal(buf_str(&out), (struct str){.data = "\x82\6\0\1\0\1f\2", .len = 8}));

    buf_clear(&out);
    p = (struct mqtt_packet){.type = MQTT_DISCONNECT, .reason = MQTT_DISCONNECT_WITH_WILL};
    assert_int_equal(mqtt_encode(&out, MQTT_V311, &p), 0);
    assert_true(str_equal(buf_str(&out), (struct str){.data = "\xe0\0", .len = 2}));
    buf_fini(&out);
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(mqtt_type_name(0), "reserved");
    assert_string_equal(mqtt_type_name(MQTT_CONNECT), "CONNECT");
    assert_string_equal(mqtt_type_name(MQTT_AUTH), "AUTH");
}

static void reasons_have_names_places_and_older_codes(void **state)
{
    (void)state;
    assert_string_equal(mqtt_reason_name(MQTT_SESSION_TAKEN_OVER), "session taken over");
    assert_string_equal(mqtt_reason_name(MQTT_WILDCARDS_NOT_SUPPORTED), "wildcard subscriptions not supported");
    assert_string_equal(mqtt_reason_name(0x55), "unknown reason");
    assert_string_equal(mqtt_reason_name(1000), "unknown reason");
    assert_true(mqtt_reason_allowed(MQTT_QUOTA_EXCEEDED, MQTT_PUBACK));
    assert_false(mqtt_reason_allowed(MQTT_QUOTA_EXCEEDED, MQTT_PUBREL));
    assert_false(mqtt_reason_allowed(0xff, MQTT_DISCONNECT));

    assert_int_equal(mqtt_return_code(MQTT_SUCCESS), 0); /* 3.1.1: 3.2.2.3 */
    assert_int_equal(mqtt_return_code(MQTT_UNSUPPORTED_PROTOCOL_VERSION), 1);
    assert_int_equal(mqtt_return_code(MQTT_CLIENT_ID_NOT_VALID), 2);
    assert_int_equal(mqtt_return_code(MQTT_SERVER_BUSY), 3);
    assert_int_equal(mqtt_return_code(MQTT_BAD_USER_NAME_OR_PASSWORD), 4);
    assert_int_equal(mqtt_return_code(MQTT_BANNED), 5);
}

static void errors_name_the_reason_to_close_with(void **state)
{
    (void)state;
    assert_int_equal(mqtt_reason_of_error(-EBADMSG), MQTT_MALFORMED_PACKET);
    assert_int_equal(mqtt_reason_of_error(-EPROTO), MQTT_PROTOCOL_ERROR);
    assert_int_equal(mqtt_reason_of_error(-EPROTONOSUPPORT), MQTT_UNSUPPORTED_PROTOCOL_VERSION);
    assert_int_equal(mqtt_reason_of_error(-ERANGE), MQTT_TOPIC_ALIAS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_take_the_fewest_bytes),
        cmocka_unit_test(a_length_of_more_than_four_bytes_is_malformed),
        cmocka_unit_test(a_large_publish_survives_the_round_trip),
        cmocka_unit_test(what_does_not_fit_its_length_is_not_encoded),
        cmocka_unit_test(the_short_acknowledgement_is_the_long_one),
        cmocka_unit_test(what_a_version_does_not_have_is_left_out),
        cmocka_unit_test(every_type_has_a_name),
        cmocka_unit_test(reasons_have_names_places_and_older_codes),
        cmocka_unit_test(errors_name_the_reason_to_close_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
