/*
 * gateway - the pipeline: starts the stages, stops them in reverse, and holds
 * the two functions every value passes through, on_reading and on_message.
 */
#ifndef WP_GATEWAY_H
#define WP_GATEWAY_H

#include "config/settings.h"

struct buf;
struct gateway;
struct loop;

/* Takes a reference on the settings. 0 or -errno, logged. */
int gateway_start(struct loop *loop, struct settings *settings, struct gateway **ret_gateway);

/* Goes on with other settings, of which it takes a reference: only what they say differently is restarted. At once, or
 * when the reload before, or the message that is routed, is through; what it does is logged. 0; or -errno, logged, and
 * all goes on as before: -EPERM when they change what needs a restart, -EADDRINUSE and others when a port cannot be
 * opened, -ESHUTDOWN while stopping. */
int gateway_reload(struct gateway *gw, struct settings *settings);

/* The same with what the file of the present settings says now. Findings are logged and appended to `report`, as
 * config_load() writes them; its errors are returned, too. */
int gateway_reload_file(struct gateway *gw, struct buf *report);

/* Stops the stages; `done` runs when everything owed is on disk and closed. */
typedef void gateway_stopped_fn(void *arg);
void gateway_stop(struct gateway *gw, gateway_stopped_fn *done, void *arg);

/* After `done`. Accepts NULL. */
void gateway_free(struct gateway *gw);

#endif
