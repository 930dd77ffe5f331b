/*
 * metrics - writes figures as Prometheus reads them (text exposition format, version 0.0.4).
 *
 *   # HELP wirepost_bus_requests_total Requests sent.
 *   # TYPE wirepost_bus_requests_total counter
 *   wirepost_bus_requests_total{bus="rs485-1"} 1837
 *
 * All samples of one family follow its head. Pure. Any thread.
 */
#ifndef WP_CORE_METRICS_H
#define WP_CORE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* `name` without "_total", which counters are given. */
struct metric {
    const char *name;
    const char *help;
    bool gauge; /* may fall; else a counter */
};

/* Text of the label's value is escaped here. */
struct metric_label {
    const char *name;
    const char *value;
};

void metrics_head(struct buf *out, const struct metric *m);

/* One sample; labels may be NULL when label_count is 0. Not a number is written as NaN. */
void metrics_sample(struct buf *out, const struct metric *m, const struct metric_label *labels, size_t label_count,
                    double value);

/* A family of one sample without labels. */
void metrics_single(struct buf *out, const struct metric *m, double value);

#endif
