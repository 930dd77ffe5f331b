/*
 * split - finds what a device refuses of a request it has refused, by halves.
 *
 *   refused  [a b c d e f g h]
 *   asked    [a b c d] read       [e f g h] refused
 *                                 [e f] refused   [g h] read
 *                                 [e] read  [f] refused             -> f is a hole
 *
 * When both halves can be read and the whole cannot, there is a seam between them: unwanted registers that
 * the device refuses, or a limit to its answers. Refusals count only when the device has given something
 * before them, and others are asked again when it has: one that refuses everything is no more than starting.
 *
 * One step at a time, so that others come in between. Pure.
 */
#ifndef WP_BUS_SPLIT_H
#define WP_BUS_SPLIT_H

#include "bus/holes.h"
#include "drivers/driver.h"

struct split;

/* Of a request that was refused with `code`; the device is borrowed, the request copied. 0 or -ENOMEM. */
int split_new(const struct device_settings *device, const struct request *refused, uint8_t code,
              struct split **ret_split);
void split_free(struct split *s); /* Accepts NULL. */

/* What to ask now; NULL: nothing, until something else of the device was read, or because it is done. */
const struct request *split_next(struct split *s);

/* The answer to that: 0 when it was read, else the code it was refused with. */
void split_answered(struct split *s, uint8_t code);

/* Something else of the device was read. */
void split_other_was_read(struct split *s);

bool split_is_done(const struct split *s);

/* Adds what was found. 0 or -ENOMEM. */
int split_found(const struct split *s, struct holes *holes, int64_t now_ms);

/* Whether it is this request, tag for tag, that is being split. */
bool split_is_of(const struct split *s, const struct request *req);

/* Requests asked so far. */
size_t split_cost(const struct split *s);

#endif
