/*
 * plugin_host - what a plugin may call: struct wirepost_host over control.h. Loop thread only, but for log and wake.
 */
#ifndef WP_BROKER_PLUGIN_HOST_H
#define WP_BROKER_PLUGIN_HOST_H

#include "broker/events.h"
#include "broker/plugin_file.h"

struct loop_wake;
struct plugin_settings;

struct plugin {
    struct wirepost_host host; /* what it is given: leads back here */
    struct list_node node;
    struct broker *broker;
    const struct plugin_settings *settings;
    const struct plugin_settings *wanted; /* while a list is prepared: its place there; NULL: none */
    struct plugin_file file;
    struct events_listener listener;
    struct loop_wake *wake;
    void *self;
    bool opened;
};

void plugin_host_init(struct wirepost_host *host);

#endif
