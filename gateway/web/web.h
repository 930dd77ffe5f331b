/*
 * web - the HTTP port: MQTT over WebSocket at /mqtt, figures at /metrics, and the page.
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

/* Settings are borrowed. Listens at once. 0 or -errno, logged. */
int web_start(struct loop *loop, const struct web_settings *settings, struct broker *broker, web_metrics_fn *metrics,
              void *arg, struct web **ret_web);

/* Goes on with other settings, borrowed in the place of those before, at another address if they say so. Connections
 * stay. 0; or -errno, logged, and it goes on as before. */
int web_change(struct web *w, const struct web_settings *settings);

/* Closes every connection; before broker_stop(). Accepts NULL. */
void web_stop(struct web *w);

#endif
