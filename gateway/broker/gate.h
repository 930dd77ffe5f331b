/*
 * gate - who may open a connection: so many in all, at a listener and from an
 * address, and so many a second.
 *
 * Judged before anything is read. Some of those that are turned away are
 * listened to until they have sent CONNECT, so that they can be told why; the
 * others are closed without a word. Loop thread only.
 */
#ifndef WP_BROKER_GATE_H
#define WP_BROKER_GATE_H

#include "mqtt/reason.h"

struct broker;
struct broker_peer;
struct conn;

enum {
    GATE_TOLD = 64,      /* that are listened to at once, to be told */
    GATE_TOLD_MS = 5000, /* for their CONNECT to come */
};

/* Counts the connection, whose entrance is set: in, or with c->refusal set. False: it is closed without a word. */
bool gate_enter(struct conn *c, const struct broker_peer *peer);

void gate_leave(struct conn *c);

#endif
