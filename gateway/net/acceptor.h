/*
 * acceptor - takes connections from a listening socket, some a turn.
 *
 * When the process runs out of descriptors the rest waits in the kernel, and
 * one line of the log says so. Loop thread only.
 */
#ifndef WP_NET_ACCEPTOR_H
#define WP_NET_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net_listen.h"
#include "net/net_peer.h"

struct acceptor;
struct loop;

/* Takes the descriptor, non-blocking. May hold or close the acceptor. */
typedef void acceptor_fn(void *arg, int fd, const struct net_peer *peer);

/* `name` begins the lines of the log, "broker"; a constant. Fails as net_listen() does. */
int acceptor_open(struct loop *loop, const char *name, const struct net_place *place, acceptor_fn *fn, void *arg,
                  struct acceptor **ret_acceptor, const char **ret_why);

/* Accepts NULL. */
void acceptor_close(struct acceptor *a);

/* At most so many a turn, and only while `may` is true; may be NULL. */
void acceptor_pace(struct acceptor *a, int per_turn, bool (*may)(void *arg));

/* Whether to leave what comes to the kernel for now. */
void acceptor_hold(struct acceptor *a, bool hold);

/* The TCP port; 0 for none. */
uint16_t acceptor_port(const struct acceptor *a);

#endif
