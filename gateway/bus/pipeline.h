/*
 * pipeline - several polls in flight on a bus with max_outstanding.
 *
 *   due   --begin-->   flights, by slot of the link   --await-->   the one that is over: values, or once more
 *
 * The slow ones do not keep the quick ones waiting. Polls of a device that wants a pause between its
 * requests fly alone.
 */
#ifndef WP_BUS_PIPELINE_H
#define WP_BUS_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/driver.h"

struct poller;

struct flight {
    bool used;
    size_t entry; /* of the schedule */
    int64_t sent_us;
    int32_t retries_left;
};

struct pipeline {
    struct flight flights[LINK_DEPTH_MAX];
    int count;
    size_t suspects;        /* requests that were in flight together when the connection went */
    int64_t alone_until_ms; /* they fly alone, but not beyond this */
};

/* Sends what is due, and sees to one that is over by until_ms. False when nothing is in flight. */
bool pipeline_work(struct poller *p, int64_t until_ms);

/* The connection is gone. A request that was alone in flight has failed; of several nobody knows which made the
 * peer hang up: they are due again, each alone, so that the culprit is found and the others are answered. */
void pipeline_lost(struct poller *p);

#endif
