/* Unit tests of gateway/bus/forecast: what polling takes of a line, by figures computed by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/forecast.h"
#include "bus/schedule.h"
#include "core/str.h"
#include "drivers/driver.h"

enum { TAGS_MAX = 128 };

/* A bus with one device, whose tags are far enough apart to need a request of one register each. */
struct rig {
    struct tag_settings tags[TAGS_MAX];
    struct device_settings device;
    struct bus_settings bus;
};

static void rig_init(struct rig *rig, enum bus_type type, int32_t baud)
{
    *rig = (struct rig){
        .device = {.name = "meter", .unit = 1, .max_count = 125, .tags = rig->tags},
        .bus = {.name = "line",
                .type = type,
                .port = {.baud = baud, .parity = PARITY_NONE, .data_bits = 8, .stop_bits = 1},
                .devices = &rig->device,
                .device_count = 1},
    };
}

static void rig_add(struct rig *rig, size_t count, int64_t poll_ms)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = rig->device.tag_count++;

        assert_true(at < TAGS_MAX);
        rig->tags[at] = (struct tag_settings){
            .table = TABLE_HOLDING, .address = (uint16_t)(at * 2), .type = TYPE_U16, .poll_ms = poll_ms};
    }
}

static struct forecast forecast_of(const struct rig *rig)
{
    struct forecast f;

    assert_int_equal(forecast_bus(&rig->bus, &f), 0);
    assert_int_equal(f.requests, rig->device.tag_count);
    return f;
}

static void assert_percent(double share, double want)
{
    assert_true(fabs(share * 100.0 - want) < 0.01);
}

static int64_t time_of(int32_t baud, enum parity parity, enum modbus_table table, uint16_t count)
{
    const struct bus_settings bus = {.type = BUS_MODBUS_RTU,
                                     .port = {.baud = baud, .parity = parity, .data_bits = 8, .stop_bits = 1}};

    return forecast_request_us(&bus, &(struct request){.table = table, .count = count});
}

/* 8 + 5 + 2 characters of 10 bits: 15 625 us at 9600; T3.5 is 3.5 characters of 11 bits: 4 010 us, twice. */
static void a_request_takes_its_characters_and_two_silences(void **state)
{
    (void)state;
    assert_int_equal(time_of(9600, PARITY_NONE, TABLE_HOLDING, 1), 15625 + 2 * 4010);
    assert_int_equal(time_of(9600, PARITY_EVEN, TABLE_INPUT, 1), 17187 + 2 * 4010);
    assert_int_equal(time_of(9600, PARITY_ODD, TABLE_INPUT, 60), 152395 + 2 * 4010);
    assert_int_equal(time_of(19200, PARITY_NONE, TABLE_INPUT, 1), 7812 + 2 * 2005);
}

static void above_19200_baud_a_silence_is_1750_us(void **state)
{
    (void)state;
    assert_int_equal(time_of(38400, PARITY_NONE, TABLE_HOLDING, 1), 3906 + 2 * 1750);
    assert_int_equal(time_of(115200, PARITY_NONE, TABLE_HOLDING, 125), 22829 + 2 * 1750);
    assert_int_equal(time_of(4000000, PARITY_NONE, TABLE_HOLDING, 1), 37 + 2 * 1750);
}

static void eight_bits_are_a_character(void **state)
{
    (void)state;
    assert_int_equal(time_of(9600, PARITY_NONE, TABLE_COIL, 8), 14583 + 2 * 4010);
    assert_int_equal(time_of(9600, PARITY_NONE, TABLE_DISCRETE, 9), 15625 + 2 * 4010);
}

/* 3 * 23 645 us in 500 ms. */
static void a_light_load_needs_no_advice(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 3, 500);
    f = forecast_of(&rig);
    assert_percent(f.load, 14.187);
    assert_int_equal(f.advised_ms, 0);
    assert_int_equal(f.advised_baud, 0);
    assert_int_equal(f.fastest_ms, 0);
}

/* 20 * 23 645 us in 500 ms: all come in time, with little left for repeats. */
static void a_full_line_gets_advice_but_keeps_its_periods(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 20, 500);
    f = forecast_of(&rig);
    assert_percent(f.load, 94.58);
    assert_int_equal(f.advised_ms, 1000);
    assert_int_equal(f.advised_baud, 19200);
    assert_int_equal(f.fastest_ms, 0);
}

/* 30 * 23 645 us = 709 350 us instead of 500 ms; with 20 % to spare 887 ms. At 19200 baud 70.9 %. */
static void an_overload_stretches_the_period_to_the_time_needed(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 30, 500);
    f = forecast_of(&rig);
    assert_percent(f.load, 141.87);
    assert_int_equal(f.comes_ms[0], 709);
    assert_int_equal(f.fastest_ms, 500);
    assert_int_equal(f.slowest_ms, 500);
    assert_int_equal(f.advised_ms, 1000);
    assert_int_equal(f.advised_baud, 19200);
}

/* 141.87 and 4.729 %. */
static void all_periods_stretch_alike_in_an_overload(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 10, 5000);
    rig_add(&rig, 30, 500);
    f = forecast_of(&rig);
    assert_percent(f.load, 146.599);
    assert_int_equal(f.fastest_ms, 500);
    assert_int_equal(f.comes_ms[0], 733);
    assert_int_equal(f.slowest_ms, 5000);
    assert_int_equal(f.comes_ms[1], 7330);
}

/* 60 * 23 645 us in 500 and 600 ms, which is 260.1 %; all polled every 2 s it would be 71 %. */
static void no_shorter_period_is_advised_than_keeps_the_line_free(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 30, 600);
    rig_add(&rig, 30, 500);
    f = forecast_of(&rig);
    assert_int_equal(f.comes_ms[0], 1300);
    assert_int_equal(f.fastest_ms, 500);
    assert_int_equal(f.slowest_ms, 600);
    assert_int_equal(f.comes_ms[1], 1561);
    assert_int_equal(f.advised_ms, 2000);
}

/* 10 ms: even 115200 baud take 4.8 ms a request. */
static void no_baud_rate_is_advised_when_none_helps(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 30, 10);
    f = forecast_of(&rig);
    assert_int_equal(f.advised_baud, 0);
    assert_int_equal(f.advised_ms, 1000);

    rig_init(&rig, BUS_MODBUS_RTU, 300);
    rig_add(&rig, 100, 60000);
    f = forecast_of(&rig);
    assert_percent(f.load, 126.11);
    assert_int_equal(f.advised_ms, 120000);
    assert_int_equal(f.advised_baud, 9600);
}

static void a_tcp_request_is_assumed_to_take_10_ms(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_TCP, 0);
    rig_add(&rig, 100, 1000);
    f = forecast_of(&rig);
    assert_percent(f.load, 100.0);
    assert_int_equal(f.fastest_ms, 0);

    rig_add(&rig, 2, 1000);
    f = forecast_of(&rig);
    assert_percent(f.load, 102.0);
    assert_int_equal(f.comes_ms[0], 1020);
    assert_int_equal(f.advised_baud, 0);
}

static void requests_in_flight_share_their_time(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, BUS_MODBUS_TCP, 0);
    rig_add(&rig, 100, 1000);
    rig.bus.max_outstanding = 4;
    assert_percent(forecast_of(&rig).load, 25.0);
}

static void nothing_to_read_is_no_load(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    assert_percent(forecast_of(&rig).load, 0.0);
    rig.bus.device_count = 0;
    assert_percent(forecast_of(&rig).load, 0.0);
    assert_int_equal(forecast_device(&rig.bus, &rig.device, &f), 0);
    assert_int_equal(f.requests, 0);
}

/* 4 * (23 645 + 150 000 - 4 010) us: the silence counted already is part of the gap. */
static void a_gap_takes_the_time_of_its_device_but_not_of_the_line(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 4, 500);
    rig.device.min_request_gap_ms = 150;
    assert_percent(forecast_of(&rig).load, 18.916);
    assert_int_equal(forecast_device(&rig.bus, &rig.device, &f), 0);
    assert_percent(f.load, 135.708);
    assert_int_equal(f.comes_ms[0], 679);

    rig.device.min_request_gap_ms = 3;
    assert_int_equal(forecast_device(&rig.bus, &rig.device, &f), 0);
    assert_percent(f.load, 18.916);
}

/* Polls each entry as the scheduler says, every poll as long as forecast: how many there were of each kind. */
static void polls_in(const struct rig *rig, int64_t seconds, size_t first_count, size_t ret_polls[2])
{
    int64_t cost_us = time_of(rig->bus.port.baud, PARITY_NONE, TABLE_HOLDING, 1);
    struct schedule s;

    ret_polls[0] = ret_polls[1] = 0;
    assert_int_equal(schedule_init(&s, rig->device.tag_count), 0);
    for (size_t i = 0; i < s.count; i++)
        s.entries[i].period_ms = rig->tags[i].poll_ms;
    schedule_start(&s, 0);
    for (int64_t now_us = 0; now_us < seconds * 1000000;) {
        int64_t entry = schedule_pick(&s, now_us / 1000);

        if (entry < 0) {
            now_us = schedule_next(&s) * 1000;
            continue;
        }
        schedule_done(&s, (size_t)entry, now_us / 1000, cost_us);
        now_us += cost_us;
        ret_polls[(size_t)entry >= first_count]++;
    }
    schedule_fini(&s);
}

static void assert_near(size_t polls, double want)
{
    if (fabs((double)polls - want) > want * 0.02)
        fail_msg("%zu polls instead of %.0f", polls, want);
}

static void the_scheduler_does_as_forecast(void **state)
{
    (void)state;
    struct rig rig;
    struct forecast f;
    size_t polls[2];

    rig_init(&rig, BUS_MODBUS_RTU, 9600);
    rig_add(&rig, 10, 5000);
    rig_add(&rig, 30, 500);
    f = forecast_of(&rig);
    polls_in(&rig, 1000, 10, polls);
    assert_near(polls[0], 10 * 1000000.0 / (double)f.comes_ms[1]);
    assert_near(polls[1], 30 * 1000000.0 / (double)f.comes_ms[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_takes_its_characters_and_two_silences),
        cmocka_unit_test(above_19200_baud_a_silence_is_1750_us),
        cmocka_unit_test(eight_bits_are_a_character),
        cmocka_unit_test(a_light_load_needs_no_advice),
        cmocka_unit_test(a_full_line_gets_advice_but_keeps_its_periods),
        cmocka_unit_test(an_overload_stretches_the_period_to_the_time_needed),
        cmocka_unit_test(all_periods_stretch_alike_in_an_overload),
        cmocka_unit_test(no_shorter_period_is_advised_than_keeps_the_line_free),
        cmocka_unit_test(no_baud_rate_is_advised_when_none_helps),
        cmocka_unit_test(a_tcp_request_is_assumed_to_take_10_ms),
        cmocka_unit_test(requests_in_flight_share_their_time),
        cmocka_unit_test(nothing_to_read_is_no_load),
        cmocka_unit_test(a_gap_takes_the_time_of_its_device_but_not_of_the_line),
        cmocka_unit_test(the_scheduler_does_as_forecast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
