/*
 * throttle - a client that sends more than it may a second is read from more
 * slowly: what has come is dealt with, and nothing more is read until the mean
 * is right. Nothing is lost by it. Loop thread only.
 */
#ifndef WP_BROKER_THROTTLE_H
#define WP_BROKER_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct throttle;

/* So many messages (PUBLISH) and bytes have come; a rate is set. */
void throttle_charge(struct conn *c, uint64_t messages, uint64_t bytes);

/* Whether nothing may be read from the client now. */
bool throttle_waits(const struct throttle *t);

void throttle_free(struct throttle *t); /* Accepts NULL. */

#endif
