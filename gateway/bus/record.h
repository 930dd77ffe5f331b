/*
 * record - what a bus remembers of its transactions: faults by kind, how long answers took, the last error,
 * the last frames. Part of a poller; see poller.h.
 */
#ifndef WP_BUS_RECORD_H
#define WP_BUS_RECORD_H

#include "bus/latency.h"
#include "bus/traffic.h"

struct polled_device;
struct poller;
struct outcome;
struct request;

struct record {
    struct traffic *traffic;
    struct latency_log latency;  /* of all devices */
    struct polled_device *asked; /* whose request is under way on a serial line; NULL: nobody's */
};

/* 0 or -ENOMEM. The link is there already. */
int record_init(struct poller *p);
void record_fini(struct poller *p);

/* For another link to the same line. */
struct link_trace record_trace(struct poller *p);

/* Of one attempt. */
void record_outcome(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o);

#endif
