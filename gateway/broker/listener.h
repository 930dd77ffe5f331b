/*
 * listener - accepts TCP connections, with TLS or without, and carries their
 * bytes to and from conns.
 *
 * One read into the loop's shared buffer per readiness, one send per turn.
 * Loop thread only.
 */
#ifndef WP_BROKER_LISTENER_H
#define WP_BROKER_LISTENER_H

#include "broker/tls_port.h"
#include "core/list.h"

struct broker;
struct broker_websockets;

struct listeners {
    struct broker *broker;
    const struct broker_websockets *websockets; /* NULL: nobody carries them */
    void *websockets_arg;
    struct list_node open; /* struct listener */
    struct tls_share handshakes;
    struct list_node lingering; /* sockets that have been shut down and wait for the peer's end, the oldest first */
    size_t lingering_count;
};

void listeners_init(struct listeners *ls, struct broker *b);

/* Opens those that the settings name and are not open, in place of those that they do not name; who came in by these
 * has to go. 0; or -errno, logged: nobody has gone, but some may not listen until this is called with settings that can
 * be had. */
int listeners_open(struct listeners *ls);

/* Afterwards: takes the contexts, loaded for the same settings. */
void listeners_use(struct listeners *ls, struct certificates *c);

/* Stops accepting, ends lingering sockets; the conns are the broker's to close before. */
void listeners_stop(struct listeners *ls);

#endif
