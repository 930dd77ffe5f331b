/*
 * Unit tests of gateway/bus/schedule under load: a line is simulated, each poll takes its time. Whatever the
 * load, no tag may wait much longer than the load makes its period, and none gains at another's cost.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "bus/schedule.h"
#include "core/str.h"

enum { SECONDS = 1800, WARM_UP_MS = 180000 };

/* So many requests of a period, each so long. */
struct class
{
    size_t count;
    int64_t period_ms;
    int64_t cost_us;
};

/* What became of a class. */
struct outcome {
    double mean; /* time between two polls of an entry, in periods */
    double longest;
};

struct line {
    struct schedule schedule;
    size_t *classes; /* by entry */
    int64_t *costs_us;
    int64_t *last_us;
    double load;
    double longest_us;
};

/* A mix as at 9600 baud: short requests often, whole blocks seldom. */
static const struct class mixed[] = {
    {1, 100, 12000}, {2, 500, 24000}, {2, 1000, 50000}, {5, 10000, 158000}, {10, 60000, 158000}};

/* As many of each class as the load takes; then their costs are adjusted to it. */
static void line_init(struct line *line, const struct class *classes, size_t count, double load)
{
    double sum = 0.0;
    size_t entries = 0;
    size_t times;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        entries += classes[i].count;
        sum += (double)classes[i].count * (double)classes[i].cost_us / ((double)classes[i].period_ms * 1000.0);
    }
    times = (size_t)lround(load / sum);
    entries *= times;
    sum *= (double)times;
    *line = (struct line){.load = load};
    assert_int_equal(schedule_init(&line->schedule, entries), 0);
    line->classes = calloc(entries, sizeof(*line->classes));
    line->costs_us = calloc(entries, sizeof(*line->costs_us));
    line->last_us = calloc(entries, sizeof(*line->last_us));
    assert_true(line->classes && line->costs_us && line->last_us);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < classes[i].count * times; k++, at++) {
            line->schedule.entries[at].period_ms = classes[i].period_ms;
            line->classes[at] = i;
            line->costs_us[at] = lround((double)classes[i].cost_us * load / sum);
            line->longest_us = fmax(line->longest_us, (double)line->costs_us[at]);
        }
}

static void line_fini(struct line *line)
{
    schedule_fini(&line->schedule);
    free(line->classes);
    free(line->costs_us);
    free(line->last_us);
}

/* Runs the line; the first minutes do not count. Returns the share of the time in which it was idle. */
static double run(struct line *line, struct outcome *outcomes, size_t count)
{
    struct schedule *s = &line->schedule;
    size_t *polls = calloc(count, sizeof(*polls));
    int64_t idle_us = 0;

    assert_non_null(polls);
    schedule_start(s, 0);
    for (int64_t now_us = 0; now_us < (int64_t)SECONDS * 1000000;) {
        int64_t entry = schedule_pick(s, now_us / 1000);
        struct outcome *o;

        if (entry < 0) {
            int64_t next_us = schedule_next(s) * 1000;

            assert_true(next_us > now_us);
            idle_us += next_us - now_us;
            now_us = next_us;
            continue;
        }
        o = &outcomes[line->classes[entry]];
        if (now_us > (int64_t)WARM_UP_MS * 1000) {
            double waited = (double)(now_us - line->last_us[entry]) / 1000.0 / (double)s->entries[entry].period_ms;

            o->mean += waited;
            o->longest = fmax(o->longest, waited);
            polls[line->classes[entry]]++;
        }
        line->last_us[entry] = now_us;
        schedule_done(s, (size_t)entry, now_us / 1000, line->costs_us[entry]);
        now_us += line->costs_us[entry];
    }
    for (size_t i = 0; i < count; i++)
        outcomes[i].mean /= (double)polls[i];
    free(polls);
    return (double)idle_us / (SECONDS * 1e6);
}

/*
 * Each class comes every `stretch` of its periods, where `tolerance` allows for requests that are longer than
 * the period; and no entry ever waits for more than one period and three of the longest requests beyond that.
 */
static void assert_fair(const struct class *classes, size_t count, double load, double tolerance)
{
    struct outcome outcomes[8] = {0};
    struct line line;
    double stretch = fmax(1.0, load);
    double idle;

    assert_true(count <= ARRAY_LEN(outcomes));
    line_init(&line, classes, count, load);
    idle = run(&line, outcomes, count);
    for (size_t i = 0; i < count; i++) {
        const struct outcome *o = &outcomes[i];
        double bound = stretch + 1.0 + 3.0 * line.longest_us / 1000.0 / (double)classes[i].period_ms;

        print_message("load %3.0f %%, every %6d ms: comes every %.3f periods, at most %.2f (%.2f)\n", load * 100.0,
                      (int)classes[i].period_ms, o->mean, o->longest, bound);
        assert_true(fabs(o->mean - stretch) <= stretch * tolerance);
        assert_true(o->longest <= bound);
    }
    if (load > 1.0)
        assert_true(idle < 0.001);
    if (load > 0.9)
        assert_true(fabs(schedule_demand(&line.schedule) - load) < 0.01);
    line_fini(&line);
}

static void at_half_the_load_all_keep_their_periods(void **state)
{
    (void)state;
    assert_fair(mixed, ARRAY_LEN(mixed), 0.5, 0.09);
}

static void a_full_line_keeps_them_too(void **state)
{
    (void)state;
    assert_fair(mixed, ARRAY_LEN(mixed), 1.0, 0.25);
}

static void half_as_much_again_stretches_all_alike(void **state)
{
    (void)state;
    assert_fair(mixed, ARRAY_LEN(mixed), 1.5, 0.12);
}

static void three_times_the_load_stretches_all_alike(void **state)
{
    (void)state;
    assert_fair(mixed, ARRAY_LEN(mixed), 3.0, 0.06);
}

/* Earliest deadline first has the fast one wait for 28 periods on the average, first come first served for 155. */
static void a_flood_of_slow_tags_does_not_starve_a_fast_one(void **state)
{
    (void)state;
    static const struct class flood[] = {{1, 100, 24000}, {1000, 10000, 24000}};

    assert_fair(flood, ARRAY_LEN(flood), 2.64, 0.04);
}

static void a_flood_of_fast_tags_does_not_starve_a_slow_one(void **state)
{
    (void)state;
    static const struct class flood[] = {{100, 100, 24000}, {1, 60000, 158000}};

    assert_fair(flood, ARRAY_LEN(flood), 24.0, 0.04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_half_the_load_all_keep_their_periods),
        cmocka_unit_test(a_full_line_keeps_them_too),
        cmocka_unit_test(half_as_much_again_stretches_all_alike),
        cmocka_unit_test(three_times_the_load_stretches_all_alike),
        cmocka_unit_test(a_flood_of_slow_tags_does_not_starve_a_fast_one),
        cmocka_unit_test(a_flood_of_fast_tags_does_not_starve_a_slow_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
