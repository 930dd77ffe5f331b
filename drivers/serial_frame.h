/*
 * serial_frame - finds the frames in what a line brings, whatever else it brings.
 *
 *   garb start age | start half a fr start the whole frame checksum end | ...
 *        ^ no           ^ no         ^ a frame
 *
 * What begins like a frame and turns out to be none costs one byte: the next start is looked for right behind
 * the wrong one, so a frame behind garbage or half a frame is not lost with it. Without a `start` there is nothing
 * to look for: what fails is passed over up to its end, or byte by byte when the length is known.
 *
 * Pure. At most two of the longest frames are held.
 */
#ifndef WP_DRIVERS_SERIAL_FRAME_H
#define WP_DRIVERS_SERIAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct framer;

struct frame {
    const uint8_t *bytes;
    size_t len;
    size_t payload_len; /* from the frame's start up to its checksum and end */
};

struct framer_counters {
    uint64_t whole; /* frames found, whatever was made of them */
    uint64_t frames;
    uint64_t damaged;       /* stretches of bytes that were no frame */
    uint64_t garbage_bytes; /* in them; line ends between frames do not count */
};

/* Settings are borrowed. 0 or -ENOMEM. */
int framer_new(const struct frame_settings *settings, struct framer **ret_framer);
void framer_free(struct framer *f); /* Accepts NULL. */

/* Forgets what it holds. `fresh`: what comes now begins with a frame's first byte, as an answer does. */
void framer_clear(struct framer *f, bool fresh);

/* How many of the bytes it took: at least one, when framer_next() was called until it found nothing. */
size_t framer_put(struct framer *f, const uint8_t *bytes, size_t len);

/* The line was silent: what waits for more bytes is over. Call framer_next() until it finds nothing before
 * there are new ones. */
void framer_silence(struct framer *f);

/* The next frame, in `f` until the next call. */
bool framer_next(struct framer *f, struct frame *ret_frame);

/* The frame found last is none, as its contents show. */
void framer_reject(struct framer *f);

/* Its checksum is good, but nobody knows such a frame. With a short checksum it may be garbage and the beginning of
 * another frame; that one is found. */
void framer_look_inside(struct framer *f);

/* Whether some bytes wait for more. */
bool framer_is_waiting(const struct framer *f);

struct framer_counters framer_counters(const struct framer *f);

#endif
