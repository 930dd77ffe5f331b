/*
 * hosts - which names a browser may know this gateway by.
 *
 * A page from elsewhere can make a browser talk to an address inside the
 * plant (DNS rebinding, cross-site WebSockets); what gives it away are the
 * Host and Origin headers. Native clients send no Origin and any name they
 * like is only theirs to know, but Host is checked for them too. Pure. Any thread.
 */
#ifndef WP_WEB_HOSTS_H
#define WP_WEB_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
/* Names besides localhost and plain addresses. */
struct web_hosts {
    const char *const *names;
    size_t count;
};

/* The value of a Host header: a plain address, localhost or a configured name, with or without a port. */
bool web_host_allowed(const struct web_hosts *allowed, struct str host);

/* The value of an Origin header: the very host and port of the Host header, or
 * a configured name. "null" never is. The Host must have been checked. */
bool web_origin_allowed(const struct web_hosts *allowed, struct str origin, struct str host);

#endif
