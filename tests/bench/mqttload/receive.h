/*
 * receive - what the broker says, and what follows from it.
 */
#ifndef MQTTLOAD_RECEIVE_H
#define MQTTLOAD_RECEIVE_H

#include "load.h"

enum { RECEIVE_SCRATCH = 1024 * 1024 }; /* size of loop.scratch, and bound of a packet */

/* What epoll has seen of a client. */
void client_on_event(struct client *c, uint32_t events);

#endif
