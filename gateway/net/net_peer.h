/*
 * net_peer - who is at the other end of a socket, for the log and for rules about this machine. Any thread.
 */
#ifndef WP_NET_PEER_H
#define WP_NET_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

enum { NET_PEER_TEXT = 64 };

struct net_peer {
    char name[NET_PEER_TEXT]; /* "127.0.0.1:50312", "[::1]:50312", "unix uid 1000 pid 4711" */
    bool loopback;            /* this machine */
    uint64_t address;         /* what its address counts by, for IPv6 the /64 network; 0: it has none */
};

/* Of an accepted socket whose address is `sa`; of a Unix socket what the kernel knows of the process. */
struct net_peer net_peer_of(int fd, const struct sockaddr *sa);

#endif
