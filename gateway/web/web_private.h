/*
 * web_private - what the files of web/ share. Loop thread only.
 *
 *   listen.c  accepts ----> lws -----> http.c  GET: files of page/, /metrics
 *                                |---> socket.c  /mqtt: bytes to and from the broker
 */
#ifndef WP_WEB_PRIVATE_H
#define WP_WEB_PRIVATE_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/timer.h"
#include "web/web.h"

struct conn;
struct loop_watch;

enum {
    /* Connections that are not (yet) WebSockets; further ones wait in the kernel. */
    WEB_HTTP_CONNECTIONS = 128,
    /* The most that one lws_write() is given: what lws sends in one system call. */
    WEB_WRITE_BYTES = 65536,
};

struct web {
    struct loop *loop;
    const struct web_settings *settings; /* borrowed */
    struct broker *broker;               /* borrowed */
    web_metrics_fn *metrics;
    void *metrics_arg;
    struct lws_context *context;
    struct lws_vhost *vhost;
    size_t http_count; /* of WEB_HTTP_CONNECTIONS */
    uint8_t *output;   /* scratch of LWS_PRE + WEB_WRITE_BYTES: lws writes its header before the data */

    int listen_fd;
    struct loop_watch *listen_watch;
    struct timer accept_retry;
};

/* One WebSocket; lws owns the memory. */
struct web_socket {
    struct lws *wsi;
    struct conn *conn; /* NULL: the broker has done with it, or never took it */
    bool blocked;      /* the broker was told -EAGAIN */
    bool closing;      /* the broker closed it: say goodbye once everything is sent */
};

static inline struct web *web_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* 0 or -errno, logged. */
int web_listen(struct web *w);
void web_unlisten(struct web *w);

/* Accepts again if it was held back and there is room now. */
void web_accept_more(struct web *w);

/* The callbacks of lws: for HTTP requests, and for connections of the subprotocol "mqtt". */
int web_on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
int web_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* The connection is now a WebSocket, or gone. */
void web_http_done(struct lws *wsi);

#endif
