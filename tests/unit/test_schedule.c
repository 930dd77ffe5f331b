/* Unit tests of gateway/bus/schedule, on a simulated clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/schedule.h"

static struct schedule schedule_of(const int64_t *periods_ms, size_t count, int64_t now_ms)
{
    struct schedule s;

    assert_int_equal(schedule_init(&s, count), 0);
    for (size_t i = 0; i < count; i++)
        s.entries[i].period_ms = periods_ms[i];
    schedule_start(&s, now_ms);
    return s;
}

/* Runs until `end_ms`; each poll takes `cost_ms`. Counts polls by entry. */
static void run(struct schedule *s, int64_t now_ms, int64_t end_ms, int64_t cost_ms, int *polls)
{
    while (now_ms < end_ms) {
        int64_t entry = schedule_pick(s, now_ms);

        if (entry < 0) {
            assert_true(schedule_next(s) > now_ms);
            now_ms = schedule_next(s);
            continue;
        }
        schedule_done(s, (size_t)entry, now_ms, cost_ms * 1000);
        now_ms += cost_ms;
        polls[entry]++;
    }
}

static void first_polls_are_staggered_within_the_period(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){1000, 1000, 15}, 3, 5000);

    assert_int_equal(s.entries[0].due_ms, 5000);
    assert_int_equal(s.entries[1].due_ms, 5020);
    assert_int_equal(s.entries[2].due_ms, 5010);
    schedule_fini(&s);
}

static void every_entry_keeps_its_period(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100, 250, 1000}, 3, 0);
    int polls[3] = {0};

    run(&s, 0, 10000, 10, polls);
    assert_in_range(polls[0], 99, 101);
    assert_in_range(polls[1], 39, 41);
    assert_in_range(polls[2], 9, 11);
    schedule_fini(&s);
}

static void the_one_late_by_most_of_its_period_goes_first(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){1000, 100, 1000}, 3, 0);

    s.entries[0].due_ms = 0;
    s.entries[1].due_ms = 40;
    s.entries[2].due_ms = 50;
    assert_int_equal(schedule_pick(&s, -1), -1);
    assert_int_equal(schedule_pick(&s, 41), 0); /* 4.1 and 1 % */
    assert_int_equal(schedule_pick(&s, 60), 1); /* 6, 20 and 1 % */
    schedule_fini(&s);
}

static void of_equals_the_shorter_period_goes_first(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){1000, 100}, 2, 0);

    s.entries[0].due_ms = s.entries[1].due_ms = 40;
    assert_int_equal(schedule_pick(&s, 40), 1);
    schedule_fini(&s);
}

/* A usual request of 100 ms makes the short period half late, the long one hardly later. */
static void what_a_request_would_add_counts_already(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){1000, 100}, 2, 0);

    s.entries[0].due_ms = 0;
    s.entries[1].due_ms = 200;
    assert_int_equal(schedule_pick(&s, 200), 0);
    schedule_done(&s, 0, 0, 100000);
    s.entries[0].due_ms = 0;
    assert_int_equal(schedule_pick(&s, 200), 1);
    schedule_fini(&s);
}

static void a_late_poll_is_made_up_for_by_nothing(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100}, 1, 0);

    schedule_done(&s, 0, 30, 5000);
    assert_int_equal(s.entries[0].due_ms, 100); /* on its grid */
    schedule_done(&s, 0, 730, 5000);            /* the line was busy for six periods */
    assert_int_equal(s.entries[0].due_ms, 780);
    assert_int_equal(schedule_pick(&s, 779), -1);
    schedule_fini(&s);
}

static void lateness_is_told_for_a_minute_or_two(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100}, 1, 1000000);

    schedule_done(&s, 0, 1000070, 5000);
    assert_int_equal(schedule_lateness(&s), 70);
    assert_int_equal(s.overdue, 0);
    schedule_done(&s, 0, s.entries[0].due_ms + 100, 5000);
    assert_int_equal(schedule_lateness(&s), 100);
    assert_int_equal(s.overdue, 1);
    s.entries[0].due_ms = 1060200;
    schedule_done(&s, 0, 1060210, 5000);
    assert_int_equal(schedule_lateness(&s), 100);
    s.entries[0].due_ms = 1120300;
    schedule_done(&s, 0, 1120320, 5000);
    assert_int_equal(schedule_lateness(&s), 20);
    schedule_fini(&s);
}

static void due_times_do_not_drift(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100}, 1, 0);

    for (int64_t now_ms = 0; now_ms < 100000; now_ms = schedule_next(&s))
        schedule_done(&s, 0, now_ms + 37, 1000);
    assert_int_equal(s.entries[0].due_ms % 100, 0);
    schedule_fini(&s);
}

static void a_paused_entry_waits_until_it_is_resumed(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100}, 1, 0);

    schedule_pause(&s, 0);
    assert_int_equal(schedule_pick(&s, 1000), -1);
    assert_true(schedule_next(&s) == INT64_MAX);
    schedule_resume(&s, 0, 1234);
    assert_int_equal(schedule_pick(&s, 1234), 0);
    schedule_fini(&s);
}

static void a_device_that_wants_a_pause_holds_up_only_itself(void **state)
{
    (void)state;
    struct schedule s = schedule_of((const int64_t[]){100, 100}, 2, 0);

    s.entries[0].not_before_ms = 500;
    assert_int_equal(schedule_pick(&s, 100), 1);
    schedule_done(&s, 1, 450, 0);
    assert_int_equal(schedule_next(&s), 500);
    assert_int_equal(schedule_pick(&s, 500), 0);
    schedule_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_polls_are_staggered_within_the_period),
        cmocka_unit_test(every_entry_keeps_its_period),
        cmocka_unit_test(the_one_late_by_most_of_its_period_goes_first),
        cmocka_unit_test(of_equals_the_shorter_period_goes_first),
        cmocka_unit_test(what_a_request_would_add_counts_already),
        cmocka_unit_test(lateness_is_told_for_a_minute_or_two),
        cmocka_unit_test(a_late_poll_is_made_up_for_by_nothing),
        cmocka_unit_test(due_times_do_not_drift),
        cmocka_unit_test(a_paused_entry_waits_until_it_is_resumed),
        cmocka_unit_test(a_device_that_wants_a_pause_holds_up_only_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
