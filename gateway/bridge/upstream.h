/*
 * upstream - whom a bridge connects to, and as whom, under one set of settings. Private to bridge/.
 */
#ifndef WP_BRIDGE_UPSTREAM_H
#define WP_BRIDGE_UPSTREAM_H

#include "bridge/bridge_settings.h"
#include "client/client.h"

struct loop;
struct message;

struct upstream {
    const struct bridge_settings *settings; /* borrowed */
    struct client_settings client_settings; /* the settings' own, with our last will */
    struct client *client;
    char *state_topic; /* as it is called there; NULL = none */
    struct message *state_online;
    struct message *state_offline;
};

/* state_topic: the local name, or NULL for none. The client is not started. 0 or -ENOMEM. */
int upstream_new(struct loop *loop, const struct bridge_settings *settings, const char *state_topic,
                 const struct client_events *events, void *arg, struct upstream **ret_upstream);

/* Not from within an event of the client. Accepts NULL. */
void upstream_free(struct upstream *up);

#endif
