/* What the loader makes of configurations without errors: the settings, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"

#define CONF TESTS_DIR "/../conf/"
#define GOOD TESTS_DIR "/config/good/"

static struct settings *load(const char *path)
{
    struct settings *s = NULL;
    struct buf report = {0};
    int r = config_load(path, &report, &s);

    if (buf_len(&report) > 0)
        print_message(STR_FMT, STR_ARG(buf_str(&report)));
    assert_int_equal(r, 0);
    assert_int_equal(buf_len(&report), 0);
    buf_fini(&report);
    return s;
}

static const struct bus_settings *bus_named(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->bus_count; i++)
        if (strcmp(s->buses[i].name, name) == 0)
            return &s->buses[i];
    fail_msg("no bus %s", name);
    return NULL;
}

static const struct device_settings *device_named(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->bus_count; i++)
        for (size_t j = 0; j < s->buses[i].device_count; j++)
            if (strcmp(s->buses[i].devices[j].name, name) == 0)
                return &s->buses[i].devices[j];
    fail_msg("no device %s", name);
    return NULL;
}

static const struct tag_settings *tag_named(const struct settings *s, const char *device, const char *name)
{
    const struct device_settings *d = device_named(s, device);

    for (size_t i = 0; i < d->tag_count; i++)
        if (strcmp(d->tags[i].name, name) == 0)
            return &d->tags[i];
    fail_msg("no tag %s of %s", name, device);
    return NULL;
}

static const struct bridge_settings *bridge_named(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->bridge_count; i++)
        if (strcmp(s->bridges[i].name, name) == 0)
            return &s->bridges[i];
    fail_msg("no bridge %s", name);
    return NULL;
}

static void assert_ends_with(const char *text, const char *end)
{
    assert_true(strlen(text) >= strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void assert_default_broker(const struct broker_settings *b)
{
    assert_int_equal(b->listener_count, 1);
    assert_string_equal(b->listeners[0].bind, "127.0.0.1");
    assert_int_equal(b->listeners[0].port, 1883);
    assert_false(b->entrance.allow_anonymous);
    assert_int_equal(b->entrance.limits.packet_bytes, 1048576);
    assert_int_equal(b->entrance.limits.connections, 10000);
    assert_int_equal(b->entrance.limits.inflight, 1000);
    assert_int_equal(b->entrance.limits.queued_messages, 100000);
    assert_int_equal(b->entrance.limits.queued_bytes, 67108864);
    assert_int_equal(b->entrance.limits.inflight_bytes, 16 << 20);
    assert_int_equal(b->entrance.limits.on_full, ON_FULL_DROP_OLDEST);
    assert_int_equal(b->entrance.limits.connections_per_address, 1000);
    assert_int_equal(b->entrance.limits.connection_rate, 50);
    assert_int_equal(b->entrance.limits.connection_burst, 500);
    assert_false(b->entrance.limits.limit_loopback);
    assert_int_equal(b->entrance.limits.message_rate, 0);
    assert_int_equal(b->entrance.limits.topic_levels, 128);
    assert_int_equal(b->entrance.limits.subscriptions, 10000);
    assert_int_equal(b->totals.message_bytes, 128 << 20);
    assert_int_equal(b->totals.retained_bytes, 64 << 20);
    assert_int_equal(b->entrance.limits.session_expiry_s, 30 * 86400);
    assert_int_equal(b->entrance.limits.keepalive_max_s, 65535);
    assert_int_equal(b->sys_interval_ms, 10000);
}

static void assert_defaults(const struct settings *s)
{
    assert_null(s->gateway.id);
    assert_string_equal(s->gateway.data_dir, "/var/lib/wirepost");
    assert_int_equal(s->gateway.inbox_readings, 10000);
    assert_default_broker(&s->broker);
    assert_string_equal(s->web.bind, "127.0.0.1");
    assert_int_equal(s->web.port, 8080);
    assert_int_equal(s->web.allowed_host_count, 0);
    assert_int_equal(s->bus_count, 0);
    assert_int_equal(s->bridge_count, 0);
    assert_int_equal(s->log_level, LOG_LEVEL_INFO);
}

static void an_empty_file_is_a_plain_broker_on_loopback(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "empty.yaml");

    assert_defaults(s);
    assert_false(s->web.enabled);
    settings_free(s);
}

static void sections_without_content_change_nothing_but_the_web_port(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "sections-without-content.yaml");

    assert_defaults(s);
    assert_true(s->web.enabled);
    settings_free(s);
}

static void the_shipped_file_holds_the_defaults(void **state)
{
    (void)state;
    struct settings *s = load(CONF "wirepost.yaml");

    assert_defaults(s);
    assert_true(s->web.enabled);
    settings_free(s);
}

static void values_have_the_type_of_their_option(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "broker.yaml");

    assert_string_equal(s->gateway.id, "no");
    assert_int_equal(s->gateway.inbox_readings, 256);
    assert_int_equal(s->broker.entrance.limits.packet_bytes, 1572864);
    assert_int_equal(s->broker.entrance.limits.connections, 0);
    assert_int_equal(s->broker.entrance.limits.inflight, 20);
    assert_int_equal(s->broker.entrance.limits.queued_messages, 50);
    assert_int_equal(s->broker.entrance.limits.queued_bytes, 2000000000);
    assert_int_equal(s->broker.entrance.limits.inflight_bytes, 65536);
    assert_int_equal(s->broker.entrance.limits.on_full, ON_FULL_DISCONNECT);
    assert_int_equal(s->broker.totals.message_bytes, 1 << 20);
    assert_int_equal(s->broker.entrance.limits.session_expiry_s, 5400);
    assert_int_equal(s->broker.entrance.limits.keepalive_max_s, 1200);
    assert_int_equal(s->broker.sys_interval_ms, 0);
    assert_int_equal(s->log_level, LOG_LEVEL_DEBUG);
    settings_free(s);
}

static void the_broker_listens_where_the_file_says(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "broker.yaml");

    assert_int_equal(s->broker.listener_count, 3);
    assert_string_equal(s->broker.listeners[0].bind, "127.0.0.1");
    assert_string_equal(s->broker.listeners[1].bind, "0.0.0.0");
    assert_int_equal(s->broker.listeners[1].port, 8883);
    assert_string_equal(s->broker.listeners[2].bind, "::1");
    assert_true(s->broker.entrance.allow_anonymous);
    assert_false(s->web.enabled);
    assert_int_equal(s->web.port, 8081);
    assert_string_equal(s->web.bind, "0.0.0.0");
    assert_int_equal(s->web.allowed_host_count, 2);
    assert_string_equal(s->web.allowed_hosts[1], "192.0.2.7");
    settings_free(s);
}

static void relative_paths_start_from_their_file(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "broker.yaml");

    assert_int_equal(s->gateway.data_dir[0], '/');
    assert_ends_with(s->gateway.data_dir, "/config/state");
    settings_free(s);
    s = load(GOOD "full/main.yaml");
    assert_ends_with(bus_named(s, "line")->port.device, "/config/good/full/dev/rs485");
    settings_free(s);
}

static void buses_have_their_port_or_endpoint(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct bus_settings *line = bus_named(s, "line");
    const struct bus_settings *net = bus_named(s, "net");

    assert_int_equal(line->type, BUS_MODBUS_RTU);
    assert_int_equal(line->port.baud, 115200);
    assert_int_equal(line->port.parity, PARITY_EVEN);
    assert_int_equal(line->port.data_bits, 8);
    assert_int_equal(line->port.stop_bits, 2);
    assert_int_equal(net->type, BUS_MODBUS_TCP);
    assert_string_equal(net->host, "plc.local");
    assert_int_equal(net->tcp_port, 502);
    assert_int_equal(bus_named(s, "cellar")->tcp_port, 1502);
    settings_free(s);
}

static void a_device_says_more_than_its_template_and_that_more_than_the_bus(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct device_settings *meter = device_named(s, "meter");
    const struct device_settings *press = device_named(s, "press");

    assert_string_equal(meter->template_name, "meter");
    assert_int_equal(meter->unit, 247);
    assert_int_equal(meter->timeout_ms, 1000); /* template, not the bus */
    assert_int_equal(meter->retries, 4);       /* device, not the bus */
    assert_int_equal(meter->fail_count, 5);    /* bus */
    assert_int_equal(meter->fail_time_ms, 5000);
    assert_int_equal(meter->max_count, 40);
    assert_int_equal(meter->max_gap, 6);
    assert_null(press->template_name);
    assert_int_equal(press->unit, 0);
    assert_int_equal(press->timeout_ms, 500);
    assert_int_equal(press->retries, 1);
    assert_int_equal(press->max_count, 125);
    assert_int_equal(press->max_gap, 0);
    assert_int_equal(press->min_request_gap_ms, 500);
    assert_int_equal(press->fail_count, 3);
    assert_int_equal(press->fail_time_ms, 60000);
    settings_free(s);
}

static void what_a_dead_device_is_asked_is_inherited_too(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");

    assert_int_equal(bus_named(s, "line")->health.dead_share_percent, 10);
    assert_int_equal(bus_named(s, "net")->health.dead_share_percent, 5);
    assert_int_equal(device_named(s, "meter")->probe.function, 4);
    assert_int_equal(device_named(s, "meter")->probe.address, 0x20);
    assert_int_equal(device_named(s, "meter")->probe.count, 2);
    assert_int_equal(device_named(s, "tank")->probe.function, 1);
    assert_int_equal(device_named(s, "tank")->probe.count, 1);
    assert_int_equal(device_named(s, "press")->probe.function, 0);
    settings_free(s);
}

static void a_device_changes_and_adds_to_its_templates_tags(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct tag_settings *voltage = tag_named(s, "meter", "voltage");
    const struct tag_settings *running = tag_named(s, "meter", "running");

    assert_int_equal(device_named(s, "meter")->tag_count, 3);
    assert_int_equal(voltage->table, TABLE_INPUT);
    assert_int_equal(voltage->type, TYPE_U16);
    assert_true(voltage->scale == 0.1);
    assert_string_equal(voltage->unit, "V");
    assert_int_equal(running->table, TABLE_DISCRETE);
    assert_int_equal(running->type, TYPE_BOOL);
    assert_int_equal(running->address, 16);
    assert_string_equal(running->unit, "");
    assert_true(tag_named(s, "hall", "voltage")->scale == 1.0);
    settings_free(s);
}

static void poll_and_order_are_inherited_down_to_the_tag(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");

    assert_int_equal(tag_named(s, "meter", "voltage")->order, ORDER_CDAB);
    assert_int_equal(tag_named(s, "meter", "energy")->order, ORDER_ABCD);
    assert_int_equal(tag_named(s, "tank", "flow")->order, ORDER_ABCD);
    assert_int_equal(tag_named(s, "tank", "volume")->order, ORDER_BADC);
    assert_int_equal(tag_named(s, "meter", "voltage")->poll_ms, 2000);
    assert_int_equal(tag_named(s, "meter", "running")->poll_ms, 200);
    assert_int_equal(tag_named(s, "hall", "voltage")->poll_ms, 4000);
    assert_int_equal(tag_named(s, "hall", "energy")->poll_ms, 10000);
    assert_int_equal(tag_named(s, "press", "force")->poll_ms, 1000);
    settings_free(s);
}

static void a_tag_is_stale_after_three_polls_unless_said_otherwise(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");

    assert_int_equal(tag_named(s, "meter", "running")->stale_after_ms, 3000); /* at least */
    assert_int_equal(tag_named(s, "tank", "flow")->stale_after_ms, 15000);
    assert_int_equal(tag_named(s, "tank", "volume")->stale_after_ms, 10000);
    assert_int_equal(tag_named(s, "press", "force")->stale_after_ms, 20000);
    settings_free(s);
}

static void assert_rules(const struct tag_settings *tag, enum publish_on on, struct deadband deadband, int64_t min_ms,
                         int64_t max_ms)
{
    assert_int_equal(tag->rules.on, on);
    assert_true(tag->rules.deadband.size == deadband.size);
    assert_int_equal(tag->rules.deadband.percent, deadband.percent);
    assert_int_equal(tag->rules.min_interval_ms, min_ms);
    assert_int_equal(tag->rules.max_interval_ms, max_ms);
}

static void publishing_rules_are_inherited_down_to_the_tag(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct deadband none = {.size = 0};
    const struct deadband one = {.size = 1, .percent = true};

    assert_rules(tag_named(s, "meter", "energy"), PUBLISH_ON_CHANGE, one, 2000, 600000);
    assert_rules(tag_named(s, "meter", "voltage"), PUBLISH_ON_CHANGE, (struct deadband){.size = 0.5}, 2000, 600000);
    assert_rules(tag_named(s, "tank", "level"), PUBLISH_ON_CHANGE, (struct deadband){.size = 2.5, .percent = true},
                 60000, 600000);
    assert_rules(tag_named(s, "tank", "flow"), PUBLISH_ALWAYS, (struct deadband){.size = 2.5, .percent = true}, 0, 0);
    assert_rules(tag_named(s, "hall", "energy"), PUBLISH_ON_CHANGE, one, 2000, 600000);
    assert_rules(tag_named(s, "press", "force"), PUBLISH_ON_CHANGE, none, 0, 0);
    assert_int_equal(device_named(s, "tank")->publish, PUBLISH_JSON);
    assert_int_equal(device_named(s, "meter")->publish, PUBLISH_VALUES);
    assert_int_equal(device_named(s, "press")->publish, PUBLISH_BOTH);
    settings_free(s);
}

static void numbers_of_a_tag_are_read_as_written(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct tag_settings *level = tag_named(s, "tank", "level");

    assert_int_equal(level->address, 65535);
    assert_int_equal(level->type, TYPE_S16);
    assert_true(level->scale == -0.5);
    assert_true(level->offset == 100.0);
    assert_string_equal(level->unit, "%");
    settings_free(s);
}

static void what_values_become_is_read_as_written(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "values.yaml");
    const struct tag_settings *serial = tag_named(s, "press", "serial");
    const struct tag_settings *mode = tag_named(s, "press", "mode");
    const struct tag_settings *alarm = tag_named(s, "press", "alarm");
    const struct tag_settings *valve = tag_named(s, "press", "valve");
    const struct tag_settings *stage = tag_named(s, "press", "stage");

    assert_int_equal(serial->type, TYPE_STRING);
    assert_int_equal(serial->order, ORDER_BADC);
    assert_int_equal(tag_width(serial), 8);
    assert_int_equal(mode->form.word_count, 3);
    assert_int_equal(mode->form.words[1].raw, 1);
    assert_string_equal(mode->form.words[1].word, "on");
    assert_int_equal(mode->form.words[2].raw, -2);
    assert_string_equal(mode->form.words[2].word, "2nd: fault");
    assert_int_equal(mode->order, ORDER_CDAB);
    assert_int_equal(alarm->type, TYPE_U16);
    assert_true(alarm->form.is_bit && alarm->form.bit_offset == 3);
    assert_int_equal(valve->type, TYPE_U16);
    assert_true(valve->form.is_bit && valve->form.word_count == 2);
    assert_true(stage->form.bit_offset == 4 && stage->form.bit_count == 20 && !stage->form.is_bit);
    assert_int_equal(tag_named(s, "press", "door")->form.word_count, 2);
    settings_free(s);
}

static void limits_of_values_are_read_as_written(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "values.yaml");
    const struct value_form *temperature = &tag_named(s, "press", "temperature")->form;
    const struct value_form *flow = &tag_named(s, "press", "flow")->form;
    const struct value_form *total = &tag_named(s, "press", "total")->form;

    assert_int_equal(temperature->sentinel_count, 3);
    assert_int_equal(temperature->sentinels[0], 0x8000);
    assert_int_equal(temperature->sentinels[1], 0x7fff);
    assert_int_equal(temperature->sentinels[2], 0xffff);
    assert_true(temperature->has_range && temperature->range_min == -40 && temperature->range_max == 150);
    assert_true(temperature->has_precision && temperature->precision == 0);
    assert_int_equal(flow->sentinels[0], 0xc479e000);
    assert_int_equal(flow->sentinels[1], 0x7fc00000);
    assert_false(flow->has_range || flow->has_precision);
    assert_true(total->sentinels[0] == UINT64_MAX);
    settings_free(s);
}

static void conf_d_adds_buses_devices_and_bridges(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");

    assert_int_equal(s->bus_count, 3);
    assert_int_equal(bus_named(s, "line")->device_count, 3);
    assert_string_equal(bus_named(s, "line")->devices[2].name, "hall");
    assert_int_equal(device_named(s, "boiler")->unit, 255);
    assert_int_equal(s->bridge_count, 2);
    settings_free(s);
}

static void a_bridge_has_defaults_for_all_but_its_url_and_topics(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct bridge_settings *b = bridge_named(s, "cloud");

    assert_string_equal(b->client.host, "broker.example");
    assert_int_equal(b->client.port, 1883);
    assert_false(b->client.encrypted);
    assert_true(b->client.tls.verify_hostname);
    assert_int_equal(b->client.tls.min_version, TLS_VERSION_1_2);
    assert_null(b->client.ws_path);
    assert_int_equal(b->client.version, 5);
    assert_string_equal(b->client.client_id, "plant7");
    assert_null(b->client.username);
    assert_null(b->client.password);
    assert_null(b->client.will.topic);
    assert_false(b->client.clean_start);
    assert_int_equal(b->client.session_expiry_s, 7 * 86400);
    assert_int_equal(b->client.keepalive_s, 60);
    assert_int_equal(b->client.inflight, 1000);
    assert_int_equal(b->client.packet_bytes, 1048576);
    assert_int_equal(b->client.topic_aliases, 100);
    assert_int_equal(b->client.backoff_min_ms, 1000);
    assert_int_equal(b->client.backoff_max_ms, 120000);
    assert_int_equal(b->topic_count, 1);
    assert_int_equal(b->topics[0].qos, 1);
    assert_string_equal(b->topics[0].local_prefix, "");
    assert_string_equal(b->topics[0].remote_prefix, "");
    assert_int_equal(b->store.max_bytes, 536870912);
    assert_int_equal(b->store.max_age_ms, 30LL * 86400000);
    assert_int_equal(b->store.on_full, OUTBOX_DROP_OLDEST);
    assert_int_equal(b->store.linger_ms, 2000);
    assert_int_equal(b->rate_per_s, 0);
    settings_free(s);
}

static void a_bridge_takes_every_option(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "full/main.yaml");
    const struct bridge_settings *b = bridge_named(s, "backup");

    assert_string_equal(b->client.host, "2001:db8::1");
    assert_int_equal(b->client.port, 1884);
    assert_true(b->client.encrypted);
    assert_string_equal(b->client.ws_path, "/broker");
    assert_ends_with(b->client.tls.ca, "/config/good/full/templates");
    assert_string_equal(b->client.tls.alpn, "mqtt");
    assert_false(b->client.tls.verify_hostname);
    assert_int_equal(b->client.tls.min_version, TLS_VERSION_1_3);
    assert_int_equal(b->client.version, 4);
    assert_string_equal(b->client.client_id, "plant7-backup");
    assert_string_equal(b->client.username, "joe");
    assert_true(b->client.clean_start);
    assert_int_equal(b->client.session_expiry_s, 3600);
    assert_int_equal(b->client.keepalive_s, 0);
    assert_int_equal(b->client.inflight, 5);
    assert_int_equal(b->client.packet_bytes, 65536);
    assert_int_equal(b->client.topic_aliases, 0);
    assert_int_equal(b->client.backoff_min_ms, 100);
    assert_int_equal(b->client.backoff_max_ms, 10000);
    assert_int_equal(b->topic_count, 2);
    assert_string_equal(b->topics[0].filter, "wp/plant7/#");
    assert_int_equal(b->topics[0].qos, 0);
    assert_string_equal(b->topics[0].local_prefix, "wp/");
    assert_string_equal(b->topics[0].remote_prefix, "sites/");
    assert_string_equal(b->topics[1].filter, "alarms/+");
    assert_int_equal(b->store.max_bytes, 1000000);
    assert_int_equal(b->store.max_age_ms, 0);
    assert_int_equal(b->store.on_full, OUTBOX_REJECT);
    assert_int_equal(b->store.linger_ms, 0);
    assert_int_equal(b->rate_per_s, 100);
    settings_free(s);
}

static void the_demo_reads_two_buses_and_forwards_to_its_upstream(void **state)
{
    (void)state;
    struct settings *s = load(CONF "demo.yaml");
    struct settings *upstream = load(CONF "demo-upstream.yaml");
    const struct device_settings *meter = device_named(s, "meter-1");

    assert_string_equal(s->gateway.id, "demo");
    assert_int_equal(s->bus_count, 2);
    assert_int_equal(bus_named(s, "rs485-1")->device_count, 3);
    assert_int_equal(bus_named(s, "plc")->tcp_port, 1502);
    assert_string_equal(meter->template_name, "eastron-sdm120");
    assert_int_equal(meter->tag_count, 13);
    assert_int_equal(tag_named(s, "meter-1", "frequency")->address, 0x46);
    assert_int_equal(bridge_named(s, "upstream")->client.port, upstream->broker.listeners[0].port);
    assert_null(upstream->gateway.id);
    settings_free(s);
    settings_free(upstream);
}

static void setup_writes_know_their_tags_and_actions(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "setup.yaml");
    const struct device_settings *meter = device_named(s, "meter");

    assert_int_equal(meter->setup_count, 3);
    assert_true(meter->setup[0].is_action);
    assert_string_equal(meter->actions[meter->setup[0].index].name, "unlock");
    assert_string_equal(meter->tags[meter->setup[1].index].name, "mode");
    assert_string_equal(meter->setup[1].value, "heating");
    assert_true(meter->setup[1].verify);
    assert_string_equal(meter->tags[meter->setup[2].index].name, "pump");
    settings_free(s);
}

static void blocks_are_those_of_the_device(void **state)
{
    (void)state;
    struct settings *s = load(GOOD "blocks.yaml");
    const struct device_settings *press = device_named(s, "press");

    assert_int_equal(press->block_count, 3);
    assert_int_equal(press->blocks[1].table, TABLE_HOLDING);
    assert_int_equal(press->blocks[1].from, 10);
    assert_int_equal(press->blocks[1].to, 65535);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_a_plain_broker_on_loopback),
        cmocka_unit_test(sections_without_content_change_nothing_but_the_web_port),
        cmocka_unit_test(the_shipped_file_holds_the_defaults),
        cmocka_unit_test(values_have_the_type_of_their_option),
        cmocka_unit_test(the_broker_listens_where_the_file_says),
        cmocka_unit_test(relative_paths_start_from_their_file),
        cmocka_unit_test(buses_have_their_port_or_endpoint),
        cmocka_unit_test(a_device_says_more_than_its_template_and_that_more_than_the_bus),
        cmocka_unit_test(what_a_dead_device_is_asked_is_inherited_too),
        cmocka_unit_test(a_device_changes_and_adds_to_its_templates_tags),
        cmocka_unit_test(poll_and_order_are_inherited_down_to_the_tag),
        cmocka_unit_test(a_tag_is_stale_after_three_polls_unless_said_otherwise),
        cmocka_unit_test(publishing_rules_are_inherited_down_to_the_tag),
        cmocka_unit_test(numbers_of_a_tag_are_read_as_written),
        cmocka_unit_test(what_values_become_is_read_as_written),
        cmocka_unit_test(limits_of_values_are_read_as_written),
        cmocka_unit_test(conf_d_adds_buses_devices_and_bridges),
        cmocka_unit_test(a_bridge_has_defaults_for_all_but_its_url_and_topics),
        cmocka_unit_test(a_bridge_takes_every_option),
        cmocka_unit_test(the_demo_reads_two_buses_and_forwards_to_its_upstream),
        cmocka_unit_test(setup_writes_know_their_tags_and_actions),
        cmocka_unit_test(blocks_are_those_of_the_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
