/* What a configuration of serial devices comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "config/bytes.h"
#include "config/config.h"

static struct settings *load(const char *bus)
{
    struct settings *s = NULL;
    struct buf text = {0};
    struct buf report = {0};

    buf_printf(&text, "gateway: {id: test}\nbuses:\n%s", bus);
    config_load_text("test", buf_str(&text), TESTS_DIR "/../conf/templates", &report, &s);
    if (buf_len(&report) > 0)
        fail_msg(STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    buf_fini(&text);
    return s;
}

static const struct tag_settings *tag_named(const struct settings *s, const char *name)
{
    const struct device_settings *device = &s->buses[0].devices[0];

    for (size_t i = 0; i < device->tag_count; i++)
        if (strcmp(device->tags[i].name, name) == 0)
            return &device->tags[i];
    fail_msg("no tag %s", name);
    return NULL;
}

static void expect_bytes(const char *text, bool quoted, const char *bytes, int len)
{
    uint8_t got[64];

    assert_int_equal(bytes_read(str_of(text), quoted, got), len);
    if (len > 0)
        assert_memory_equal(got, bytes, (size_t)len);
}

static void bytes_are_written_as_text_escapes_or_a_number(void **state)
{
    (void)state;
    expect_bytes("W\\r\\n", false, "W\r\n", 3);
    expect_bytes("W\r\n", true, "W\r\n", 3);
    expect_bytes("\\x02\\xfF\\\\\\0\\t", true, "\x02\xff\\\0\t", 5);
    expect_bytes("0xAAc0", false, "\xaa\xc0", 2);
    expect_bytes("0xAA", true, "0xAA", 4);
    expect_bytes("\xc2\xaa\xc3\xbf", true, "\xaa\xff", 2);
    expect_bytes("0xAAC", false, NULL, -EINVAL);
    expect_bytes("0xZZ", false, NULL, -EINVAL);
    expect_bytes("\\q", false, NULL, -EINVAL);
    expect_bytes("\\x1", false, NULL, -EINVAL);
    expect_bytes("\\", false, NULL, -EINVAL);
    expect_bytes("\xe2\x82\xac", true, NULL, -EINVAL); /* U+20AC is no byte */
    expect_bytes("", true, NULL, 0);
}

static void a_pattern_makes_a_device_of_tags(void **state)
{
    struct settings *s = load("  - name: scale\n"
                              "    type: serial\n"
                              "    port: {device: /dev/ttyS9, baud: 1200, data_bits: 7, parity: even}\n"
                              "    frame: {delimiter: \"\\r\\n\"}\n"
                              "    request: {send: 'W\\r\\n', every: 500ms}\n"
                              "    match: '^(?<stable>ST|US),(?<weight>[-+ ]*[0-9.]+)\\s*kg'\n"
                              "    tags: [{name: weight, unit: kg, add: -1, deadband: 0.5}]\n");
    const struct bus_settings *bus = &s->buses[0];
    const struct serial_message *m = &bus->serial->messages[0];
    const struct tag_settings *weight = tag_named(s, "weight");

    (void)state;
    assert_int_equal(bus->type, BUS_SERIAL);
    assert_int_equal(bus->port.data_bits, 7);
    assert_int_equal(bus->port.parity, PARITY_EVEN);
    assert_int_equal(bus->device_count, 1);
    assert_string_equal(bus->devices[0].name, "scale");
    assert_int_equal(bus->devices[0].tag_count, 2);
    assert_true(str_equal(bus->serial->frame.end, str_of("\r\n")));
    assert_int_equal(bus->serial->frame.pause_ms, 200);
    assert_int_equal(bus->serial->frame.max, 1024);
    assert_true(str_equal(m->send, str_of("W\r\n")));
    assert_int_equal(m->every_ms, 500);
    assert_int_equal(tag_named(s, "stable")->type, TYPE_STRING);
    assert_int_equal(bus->serial->texts[0].type, TEXT_AUTO);
    assert_int_equal(bus->serial->texts[1].type, TEXT_NUMBER); /* it has a unit */
    assert_int_equal(weight->type, TYPE_F64);
    assert_true(weight->offset == -1.0 && weight->scale == 1.0 && weight->rules.deadband.size == 0.5);
    assert_int_equal(weight->poll_ms, 500);
    assert_int_equal(weight->stale_after_ms, 3000);
    settings_free(s);
}

static void checksums_have_the_order_that_is_usual_for_them(void **state)
{
    static const struct {
        const char *frame;
        struct checksum_settings checksum;
    } known[] = {
        {"{idle: 5ms, checksum: crc16-modbus}", {.type = CHECKSUM_CRC16_MODBUS, .little = true}},
        {"{idle: 5ms, checksum: crc16-modbus, checksum_as: hex}", {.type = CHECKSUM_CRC16_MODBUS, .hex = true}},
        {"{idle: 5ms, checksum: crc16-x25, checksum_order: big}", {.type = CHECKSUM_CRC16_X25}},
        {"{idle: 5ms, checksum: crc16-ccitt}", {.type = CHECKSUM_CRC16_CCITT_FALSE}},
        {"{idle: 5ms, checksum: crc32, checksum_from: 2}", {.type = CHECKSUM_CRC32, .from = 2}},
        {"{start: '$', end: '\\n', checksum: nmea}", {.type = CHECKSUM_XOR, .hex = true, .from = 1}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct buf bus = {0};
        struct settings *s;
        const struct checksum_settings *c;

        buf_printf(&bus, "  - {name: a, type: serial, host: far, port: 4001, frame: %s, match: '(?<v>.)'}\n",
                   known[i].frame);
        buf_put_u8(&bus, 0);
        s = load((const char *)buf_data(&bus));
        c = &s->buses[0].serial->frame.checksum;
        assert_int_equal(c->type, known[i].checksum.type);
        assert_int_equal(c->hex, known[i].checksum.hex);
        assert_int_equal(c->little, known[i].checksum.little);
        assert_int_equal(c->from, known[i].checksum.from);
        settings_free(s);
        buf_fini(&bus);
    }
}

static void fields_lie_in_the_frame(void **state)
{
    struct settings *s =
        load("  - name: dust\n"
             "    type: serial\n"
             "    device: dust-1\n"
             "    host: 192.0.2.8\n"
             "    port: 4001\n"
             "    frame: {start: 0xAAC0, length_at: 2, length_size: 2, length_order: little, length_adds: 4, "
             "max: 99, checksum: sum8}\n"
             "    word_order: little\n"
             "    stale_after: 7s\n"
             "    fields:\n"
             "      - {name: a, offset: 4, type: u32, scale: 0.1, add: -40}\n"
             "      - {name: b, offset: 8, type: u8, bit: 7}\n"
             "      - {name: c, offset: 9, type: string, length: 5, stale_after: 9s}\n");
    const struct bus_settings *bus = &s->buses[0];
    const struct frame_settings *f = &bus->serial->frame;

    (void)state;
    assert_string_equal(bus->host, "192.0.2.8");
    assert_int_equal(bus->tcp_port, 4001);
    assert_string_equal(bus->devices[0].name, "dust-1");
    assert_true(str_equal(f->start, str_of("\xaa\xc0")));
    assert_int_equal(f->length_at, 2);
    assert_int_equal(f->length_size, 2);
    assert_true(f->length_little);
    assert_int_equal(f->length_adds, 4);
    assert_int_equal(f->max, 99);
    assert_int_equal(bus->serial->messages[0].field_count, 3);
    assert_int_equal(bus->serial->messages[0].fields[2].offset, 9);
    assert_int_equal(tag_named(s, "a")->order, ORDER_CDAB);
    assert_true(tag_named(s, "a")->offset == -40.0);
    assert_int_equal(tag_named(s, "a")->stale_after_ms, 7000);
    assert_true(tag_named(s, "b")->form.is_bit);
    assert_int_equal(tag_named(s, "c")->form.length, 5);
    assert_int_equal(tag_named(s, "c")->stale_after_ms, 9000);
    settings_free(s);
}

static void a_bus_says_more_than_its_template(void **state)
{
    struct settings *s = load("  - name: gps\n"
                              "    type: serial\n"
                              "    template: nmea-0183\n"
                              "    port: {device: /dev/ttyS9, parity: odd}\n"
                              "    label: On the roof\n"
                              "    frame: {max: 82}\n"
                              "    tags: [{name: speed, unit: m/s, scale: 0.514444, precision: 2}]\n");
    const struct bus_settings *bus = &s->buses[0];

    (void)state;
    assert_int_equal(bus->port.baud, 4800); /* the template's */
    assert_int_equal(bus->port.parity, PARITY_ODD);
    assert_int_equal(bus->serial->frame.max, 82);
    assert_true(str_equal(bus->serial->frame.start, str_of("$")));
    assert_int_equal(bus->serial->message_count, 3);
    assert_string_equal(bus->devices[0].label, "On the roof");
    assert_string_equal(bus->devices[0].model, "NMEA 0183");
    assert_string_equal(bus->devices[0].template_name, "nmea-0183");
    assert_string_equal(tag_named(s, "speed")->unit, "m/s");
    assert_true(tag_named(s, "speed")->rules.deadband.size == 0.2); /* the template's */
    assert_int_equal(tag_named(s, "altitude")->stale_after_ms, 10000);
    settings_free(s);
}

static void a_request_of_a_template_may_come_more_often(void **state)
{
    struct settings *s = load("  - {name: air, type: serial, template: mh-z19, port: {device: /dev/ttyS9},"
                              " request: {every: 1m}}\n");
    const struct serial_message *m = &s->buses[0].serial->messages[0];

    (void)state;
    assert_int_equal(m->every_ms, 60000);
    assert_int_equal(m->send.len, 9);
    assert_int_equal(tag_named(s, "co2")->stale_after_ms, 180000);
    settings_free(s);

    s = load(
        "  - {name: meter, type: serial, template: dlt645-2007, port: {device: /dev/ttyS9}, request: {every: 30s}}\n");
    assert_int_equal(s->buses[0].serial->messages[0].every_ms, 30000);
    assert_int_equal(s->buses[0].serial->messages[3].every_ms, 30000);
    settings_free(s);
}

static void a_request_gets_its_checksum_and_end(void **state)
{
    struct settings *s = load("  - {name: meter, type: serial, template: dlt645-2007, port: {device: /dev/ttyS9},"
                              " parameters: {address: 785634120000}}\n");
    const struct serial_settings *serial = s->buses[0].serial;

    (void)state;
    assert_int_equal(serial->messages[1].send.len, 20);
    assert_memory_equal(serial->messages[1].send.data,
                        "\xfe\xfe\xfe\xfe\x68\x78\x56\x34\x12\x00\x00\x68\x11\x04\x33\x34\x34\x35\xc9\x16", 20);
    assert_int_equal(serial->messages[2].fields[0].width, 3);
    assert_int_equal(serial->messages[2].fields[0].minus, 0x33);
    settings_free(s);

    s = load("  - name: nmea\n"
             "    type: serial\n"
             "    port: {device: /dev/ttyS9}\n"
             "    frame: {start: '$', end: \"\\r\\n\", checksum: nmea}\n"
             "    request: {send: '$PTEST,1', complete: true}\n"
             "    match: '(?<v>.)'\n");
    assert_true(str_equal(s->buses[0].serial->messages[0].send, str_of("$PTEST,1*5B\r\n")));
    settings_free(s);
}

static void messages_of_a_bus_replace_those_of_its_template(void **state)
{
    struct settings *s = load("  - name: gps\n"
                              "    type: serial\n"
                              "    template: nmea-0183\n"
                              "    port: {device: /dev/ttyS9}\n"
                              "    match: '^\\$..HDT,(?<course>[0-9.]+)'\n");

    (void)state;
    assert_int_equal(s->buses[0].serial->message_count, 1);
    assert_int_equal(s->buses[0].devices[0].tag_count, 1);
    assert_true(tag_named(s, "course")->form.has_range); /* the template's */
    settings_free(s);
}

static void what_comes_by_itself_stands_for_a_minute(void **state)
{
    struct settings *s = load("  - name: mixed\n"
                              "    type: serial\n"
                              "    port: {device: /dev/ttyS9}\n"
                              "    frame: {delimiter: \"\\n\"}\n"
                              "    messages:\n"
                              "      - {request: {send: a}, match: '^A(?<asked>.*)'}\n"
                              "      - {begins: B, match: '^B(?<told>.*)'}\n");

    (void)state;
    assert_int_equal(tag_named(s, "asked")->stale_after_ms, 3000);
    assert_int_equal(tag_named(s, "told")->stale_after_ms, 60000);
    assert_true(str_equal(s->buses[0].serial->messages[1].begins, str_of("B")));
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_as_text_escapes_or_a_number),
        cmocka_unit_test(a_pattern_makes_a_device_of_tags),
        cmocka_unit_test(checksums_have_the_order_that_is_usual_for_them),
        cmocka_unit_test(fields_lie_in_the_frame),
        cmocka_unit_test(a_bus_says_more_than_its_template),
        cmocka_unit_test(a_request_of_a_template_may_come_more_often),
        cmocka_unit_test(a_request_gets_its_checksum_and_end),
        cmocka_unit_test(messages_of_a_bus_replace_those_of_its_template),
        cmocka_unit_test(what_comes_by_itself_stands_for_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
