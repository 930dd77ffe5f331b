/* What the loader makes of configurations without errors: the settings, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"

#define CONF_DIR TESTS_DIR "/../conf/"

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

static const struct tag_settings *tag_named(const struct device_settings *device, const char *name)
{
    for (size_t i = 0; i < device->tag_count; i++)
        if (strcmp(device->tags[i].name, name) == 0)
            return &device->tags[i];
    fail_msg("no tag %s", name);
    return NULL;
}

static void the_demo_has_two_buses_and_a_bridge(void **state)
{
    (void)state;
    struct settings *s = load(CONF_DIR "demo.yaml");

    assert_string_equal(s->gateway.id, "demo");
    assert_int_equal(s->gateway.data_dir[0], '/');
    assert_int_equal(s->broker.listener_count, 1);
    assert_int_equal(s->broker.listeners[0].port, 2883);
    assert_true(s->web.enabled);
    assert_int_equal(s->bus_count, 2);
    assert_int_equal(s->buses[0].type, BUS_MODBUS_RTU);
    assert_int_equal(s->buses[0].port.baud, 19200);
    assert_int_equal(s->buses[0].device_count, 3);
    assert_int_equal(s->buses[1].type, BUS_MODBUS_TCP);
    assert_int_equal(s->buses[1].tcp_port, 1502);
    assert_int_equal(s->bridge_count, 1);
    assert_string_equal(s->bridges[0].client.host, "127.0.0.1");
    assert_int_equal(s->bridges[0].client.port, 2884);
    settings_free(s);
}

static void a_device_changes_its_template_tag_by_tag(void **state)
{
    (void)state;
    struct settings *s = load(CONF_DIR "demo.yaml");
    const struct device_settings *meter = &s->buses[0].devices[0];

    assert_string_equal(meter->template_name, "eastron-sdm120");
    assert_int_equal(meter->tag_count, 13);
    assert_int_equal(meter->max_gap, 4);
    assert_int_equal(meter->timeout_ms, 300);
    assert_int_equal(tag_named(meter, "frequency")->address, 0x46);
    assert_int_equal(tag_named(meter, "frequency")->poll_ms, 2000);
    assert_string_equal(tag_named(meter, "frequency")->unit, "Hz");
    assert_int_equal(tag_named(meter, "voltage")->poll_ms, 1000);
    assert_int_equal(tag_named(meter, "voltage")->type, TYPE_F32);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_has_two_buses_and_a_bridge),
        cmocka_unit_test(a_device_changes_its_template_tag_by_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
