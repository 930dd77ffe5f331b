/* Unit tests of gateway/publish: what a reading becomes on MQTT, with a simulated clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "publish/publish.h"
#include "publish_rig.h"

static void assert_seen(const char *want)
{
    buf_put_u8(&seen, 0);
    assert_string_equal((const char *)buf_data(&seen), want);
    buf_clear(&seen);
}

static const struct tag_word mode_words[] = {{0, "off"}, {1, "on"}};
static const struct tag_settings tags[] = {
    {.name = "level", .unit = "m", .type = TYPE_U16, .scale = 1, .poll_ms = 1000, .stale_after_ms = 3000},
    {.name = "temp", .unit = "C", .type = TYPE_F32, .scale = 1, .poll_ms = 5000, .stale_after_ms = 15000},
    {.name = "mode",
     .unit = "",
     .type = TYPE_U16,
     .scale = 1,
     .form = {.words = mode_words, .word_count = ARRAY_LEN(mode_words)},
     .poll_ms = 5000,
     .stale_after_ms = 15000},
    {.name = "serial",
     .unit = "",
     .type = TYPE_STRING,
     .scale = 1,
     .form = {.length = 4},
     .poll_ms = 5000,
     .stale_after_ms = 15000},
};
static const struct device_settings device = {.name = "tank", .unit = 2, .tags = tags, .tag_count = ARRAY_LEN(tags)};
static const struct bus_settings bus = {.name = "rs485-1", .devices = &device, .device_count = 1};

enum { LEVEL, TEMP, MODE, SERIAL };

static struct publish *begin(int64_t now)
{
    struct publish *p = publish_new("gw", note, NULL);

    assert_non_null(p);
    assert_int_equal(publish_add_bus(p, 0, &bus, now), 0);
    publish_announce(p, 1700000000000);
    assert_true(saw("wp/gw/state online\n"));
    assert_true(saw("wp/gw/devices {\"tank\":{\"bus\":\"rs485-1\",\"unit\":2,\"template\":null,\"tags\":{\"level\":"
                    "{\"unit\":\"m\",\"type\":\"u16\",\"poll_ms\":1000},"));
    buf_clear(&seen);
    return p;
}

static void end(struct publish *p)
{
    publish_free(p);
    buf_fini(&seen);
}

static void take(struct publish *p, struct reading r, int64_t now)
{
    struct batch *b = batch_new(1);

    assert_non_null(b);
    b->ts_ms = 1700000001000;
    b->health.state = DEVICE_UP;
    if (r.reason.kind == REASON_NONE)
        batch_add(b, r.tag, r.value);
    else
        batch_add_bad(b, r.tag, r.reason);
    publish_batch(p, b, now);
    batch_free(b);
}

static struct reading good(uint32_t tag, uint64_t v)
{
    return (struct reading){.tag = tag, .value = {.type = VALUE_UINT, .u = v}};
}

static struct reading text_of(uint32_t tag, const char *text)
{
    return (struct reading){.tag = tag, .value = {.type = VALUE_TEXT, .text = str_of(text)}};
}

static struct reading bad(uint32_t tag, enum reason_kind kind)
{
    return (struct reading){.tag = tag, .reason = {.kind = (uint8_t)kind}};
}

static void a_first_value_brings_the_device_online(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    assert_true(saw("wp/gw/d/tank/availability online\nwp/gw/d/tank/v/level 7\n"
                    "wp/gw/d/tank/json {\"ts\":1700000001000,\"seq\":1,\"v\":{\"level\":7},\"q\":{}}\n"
                    "wp/gw/d/tank/status {\"state\":\"up\","));
    end(p);
}

static void an_unchanged_value_is_not_published_again(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    buf_clear(&seen);
    take(p, good(LEVEL, 7), 1100);
    assert_seen("");
    take(p, good(LEVEL, 8), 2100);
    assert_true(saw("v/level 8\n"));
    assert_true(saw("\"seq\":2,"));
    end(p);
}

static void a_missing_answer_leaves_the_value_until_it_is_stale(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    buf_clear(&seen);
    take(p, bad(LEVEL, REASON_TIMEOUT), 1100);
    assert_seen("");
    assert_int_equal(publish_check_age(p, 3099, 0), 3100);
    assert_seen("");
    publish_check_age(p, 3100, 1700000009000);
    assert_seen(
        "wp/gw/d/tank/v/level \n"
        "wp/gw/d/tank/json {\"ts\":1700000009000,\"seq\":2,\"v\":{\"level\":null},\"q\":{\"level\":\"timeout\"}}\n"
        "wp/gw/d/tank/availability offline\n");
    end(p);
}

static void a_tag_that_was_not_asked_has_the_reason_of_its_silent_device(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 0);
    take(p, good(TEMP, 20), 0);
    take(p, bad(TEMP, REASON_TIMEOUT), 2000);
    buf_clear(&seen);
    publish_check_age(p, 3000, 1700000003000);
    assert_true(saw("\"q\":{\"level\":\"timeout\"}"));
    end(p);
}

static void a_silent_bus_thread_does_not_keep_a_value_fresh(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    buf_clear(&seen);
    publish_check_age(p, 60000, 1700000009000);
    assert_true(saw("\"q\":{\"level\":\"stale\",\"temp\":\"stale\",\"mode\":\"stale\",\"serial\":\"stale\"}"));
    end(p);
}

static void a_tag_never_read_is_told_to_have_no_data(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, bad(LEVEL, REASON_BUS_FAULT), 10);
    buf_clear(&seen);
    publish_check_age(p, 3000, 1700000009000);
    assert_true(saw("wp/gw/d/tank/v/level \n"));
    assert_true(saw("\"q\":{\"level\":\"bus_fault\"}"));
    assert_true(saw("availability offline"));
    end(p);
}

static void a_refused_value_is_null_at_once_and_the_device_stays_online(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(TEMP, 21), 100);
    buf_clear(&seen);
    take(p, bad(TEMP, REASON_NAN), 5100);
    assert_true(saw("wp/gw/d/tank/v/temp \n"));
    assert_true(saw("\"v\":{\"temp\":null},\"q\":{\"temp\":\"nan\"}"));
    assert_false(saw("availability"));
    end(p);
}

static void a_good_reading_ends_the_bad_state_even_with_the_old_value(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    take(p, bad(LEVEL, REASON_TIMEOUT), 1100);
    publish_check_age(p, 4000, 1700000009000);
    buf_clear(&seen);
    take(p, good(LEVEL, 7), 5000);
    assert_true(saw("availability online\nwp/gw/d/tank/v/level 7\n"));
    assert_int_equal(publish_check_age(p, 5001, 0), 8000);
    end(p);
}

static void a_tag_that_got_no_answer_is_not_shown_with_the_time_of_others(void **state)
{
    (void)state;
    struct publish *p = begin(0);
    struct batch *b = batch_new(2);

    take(p, good(TEMP, 21), 100);
    buf_clear(&seen);
    assert_non_null(b);
    batch_add(b, LEVEL, (struct value){.type = VALUE_UINT, .u = 9});
    batch_add_bad(b, TEMP, (struct reason){.kind = REASON_CRC});
    publish_batch(p, b, 200);
    batch_free(b);
    assert_true(saw("\"v\":{\"level\":9},\"q\":{}"));
    end(p);
}

static void texts_are_kept_and_escaped(void **state)
{
    (void)state;
    struct publish *p = begin(0);
    char text[] = "a\"b\n4567";

    take(p, text_of(SERIAL, text), 100);
    assert_true(saw("v/serial a\"b\n4567\n"));
    assert_true(saw("\"v\":{\"serial\":\"a\\\"b\\n4567\"}"));
    buf_clear(&seen);
    take(p, text_of(SERIAL, text), 200);
    assert_false(saw("serial"));
    text[0] = 'z'; /* what publish keeps is its own */
    take(p, text_of(SERIAL, text), 300);
    assert_true(saw("v/serial z\"b"));
    take(p, text_of(SERIAL, ""), 400);
    assert_true(saw("v/serial \n"));
    assert_true(saw("\"v\":{\"serial\":\"\"},\"q\":{}"));
    take(p, text_of(MODE, "off"), 500);
    assert_true(saw("v/mode off\n"));
    end(p);
}

static void a_value_without_a_word_is_null_with_its_number(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, text_of(MODE, "on"), 100);
    take(p, (struct reading){.tag = MODE, .reason = {.kind = REASON_ENUM, .code = 7}}, 200);
    assert_true(saw("\"v\":{\"mode\":null},\"q\":{\"mode\":\"enum:7\"}"));
    buf_clear(&seen);
    take(p, (struct reading){.tag = MODE, .reason = {.kind = REASON_ENUM, .code = 8}}, 300);
    assert_true(saw("enum:8"));
    end(p);
}

static void whole_numbers_that_doubles_cannot_hold_are_texts_in_json(void **state)
{
    (void)state;
    struct publish *p = begin(0);
    const struct {
        struct value value;
        const char *json;
    } cases[] = {
        {{.type = VALUE_UINT, .u = UINT64_MAX}, "{\"level\":\"18446744073709551615\"}"},
        {{.type = VALUE_UINT, .u = UINT64_C(1) << 53}, "{\"level\":9007199254740992}"},
        {{.type = VALUE_UINT, .u = (UINT64_C(1) << 53) + 1}, "{\"level\":\"9007199254740993\"}"},
        {{.type = VALUE_INT, .i = -(INT64_C(1) << 53) - 1}, "{\"level\":\"-9007199254740993\"}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        take(p, (struct reading){.tag = LEVEL, .value = cases[i].value}, 100);
        assert_true(saw(cases[i].json));
    }
    assert_true(saw("v/level 18446744073709551615\n"));
    end(p);
}

static void a_quarantined_device_is_offline(void **state)
{
    (void)state;
    struct publish *p = begin(0);
    struct batch *b = batch_new(0);

    assert_non_null(b);
    b->health.state = DEVICE_QUARANTINED;
    b->health.reason.kind = REASON_TIMEOUT;
    publish_batch(p, b, 1000);
    batch_free(b);
    assert_true(saw("status {\"state\":\"quarantined\",\"since\":0,\"reason\":\"timeout\","));
    assert_true(saw("availability offline"));
    end(p);
}

static void numbering_goes_on_where_it_is_told_to(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    publish_set_seq(p, 0, 0, 500);
    take(p, good(LEVEL, 7), 100);
    assert_true(saw("\"seq\":500,"));
    assert_int_equal(publish_seq(p, 0, 0), 501);
    end(p);
}

static const struct device_settings smaller = {.name = "tank", .unit = 2, .tags = tags, .tag_count = TEMP + 1};
static const struct bus_settings changed = {.name = "rs485-1", .devices = &smaller, .device_count = 1};

/* As after a reload: the new bus comes, then the old one goes. */
static void replace(struct publish *p, const struct bus_settings *with, int64_t now)
{
    assert_int_equal(publish_add_bus(p, 1, with, now), 0);
    publish_remove_bus(p, 0);
}

static void take_of_bus_1(struct publish *p, struct reading r, int64_t now)
{
    struct batch *b = batch_new(1);

    assert_non_null(b);
    b->bus = 1;
    b->ts_ms = 1700000001000;
    batch_add(b, r.tag, r.value);
    publish_batch(p, b, now);
    batch_free(b);
}

static void a_device_on_a_changed_bus_goes_on_numbering(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    replace(p, &bus, 200);
    publish_set_seq(p, 1, 0, 10001); /* what the disk says may be far ahead */
    buf_clear(&seen);
    take_of_bus_1(p, good(LEVEL, 7), 300);
    assert_true(saw("\"seq\":2,"));
    assert_true(saw("v/level 7\n")); /* read anew */
    assert_false(saw("availability"));
    end(p);
}

static void a_tag_is_as_old_as_before_its_bus_changed(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    take(p, good(LEVEL, 7), 100);
    replace(p, &bus, 2000);
    buf_clear(&seen);
    publish_check_age(p, 3099, 1700000003099);
    assert_false(saw("v/level"));
    publish_check_age(p, 3100, 1700000003100);
    assert_true(saw("v/level \n"));
    end(p);
}

static void what_a_removed_tag_left_is_cleared(void **state)
{
    (void)state;
    struct publish *p = begin(0);

    replace(p, &changed, 100);
    assert_true(saw("d/tank/v/mode \n"));
    assert_true(saw("d/tank/v/serial \n"));
    assert_false(saw("v/level"));
    assert_false(saw("availability"));
    end(p);
}

static void what_a_removed_device_left_is_cleared(void **state)
{
    static const struct bus_settings empty = {.name = "rs485-1"};
    (void)state;
    struct publish *p = begin(0);

    replace(p, &empty, 100);
    assert_true(saw("d/tank/v/level \n"));
    assert_true(saw("d/tank/json \n"));
    assert_true(saw("d/tank/status \n"));
    assert_true(saw("d/tank/availability \n"));
    buf_clear(&seen);
    publish_devices(p);
    assert_true(saw("wp/gw/devices {}\n"));
    end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_value_brings_the_device_online),
        cmocka_unit_test(an_unchanged_value_is_not_published_again),
        cmocka_unit_test(a_missing_answer_leaves_the_value_until_it_is_stale),
        cmocka_unit_test(a_tag_that_was_not_asked_has_the_reason_of_its_silent_device),
        cmocka_unit_test(a_silent_bus_thread_does_not_keep_a_value_fresh),
        cmocka_unit_test(a_tag_never_read_is_told_to_have_no_data),
        cmocka_unit_test(a_refused_value_is_null_at_once_and_the_device_stays_online),
        cmocka_unit_test(a_good_reading_ends_the_bad_state_even_with_the_old_value),
        cmocka_unit_test(a_tag_that_got_no_answer_is_not_shown_with_the_time_of_others),
        cmocka_unit_test(texts_are_kept_and_escaped),
        cmocka_unit_test(a_value_without_a_word_is_null_with_its_number),
        cmocka_unit_test(whole_numbers_that_doubles_cannot_hold_are_texts_in_json),
        cmocka_unit_test(a_quarantined_device_is_offline),
        cmocka_unit_test(numbering_goes_on_where_it_is_told_to),
        cmocka_unit_test(a_device_on_a_changed_bus_goes_on_numbering),
        cmocka_unit_test(a_tag_is_as_old_as_before_its_bus_changed),
        cmocka_unit_test(what_a_removed_tag_left_is_cleared),
        cmocka_unit_test(what_a_removed_device_left_is_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
