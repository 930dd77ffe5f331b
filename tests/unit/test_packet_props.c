/*
 * Unit tests of MQTT 5 properties (2.2.2): each of them in each packet, alone,
 * together, twice, and where it has no business.
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
#define BIT(n) (UINT32_C(1) << (n))

/* One packet of each type, in two parts: the properties come between. */
static const struct place {
    const char *name;
    uint8_t first;
    struct str before;
    struct str after;
} places[] = {
    [0] = {"will", 0x10, STR("\0\4MQTT\5\6\0\x3c\0\0\1c"), STR("\0\1t\0\1p")},
    [MQTT_CONNECT] = {"CONNECT", 0x10, STR("\0\4MQTT\5\2\0\x3c"), STR("\0\1c")},
    [MQTT_CONNACK] = {"CONNACK", 0x20, STR("\0\0"), STR("")},
    [MQTT_PUBLISH] = {"PUBLISH", 0x32, STR("\0\1t\0\7"), STR("x")},
    [MQTT_PUBACK] = {"PUBACK", 0x40, STR("\0\7\x10"), STR("")},
    [MQTT_PUBREC] = {"PUBREC", 0x50, STR("\0\7\0"), STR("")},
    [MQTT_PUBREL] = {"PUBREL", 0x62, STR("\0\7\x92"), STR("")},
    [MQTT_PUBCOMP] = {"PUBCOMP", 0x70, STR("\0\7\0"), STR("")},
    [MQTT_SUBSCRIBE] = {"SUBSCRIBE", 0x82, STR("\0\7"), STR("\0\1f\x2e")},
    [MQTT_SUBACK] = {"SUBACK", 0x90, STR("\0\7"), STR("\2")},
    [MQTT_UNSUBSCRIBE] = {"UNSUBSCRIBE", 0xa2, STR("\0\7"), STR("\0\1f")},
    [MQTT_UNSUBACK] = {"UNSUBACK", 0xb0, STR("\0\7"), STR("\x11")},
    [MQTT_DISCONNECT] = {"DISCONNECT", 0xe0, STR("\0"), STR("")},
    [MQTT_AUTH] = {"AUTH", 0xf0, STR("\x18"), STR("")},
};

/* PINGREQ and PINGRESP have none. */
#define ALL (BIT(16) - 1 - BIT(MQTT_PINGREQ) - BIT(MQTT_PINGRESP))
#define SOME_ANSWERS                                                                                                   \
    (BIT(MQTT_PUBACK) | BIT(MQTT_PUBREC) | BIT(MQTT_PUBREL) | BIT(MQTT_PUBCOMP) | BIT(MQTT_SUBACK) |                   \
     BIT(MQTT_UNSUBACK) | BIT(MQTT_DISCONNECT) | BIT(MQTT_AUTH) | BIT(MQTT_CONNACK))
#define OPENING (BIT(MQTT_CONNECT) | BIT(MQTT_CONNACK))
#define MESSAGE (BIT(MQTT_PUBLISH) | BIT(0))

/* Table 2-4 once more, with a value; in the order in which they are encoded. */
static const struct sample {
    enum mqtt_property id;
    uint32_t places;
    struct str bytes;
} samples[] = {
    {MQTT_PROP_PAYLOAD_FORMAT, MESSAGE, STR("\x01\1")},
    {MQTT_PROP_MESSAGE_EXPIRY, MESSAGE, STR("\x02\1\2\3\4")},
    {MQTT_PROP_CONTENT_TYPE, MESSAGE, STR("\x03\0\4text")},
    {MQTT_PROP_RESPONSE_TOPIC, MESSAGE, STR("\x08\0\3r/t")},
    {MQTT_PROP_CORRELATION_DATA, MESSAGE, STR("\x09\0\3\0\xff\1")},
    {MQTT_PROP_SESSION_EXPIRY, OPENING | BIT(MQTT_DISCONNECT), STR("\x11\xff\xff\xff\xff")},
    {MQTT_PROP_ASSIGNED_CLIENT_ID, BIT(MQTT_CONNACK), STR("\x12\0\2id")},
    {MQTT_PROP_SERVER_KEEP_ALIVE, BIT(MQTT_CONNACK), STR("\x13\1\2")},
    {MQTT_PROP_AUTH_METHOD, OPENING | BIT(MQTT_AUTH), STR("\x15\0\5SCRAM")},
    {MQTT_PROP_AUTH_DATA, OPENING | BIT(MQTT_AUTH), STR("\x16\0\2\0\x80")},
    {MQTT_PROP_REQUEST_PROBLEM_INFO, BIT(MQTT_CONNECT), STR("\x17\0")},
    {MQTT_PROP_WILL_DELAY, BIT(0), STR("\x18\0\0\1\0")},
    {MQTT_PROP_REQUEST_RESPONSE_INFO, BIT(MQTT_CONNECT), STR("\x19\1")},
    {MQTT_PROP_RESPONSE_INFO, BIT(MQTT_CONNACK), STR("\x1a\0\1i")},
    {MQTT_PROP_SERVER_REFERENCE, BIT(MQTT_CONNACK) | BIT(MQTT_DISCONNECT), STR("\x1c\0\1s")},
    {MQTT_PROP_REASON_STRING, SOME_ANSWERS, STR("\x1f\0\3why")},
    {MQTT_PROP_RECEIVE_MAXIMUM, OPENING, STR("\x21\0\1")},
    {MQTT_PROP_TOPIC_ALIAS_MAXIMUM, OPENING, STR("\x22\0\0")},
    {MQTT_PROP_TOPIC_ALIAS, BIT(MQTT_PUBLISH), STR("\x23\xff\xff")},
    {MQTT_PROP_MAXIMUM_QOS, BIT(MQTT_CONNACK), STR("\x24\1")},
    {MQTT_PROP_RETAIN_AVAILABLE, BIT(MQTT_CONNACK), STR("\x25\0")},
    {MQTT_PROP_MAXIMUM_PACKET_SIZE, OPENING, STR("\x27\0\0\0\1")},
    {MQTT_PROP_WILDCARD_AVAILABLE, BIT(MQTT_CONNACK), STR("\x28\0")},
    {MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE, BIT(MQTT_CONNACK), STR("\x29\1")},
    {MQTT_PROP_SHARED_AVAILABLE, BIT(MQTT_CONNACK), STR("\x2a\0")},
    {MQTT_PROP_USER, ALL, STR("\x26\0\1k\0\1v")},
    {MQTT_PROP_SUBSCRIPTION_ID, BIT(MQTT_PUBLISH) | BIT(MQTT_SUBSCRIBE), STR("\x0b\xff\xff\xff\x7f")},
};

static const struct sample *sample_of(enum mqtt_property id)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        if (samples[i].id == id)
            return &samples[i];
    fail_msg("no sample of property 0x%02x", (unsigned)id);
    return NULL;
}

static void put_bytes(struct buf *b, struct str s)
{
    buf_append(b, s.data, s.len);
}

/* The packet of `where` around an encoded property block. */
static struct buf packet_around(size_t where, const struct buf *props)
{
    const struct place *at = &places[where];
    struct buf body = {0};
    struct buf packet = {0};

    put_bytes(&body, at->before);
    mqtt_put_varint(&body, (uint32_t)buf_len(props));
    buf_append(&body, buf_data(props), buf_len(props));
    put_bytes(&body, at->after);

    buf_put_u8(&packet, at->first);
    mqtt_put_varint(&packet, (uint32_t)buf_len(&body));
    buf_append(&packet, buf_data(&body), buf_len(&body));
    buf_fini(&body);
    return packet;
}

/* Some properties go one way only; either sender will do for the rest. */
static int decode(const struct buf *b, struct mqtt_packet *p)
{
    int r = mqtt_decode(buf_data(b), buf_len(b), MQTT_V5, MQTT_FROM_SERVER, p);

    if (r == -EPROTO)
        r = mqtt_decode(buf_data(b), buf_len(b), MQTT_V5, MQTT_FROM_CLIENT, p);
    return r;
}

static struct mqtt_props *props_at(struct mqtt_packet *p, size_t where)
{
    return where == 0 ? &p->connect.will.props : &p->props;
}

/* AUTH always has a method, and CONNECT has one with data (3.15.2.2.2, 3.1.2.11.10). */
static bool needs_method(size_t where, enum mqtt_property id)
{
    return id != MQTT_PROP_AUTH_METHOD && (where == MQTT_AUTH || (where == MQTT_CONNECT && id == MQTT_PROP_AUTH_DATA));
}

static struct buf block_of(size_t where, enum mqtt_property id)
{
    struct buf props = {0};
    const struct sample *method = sample_of(MQTT_PROP_AUTH_METHOD);

    if (needs_method(where, id) && id > MQTT_PROP_AUTH_METHOD)
        put_bytes(&props, method->bytes);
    put_bytes(&props, sample_of(id)->bytes);
    if (needs_method(where, id) && id < MQTT_PROP_AUTH_METHOD)
        put_bytes(&props, method->bytes);
    return props;
}

static void assert_round_trip(size_t where, const struct buf *props, uint64_t present)
{
    struct buf packet = packet_around(where, props);
    struct buf again = {0};
    struct mqtt_packet p;
    struct mqtt_packet q;

    assert_int_equal(decode(&packet, &p), buf_len(&packet));
    assert_int_equal(props_at(&p, where)->present, present);
    assert_int_equal(mqtt_encode(&again, MQTT_V5, &p), 0);
    assert_true(str_equal(buf_str(&packet), buf_str(&again)));
    assert_int_equal(decode(&again, &q), buf_len(&again));
    assert_true(packets_equal(&p, &q));
    buf_fini(&packet);
    buf_fini(&again);
}

static void assert_refused(size_t where, struct buf *props, int error)
{
    struct buf packet = packet_around(where, props);
    struct mqtt_packet p;
    int r = decode(&packet, &p);

    if (r != error)
        fail_msg("%s with %02x: %d instead of %d", places[where].name, props->data[props->head], r, error);
    buf_fini(&packet);
    buf_fini(props);
}

static void each_property_alone_survives_the_round_trip(void **state)
{
    (void)state;
    for (size_t where = 0; where < ARRAY_LEN(places); where++) {
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
            struct buf props;
            uint64_t present = UINT64_C(1) << samples[i].id;

            if (!(samples[i].places >> where & 1))
                continue;
            props = block_of(where, samples[i].id);
            if (needs_method(where, samples[i].id))
                present |= UINT64_C(1) << MQTT_PROP_AUTH_METHOD;
            assert_round_trip(where, &props, present);
            buf_fini(&props);
        }
    }
}

static void all_properties_of_a_packet_survive_the_round_trip(void **state)
{
    (void)state;
    for (size_t where = 0; where < ARRAY_LEN(places); where++) {
        struct buf props = {0};
        uint64_t present = 0;

        if (!places[where].name)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
            if (!(samples[i].places >> where & 1))
                continue;
            put_bytes(&props, samples[i].bytes);
            present |= UINT64_C(1) << samples[i].id;
        }
        assert_round_trip(where, &props, present);
        buf_fini(&props);
    }
}

static void a_property_of_another_packet_is_malformed(void **state)
{
    (void)state;
    for (size_t where = 0; where < ARRAY_LEN(places); where++) {
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
            struct buf props;

            if (!places[where].name || (samples[i].places >> where & 1))
                continue;
            props = block_of(where, samples[i].id);
            assert_refused(where, &props, -EBADMSG);
        }
    }
}

static void unknown_identifiers_are_malformed(void **state)
{
    (void)state;
    for (unsigned id = 0; id <= UINT8_MAX; id++) {
        struct buf props = {0};
        bool known = false;

        for (size_t i = 0; i < ARRAY_LEN(samples); i++)
            known = known || samples[i].id == id;
        if (known)
            continue;
        buf_put_u8(&props, (uint8_t)id);
        buf_put_u64(&props, 0);
        assert_refused(MQTT_PUBLISH, &props, -EBADMSG);
    }
}

static void only_user_properties_and_subscription_ids_repeat(void **state)
{
    (void)state;
    for (size_t where = 0; where < ARRAY_LEN(places); where++) {
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
            enum mqtt_property id = samples[i].id;
            struct buf props;

            if (!(samples[i].places >> where & 1))
                continue;
            props = block_of(where, id);
            put_bytes(&props, samples[i].bytes);
            if (id == MQTT_PROP_USER || (id == MQTT_PROP_SUBSCRIPTION_ID && where == MQTT_PUBLISH)) {
                struct buf packet = packet_around(where, &props);
                struct mqtt_packet p;

                assert_int_equal(decode(&packet, &p), buf_len(&packet));
                buf_fini(&packet);
                buf_fini(&props);
            } else {
                assert_refused(where, &props, -EPROTO);
            }
        }
    }
}

static void values_out_of_range_are_protocol_errors(void **state)
{
    (void)state;
    const struct {
        size_t where;
        struct str bytes;
        int error;
    } cases[] = {
        {MQTT_PUBLISH, STR("\x01\2"), -EPROTO},                    /* payload format: 3.3.2.3.2 */
        {MQTT_PUBLISH, STR("\x08\0\0"), -EPROTO},                  /* response topic: 3.3.2.3.5, [MQTT-4.7.3-1] */
        {MQTT_PUBLISH, STR("\x08\0\3a/+"), -EPROTO},               /* [MQTT-3.3.2-14] */
        {0, STR("\x08\0\3a/#"), -EPROTO},                          /* the same in a will */
        {MQTT_PUBLISH, STR("\x0b\0"), -EPROTO},                    /* subscription id: 3.8.2.1.2 */
        {MQTT_SUBSCRIBE, STR("\x0b\0"), -EPROTO},                  /* 3.8.2.1.2 */
        {MQTT_SUBSCRIBE, STR("\x0b\x80\x80\x80\x80\1"), -EBADMSG}, /* 1.5.5: at most 4 bytes */
        {MQTT_SUBSCRIBE, STR("\x0b\x81\0"), -EBADMSG},             /* [MQTT-1.5.5-1] */
        {MQTT_CONNECT, STR("\x17\2"), -EPROTO},                    /* request problem info: 3.1.2.11.7 */
        {MQTT_CONNECT, STR("\x19\2"), -EPROTO},                    /* request response info: 3.1.2.11.6 */
        {MQTT_CONNECT, STR("\x21\0\0"), -EPROTO},                  /* receive maximum: 3.1.2.11.3 */
        {MQTT_CONNECT, STR("\x27\0\0\0\0"), -EPROTO},              /* maximum packet size: 3.1.2.11.4 */
        {MQTT_CONNECT, STR("\x16\0\1a"), -EPROTO},                 /* data without a method: 3.1.2.11.10 */
        {MQTT_CONNACK, STR("\x21\0\0"), -EPROTO},                  /* 3.2.2.3.3 */
        {MQTT_CONNACK, STR("\x24\2"), -EPROTO},                    /* maximum qos: 3.2.2.3.4 */
        {MQTT_CONNACK, STR("\x25\2"), -EPROTO},                    /* retain available: 3.2.2.3.5 */
        {MQTT_CONNACK, STR("\x27\0\0\0\0"), -EPROTO},              /* 3.2.2.3.6 */
        {MQTT_CONNACK, STR("\x28\2"), -EPROTO},                    /* wildcards: 3.2.2.3.11 */
        {MQTT_CONNACK, STR("\x29\2"), -EPROTO},                    /* subscription ids: 3.2.2.3.12 */
        {MQTT_CONNACK, STR("\x2a\xff"), -EPROTO},                  /* shared: 3.2.2.3.13 */
        {MQTT_PUBLISH, STR("\x23\0\0"), -ERANGE},                  /* topic alias: [MQTT-3.3.2-8] */
        {MQTT_AUTH, STR("\x1f\0\1r"), -EPROTO},                    /* no method: 3.15.2.2.2 */
        {MQTT_PUBLISH, STR("\x03\0\1\0"), -EBADMSG},               /* U+0000: [MQTT-1.5.4-2] */
        {MQTT_PUBLISH, STR("\x03\0\3\xed\xa0\x80"), -EBADMSG},     /* a surrogate: [MQTT-1.5.4-1] */
        {MQTT_PUBLISH, STR("\x26\0\1\xff\0\1v"), -EBADMSG},        /* 1.5.7: both are text */
        {MQTT_PUBLISH, STR("\x26\0\1k\0\1\xff"), -EBADMSG},        /* 1.5.7 */
        {MQTT_PUBLISH, STR("\x26\0\1k"), -EBADMSG},                /* runs out of the block: 2.2.2.1 */
        {MQTT_PUBLISH, STR("\x09\0\4abc"), -EBADMSG},              /* the same, though the payload goes on */
        {MQTT_PUBLISH, STR("\x02\0\0\0"), -EBADMSG},               /* the same */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf props = {0};

        put_bytes(&props, cases[i].bytes);
        assert_refused(cases[i].where, &props, cases[i].error);
    }
}

static void the_direction_decides_over_some_properties(void **state)
{
    (void)state;
    const uint8_t subscription_id[] = {0x30, 6, 0, 1, 't', 2, 0x0b, 1}; /* [MQTT-3.3.4-6] */
    const uint8_t session_expiry[] = {0xe0, 7, 0, 5, 0x11, 0, 0, 0, 1}; /* [MQTT-3.14.2-2] */
    struct mqtt_packet p;

    assert_int_equal(mqtt_decode(subscription_id, 8, MQTT_V5, MQTT_FROM_SERVER, &p), 8);
    assert_int_equal(mqtt_decode(subscription_id, 8, MQTT_V5, MQTT_FROM_CLIENT, &p), -EPROTO);
    assert_int_equal(mqtt_decode(session_expiry, 9, MQTT_V5, MQTT_FROM_CLIENT, &p), 9);
    assert_int_equal(mqtt_decode(session_expiry, 9, MQTT_V5, MQTT_FROM_SERVER, &p), -EPROTO);
}

static void lists_are_walked_in_order_past_other_properties(void **state)
{
    (void)state;
    const char block[] = "\x26\0\1a\0\1b\x01\1\x0b\x80\1\x03\0\1c\x26\0\0\0\0\x0b\7";
    struct reader walk = reader_of(block, sizeof(block) - 1);
    struct mqtt_list_item item;

    assert_true(mqtt_props_next(&walk, &item));
    assert_int_equal(item.id, MQTT_PROP_USER);
    assert_true(str_equal(item.pair.name, str_of("a")));
    assert_true(str_equal(item.pair.value, str_of("b")));
    assert_true(mqtt_props_next(&walk, &item));
    assert_int_equal(item.id, MQTT_PROP_SUBSCRIPTION_ID);
    assert_int_equal(item.subscription_id, 128);
    assert_true(mqtt_props_next(&walk, &item));
    assert_int_equal(item.id, MQTT_PROP_USER);
    assert_int_equal(item.pair.name.len, 0);
    assert_true(mqtt_props_next(&walk, &item));
    assert_int_equal(item.subscription_id, 7);
    assert_false(mqtt_props_next(&walk, &item));
}

static void a_list_built_by_hand_is_encoded_where_present(void **state)
{
    (void)state;
    const uint8_t want[] = {0x30, 17, 0, 1, 't', 12, 0x26, 0, 1, 'k', 0, 1, 'v', 0x0b, 5, 0x0b, 0x80, 1, '!'};
    struct buf list = {0};
    struct buf out = {0};
    struct mqtt_packet p = {.type = MQTT_PUBLISH, .publish = {.topic = str_of("t"), .payload = str_of("!")}};

    mqtt_list_add_user(&list, str_of("k"), str_of("v"));
    mqtt_list_add_subscription_id(&list, 5);
    mqtt_list_add_subscription_id(&list, 128);
    p.props.list = buf_str(&list);
    mqtt_set(&p.props, MQTT_PROP_USER);
    mqtt_set(&p.props, MQTT_PROP_SUBSCRIPTION_ID);
    assert_int_equal(mqtt_encode(&out, MQTT_V5, &p), 0);
    assert_int_equal(buf_len(&out), sizeof(want));
    assert_memory_equal(buf_data(&out), want, sizeof(want));

    buf_clear(&out);
    p.props.present = 0;
    assert_int_equal(mqtt_encode(&out, MQTT_V5, &p), 0);
    assert_int_equal(buf_len(&out), 7);
    buf_fini(&list);
    buf_fini(&out);
}

static void a_subscription_id_alone_needs_no_list(void **state)
{
    (void)state;
    const uint8_t want[] = {0x82, 9, 0, 1, 2, 0x0b, 9, 0, 1, 'f', 1};
    struct mqtt_packet p = {.type = MQTT_SUBSCRIBE, .props = {.subscription_id = 9}};
    struct buf out = {0};

    mqtt_set(&p.props, MQTT_PROP_SUBSCRIPTION_ID);
    p.subscribe = (struct mqtt_subscribe){.id = 1, .filters = {.data = "\0\1f\1", .len = 4}};
    assert_int_equal(mqtt_encode(&out, MQTT_V5, &p), 0);
    assert_int_equal(buf_len(&out), sizeof(want));
    assert_memory_equal(buf_data(&out), want, sizeof(want));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_property_alone_survives_the_round_trip),
        cmocka_unit_test(all_properties_of_a_packet_survive_the_round_trip),
        cmocka_unit_test(a_property_of_another_packet_is_malformed),
        cmocka_unit_test(unknown_identifiers_are_malformed),
        cmocka_unit_test(only_user_properties_and_subscription_ids_repeat),
        cmocka_unit_test(values_out_of_range_are_protocol_errors),
        cmocka_unit_test(the_direction_decides_over_some_properties),
        cmocka_unit_test(lists_are_walked_in_order_past_other_properties),
        cmocka_unit_test(a_list_built_by_hand_is_encoded_where_present),
        cmocka_unit_test(a_subscription_id_alone_needs_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
