/*
 * schedule - which request is next: the one that has waited longest, in periods of its own.
 *
 *   load  60 %   period 1 s   |x...|x...|.x..|x...|     on its grid; late by what the others take, no more
 *   load 140 %   period 1 s   |x....|x....|x....|       every 1.4 s
 *                period 10 s  |x...  14 s  ...|x...     every 14 s
 *
 * So when the line cannot carry all, every period stretches by the same factor, the load, and nobody starves
 * (earliest deadline first lets the short periods starve: 28 times the period at a load of 2.6).
 * A request that is late by more than half its period begins a new grid there, and missed polls are skipped: lateness
 * neither adds up nor makes bursts.
 *
 * A request begun now keeps the line for a while, which is a larger part of a short period. So
 * waits are compared as they will be after half a usual request. Holding a long request back for a
 * short period that is due during it was simulated too: both came later.
 *
 * Pure: time is passed in (monotonic).
 */
#ifndef WP_BUS_SCHEDULE_H
#define WP_BUS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_entry {
    int64_t period_ms;
    int64_t due_ms;
    int64_t not_before_ms; /* the device wants a pause until then */
    int64_t cost_us;       /* what it takes of the line, as learnt; 0: not known yet */
    bool paused;
};

struct schedule {
    struct schedule_entry *entries;
    size_t count;
    double usual_us;      /* decaying sums over the last requests: of their costs... */
    double usual_us2;     /* ...and of their squares */
    uint64_t overdue;     /* polls begun a whole period or more after they were due */
    int64_t minute_ms;    /* when this minute began */
    int64_t latest_ms[2]; /* largest lateness of this minute and the one before */
};

/* 0 or -ENOMEM. Fill in the periods, then start. */
int schedule_init(struct schedule *s, size_t count);
void schedule_fini(struct schedule *s);

/* First due times: now, each entry a little after the one before. Paused ones stay paused. */
void schedule_start(struct schedule *s, int64_t now_ms);

/* The entry to poll now: due, not paused, its device ready. -1 when there is none. */
int64_t schedule_pick(const struct schedule *s, int64_t now_ms);

/* When schedule_pick() may next find one; INT64_MAX when all are paused. */
int64_t schedule_next(const struct schedule *s);

/* It was polled from begun_ms on, for cost_us (0: no answer, nothing to learn from). */
void schedule_done(struct schedule *s, size_t entry, int64_t begun_ms, int64_t cost_us);

/* Its device is not asked for the time being... */
void schedule_pause(struct schedule *s, size_t entry);

/* ...and is again: due at once. */
void schedule_resume(struct schedule *s, size_t entry, int64_t now_ms);

/* Share of the line that all periods together need by what requests were seen to cost; above 1.0 they stretch. */
double schedule_demand(const struct schedule *s);

/* The largest lateness of a poll within the last minute or two. */
int64_t schedule_lateness(const struct schedule *s);

#endif
