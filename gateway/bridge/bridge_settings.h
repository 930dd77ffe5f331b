/*
 * bridge_settings - what a configuration says of one bridge. Owned by the
 * configuration's arena. Durations in milliseconds.
 */
#ifndef WP_BRIDGE_SETTINGS_H
#define WP_BRIDGE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client_settings.h"
#include "queue/outbox_settings.h"

struct bridge_topic_settings {
    const char *filter;        /* local topic filter */
    uint8_t qos;               /* 0 or 1: highest QoS used upstream */
    const char *local_prefix;  /* taken off the local topic... */
    const char *remote_prefix; /* ...and this put in front */
};

struct bridge_settings {
    const char *name;
    uint64_t fingerprint; /* of all that is written about it, and its password: another is another bridge */
    struct client_settings client;
    const struct bridge_topic_settings *topics;
    size_t topic_count;
    struct outbox_settings store;
    int64_t rate_per_s; /* most messages a second while draining; 0 = as fast as the peer takes them */
};

#endif
