/*
 * tcp - one accepted socket, TCP or Unix: the transport of a conn.
 *
 *   (handshake ->) open -> (broker closes) -> lingering -> freed
 *                       `-> (peer closes) -> freed
 *
 * With TLS the conn is there from the start, and so its time limit and the
 * bounds on connections; it hears of its peer when the handshake is done.
 * A socket that the broker closes is shut down and read until the peer's end, at
 * most TCP_LINGER_MS: closing with unread bytes would reset the connection, and
 * the reason just sent might never be seen. Those are no connections any more:
 * beyond TCP_LINGERING the oldest goes at once. Loop thread only.
 */
#ifndef WP_BROKER_TCP_H
#define WP_BROKER_TCP_H

#include "broker/listener.h"

struct entrance;
struct net_peer;

enum { TCP_LINGER_MS = 1000, TCP_LINGERING = 256 };

/* Takes the descriptor, whatever comes of it. tls: NULL for none; it outlives the conns of the entrance. */
void tcp_accept(struct listeners *ls, struct entrance *e, struct tls_port *tls, int fd, const struct net_peer *peer);

/* Closes what still lingers. */
void tcp_end_lingering(struct listeners *ls);

#endif
