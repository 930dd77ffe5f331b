/* Unit tests of PUBLISH on the wire, byte by byte (MQTT 5.0, 3.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mqtt/packet.h"

static void a_publish_reads_as_it_was_written(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x3d, 0x0c, 0, 3, 'a', '/', 'b', 0x12, 0x34, 3, 0x23, 0, 7, 'x'};
    struct mqtt_packet p;
    struct buf out = {0};

    assert_int_equal(mqtt_decode(bytes, sizeof(bytes), MQTT_V5, MQTT_FROM_CLIENT, &p), sizeof(bytes));
    assert_int_equal(p.type, MQTT_PUBLISH);
    assert_int_equal(p.publish.qos, 2);
    assert_true(p.publish.dup);
    assert_true(p.publish.retain);
    assert_int_equal(p.publish.id, 0x1234);
    assert_true(str_equal(p.publish.topic, str_of("a/b")));
    assert_true(str_equal(p.publish.payload, str_of("x")));
    assert_true(mqtt_has(&p.props, MQTT_PROP_TOPIC_ALIAS));
    assert_int_equal(p.props.topic_alias, 7);

    assert_int_equal(mqtt_encode(&out, MQTT_V5, &p), 0);
    assert_int_equal(buf_len(&out), sizeof(bytes));
    assert_memory_equal(buf_data(&out), bytes, sizeof(bytes));
    buf_fini(&out);
}

static void a_publish_without_properties_has_none(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x30, 0x04, 0, 1, 't', 'x', 0xff};
    struct mqtt_packet p;

    assert_int_equal(mqtt_decode(bytes, sizeof(bytes), MQTT_V311, MQTT_FROM_SERVER, &p), 6);
    assert_int_equal(p.publish.id, 0);
    assert_int_equal(p.props.present, 0);
    assert_int_equal(p.props.list.len, 0);
    assert_true(str_equal(p.publish.payload, str_of("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_reads_as_it_was_written),
        cmocka_unit_test(a_publish_without_properties_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
