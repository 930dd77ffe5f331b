/*
 * seqs - the numbers of the devices' json messages, kept so that none is used twice.
 *
 * Two ways of saving, both one small commit for all devices:
 *   exact     the numbers as they are, and a stride: how many may be used until the next
 *             save, by the rate of late. For outages (with each group the outbox writes) and
 *             clean stops. A burst that comes near the end of its stride is saved at once.
 *   reserved  a range ahead; nothing more is written until half of it is used. For
 *             while the upstream is online and flash must see no bytes per message.
 * After a crash numbering goes on behind the stride or the range, so seq never
 * repeats but may jump. Loop thread only.
 */
#ifndef WP_QUEUE_SEQS_H
#define WP_QUEUE_SEQS_H

#include <stddef.h>
#include <stdint.h>

struct seqs;
struct store;

/* The numbers to begin with, one per device, valid during the call; result: 0 or -errno (then all are 1). */
typedef void seqs_loaded_fn(void *arg, const uint64_t *next, int result);

/* The current number of the device at `index`. */
typedef uint64_t seqs_get_fn(void *arg, size_t index);

/* Names are copied. loaded runs in the loop thread, once, unless freed before. NULL when out of memory. */
struct seqs *seqs_new(struct store *store, const char *const *names, size_t count, seqs_loaded_fn *loaded,
                      seqs_get_fn *get, void *arg);

/* Nothing more is saved or called; what is at the disk ends by itself. Accepts NULL. */
void seqs_free(struct seqs *s);

enum seqs_mode {
    SEQS_EXACT, /* in an outage */
    SEQS_FINAL, /* exact, and nothing more will be numbered: a clean stop */
    SEQS_RESERVED,
};

/* Submits a save; one is under way at a time, the newest wish follows it. Call it at an even pace, which is
 * what strides are made for. With SEQS_RESERVED nothing is written while less than half of the range
 * reserved last is used. */
void seqs_save(struct seqs *s, enum seqs_mode mode);

/* After something was numbered: saves before a stride is used up. */
void seqs_look(struct seqs *s);

#endif
