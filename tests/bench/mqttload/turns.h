/*
 * turns - event loops: one turn, bringing clients up and down, and running until all is done.
 */
#ifndef MQTTLOAD_TURNS_H
#define MQTTLOAD_TURNS_H

#include "load.h"

void loops_init(void);

/* Waits for events, at most until wake_ns and for most_ns, and handles them. */
void loop_turn(struct loop *l, uint64_t wake_ns, uint64_t most_ns);

/* Clients that lie `stride` bytes apart: connects and subscribes all, at most --ramp of them at once. */
void bring_up(void *first, size_t stride, unsigned count);

/* DISCONNECT and close, if it is up. */
void bring_down(struct client *c);

/* Deals the publishers, and the subscribers if they are still there, out to the loops. */
void share_out(bool subscribers_too);

/* Until all is sent, acknowledged and `want` messages have come; or silence, or the deadline. */
void loops_run(uint64_t want);

#endif
