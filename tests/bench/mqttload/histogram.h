/*
 * histogram - latencies in nanoseconds, and their quantiles.
 *
 * Log-linear: 64 steps for each power of two, so a value is kept to within 1.6 %.
 */
#ifndef MQTTLOAD_HISTOGRAM_H
#define MQTTLOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BITS = 6, HISTOGRAM_STEPS = (46 - HISTOGRAM_BITS) << HISTOGRAM_BITS };

/* Zeroed memory is empty. */
struct histogram {
    uint64_t count;
    uint64_t max;
    uint32_t steps[HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* Microseconds that the share `quantile` of all values stays under; 0 when it is empty. */
double histogram_us(const struct histogram *h, double quantile);

#endif
