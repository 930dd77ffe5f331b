/*
 * web - the HTTP port: MQTT over WebSocket at /mqtt, figures at /metrics, and the page; and the broker's listeners for
 * WebSockets.
 *
 * libwebsockets on the program's own libuv loop. Loop thread only.
 */
#ifndef WP_WEB_H
#define WP_WEB_H

#include "web/web_settings.h"

struct broker;
struct buf;
struct loop;
struct web;

/* Appends what /metrics is to say. */
typedef void web_metrics_fn(void *arg, struct buf *out);

/* Carries the broker's WebSocket listeners from now on: before broker_start(). No port of its own yet. 0 or -ENOMEM. */
int web_new(struct loop *loop, struct broker *broker, web_metrics_fn *metrics, void *arg, struct web **ret_web);

/* Goes by these settings, borrowed in the place of those before: listens where they say, if they say so. Connections
 * stay unless there is to be no port any more, and those that come later see other certificates. 0; or -errno, logged,
 * and it goes on as before. */
int web_use(struct web *w, const struct web_settings *settings);

/* Closes every connection; after broker_stop(), whose clients are told why through it. Accepts NULL. */
void web_stop(struct web *w);

#endif
