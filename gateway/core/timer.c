/* timer - see timer.h. */
#include "core/timer.h"

#include <errno.h>
#include <stdlib.h>

#define TIMERS_MIN_CAP 16

void timers_init(struct timers *ts)
{
    *ts = (struct timers){0};
}

void timers_fini(struct timers *ts)
{
    free(ts->heap);
    *ts = (struct timers){0};
}

static void place(struct timers *ts, struct timer *t, size_t slot)
{
    ts->heap[slot] = t;
    t->slot = slot;
}

static void sift_up(struct timers *ts, struct timer *t, size_t slot)
{
    while (slot > 1 && ts->heap[slot / 2]->due_ms > t->due_ms) {
        place(ts, ts->heap[slot / 2], slot);
        slot /= 2;
    }
    place(ts, t, slot);
}

static void sift_down(struct timers *ts, struct timer *t, size_t slot)
{
    for (;;) {
        size_t child = slot * 2;

        if (child > ts->count)
            break;
        if (child < ts->count && ts->heap[child + 1]->due_ms < ts->heap[child]->due_ms)
            child++;
        if (ts->heap[child]->due_ms >= t->due_ms)
            break;
        place(ts, ts->heap[child], slot);
        slot = child;
    }
    place(ts, t, slot);
}

static int heap_reserve(struct timers *ts)
{
    size_t cap = ts->cap ? ts->cap * 2 : TIMERS_MIN_CAP;
    struct timer **heap;

    if (ts->count + 2 <= ts->cap)
        return 0;
    heap = realloc(ts->heap, cap * sizeof(struct timer *));
    if (!heap)
        return -ENOMEM;
    ts->heap = heap;
    ts->cap = cap;
    return 0;
}

int timer_start(struct timers *ts, struct timer *t, int64_t due_ms)
{
    if (timer_running(t)) {
        int64_t before = t->due_ms;

        t->due_ms = due_ms;
        if (due_ms < before)
            sift_up(ts, t, t->slot);
        else
            sift_down(ts, t, t->slot);
        return 0;
    }

    if (heap_reserve(ts) < 0)
        return -ENOMEM;
    t->due_ms = due_ms;
    ts->count++;
    sift_up(ts, t, ts->count);
    return 0;
}

void timer_stop(struct timers *ts, struct timer *t)
{
    struct timer *last;
    size_t slot = t->slot;

    if (!timer_running(t))
        return;
    t->slot = 0;
    last = ts->heap[ts->count--];
    if (last == t)
        return;
    if (slot > 1 && ts->heap[slot / 2]->due_ms > last->due_ms)
        sift_up(ts, last, slot);
    else
        sift_down(ts, last, slot);
}

int64_t timers_next(const struct timers *ts)
{
    return ts->count ? ts->heap[1]->due_ms : INT64_MAX;
}

void timers_run(struct timers *ts, int64_t now_ms)
{
    /* Bounded by what is waiting now, so a timer that restarts itself in the past cannot hold the caller. */
    for (size_t left = ts->count; left > 0 && timers_next(ts) <= now_ms; left--) {
        struct timer *t = ts->heap[1];

        timer_stop(ts, t);
        t->fn(t->arg);
    }
}
