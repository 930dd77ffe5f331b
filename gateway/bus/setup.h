/*
 * setup - writes to a device what its settings want, whenever it comes or comes back. Part of a poller.
 */
#ifndef WP_BUS_SETUP_H
#define WP_BUS_SETUP_H

#include <stdbool.h>

struct polled_device;
struct poller;

/* The device may be another, or have forgotten. */
void setup_want(struct polled_device *d);

/* Before a poll: writes what is wanted. What gets no answer is tried again before the next poll; what is
 * refused is not, and the device is polled all the same. False when there is no line to poll on any more. */
bool setup_before_poll(struct poller *p, struct polled_device *d);

#endif
