/*
 * report - what others learn of a bus: batches, its state, log lines. Part of a poller; see poller.h.
 */
#ifndef WP_BUS_REPORT_H
#define WP_BUS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "core/reading.h"

struct polled_device;
struct poller;

enum { REPORT_REASON_LEN = 256 };
void report_batch(struct poller *p, struct polled_device *d, struct batch *b);
void report_bad(struct poller *p, struct polled_device *d, const uint32_t *tags, size_t count, struct reason reason,
                int64_t ts_ms);
void report_absent(struct poller *p);
void report_state(struct poller *p, enum bus_state state, const char *reason);
void report_counters(struct poller *p);
void report_news(struct poller *p); /* has the loop look at the bus */

#endif
