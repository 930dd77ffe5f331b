/*
 * publish - decides what a reading becomes on MQTT: which topic, which payload,
 * when it is too old to be shown.
 *
 *   batch -> tag states -> rules -> v/<tag>, json (one per request), availability, status
 *
 * Pure: time is passed in, messages leave by the emit callback. Loop thread.
 * Topics and payloads: design section 5; a tag goes bad when `stale_after`
 * has passed without a good reading, even if its bus says nothing more.
 */
#ifndef WP_PUBLISH_H
#define WP_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"
#include "core/stamp.h"
#include "core/str.h"

struct publish;

/* topic and payload are borrowed during the call. An empty payload means "no data". */
typedef void publish_emit_fn(void *arg, struct str topic, struct str payload, uint8_t qos, bool retain);

/* NULL when out of memory. */
struct publish *publish_new(const char *gateway_id, publish_emit_fn *emit, void *arg);
void publish_free(struct publish *p); /* Accepts NULL. */

/* How samples' times, clock_boot_ms() in batches, become those of messages. Borrowed, and changed as it changes.
 * Without one they are taken as they are. */
void publish_use_clock(struct publish *p, const struct stamp_clock *clock);

/* Has devices with home_assistant announced below this prefix. 0 or -ENOMEM. */
int publish_use_discovery(struct publish *p, const char *prefix);

/* Announces them again: Home Assistant has started. */
void publish_rediscover(struct publish *p);

/* A bus begins; its batches carry `number`, which no other has. Settings are borrowed until the bus is removed. What
 * another bus knew of a device of the same name is taken over: the number of its next message, whether it is online,
 * how old its tags are; and the retained topics of tags that it has no more are cleared. 0 or -ENOMEM. */
int publish_add_bus(struct publish *p, uint32_t number, const struct bus_settings *settings, int64_t now_mono_ms);

/* A bus has ended. The retained topics of devices that no other bus took over are cleared. */
void publish_remove_bus(struct publish *p, uint32_t number);

/* A tag's value as it stands; VALUE_NONE when there is none. Borrowed until the next call of anything here. */
struct value publish_value(const struct publish *p, uint32_t bus, size_t device, uint32_t tag);

struct publish_device {
    bool online; /* as last published */
    struct health health;
};

/* How a device of a bus that was added does. */
struct publish_device publish_get_device(const struct publish *p, uint32_t bus, size_t device);

/* The number of a device's next json message; begins at 1 unless set before the first batch. Setting it does nothing
 * to a device that was taken over. */
uint64_t publish_seq(const struct publish *p, uint32_t bus, size_t device);
void publish_set_seq(struct publish *p, uint32_t bus, size_t device, uint64_t next);

/* state `online`, clock, info, devices. A device's availability follows once it has answered or is overdue. */
void publish_announce(struct publish *p, int64_t now_boot_ms);

/* clock, info and what devices' statuses lacked, once the clock is trusted. */
void publish_clock(struct publish *p);

/* devices alone, after buses were added or removed. */
void publish_devices(struct publish *p);

/* The last words before a clean stop: state `offline`. */
void publish_farewell(struct publish *p);

/* Returns when publish_check_age() has to be called for the sake of these readings, INT64_MAX for never. */
int64_t publish_batch(struct publish *p, const struct batch *b, int64_t now_mono_ms);

/* Turns overdue tags bad, publishes values whose interval has ended. Returns when to call again (monotonic ms),
 * INT64_MAX for never. */
int64_t publish_check_age(struct publish *p, int64_t now_mono_ms, int64_t now_boot_ms);

struct publish_stats {
    uint64_t readings; /* taken, good or bad */
    uint64_t good;
    uint64_t messages; /* emitted */
};

void publish_get_stats(const struct publish *p, struct publish_stats *ret_stats);

#endif
