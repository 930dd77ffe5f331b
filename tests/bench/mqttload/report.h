/*
 * report - the one line of JSON. report_begin() opens it, report_end() closes it.
 */
#ifndef MQTTLOAD_REPORT_H
#define MQTTLOAD_REPORT_H

#include "basics.h"
#include "load.h"
#include "process.h"

struct totals {
    struct counters counters;
    uint64_t sent;
    uint64_t acked;
    uint64_t last_receipt_ns;
    struct histogram latency;
    struct histogram late;
};

/* Of all loops and publishers. */
void totals_read(struct totals *t);

void report_begin(void);
void report_end(enum status status);

/* Counters common to every mode that carries messages, and the exit status they make. */
enum status report_messages(const struct totals *t, uint64_t want);

void report_latency(const char *name, const struct histogram *h);

/* Nothing unless the broker was named. */
void report_broker(const struct process_usage *before, const struct process_usage *after, double messages);

#endif
