/*
 * publish - what publishers send, and when.
 */
#ifndef MQTTLOAD_PUBLISH_H
#define MQTTLOAD_PUBLISH_H

#include "load.h"

void publisher_init(struct publisher *p, unsigned index);

/* Whether a message with this packet id is unacknowledged. */
bool publisher_awaits(const struct publisher *p, unsigned id);

/* It is acknowledged to the end. */
void publisher_acked(struct publisher *p, unsigned id);

/* Fixed rate: spreads the publishers over the interval that begins at `start`. */
void publishers_set_due(uint64_t start_ns);

/* Lets each publisher of the loop send what it may. When to come back; 0: at once. */
uint64_t publishers_pump(struct loop *l);

#endif
