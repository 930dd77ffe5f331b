/*
 * gateway - the pipeline: starts the stages, stops them in reverse, and holds
 * the two functions every value passes through, on_reading and on_message.
 */
#ifndef WP_GATEWAY_H
#define WP_GATEWAY_H

#include "config/settings.h"

struct gateway;
struct loop;

/* Takes a reference on the settings. 0 or -errno, logged. */
int gateway_start(struct loop *loop, struct settings *settings, struct gateway **ret_gateway);

/* Stops the stages; `done` runs when everything owed is on disk and closed. */
typedef void gateway_stopped_fn(void *arg);
void gateway_stop(struct gateway *gw, gateway_stopped_fn *done, void *arg);

/* After `done`. Accepts NULL. */
void gateway_free(struct gateway *gw);

#endif
