/* What devices tell their templates: values in the places of names, nothing computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"

static int load(void **state)
{
    struct settings *s = NULL;
    struct buf report = {0};

    config_load(TESTS_DIR "/config/good/parameters/main.yaml", &report, &s);
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

static const struct tag_settings *tag_of(void **state, size_t device, size_t tag)
{
    const struct settings *s = *state;

    return &s->buses[0].devices[device].tags[tag];
}

static void each_device_has_its_own_values(void **state)
{
    assert_int_equal(tag_of(state, 0, 0)->address, 10);
    assert_int_equal(tag_of(state, 1, 0)->address, 20);
    assert_true(tag_of(state, 1, 0)->scale == 0.5);
}

static void a_default_stands_for_what_a_device_does_not_say(void **state)
{
    assert_true(tag_of(state, 0, 0)->scale == 1.0);
    assert_string_equal(tag_of(state, 0, 1)->name, "run_state");
}

static void a_name_may_be_a_part_of_a_text_and_come_twice(void **state)
{
    assert_string_equal(tag_of(state, 1, 1)->name, "walk_state");
    assert_string_equal(tag_of(state, 1, 1)->label, "walkwalk");
    assert_int_equal(tag_of(state, 0, 1)->address, 0x100);
    assert_int_equal(tag_of(state, 1, 1)->address, 0x200);
}

static void a_dollar_without_a_name_is_one_and_two_are_one(void **state)
{
    assert_string_equal(tag_of(state, 0, 1)->form.words[0].word, "runs $5");
    assert_string_equal(tag_of(state, 0, 1)->form.words[1].word, "$ off$");
}

static void a_device_changes_a_tag_that_was_named_by_a_parameter(void **state)
{
    assert_int_equal(tag_of(state, 1, 1)->poll_ms, 5000);
    assert_int_equal(tag_of(state, 0, 1)->poll_ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_has_its_own_values),
        cmocka_unit_test(a_default_stands_for_what_a_device_does_not_say),
        cmocka_unit_test(a_name_may_be_a_part_of_a_text_and_come_twice),
        cmocka_unit_test(a_dollar_without_a_name_is_one_and_two_are_one),
        cmocka_unit_test(a_device_changes_a_tag_that_was_named_by_a_parameter),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
