/*
 * pace - lets through so many messages a second, in bursts of at most a tenth of
 * a second's worth. Pure: time is passed in.
 */
#ifndef WP_BRIDGE_PACE_H
#define WP_BRIDGE_PACE_H

#include <stdint.h>

struct pace {
    int64_t rate_per_s; /* 0 = no limit */
    int64_t credit;     /* thousandths of a message */
    int64_t last_ms;
};

enum { PACE_ONE = 1000 };

/* Milliseconds until a message may go; 0 = now. */
static inline int64_t pace_wait_ms(struct pace *p, int64_t now_ms)
{
    int64_t most = p->rate_per_s * PACE_ONE / 10;
    int64_t elapsed_ms = now_ms - p->last_ms;

    if (p->rate_per_s == 0)
        return 0;
    if (most < PACE_ONE)
        most = PACE_ONE;
    p->last_ms = now_ms;
    /* Longer than any burst takes to earn: the product stays small. */
    p->credit = elapsed_ms > PACE_ONE ? most : p->credit + elapsed_ms * p->rate_per_s;
    if (p->credit > most)
        p->credit = most;
    if (p->credit >= PACE_ONE)
        return 0;
    return (PACE_ONE - p->credit + p->rate_per_s - 1) / p->rate_per_s;
}

/* A message went. */
static inline void pace_take(struct pace *p)
{
    p->credit -= PACE_ONE;
}

#endif
