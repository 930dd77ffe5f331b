/*
 * draft_net - listeners, plugins and bridges, as they are written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_NET_H
#define WP_CONFIG_DRAFT_NET_H

#include <stdbool.h>

#include "bridge/bridge_settings.h"
#include "broker/broker_settings.h"
#include "tls/tls_settings.h"

struct node;

struct tls_draft {
    const struct node *sni_list;
    struct tls_server_settings settings;
};

struct listener_draft {
    const struct node *node; /* NULL: the one that is there when none is configured */
    bool broken;             /* errors in its own keys: rules about ports skip it */
    struct listener_settings settings;
    struct tls_draft tls;
    const char *mode;
    const struct node *allowed_host_list;
};

struct plugin_draft {
    const char *path;
    const struct node *options;
};

struct bridge_draft {
    const struct node *node;
    struct bridge_settings settings;
    const char *url;
    const char *password_file;
    const char *password_env;
    const struct node *topic_list;
};

#endif
