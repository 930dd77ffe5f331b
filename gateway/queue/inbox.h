/*
 * inbox - hands batches from the bus threads to the main loop.
 *
 * Bounded by readings: when a batch does not fit, the oldest batches make room
 * for it, and inbox_dropped() counts their readings (drop counter inbox_full).
 * Any thread may push; only the loop pops, until the inbox is empty: it also
 * logs when dropping began and when it ended.
 */
#ifndef WP_QUEUE_INBOX_H
#define WP_QUEUE_INBOX_H

#include <stddef.h>
#include <stdint.h>

struct inbox;
struct batch;

typedef void inbox_wake_fn(void *arg);

/* NULL when out of memory. wake runs in the pushing thread, lock released,
 * when the inbox was empty before. */
struct inbox *inbox_new(size_t max_readings, inbox_wake_fn *wake, void *arg);

/* Frees what is still in it. Accepts NULL. No thread may still be pushing. */
void inbox_free(struct inbox *in);

/* Takes the batch. Cannot fail and never waits for I/O. A batch without readings
 * counts as one; one larger than the whole bound is still held, alone. */
void inbox_push(struct inbox *in, struct batch *batch);

/* The oldest batch, now the caller's; NULL when the inbox is empty. */
struct batch *inbox_pop(struct inbox *in);

/* Readings dropped since start. Any thread. */
uint64_t inbox_dropped(struct inbox *in);

#endif
