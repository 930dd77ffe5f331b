/*
 * draft_net - a listener of the broker, as it is written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_NET_H
#define WP_CONFIG_DRAFT_NET_H

#include <stdbool.h>

#include "config/settings.h"

struct node;

struct listener_draft {
    const struct node *node; /* NULL: the one that is there when none is configured */
    bool broken;             /* errors in its own keys: rules about ports skip it */
    struct listener_settings settings;
};

#endif
