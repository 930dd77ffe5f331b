/* Unit tests of gateway/publish: the rules of a tag, when its value goes out, with a simulated clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "publish/publish.h"

/* Values and json messages emitted since the last look, a line each: "a=7" or the JSON. */
static struct buf seen;

static struct str after(struct str text, const char *mark)
{
    const char *at = memmem(text.data, text.len, mark, strlen(mark));

    return (struct str){.data = at + strlen(mark), .len = text.len - (size_t)(at + strlen(mark) - text.data)};
}

static void note(void *arg, struct str topic, struct str payload, uint8_t qos, bool retain)
{
    (void)arg;
    assert_true(retain);
    if (memmem(topic.data, topic.len, "/v/", 3))
        buf_printf(&seen, STR_FMT "=" STR_FMT "\n", STR_ARG(after(topic, "/v/")), STR_ARG(payload));
    else if (memmem(topic.data, topic.len, "/json", 5))
        buf_printf(&seen, STR_FMT "\n", STR_ARG(payload));
    else
        return;
    assert_int_equal(qos, 1);
}

static void assert_seen(const char *want)
{
    buf_put_u8(&seen, 0);
    assert_string_equal((const char *)buf_data(&seen), want);
    buf_clear(&seen);
}

enum { A, B, TAGS };

struct rig {
    struct tag_settings tags[TAGS];
    struct device_settings device;
    struct bus_settings bus;
    struct publish *publish;
};

/* Two tags of one device, stale after 1000, with these rules for both. */
static void begin(struct rig *g, struct publish_rules rules, enum publish_form form)
{
    *g = (struct rig){.device = {.name = "d", .unit = 1, .publish = form, .tags = g->tags, .tag_count = TAGS},
                      .bus = {.name = "bus", .devices = &g->device, .device_count = 1}};
    g->tags[A] = (struct tag_settings){.name = "a", .unit = "", .stale_after_ms = 1000, .rules = rules};
    g->tags[B] = (struct tag_settings){.name = "b", .unit = "", .stale_after_ms = 1000, .rules = rules};
    g->publish = publish_new("gw", note, NULL);
    assert_non_null(g->publish);
    assert_int_equal(publish_add_bus(g->publish, 0, &g->bus, 0), 0);
    publish_announce(g->publish, 0);
}

static void end(struct rig *g)
{
    publish_free(g->publish);
    buf_fini(&seen);
}

static struct value integer(int64_t v)
{
    return (struct value){.type = VALUE_INT, .i = v};
}

static struct value number(double v)
{
    return (struct value){.type = VALUE_DOUBLE, .d = v};
}

static struct value none(enum reason_kind why)
{
    return (struct value){.type = VALUE_NONE, .u = (uint64_t)why};
}

static void add(struct batch *b, uint32_t tag, struct value v)
{
    if (v.type == VALUE_NONE)
        batch_add_bad(b, tag, (struct reason){.kind = (uint8_t)v.u});
    else
        batch_add(b, tag, v);
}

/* One request at `now`, on both clocks, for the first `count` tags. Returns when the age wants to be checked for it. */
static int64_t read_tags(struct rig *g, int64_t now, size_t count, struct value a, struct value b)
{
    struct batch *batch = batch_new(count);
    int64_t due;

    assert_non_null(batch);
    batch->ts_ms = now;
    add(batch, A, a);
    if (count > 1)
        add(batch, B, b);
    due = publish_batch(g->publish, batch, now);
    batch_free(batch);
    return due;
}

static int64_t read_a(struct rig *g, int64_t now, struct value v)
{
    return read_tags(g, now, 1, v, v);
}

static int64_t check(struct rig *g, int64_t now)
{
    return publish_check_age(g->publish, now, now);
}

/* Deadband. */

/* Reads `count` values and expects those for which `out` has an 'x' to be published. */
static void assert_published(struct deadband band, const struct value *values, const char *out)
{
    struct rig g;

    begin(&g, (struct publish_rules){.deadband = band}, PUBLISH_VALUES);
    for (size_t i = 0; out[i]; i++) {
        read_a(&g, (int64_t)i, values[i]);
        assert_int_equal(buf_len(&seen) > 0, out[i] == 'x');
        buf_clear(&seen);
    }
    end(&g);
}

static void a_value_must_leave_the_deadband_around_the_published_one(void **state)
{
    (void)state;
    const struct value slow[] = {number(20), number(20.4), number(19.6), number(20.5), number(20.6), number(20.2)};

    assert_published((struct deadband){.size = 0.5}, slow, "x...x.");
}

static void drift_in_small_steps_is_seen(void **state)
{
    (void)state;
    const struct value steps[] = {integer(0), integer(1), integer(2), integer(3), integer(4), integer(5), integer(6)};

    assert_published((struct deadband){.size = 2}, steps, "x..x..x");
}

static void a_step_as_large_as_the_deadband_is_not_beyond_it_in_spite_of_rounding(void **state)
{
    (void)state;
    const struct value tenths[] = {number(1 / 10.0), number(2 * 0.1), number(3 * 0.1), number(4 * 0.1),
                                   number(5 * 0.1)};
    const struct value again[] = {number(3 * 0.1), number(4 * 0.1), number(3 * 0.1), number(2 * 0.1), number(5 * 0.1)};

    assert_published((struct deadband){.size = 0.1}, tenths, "x.x.x");
    assert_published((struct deadband){.size = 0.1}, again, "x...x");
}

static void a_percentage_is_of_the_published_value(void **state)
{
    (void)state;
    const struct value up[] = {integer(100), integer(102), integer(98), integer(103), integer(105), integer(106)};
    const struct value below_zero[] = {integer(-100), integer(-102), integer(-103), integer(-101)};

    assert_published((struct deadband){.size = 2, .percent = true}, up, "x..x.x");
    assert_published((struct deadband){.size = 2, .percent = true}, below_zero, "x.x.");
}

static void any_change_is_more_than_some_percent_of_zero(void **state)
{
    (void)state;
    const struct value values[] = {number(0), number(0), number(0.001), number(0)};

    assert_published((struct deadband){.size = 50, .percent = true}, values, "x.xx");
}

static void large_integers_are_compared_exactly(void **state)
{
    (void)state;
    const struct value counter[] = {integer(INT64_C(9007199254740993)), integer(INT64_C(9007199254740994)),
                                    integer(INT64_C(9007199254740995)), integer(INT64_MIN), integer(INT64_MAX)};
    const struct value unsign[] = {{.type = VALUE_UINT, .u = UINT64_MAX},
                                   {.type = VALUE_UINT, .u = UINT64_MAX - 2},
                                   {.type = VALUE_UINT, .u = UINT64_MAX - 3}};

    assert_published((struct deadband){.size = 1}, counter, "x.xxx");
    assert_published((struct deadband){.size = 2}, unsign, "x.x");
}

static void floats_and_bools_have_their_own_ways(void **state)
{
    (void)state;
    const struct value floats[] = {
        {.type = VALUE_FLOAT, .d = 20.1F}, {.type = VALUE_FLOAT, .d = 20.5F}, {.type = VALUE_FLOAT, .d = 20.7F}};
    const struct value bools[] = {
        {.type = VALUE_BOOL, .b = true}, {.type = VALUE_BOOL, .b = true}, {.type = VALUE_BOOL, .b = false}};

    assert_published((struct deadband){.size = 0.5}, floats, "x.x");
    assert_published((struct deadband){.size = 5}, bools, "x.x");
}

static void a_json_message_shows_no_value_that_its_deadband_holds_back(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.deadband = {.size = 5}}, PUBLISH_JSON);
    read_tags(&g, 1, 2, integer(10), integer(100));
    assert_seen("{\"ts\":1,\"seq\":1,\"v\":{\"a\":10,\"b\":100},\"q\":{}}\n");
    read_tags(&g, 2, 2, integer(20), integer(103));
    assert_seen("{\"ts\":2,\"seq\":2,\"v\":{\"a\":20},\"q\":{}}\n");
    read_tags(&g, 3, 2, integer(30), integer(100));
    assert_seen("{\"ts\":3,\"seq\":3,\"v\":{\"a\":30,\"b\":100},\"q\":{}}\n");
    end(&g);
}

/* publish_on: always */

static void always_is_after_each_good_reading(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.on = PUBLISH_ALWAYS, .deadband = {.size = 5}}, PUBLISH_BOTH);
    read_a(&g, 1, integer(7));
    assert_seen("a=7\n{\"ts\":1,\"seq\":1,\"v\":{\"a\":7},\"q\":{}}\n");
    read_a(&g, 2, integer(7));
    assert_seen("a=7\n{\"ts\":2,\"seq\":2,\"v\":{\"a\":7},\"q\":{}}\n");
    read_a(&g, 3, none(REASON_TIMEOUT));
    assert_seen("");
    read_a(&g, 4, none(REASON_NAN));
    assert_seen("a=\n{\"ts\":4,\"seq\":3,\"v\":{\"a\":null},\"q\":{\"a\":\"nan\"}}\n");
    read_a(&g, 5, none(REASON_NAN));
    assert_seen("");
    end(&g);
}

/* min_interval */

static void the_newest_value_goes_out_when_the_interval_ends(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 500}, PUBLISH_BOTH);
    read_a(&g, 100, integer(1));
    assert_seen("a=1\n{\"ts\":100,\"seq\":1,\"v\":{\"a\":1},\"q\":{}}\n");
    assert_int_equal(read_a(&g, 200, integer(2)), 600);
    assert_int_equal(read_a(&g, 300, integer(3)), 600);
    assert_int_equal(check(&g, 599), 600);
    assert_seen("");
    check(&g, 600);
    assert_seen("a=3\n{\"ts\":300,\"seq\":2,\"v\":{\"a\":3},\"q\":{}}\n");
    assert_int_equal(check(&g, 601), 1000); /* tag b, never read, is overdue then */
    assert_int_equal(read_a(&g, 700, integer(4)), 1100);
    end(&g);
}

static void a_reading_after_the_interval_takes_the_place_of_the_held_one(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 500}, PUBLISH_BOTH);
    read_a(&g, 100, integer(1));
    read_a(&g, 200, integer(2));
    buf_clear(&seen);
    assert_int_equal(read_a(&g, 650, integer(3)), INT64_MAX);
    assert_seen("a=3\n{\"ts\":650,\"seq\":2,\"v\":{\"a\":3},\"q\":{}}\n");
    check(&g, 700);
    assert_seen("");
    end(&g);
}

static void a_value_that_came_back_within_the_interval_has_not_changed(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 500}, PUBLISH_VALUES);
    read_a(&g, 100, integer(1));
    read_a(&g, 200, integer(2));
    assert_int_equal(read_a(&g, 300, integer(1)), INT64_MAX);
    buf_clear(&seen);
    check(&g, 700);
    assert_seen("");
    end(&g);
}

static void a_missing_answer_does_not_stop_what_is_held(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 500}, PUBLISH_BOTH);
    read_a(&g, 100, integer(1));
    read_a(&g, 200, integer(2));
    buf_clear(&seen);
    assert_int_equal(read_a(&g, 300, none(REASON_TIMEOUT)), 600);
    check(&g, 600);
    assert_seen("a=2\n{\"ts\":200,\"seq\":2,\"v\":{\"a\":2},\"q\":{}}\n");
    end(&g);
}

static void turning_bad_and_good_again_is_never_held_back(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 100000, .deadband = {.size = 50}}, PUBLISH_VALUES);
    read_a(&g, 100, integer(1));
    read_a(&g, 110, none(REASON_NAN));
    assert_seen("a=1\na=\n");
    read_a(&g, 120, integer(2));
    assert_seen("a=2\n");
    assert_int_equal(read_a(&g, 130, integer(99)), 100120);
    check(&g, 1130);
    assert_seen("a=\nb=\n"); /* both stale */
    check(&g, 100120);
    assert_seen("");
    read_a(&g, 100130, integer(99));
    assert_seen("a=99\n");
    end(&g);
}

static void samples_held_together_go_out_in_one_json_message_the_oldest_first(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 500}, PUBLISH_JSON);
    read_tags(&g, 100, 2, integer(1), integer(11));
    read_tags(&g, 200, 2, integer(2), integer(12));
    buf_clear(&seen);
    check(&g, 600);
    assert_seen("{\"ts\":200,\"seq\":2,\"v\":{\"a\":2,\"b\":12},\"q\":{}}\n");
    read_tags(&g, 700, 2, integer(3), integer(13));
    read_a(&g, 800, integer(4));
    check(&g, 1100);
    assert_seen("{\"ts\":700,\"seq\":3,\"v\":{\"b\":13},\"q\":{}}\n{\"ts\":800,\"seq\":4,\"v\":{\"a\":4},\"q\":{}}\n");
    end(&g);
}

static void a_held_value_is_not_shown_beside_others(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){0}, PUBLISH_JSON);
    g.tags[B].rules = (struct publish_rules){.on = PUBLISH_ALWAYS, .min_interval_ms = 500};
    read_tags(&g, 100, 2, integer(1), integer(11));
    buf_clear(&seen);
    read_tags(&g, 200, 2, integer(2), integer(12));
    read_tags(&g, 300, 2, integer(3), integer(11));
    assert_seen("{\"ts\":200,\"seq\":2,\"v\":{\"a\":2},\"q\":{}}\n{\"ts\":300,\"seq\":3,\"v\":{\"a\":3},\"q\":{}}\n");
    check(&g, 600);
    assert_seen("{\"ts\":300,\"seq\":4,\"v\":{\"b\":11},\"q\":{}}\n");
    end(&g);
}

/* max_interval */

static void an_unchanged_value_goes_out_again_after_the_longest_interval(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.max_interval_ms = 500}, PUBLISH_BOTH);
    read_a(&g, 100, integer(1));
    buf_clear(&seen);
    assert_int_equal(read_a(&g, 400, integer(1)), 600);
    assert_int_equal(check(&g, 599), 600);
    assert_seen("");
    check(&g, 600);
    assert_seen("a=1\n{\"ts\":400,\"seq\":2,\"v\":{\"a\":1},\"q\":{}}\n");
    assert_int_equal(read_a(&g, 700, integer(1)), 1100);
    assert_seen("");
    read_a(&g, 1150, integer(1));
    assert_seen("a=1\n{\"ts\":1150,\"seq\":3,\"v\":{\"a\":1},\"q\":{}}\n");
    end(&g);
}

static void one_sample_is_not_published_twice(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.max_interval_ms = 200}, PUBLISH_VALUES);
    read_a(&g, 100, integer(1));
    check(&g, 400);
    assert_seen("a=1\n");
    read_a(&g, 900, integer(1));
    assert_seen("a=1\n");
    end(&g);
}

static void what_is_not_being_read_well_is_not_published_again(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.max_interval_ms = 500}, PUBLISH_VALUES);
    read_a(&g, 100, integer(1));
    read_a(&g, 200, integer(1));
    read_a(&g, 300, none(REASON_TIMEOUT));
    buf_clear(&seen);
    check(&g, 700);
    assert_seen("");
    read_a(&g, 800, integer(1));
    assert_seen("a=1\n");
    end(&g);
}

static void the_longest_interval_sends_what_the_deadband_held_back(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.deadband = {.size = 10}, .min_interval_ms = 100, .max_interval_ms = 500},
          PUBLISH_VALUES);
    read_a(&g, 100, integer(1));
    read_a(&g, 300, integer(9));
    assert_seen("a=1\n");
    check(&g, 600);
    assert_seen("a=9\n");
    assert_int_equal(read_a(&g, 650, integer(20)), 700);
    assert_seen("");
    check(&g, 700);
    assert_seen("a=20\n");
    assert_int_equal(read_a(&g, 710, integer(20)), 1200); /* counted from the last message, whatever its reason */
    end(&g);
}

static void both_intervals_alike_make_a_steady_pace(void **state)
{
    (void)state;
    struct rig g;

    begin(&g, (struct publish_rules){.min_interval_ms = 1000, .max_interval_ms = 1000}, PUBLISH_VALUES);
    g.tags[B].stale_after_ms = INT32_MAX;
    for (int64_t now = 0; now < 10000; now += 50) {
        read_a(&g, now, integer(now < 5000 ? now : 5000));
        assert_int_equal(buf_len(&seen) > 0, now % 1000 == 0);
        buf_clear(&seen);
    }
    end(&g);
}

/* publish: */

static void a_device_publishes_values_json_or_both(void **state)
{
    (void)state;
    static const char *const wants[] = {
        [PUBLISH_BOTH] = "a=1\n{\"ts\":1,\"seq\":1,\"v\":{\"a\":1},\"q\":{}}\n",
        [PUBLISH_VALUES] = "a=1\n",
        [PUBLISH_JSON] = "{\"ts\":1,\"seq\":1,\"v\":{\"a\":1},\"q\":{}}\n",
    };
    struct rig g;

    for (int form = PUBLISH_BOTH; form <= PUBLISH_JSON; form++) {
        begin(&g, (struct publish_rules){0}, (enum publish_form)form);
        read_a(&g, 1, integer(1));
        assert_seen(wants[form]);
        assert_int_equal(publish_seq(g.publish, 0, 0), form == PUBLISH_VALUES ? 1 : 2); /* json messages are counted */
        end(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_must_leave_the_deadband_around_the_published_one),
        cmocka_unit_test(drift_in_small_steps_is_seen),
        cmocka_unit_test(a_step_as_large_as_the_deadband_is_not_beyond_it_in_spite_of_rounding),
        cmocka_unit_test(a_percentage_is_of_the_published_value),
        cmocka_unit_test(any_change_is_more_than_some_percent_of_zero),
        cmocka_unit_test(large_integers_are_compared_exactly),
        cmocka_unit_test(floats_and_bools_have_their_own_ways),
        cmocka_unit_test(a_json_message_shows_no_value_that_its_deadband_holds_back),
        cmocka_unit_test(always_is_after_each_good_reading),
        cmocka_unit_test(the_newest_value_goes_out_when_the_interval_ends),
        cmocka_unit_test(a_reading_after_the_interval_takes_the_place_of_the_held_one),
        cmocka_unit_test(a_value_that_came_back_within_the_interval_has_not_changed),
        cmocka_unit_test(a_missing_answer_does_not_stop_what_is_held),
        cmocka_unit_test(turning_bad_and_good_again_is_never_held_back),
        cmocka_unit_test(samples_held_together_go_out_in_one_json_message_the_oldest_first),
        cmocka_unit_test(a_held_value_is_not_shown_beside_others),
        cmocka_unit_test(an_unchanged_value_goes_out_again_after_the_longest_interval),
        cmocka_unit_test(one_sample_is_not_published_twice),
        cmocka_unit_test(what_is_not_being_read_well_is_not_published_again),
        cmocka_unit_test(the_longest_interval_sends_what_the_deadband_held_back),
        cmocka_unit_test(both_intervals_alike_make_a_steady_pace),
        cmocka_unit_test(a_device_publishes_values_json_or_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
