/*
 * replan - the requests of a bus's devices and their places in its schedule. Part of a poller.
 */
#ifndef WP_BUS_REPLAN_H
#define WP_BUS_REPLAN_H

#include <stdbool.h>
#include <stdint.h>

struct polled_device;
struct poller;
struct split;

/* A request of a device's plan, beside its entry in the schedule. */
struct polled_entry {
    uint32_t device;
    bool refused;        /* its last answer was an exception: logged */
    struct split *split; /* what it refuses of this is being found out; NULL: not */
    int64_t split_not_before_ms;
    bool suspect; /* was in flight with others when the connection went; see pipeline.h */
};

/* Plans all devices around their holes. 0 or -ENOMEM. */
int replan_all(struct poller *p);

/* The holes of one have changed. Requests that stay the same keep their place in time. None of the device's
 * may be in flight. 0; -ENOMEM: all is as it was. */
int replan_device(struct poller *p, struct polled_device *d);

/* Whether a request of it is. */
bool replan_must_wait(const struct poller *p, const struct polled_device *d);

#endif
