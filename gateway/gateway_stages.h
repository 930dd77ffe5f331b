/*
 * gateway_stages - what gateway.c and gateway_state.c share. Private to the gateway.
 */
#ifndef WP_GATEWAY_STAGES_H
#define WP_GATEWAY_STAGES_H

#include "core/timer.h"
#include "gateway.h"

struct bridge;
struct bus;

/* One filter of one bridge, tapped from the broker. */
struct bridge_tap {
    struct gateway *gw;
    struct bridge *bridge;
    struct broker_tap *tap;
    const struct bridge_topic_settings *topics;
    size_t index; /* of this filter in `topics` */
};

/* How busy a bus was between two looks at its counters. */
struct bus_load {
    uint64_t busy_us;
    int64_t looked_us; /* monotonic; 0: not yet */
    bool known;
    int percent; /* when known */
};

struct gateway {
    struct loop *loop;
    const struct settings *settings;
    struct store *store;
    struct broker *broker;
    bool broker_started;
    struct web *web;
    struct bridge **bridges; /* settings->bridge_count */
    struct bridge_tap *taps;
    size_t tap_count;
    struct publish *publish; /* NULL: a broker alone */
    struct inbox *inbox;
    struct loop_wake *inbox_wake;
    struct completions *completions; /* of commands to the buses; run in the loop */
    struct loop_wake *completions_wake;
    struct bus **buses;         /* settings->bus_count */
    struct bus_load *bus_loads; /* of each */

    struct seqs *seqs;
    const char **device_names; /* of all buses, in order */
    size_t *device_bus;
    size_t *device_index;
    size_t device_count;

    struct timer age_timer;
    struct timer seqs_timer;
    struct timer state_timer;
    int64_t seqs_period_ms;
    char *state_topic; /* "wp/<id>/state"; NULL: a broker alone */
    uint64_t lost_to_memory;

    bool ending;
    size_t bridges_stopping;
    gateway_stopped_fn *stopped;
    void *stopped_arg;
};

/* True while any bridge is not online, or still owes something that is on disk. */
bool gateway_upstream_away(const struct gateway *gw);

/* $SYS/wirepost/...: everything, or the part that changed. */
void gateway_publish_state(struct gateway *gw);
void gateway_publish_bus_state(struct gateway *gw, size_t bus);
void gateway_publish_bridge_state(struct gateway *gw, const struct bridge *br);

#endif
