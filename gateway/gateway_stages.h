/*
 * gateway_stages - what the files of the gateway share. Nobody else includes it.
 *
 *   gateway.c             the pipeline: start, stop, the two functions every value passes through
 *   gateway_buses.c .h    which buses run, and the numbering of their devices
 *   gateway_bridges.c .h  which bridges run, and what they tap from the broker
 *   gateway_discovery.c   when Home Assistant is told of devices
 *   gateway_clock.c       whether the time is known
 *   gateway_reload.c      what other settings change, and in which order
 *   gateway_changes.c .h  the same in words
 *   gateway_writes.c .h   what people ask of devices
 *   gateway_requests.c .h what people ask of it, by control.sock and MQTT
 *   gateway_jobs.c        scans, reads and writes for them
 *   gateway_holes.c .h    what devices refuse, on disk
 *   gateway_state.c       $SYS/wirepost/..., and gateway_metrics.c .h the same at /metrics
 */
#ifndef WP_GATEWAY_STAGES_H
#define WP_GATEWAY_STAGES_H

#include "core/buf.h"
#include "core/list.h"
#include "core/stamp.h"
#include "core/timer.h"
#include "gateway.h"

struct batch;
struct bridge;
struct broker_tap;
struct gateway_bus;
struct gateway_requests;
struct gateway_sets;

/* Numbers of messages are saved so often, at least. */
enum { GATEWAY_SEQS_MS = 1000 };

/* What runs on a part of the settings holds a reference of its own, or is told of others by a reload. */
struct gateway {
    struct loop *loop;
    struct settings *settings; /* a reference */
    struct store *store;
    struct broker *broker;
    bool broker_started;
    struct web *web;
    struct list_node bridges; /* struct gateway_bridge */
    struct publish *publish;  /* NULL: a broker alone */
    struct inbox *inbox;
    struct loop_wake *inbox_wake;
    struct completions *completions; /* of commands to the buses; run in the loop */
    struct loop_wake *completions_wake;
    struct gateway_writes *writes;
    struct gateway_bus **buses; /* by number; NULL: no such bus */
    size_t bus_room;
    size_t buses_loading; /* their numbers are being read */
    size_t buses_ending;  /* their threads are */
    bool announced;
    struct gateway_requests *requests;
    struct gateway_sets *sets; /* writes to tags that people wait for */
    struct list_node jobs;     /* of people: scans, reads, writes */
    size_t job_count;
    struct broker_tap *birth_tap; /* Home Assistant's */

    struct stamp_clock clock;
    int64_t clock_floor_ms;   /* it has been later than this already */
    int64_t clock_began_ms;   /* of the wall clock, at boot, as it was when the process began */
    struct timer clock_timer; /* until it is trusted */

    struct timer age_timer;
    struct timer seqs_timer;
    struct timer state_timer;
    struct timer birth_timer;
    int64_t seqs_period_ms;
    char *state_topic; /* "wp/<id>/state"; NULL: a broker alone */
    uint64_t lost_to_memory;

    bool ending;
    size_t bridges_changing; /* or leaving, by a reload */
    struct settings *next;   /* a reference: to reload when the reload that is under way has ended; NULL: none */
    struct buf reloaded;     /* what that one does, for the log */
    bool reloading;
    struct timer reload_timer; /* for one that was asked for while a message was routed */
    size_t bridges_stopping;
    void (*bridges_stopped)(struct gateway *gw);
    gateway_stopped_fn *stopped;
    void *stopped_arg;
};

/* gateway.c: the gateway's own words to its broker, with props encoded as in message.h; and to who asked, with his
 * correlation data unless it is empty (MQTT 5.0, 4.10). Without memory they are counted as lost. */
void gateway_say(struct gateway *gw, struct str topic, struct str payload, struct str props, uint8_t qos, bool retain);
void gateway_answer(struct gateway *gw, struct str topic, struct str payload, struct str correlation);

/* gateway.c: what the bus threads call... */
void gateway_emit_batch(void *arg, struct batch *batch);
void gateway_wake(void *arg);

/* ...and what runs when all buses are there: looks at ages and saves numbers, from now on by itself. */
void gateway_watch_readings(struct gateway *gw);

/* gateway.c: when it has to be there and is not. 0 or -errno, logged. */
int gateway_open_store(struct gateway *gw);

/* gateway_discovery.c: devices are announced as they begin, and when Home Assistant does. 0 or -ENOMEM. */
int gateway_start_discovery(struct gateway *gw);
void gateway_stop_discovery(struct gateway *gw);

/* gateway_clock.c: before the store is opened... */
void gateway_begin_clock(struct gateway *gw);

/* ...and after: knows earlier boots, and looks until the clock is trusted. */
void gateway_start_clock(struct gateway *gw);

/* Before anything is published: what the wall clock says now. */
void gateway_read_clock(struct gateway *gw);

/* gateway_reload.c: a part of a reload has ended. */
void gateway_look_at_reload(struct gateway *gw);
void gateway_begin_next_reload(void *gateway); /* by timer */

/* gateway_state.c: $SYS/wirepost/..., everything, or the part that changed. */
void gateway_publish_state(struct gateway *gw);
void gateway_publish_bus_state(struct gateway *gw, struct gateway_bus *bus);
void gateway_publish_bridge_state(struct gateway *gw, const struct bridge *br);
void gateway_clear_bus_state(struct gateway *gw, const char *name); /* after it has gone */
void gateway_clear_bridge_state(struct gateway *gw, const char *name);

/* As often as the settings say, from now on. */
void gateway_begin_states(struct gateway *gw);

#endif
