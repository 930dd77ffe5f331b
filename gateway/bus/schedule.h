/*
 * schedule - which request is due next: the earliest deadline first.
 *
 *   period 1 s   |----|----|----|----|
 *   polled       x    x       x x          late once: back in step, nothing made up for
 *
 * A request's due times are its start plus whole periods, whenever it is
 * really polled; missed ones are skipped. So lateness neither adds up nor
 * makes bursts. Pure: time is passed in (monotonic milliseconds).
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
    bool paused;
};

struct schedule {
    struct schedule_entry *entries;
    size_t count;
};

/* 0 or -ENOMEM. Fill in the periods, then start. */
int schedule_init(struct schedule *s, size_t count);
void schedule_fini(struct schedule *s);

/* First due times: now, each entry a little after the one before. */
void schedule_start(struct schedule *s, int64_t now_ms);

/* The entry to poll now: due, not paused, its device ready; of those the one due first. -1 when there is none. */
int64_t schedule_pick(const struct schedule *s, int64_t now_ms);

/* When schedule_pick() may next find one; INT64_MAX when all are paused. */
int64_t schedule_next(const struct schedule *s);

/* It has been polled: due again at the next whole period after now. */
void schedule_done(struct schedule *s, size_t entry, int64_t now_ms);

/* Its device is not asked for the time being... */
void schedule_pause(struct schedule *s, size_t entry);

/* ...and is again: due at once. */
void schedule_resume(struct schedule *s, size_t entry, int64_t now_ms);

#endif
