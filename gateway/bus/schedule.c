/* schedule - see schedule.h. */
#include "bus/schedule.h"

#include <errno.h>
#include <stdlib.h>

/* Between first polls, so that equal periods do not fall due together for ever. */
enum { STAGGER_MS = 20 };

enum { SMOOTHING = 8, MINUTE_MS = 60000 };

/* Of the sums of costs, a request. */
static const double DECAY = 63.0 / 64.0;

int schedule_init(struct schedule *s, size_t count)
{
    *s = (struct schedule){.entries = calloc(count + 1, sizeof(*s->entries)), .count = count};
    return s->entries ? 0 : -ENOMEM;
}

void schedule_fini(struct schedule *s)
{
    free(s->entries);
    *s = (struct schedule){0};
}

void schedule_start(struct schedule *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->count; i++) {
        struct schedule_entry *e = &s->entries[i];
        int64_t step = e->period_ms / (int64_t)s->count;

        e->due_ms = now_ms + (int64_t)i * (step < STAGGER_MS ? step : STAGGER_MS);
    }
}

static int64_t ready_at(const struct schedule_entry *e)
{
    return e->due_ms > e->not_before_ms ? e->due_ms : e->not_before_ms;
}

/* How long a request that comes at any moment waits for the one under way: half of it, the longer ones
 * being met more often. */
static int64_t usual_wait_ms(const struct schedule *s)
{
    return s->usual_us > 0 ? (int64_t)(s->usual_us2 / s->usual_us / 2000.0) : 0;
}

/* Whether `a` has waited for more of its period than `b` of its own; of equals the shorter period goes first. */
static bool goes_before(const struct schedule_entry *a, const struct schedule_entry *b, int64_t at_ms)
{
    int64_t wait_a = (at_ms - a->due_ms) * b->period_ms;
    int64_t wait_b = (at_ms - b->due_ms) * a->period_ms;

    return wait_a != wait_b ? wait_a > wait_b : a->period_ms < b->period_ms;
}

int64_t schedule_pick(const struct schedule *s, int64_t now_ms)
{
    int64_t at_ms = now_ms + usual_wait_ms(s);
    int64_t best = -1;

    for (size_t i = 0; i < s->count; i++) {
        const struct schedule_entry *e = &s->entries[i];

        if (e->paused || ready_at(e) > now_ms)
            continue;
        if (best < 0 || goes_before(e, &s->entries[best], at_ms))
            best = (int64_t)i;
    }
    return best;
}

int64_t schedule_next(const struct schedule *s)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < s->count; i++)
        if (!s->entries[i].paused && ready_at(&s->entries[i]) < next)
            next = ready_at(&s->entries[i]);
    return next;
}

static void learn_cost(struct schedule *s, struct schedule_entry *e, int64_t cost_us)
{
    double cost = (double)cost_us;

    e->cost_us += e->cost_us == 0 ? cost_us : (cost_us - e->cost_us) / SMOOTHING;
    s->usual_us = s->usual_us * DECAY + cost;
    s->usual_us2 = s->usual_us2 * DECAY + cost * cost;
}

static void note_lateness(struct schedule *s, const struct schedule_entry *e, int64_t begun_ms)
{
    int64_t late_ms = begun_ms - e->due_ms;

    if (begun_ms >= s->minute_ms + MINUTE_MS) {
        s->latest_ms[1] = begun_ms < s->minute_ms + 2 * MINUTE_MS ? s->latest_ms[0] : 0;
        s->latest_ms[0] = 0;
        s->minute_ms = begun_ms;
    }
    if (late_ms > s->latest_ms[0])
        s->latest_ms[0] = late_ms;
    if (late_ms >= e->period_ms)
        s->overdue++;
}

void schedule_done(struct schedule *s, size_t entry, int64_t begun_ms, int64_t cost_us)
{
    struct schedule_entry *e = &s->entries[entry];
    int64_t soonest_ms = begun_ms + e->period_ms / 2;

    if (cost_us > 0) {
        learn_cost(s, e, cost_us);
        note_lateness(s, e, begun_ms);
    }
    e->due_ms += e->period_ms;
    if (e->due_ms < soonest_ms)
        e->due_ms = soonest_ms;
}

void schedule_pause(struct schedule *s, size_t entry)
{
    s->entries[entry].paused = true;
}

void schedule_resume(struct schedule *s, size_t entry, int64_t now_ms)
{
    s->entries[entry].paused = false;
    s->entries[entry].due_ms = now_ms;
}

double schedule_demand(const struct schedule *s)
{
    double sum = 0.0;

    for (size_t i = 0; i < s->count; i++)
        if (!s->entries[i].paused)
            sum += (double)s->entries[i].cost_us / ((double)s->entries[i].period_ms * 1000.0);
    return sum;
}

int64_t schedule_lateness(const struct schedule *s)
{
    return s->latest_ms[0] > s->latest_ms[1] ? s->latest_ms[0] : s->latest_ms[1];
}
