/*
 * serial - what a device with a protocol of its own says: bytes of its line to readings of its tags.
 *
 *   bytes -> serial_frame -> messages: serial_match and serial_text, or fields -> batch
 *
 * Each frame is offered to every message, for a telegram may hold what several patterns look for. While an answer is
 * awaited, messages that answer other requests are left out. Pure.
 */
#ifndef WP_DRIVERS_SERIAL_H
#define WP_DRIVERS_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct batch;
struct serial;

struct serial_counters {
    uint64_t whole;   /* frames found */
    uint64_t frames;  /* with at least one message that knows them */
    uint64_t unknown; /* whole, but no message knows them */
    uint64_t damaged; /* stretches of bytes that are no frame */
    uint64_t garbage_bytes;
    uint64_t given_up; /* patterns that took too long */
};

/* No request is waiting for its answer. */
#define SERIAL_NOT_ASKED SIZE_MAX

/* Settings are borrowed; device->tags and s->texts go together. 0, -ENOMEM, -EINVAL: a pattern does not compile. */
int serial_new(const struct serial_settings *s, const struct device_settings *device, struct serial **ret_serial);
void serial_free(struct serial *s); /* Accepts NULL. */

/* The line was opened, or a request is about to be sent, whose answer is the first thing to come: `fresh`. */
void serial_clear(struct serial *s, bool fresh);

/* How many of the bytes it took: at least one, when serial_next() was called until it found nothing. */
size_t serial_put(struct serial *s, const uint8_t *bytes, size_t len);

/* The line was silent for frame.idle or frame.pause. */
void serial_silence(struct serial *s);
bool serial_is_waiting(const struct serial *s); /* for the rest of a frame */

/* Adds the tags of the next frame to `out`, which is empty and has room for all tags of the device. `asked`: the index
 * of the message whose answer is awaited. True when there was a frame that a message knows; *ret_answered when
 * it is the one asked for. */
bool serial_next(struct serial *s, size_t asked, struct batch *out, bool *ret_answered);

/* The tags a message gives; ret_tags has room for all of the device. How many. */
size_t serial_message_tags(const struct serial *s, size_t message, uint32_t *ret_tags);

struct serial_counters serial_counters(const struct serial *s);

#endif
