/*
 * backoff - how long to wait before trying again: doubles from min to max.
 *
 * Half of each wait is random, so that many clients of a broker that restarts
 * do not come back in one moment. Pure: time and randomness are passed in.
 */
#ifndef WP_CLIENT_BACKOFF_H
#define WP_CLIENT_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t min_ms;
    int64_t max_ms;
    int64_t next_ms; /* the longest the next wait can be */
};

/* A connection that lasted this long was a good one: the next wait is the shortest again. */
enum { BACKOFF_STABLE_MS = 10000 };

static inline void backoff_init(struct backoff *b, int64_t min_ms, int64_t max_ms)
{
    b->min_ms = min_ms > 0 ? min_ms : 1;
    b->max_ms = max_ms > b->min_ms ? max_ms : b->min_ms;
    b->next_ms = b->min_ms;
}

/* The wait before the next try, in (next / 2, next]; any 32 random bits. */
static inline int64_t backoff_wait(struct backoff *b, uint32_t random)
{
    int64_t half = b->next_ms / 2;
    int64_t wait = b->next_ms - (half ? (int64_t)random % half : 0);

    b->next_ms = b->next_ms > b->max_ms / 2 ? b->max_ms : b->next_ms * 2;
    return wait;
}

static inline void backoff_connection_ended(struct backoff *b, int64_t lasted_ms)
{
    if (lasted_ms >= BACKOFF_STABLE_MS)
        b->next_ms = b->min_ms;
}

#endif
