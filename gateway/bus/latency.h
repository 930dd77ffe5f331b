/*
 * latency - how long the last answers took: the usual, the slow, the slowest.
 *
 * Keeps LATENCY_WINDOW of them in fixed memory. Pure.
 */
#ifndef WP_BUS_LATENCY_H
#define WP_BUS_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "core/standing.h"

enum { LATENCY_WINDOW = 512 };

struct latency_log {
    uint16_t tenths[LATENCY_WINDOW]; /* of a millisecond, limited to what that holds */
    size_t count;
    size_t next;
    int64_t summed_ms; /* monotonic time of the last summary */
    struct latency summary;
};

void latency_add(struct latency_log *l, int64_t latency_us);

/* Sorting them costs more than a poll: at most every two seconds, once there are many. */
struct latency latency_summary(struct latency_log *l, int64_t now_ms);

#endif
