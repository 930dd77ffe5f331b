/*
 * timer - many deadlines behind one: a binary heap ordered by due time.
 *
 * Pure: time is passed in. The owner runs timers_run() at timers_next() at
 * the latest (gateway/loop.c does). One thread. A timer belongs to whoever
 * embeds it and must be stopped before it is freed; the heap only points to it.
 */
#ifndef WP_CORE_TIMER_H
#define WP_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void timer_fn(void *arg);

struct timer {
    int64_t due_ms;
    timer_fn *fn;
    void *arg;
    size_t slot; /* 1-based place in the heap; 0 = not running */
};

struct timers {
    struct timer **heap; /* heap[0] unused */
    size_t count;
    size_t cap;
};

void timers_init(struct timers *ts);
void timers_fini(struct timers *ts);

static inline void timer_init(struct timer *t, timer_fn *fn, void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

/* Starts or moves the timer. -ENOMEM leaves it as it was. */
int timer_start(struct timers *ts, struct timer *t, int64_t due_ms);

/* Harmless when not running. */
void timer_stop(struct timers *ts, struct timer *t);

static inline bool timer_running(const struct timer *t)
{
    return t->slot != 0;
}

/* Due time of the earliest timer, or INT64_MAX. */
int64_t timers_next(const struct timers *ts);

/* Runs every timer due at or before `now_ms`; each is stopped before its
 * function is called, which may start or stop any timer. A timer started by a
 * function with a due time already past runs in the next call, not this one. */
void timers_run(struct timers *ts, int64_t now_ms);

#endif
