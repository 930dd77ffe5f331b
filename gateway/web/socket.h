/*
 * socket - one WebSocket, a transport of the broker. Private to web/. Loop thread only.
 */
#ifndef WP_WEB_SOCKET_H
#define WP_WEB_SOCKET_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/timer.h"
#include "web/frames.h"

struct conn;
struct loop_watch;

/* lws owns the memory. */
struct web_socket {
    struct lws *wsi;
    struct conn *conn; /* NULL: the broker has done with it, or never took it */
    struct loop_watch *watch;
    struct timer again; /* TLS: more bytes are there than the socket shows */
    int fd;             /* of the same socket as lws's, to be watched besides it; -1: closed */
    struct frames frames;
    uint16_t close_code; /* what to say in the end; 0: nothing to say yet */
    bool blocked;        /* the broker was told -EAGAIN */
    bool said_close;     /* and waits for the peer's */
    bool heard_close;
    bool deaf; /* the peer broke the protocol: its bytes mean nothing any more */
    uint8_t pong_len;
    bool owes_pong;
    uint8_t pong[FRAME_CONTROL_MAX];
};

/* The callback of lws for connections of the subprotocol "mqtt"; user: a struct web_socket. */
int web_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

#endif
