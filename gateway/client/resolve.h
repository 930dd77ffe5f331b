/*
 * resolve - a host name to socket addresses, without keeping the loop waiting.
 *
 * getaddrinfo(3) blocks, for many seconds when a name server is away, and cannot
 * be cancelled: each lookup has a thread of its own that is never waited for.
 * A lookup that was given up frees itself when it ends.
 */
#ifndef WP_CLIENT_RESOLVE_H
#define WP_CLIENT_RESOLVE_H

#include <stdint.h>

struct addrinfo;
struct loop;
struct resolve;

/* Runs once, in the loop thread. error: 0, or for gai_strerror(3). The callback
 * owns `addresses` (freeaddrinfo) and closes the lookup. */
typedef void resolve_done_fn(void *arg, int error, struct addrinfo *addresses);

/* Copies host. 0 or -errno; done never runs before this returns. */
int resolve_open(struct loop *loop, const char *host, uint16_t port, resolve_done_fn *done, void *arg,
                 struct resolve **ret_resolve);

/* No callback after this. Accepts NULL. */
void resolve_close(struct resolve *r);

#endif
