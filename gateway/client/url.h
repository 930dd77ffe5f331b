/*
 * url - where a broker is, in one line:
 *
 *   mqtt://host[:1883]   mqtts://host[:8883]   ws://host[:80][/mqtt]   wss://host[:443][/mqtt]
 *
 * with user:password@ before the host where that is wanted. Pure. Any thread.
 */
#ifndef WP_CLIENT_URL_H
#define WP_CLIENT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* All of it borrows from the text. */
struct client_url {
    bool tls;
    bool websocket;
    bool has_user;
    bool has_password;
    struct str user; /* still %-escaped, as the password is */
    struct str password;
    struct str host; /* without the brackets of an IPv6 address */
    uint16_t port;
    struct str path; /* of a WebSocket, with its query; "/mqtt" where the URL has none */
};

/* NULL; or what it should have been, to follow on "must be ". Whether the host is one is not checked. */
const char *client_url_parse(struct str text, struct client_url *ret_url);

/* %41 is A. Into `to`, which has room for escaped.len + 1; with a NUL at its end. 0; -EINVAL: no such escape, or a NUL.
 */
int client_url_unescape(struct str escaped, char *to);

#endif
