/*
 * tcp - one accepted socket: the transport of a conn.
 *
 *   open -> (broker closes) -> lingering -> freed
 *        `-> (peer closes) -> freed
 *
 * A socket that the broker closes is shut down and read until the peer's end, at
 * most TCP_LINGER_MS: closing with unread bytes would reset the connection, and
 * the reason just sent might never be seen. Loop thread only.
 */
#ifndef WP_BROKER_TCP_H
#define WP_BROKER_TCP_H

#include <stdbool.h>
#include <sys/socket.h>

#include "broker/listener.h"

struct entrance;

enum { TCP_LINGER_MS = 1000 };

/* Takes the descriptor, whatever comes of it. */
void tcp_accept(struct listeners *ls, const struct entrance *e, int fd, const struct sockaddr *peer);

/* Closes what still lingers. */
void tcp_end_lingering(struct listeners *ls);

#endif
