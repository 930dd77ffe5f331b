/*
 * amount - how much of something an outbox holds, for its bounds and counters.
 */
#ifndef WP_QUEUE_AMOUNT_H
#define WP_QUEUE_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/outbox_job.h"

/* How many messages and how many of their bytes. */
struct amount {
    uint64_t messages;
    uint64_t bytes;
};

static inline void amount_add(struct amount *a, const struct entry *e)
{
    a->messages++;
    a->bytes += message_bytes(e->m);
}

static inline void amount_sub(struct amount *a, const struct entry *e)
{
    a->messages--;
    a->bytes -= message_bytes(e->m);
}

static inline bool amount_over(const struct amount *a, uint64_t messages, uint64_t bytes)
{
    return a->messages >= messages || a->bytes >= bytes;
}

#endif
