/*
 * proxy_wait - accepted sockets whose PROXY header has not come yet.
 *
 *   accepted -> header whole -> given on, with the peer that it names
 *         `-> wrong, slow, or one too many: closed
 *
 * Nothing behind the header is read. Loop thread only.
 */
#ifndef WP_NET_PROXY_WAIT_H
#define WP_NET_PROXY_WAIT_H

#include <stddef.h>

#include "core/list.h"
#include "net/net_peer.h"

struct loop;

/* Takes the descriptor. */
typedef void proxy_done_fn(void *arg, int fd, const struct net_peer *peer);

struct proxy_waits {
    struct loop *loop;
    const char *name; /* begins the lines of the log; a constant */
    proxy_done_fn *fn;
    void *arg;
    struct list_node waiting;
    size_t count;
};

void proxy_waits_init(struct proxy_waits *w, struct loop *loop, const char *name, proxy_done_fn *fn, void *arg);

/* Closes what still waits. */
void proxy_waits_end(struct proxy_waits *w);

/* Takes the descriptor, whatever comes of it; may give it on at once. */
void proxy_wait(struct proxy_waits *w, int fd, const struct net_peer *proxy);

#endif
