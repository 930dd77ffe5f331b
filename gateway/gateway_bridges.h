/*
 * gateway_bridges - which bridges run, and what they tap from the broker. Nobody but the gateway includes it.
 */
#ifndef WP_GATEWAY_BRIDGES_H
#define WP_GATEWAY_BRIDGES_H

#include "gateway_stages.h"

/* One filter of one bridge, tapped from the broker. */
struct bridge_tap {
    const struct gateway_bridge *of;
    struct broker_tap *tap;
    size_t index; /* of its filter */
};

struct gateway_bridge {
    struct list_node node;
    struct gateway *gw;
    struct settings *owner;                 /* a reference: of these... */
    const struct bridge_settings *settings; /* ...a part */
    struct bridge *bridge;
    struct bridge_tap **taps; /* settings->topic_count, or fewer when one could not be opened */
    size_t tap_count;
    struct settings *next_owner; /* while it changes: the same, of what it changes to... */
    const struct bridge_settings *next;
    bool leaving; /* no settings name it any more */
};

/* 0, or the first failure. */
int gateway_start_bridges(struct gateway *gw);

/* Brings the bridges to what the settings say. Those that differ connect anew and lose nothing; those that are gone
 * stop, and what they owe stays on disk. The others are not touched. */
void gateway_change_bridges(struct gateway *gw);

/* done runs when everything owed is on disk. */
void gateway_stop_bridges(struct gateway *gw, void (*done)(struct gateway *gw));
void gateway_close_taps(struct gateway *gw);
void gateway_free_bridges(struct gateway *gw);

/* True while any bridge is not online, or still owes something that is on disk. */
bool gateway_upstream_away(const struct gateway *gw);

#endif
