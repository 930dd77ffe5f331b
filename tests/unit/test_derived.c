/* Unit tests of gateway/publish: tags that are computed from others, with a simulated clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "publish/publish.h"
#include "publish_rig.h"

enum { VOLTS, AMPS, PUMP, WATTS, KILOWATTS, RATIO };

static const uint32_t of_watts[] = {VOLTS, AMPS};
static const uint32_t of_kilowatts[] = {WATTS};
static const uint32_t of_ratio[] = {PUMP, VOLTS, AMPS};
static const struct tag_settings tags[] = {
    {.name = "volts", .unit = "V", .type = TYPE_F32, .scale = 1, .stale_after_ms = 3000},
    {.name = "amps", .unit = "A", .type = TYPE_F32, .scale = 1, .stale_after_ms = 9000},
    {.name = "pump", .unit = "", .type = TYPE_BOOL, .scale = 1, .stale_after_ms = 9000},
    {.name = "watts",
     .unit = "W",
     .type = TYPE_F64,
     .expression = "volts * amps",
     .inputs = of_watts,
     .input_count = 2},
    {.name = "kilowatts",
     .unit = "kW",
     .type = TYPE_F64,
     .expression = "watts / 1000",
     .inputs = of_kilowatts,
     .input_count = 1,
     .form = {.has_precision = true, .precision = 1, .has_range = true, .range_min = 0, .range_max = 100}},
    {.name = "ratio",
     .unit = "",
     .type = TYPE_F64,
     .expression = "if(pump, volts / amps, 0)",
     .inputs = of_ratio,
     .input_count = 3},
};
static struct device_settings device = {.name = "meter", .unit = 1, .tags = tags, .tag_count = 3, .derived_count = 3};
static const struct bus_settings bus = {.name = "line", .devices = &device, .device_count = 1};

static struct publish *begin(void)
{
    struct publish *p = publish_new("gw", note, NULL);

    assert_non_null(p);
    assert_int_equal(publish_add_bus(p, 0, &bus, 0), 0);
    publish_announce(p, 1700000000000);
    buf_clear(&seen);
    return p;
}

static void end(struct publish *p)
{
    publish_free(p);
    buf_fini(&seen);
}

static struct reading good(uint32_t tag, double v)
{
    return (struct reading){.tag = tag, .value = {.type = VALUE_FLOAT, .d = v}};
}

static struct reading bad(uint32_t tag, enum reason_kind kind)
{
    return (struct reading){.tag = tag, .reason = {.kind = (uint8_t)kind}};
}

static void take(struct publish *p, const struct reading *readings, size_t count, int64_t now)
{
    struct batch *b = batch_new(count);

    assert_non_null(b);
    b->ts_ms = 1700000000000 + now;
    b->health.state = DEVICE_UP;
    for (size_t i = 0; i < count; i++)
        if (readings[i].reason.kind == REASON_NONE)
            batch_add(b, readings[i].tag, readings[i].value);
        else
            batch_add_bad(b, readings[i].tag, readings[i].reason);
    buf_clear(&seen);
    publish_batch(p, b, now);
    batch_free(b);
}

static void nothing_is_computed_before_all_is_known(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p, (struct reading[]){good(VOLTS, 230)}, 1, 100);
    assert_false(saw("watts"));
    take(p, (struct reading[]){good(AMPS, 2)}, 1, 200);
    assert_true(saw("wp/gw/d/meter/v/watts 460\n"));
    assert_true(saw("wp/gw/d/meter/v/kilowatts 0.5\n"));
    assert_true(saw("\"v\":{\"amps\":2,\"watts\":460,\"kilowatts\":0.5},\"q\":{}"));
    end(p);
}

static void what_no_input_of_was_read_is_not_told_again(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p, (struct reading[]){good(VOLTS, 230), good(AMPS, 2)}, 2, 100);
    take(p, (struct reading[]){{.tag = PUMP, .value = {.type = VALUE_BOOL, .b = true}}}, 1, 200);
    assert_true(saw("wp/gw/d/meter/v/ratio 115\n"));
    assert_false(saw("watts"));
    end(p);
}

static void a_bad_input_makes_it_bad_for_the_same_reason(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p, (struct reading[]){good(VOLTS, 230), good(AMPS, 2)}, 2, 100);
    take(p, (struct reading[]){bad(AMPS, REASON_SENTINEL)}, 1, 200);
    assert_true(saw("wp/gw/d/meter/v/watts \n"));
    assert_true(saw("wp/gw/d/meter/v/kilowatts \n"));
    assert_true(saw("\"q\":{\"amps\":\"sentinel\",\"watts\":\"sentinel\",\"kilowatts\":\"sentinel\""));
    take(p, (struct reading[]){bad(AMPS, REASON_SENTINEL)}, 1, 300);
    assert_false(saw("watts"));
    take(p, (struct reading[]){good(AMPS, 3)}, 1, 400);
    assert_true(saw("wp/gw/d/meter/v/watts 690\n"));
    end(p);
}

static void a_failed_read_of_an_input_that_still_stands_changes_nothing(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p, (struct reading[]){good(VOLTS, 230), good(AMPS, 2)}, 2, 100);
    take(p, (struct reading[]){bad(VOLTS, REASON_TIMEOUT)}, 1, 1100);
    assert_false(saw("watts"));
    end(p);
}

static void an_input_that_grows_old_takes_it_along(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p, (struct reading[]){good(VOLTS, 230), good(AMPS, 2)}, 2, 100);
    take(p, (struct reading[]){good(AMPS, 2)}, 1, 3000);
    buf_clear(&seen);
    publish_check_age(p, 3100, 1700000003100);
    assert_true(saw("wp/gw/d/meter/v/volts \n"));
    assert_true(saw("wp/gw/d/meter/v/watts \n"));
    assert_true(saw("\"watts\":\"stale\""));
    end(p);
}

static void a_result_out_of_range_or_infinite_is_null(void **state)
{
    (void)state;
    struct publish *p = begin();

    take(p,
         (struct reading[]){good(VOLTS, 230), good(AMPS, -2), {.tag = PUMP, .value = {.type = VALUE_BOOL, .b = true}}},
         3, 100);
    assert_true(saw("\"kilowatts\":\"range\""));
    take(p, (struct reading[]){good(AMPS, 0)}, 1, 200);
    assert_true(saw("\"ratio\":\"nan\""));
    assert_true(saw("wp/gw/d/meter/v/watts 0\n"));
    end(p);
}

int main(void)
{
    const struct CMUnitTest tests_all[] = {
        cmocka_unit_test(nothing_is_computed_before_all_is_known),
        cmocka_unit_test(what_no_input_of_was_read_is_not_told_again),
        cmocka_unit_test(a_bad_input_makes_it_bad_for_the_same_reason),
        cmocka_unit_test(a_failed_read_of_an_input_that_still_stands_changes_nothing),
        cmocka_unit_test(an_input_that_grows_old_takes_it_along),
        cmocka_unit_test(a_result_out_of_range_or_infinite_is_null),
    };

    return cmocka_run_group_tests(tests_all, NULL, NULL);
}
