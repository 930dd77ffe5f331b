/* What a device and its values are for people and Home Assistant: given, inherited, or by the unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/value_class.h"
#include "core/units.h"

static int load(void **state)
{
    struct settings *s = NULL;
    struct buf report = {0};

    config_load(TESTS_DIR "/config/good/about/main.yaml", &report, &s);
    if (buf_len(&report) > 0)
        print_message(STR_FMT, STR_ARG(buf_str(&report)));
    buf_fini(&report);
    *state = s;
    return s ? 0 : -1;
}

static int unload(void **state)
{
    settings_free(*state);
    return 0;
}

static const struct device_settings *device_named(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->buses[0].device_count; i++)
        if (strcmp(s->buses[0].devices[i].name, name) == 0)
            return &s->buses[0].devices[i];
    fail_msg("no device %s", name);
    return NULL;
}

static void assert_classes(const struct settings *s, const char *device, const char *tag, const char *device_class,
                           const char *state_class)
{
    const struct device_settings *d = device_named(s, device);

    for (size_t i = 0; i < d->tag_count; i++) {
        if (strcmp(d->tags[i].name, tag) != 0)
            continue;
        assert_string_equal(d->tags[i].device_class, device_class);
        assert_string_equal(d->tags[i].state_class, state_class);
        return;
    }
    fail_msg("no tag %s of %s", tag, device);
}

static void the_template_says_who_made_it_and_the_device_may_differ(void **state)
{
    const struct device_settings *plain = device_named(*state, "plain");
    const struct device_settings *changed = device_named(*state, "changed");
    const struct device_settings *other = device_named(*state, "other");

    assert_string_equal(plain->label, "");
    assert_string_equal(plain->manufacturer, "Acme");
    assert_string_equal(plain->model, "S1");
    assert_string_equal(changed->label, "Cellar");
    assert_string_equal(changed->manufacturer, "Acme");
    assert_string_equal(changed->model, "S2");
    assert_string_equal(other->manufacturer, "");
    assert_string_equal(other->model, "");
}

static void labels_of_tags_are_inherited_and_changed(void **state)
{
    assert_string_equal(device_named(*state, "plain")->tags[0].label, "Room");
    assert_string_equal(device_named(*state, "plain")->tags[1].label, "");
    assert_string_equal(device_named(*state, "changed")->tags[0].label, "Room");
    assert_string_equal(device_named(*state, "changed")->tags[1].label, "Air");
}

static void classes_follow_from_the_unit_where_it_leaves_no_doubt(void **state)
{
    assert_classes(*state, "plain", "temperature", "temperature", "measurement");
    assert_classes(*state, "other", "import", "energy", "total_increasing");
    assert_classes(*state, "other", "flow", "volume_flow_rate", "measurement");
    assert_classes(*state, "other", "count", "", "");
    assert_classes(*state, "other", "mode", "enum", "");
}

static void classes_that_are_given_count_for_more(void **state)
{
    assert_classes(*state, "plain", "humidity", "humidity", "measurement");
    assert_classes(*state, "changed", "temperature", "", "");
    assert_classes(*state, "changed", "humidity", "humidity", "");
    assert_classes(*state, "other", "net", "energy", "total");
    assert_classes(*state, "other", "factor", "power_factor", "measurement");
    assert_classes(*state, "other", "door", "door", "");
    assert_classes(*state, "other", "fault", "problem", "");
}

static void a_switch_that_cannot_be_written_is_none(void **state)
{
    assert_classes(*state, "other", "relay", "switch", "");
    assert_classes(*state, "other", "locked", "", "");
}

static void units_have_symbols(void **state)
{
    (void)state;
    assert_string_equal(unit_symbol("degC"), "°C");
    assert_string_equal(unit_symbol("m3"), "m³");
    assert_string_equal(unit_symbol("kWh"), "kWh");
    assert_string_equal(unit_symbol(""), "");
}

static void a_class_has_its_units_only(void **state)
{
    (void)state;
    const struct value_class *temperature = value_class_find("temperature", NULL);
    const struct value_class *factor = value_class_find("power_factor", NULL);

    assert_true(value_class_has_unit(temperature, "degC"));
    assert_true(value_class_has_unit(temperature, "°F"));
    assert_false(value_class_has_unit(temperature, "C"));
    assert_false(value_class_has_unit(temperature, ""));
    assert_true(value_class_has_unit(factor, ""));
    assert_true(value_class_has_unit(factor, "%"));
    assert_null(value_class_of_unit("%"));
    assert_null(value_class_of_unit(""));
    assert_null(value_class_of_unit("k"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_template_says_who_made_it_and_the_device_may_differ),
        cmocka_unit_test(labels_of_tags_are_inherited_and_changed),
        cmocka_unit_test(classes_follow_from_the_unit_where_it_leaves_no_doubt),
        cmocka_unit_test(classes_that_are_given_count_for_more),
        cmocka_unit_test(a_switch_that_cannot_be_written_is_none),
        cmocka_unit_test(units_have_symbols),
        cmocka_unit_test(a_class_has_its_units_only),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
