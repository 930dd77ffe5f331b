/* Unit tests of gateway/bus/health, on a simulated clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/health.h"

static const struct device_settings settings = {
    .name = "meter", .timeout_ms = 500, .retries = 1, .fail_count = 3, .fail_time_ms = 5000};
static const struct reason timed_out = {.kind = REASON_TIMEOUT};

static struct device_health healthy(void)
{
    struct device_health h;

    health_init(&h, &settings, 0);
    assert_int_equal(h.shown.state, DEVICE_STARTING);
    assert_true(health_answered(&h, 20000, 5000, 0, 1));
    return h;
}

static struct device_health dead(int64_t now_ms)
{
    struct device_health h = healthy();

    health_failed(&h, timed_out, now_ms - 5000, 0);
    health_failed(&h, timed_out, now_ms - 1, 0);
    assert_true(health_failed(&h, timed_out, now_ms, 77));
    return h;
}

static void a_device_is_quarantined_by_count_and_time(void **state)
{
    (void)state;
    struct device_health h = healthy();

    for (int64_t now_ms = 0; now_ms < 5000; now_ms += 500)
        assert_false(health_failed(&h, timed_out, now_ms, 0));
    assert_true(health_failed(&h, timed_out, 5000, 77));
    assert_int_equal(h.shown.state, DEVICE_QUARANTINED);
    assert_int_equal(h.shown.since_ms, 77);
    assert_int_equal(h.shown.reason.kind, REASON_TIMEOUT);
}

static void time_alone_does_not_quarantine(void **state)
{
    (void)state;
    struct device_health h = healthy();

    assert_false(health_failed(&h, timed_out, 0, 0));
    assert_false(health_failed(&h, timed_out, 60000, 0));
    assert_true(health_failed(&h, timed_out, 120000, 0));
}

static void one_answer_clears_the_count(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_failed(&h, timed_out, 0, 0);
    health_failed(&h, timed_out, 4000, 0);
    assert_false(health_answered(&h, 10000, 5000, 0, 0));
    assert_false(health_failed(&h, timed_out, 8000, 0));
    assert_int_equal(h.shown.state, DEVICE_UP);
}

static void probes_come_less_and_less_often_up_to_ten_seconds(void **state)
{
    (void)state;
    struct device_health h = dead(100000);
    int64_t before_ms = h.probe_due_ms;

    assert_int_equal(before_ms, 101000);
    for (int i = 0; i < 10; i++) {
        health_probe_failed(&h, before_ms, (uint32_t)i * 37, false);
        assert_true(h.probe_due_ms - before_ms <= PROBE_MAX_MS);
        assert_true(h.probe_due_ms - before_ms >= 1600);
        before_ms = h.probe_due_ms;
    }
    assert_int_equal(h.probe_wait_ms, PROBE_MAX_MS);
}

static void an_answer_to_a_probe_revives(void **state)
{
    (void)state;
    struct device_health h = dead(100000);

    assert_true(health_answered(&h, 15000, 5000, 0, 99));
    assert_int_equal(h.shown.state, DEVICE_UP);
    assert_int_equal(h.shown.since_ms, 99);
    assert_int_equal(h.shown.reason.kind, REASON_TIMEOUT);
}

static void a_probe_waits_three_usual_latencies_but_sometimes_all_of_it(void **state)
{
    (void)state;
    struct device_health h = dead(100000);
    int whole = 0;

    for (int i = 0; i < 8; i++) {
        if (health_timeout_ms(&h) == settings.timeout_ms)
            whole++;
        else
            assert_int_equal(health_timeout_ms(&h), 80); /* 3 x 20 ms and what schedulers need */
        health_probe_failed(&h, 0, 0, false);
    }
    assert_int_equal(whole, 1);
}

static void a_late_answer_gives_the_next_probe_the_whole_timeout(void **state)
{
    (void)state;
    struct device_health h = dead(100000);

    health_probe_failed(&h, 0, 0, true);
    assert_int_equal(health_timeout_ms(&h), settings.timeout_ms);
    health_probe_failed(&h, 0, 0, false);
    assert_int_equal(health_timeout_ms(&h), 80);
}

static void a_device_never_heard_of_is_given_its_whole_timeout(void **state)
{
    (void)state;
    struct device_health h;

    health_init(&h, &settings, 0);
    for (int64_t now_ms = 0; now_ms <= 10000; now_ms += 5000)
        health_failed(&h, timed_out, now_ms, 0);
    assert_true(health_is_quarantined(&h));
    assert_int_equal(health_timeout_ms(&h), 500);
    assert_int_equal(health_drain_ms(&h), 500);
}

static void a_device_never_heard_of_is_taken_for_as_fast_as_its_neighbours(void **state)
{
    (void)state;
    struct device_health h;
    int whole = 0;

    health_init(&h, &settings, 0);
    for (int64_t now_ms = 0; now_ms <= 10000; now_ms += 5000)
        health_failed(&h, timed_out, now_ms, 0);
    h.neighbours_us = 30000;
    for (int i = 0; i < 8; i++) {
        if (health_timeout_ms(&h) == settings.timeout_ms)
            whole++;
        else
            assert_int_equal(health_timeout_ms(&h), 110);
        assert_int_equal(health_drain_ms(&h), 110);
        health_probe_failed(&h, 0, 0, false);
    }
    assert_int_equal(whole, 2);
}

static void a_slow_device_that_dies_may_come_back_as_slow(void **state)
{
    (void)state;
    struct device_health h = dead(100000);

    health_was_late(&h, 100000, 0);
    health_was_late(&h, 100000, 0);
    assert_int_equal(health_timeout_ms(&h), 80);
    assert_int_equal(health_drain_ms(&h), 80);
    health_probe_failed(&h, 0, 0, true);
    assert_int_equal(health_timeout_ms(&h), 1500);
    assert_int_equal(health_drain_ms(&h), 80);
}

static void only_well_devices_get_retries(void **state)
{
    (void)state;
    struct device_health h = healthy();

    assert_int_equal(health_retries(&h), 1);
    health_failed(&h, timed_out, 0, 0);
    assert_int_equal(health_retries(&h), 0);
    health_answered(&h, 1000, 500, 0, 0);
    assert_int_equal(health_retries(&h), 1);
}

static void late_answers_lengthen_the_timeout_up_to_three_times(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_was_late(&h, 1000, 77);
    assert_int_equal(h.shown.state, DEVICE_SLOW);
    assert_int_equal(h.shown.since_ms, 77);
    assert_int_equal(health_timeout_ms(&h), 1000);
    assert_int_equal(h.shown.timeout_ms, 1000);
    for (int64_t now_ms = 2000; now_ms < 9000; now_ms += 1000)
        health_was_late(&h, now_ms, 78);
    assert_int_equal(health_timeout_ms(&h), 1500);
    assert_int_equal(h.shown.since_ms, 77);
}

static void half_a_minute_in_time_makes_a_slow_device_well_again(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_was_late(&h, 1000, 0);
    health_was_late(&h, 2000, 0);
    for (int64_t now_ms = 3000; now_ms < 32000; now_ms += 1000)
        assert_false(health_answered(&h, 60000, 50000, now_ms, 0));
    assert_int_equal(health_timeout_ms(&h), 1500);
    assert_true(health_answered(&h, 60000, 50000, 32000, 99));
    assert_int_equal(h.shown.state, DEVICE_UP);
    assert_int_equal(h.shown.since_ms, 99);
    assert_int_equal(health_timeout_ms(&h), 500);
}

static void a_device_that_stays_slow_keeps_the_time_it_needs(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_was_late(&h, 1000, 0);
    health_was_late(&h, 2000, 0);
    for (int64_t now_ms = 3000; now_ms < 300000; now_ms += 1000)
        health_answered(&h, 700000, 600000, now_ms, 0);
    assert_int_equal(h.shown.state, DEVICE_SLOW);
    assert_int_equal(health_timeout_ms(&h), 1000);
}

static void a_device_that_is_late_again_is_not_believed_to_be_calm(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_was_late(&h, 1000, 0);
    health_answered(&h, 60000, 50000, 25000, 0);
    health_was_late(&h, 28000, 0);
    health_answered(&h, 60000, 50000, 50000, 0);
    assert_int_equal(health_timeout_ms(&h), 1500);
}

static void a_device_that_fails_pauses_until_it_is_quarantined(void **state)
{
    (void)state;
    struct device_health h = healthy();

    health_failed(&h, timed_out, 0, 0);
    assert_int_equal(health_pause_ms(&h), h.settings->timeout_ms); /* its other requests are due too */
    health_failed(&h, timed_out, 1000, 0);
    assert_int_equal(health_pause_ms(&h), 5000 / 3);
    health_failed(&h, timed_out, 5000, 0);
    assert_true(health_is_quarantined(&h));
    assert_int_equal(health_pause_ms(&h), 0);
}

static void dead_devices_use_at_most_their_share(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    int64_t spent_ms = 0;

    /* Ten dead devices that are all due all the time; a probe costs 160 ms. */
    while (now_ms < 600000) {
        spent_ms += 160;
        now_ms = dead_share_next(now_ms, 160, 5);
    }
    assert_true(spent_ms * 1000 / now_ms <= 50);
    assert_true(spent_ms * 1000 / now_ms >= 49);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_quarantined_by_count_and_time),
        cmocka_unit_test(time_alone_does_not_quarantine),
        cmocka_unit_test(one_answer_clears_the_count),
        cmocka_unit_test(probes_come_less_and_less_often_up_to_ten_seconds),
        cmocka_unit_test(an_answer_to_a_probe_revives),
        cmocka_unit_test(a_probe_waits_three_usual_latencies_but_sometimes_all_of_it),
        cmocka_unit_test(a_late_answer_gives_the_next_probe_the_whole_timeout),
        cmocka_unit_test(a_device_never_heard_of_is_given_its_whole_timeout),
        cmocka_unit_test(a_device_never_heard_of_is_taken_for_as_fast_as_its_neighbours),
        cmocka_unit_test(a_slow_device_that_dies_may_come_back_as_slow),
        cmocka_unit_test(only_well_devices_get_retries),
        cmocka_unit_test(late_answers_lengthen_the_timeout_up_to_three_times),
        cmocka_unit_test(half_a_minute_in_time_makes_a_slow_device_well_again),
        cmocka_unit_test(a_device_that_stays_slow_keeps_the_time_it_needs),
        cmocka_unit_test(a_device_that_is_late_again_is_not_believed_to_be_calm),
        cmocka_unit_test(a_device_that_fails_pauses_until_it_is_quarantined),
        cmocka_unit_test(dead_devices_use_at_most_their_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
