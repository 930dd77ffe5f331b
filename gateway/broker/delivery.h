/*
 * delivery - a message on its way to one session: what it is sent with.
 *
 * Holds a reference to the message (NULL when nobody will ask for it again)
 * and owns the subscription identifiers. Moved by assignment. Loop thread only.
 */
#ifndef WP_BROKER_DELIVERY_H
#define WP_BROKER_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/message.h"

/* 3.3.2.3.8: the identifiers of all subscriptions that match. */
struct sub_ids {
    uint32_t count;
    uint32_t ids[];
};

/* One identifier; NULL when it is 0 or memory is out. */
struct sub_ids *sub_ids_of(uint32_t id);

struct delivery {
    struct message *m;
    struct sub_ids *ids; /* NULL: none */
    uint8_t qos;
    bool retain;
    uint32_t share; /* the shared subscription it comes by; 0: none */
};

/* What a delivery takes of its session's queued_bytes. */
static inline uint64_t delivery_bytes(const struct delivery *d)
{
    uint64_t ids = d->ids ? sizeof(*d->ids) + d->ids->count * sizeof(d->ids->ids[0]) : 0;

    return d->m ? d->m->topic.len + d->m->payload.len + d->m->props.len + ids : 0;
}

void delivery_fini(struct delivery *d);

/* First in, first out: what waits for the session's window or its return. Zeroed memory is empty. */
struct delivery_queue {
    struct delivery *ring;
    size_t cap; /* 0 or a power of two */
    size_t head;
    size_t count;
    uint64_t bytes;
};

/* Takes the delivery when it returns 0; -ENOMEM otherwise. Bounds are the caller's. */
int delivery_queue_push(struct delivery_queue *q, struct delivery d);

/* The same, to be the first out. */
int delivery_queue_push_front(struct delivery_queue *q, struct delivery d);

/* The one at this place, which stays; 0 is the oldest. */
static inline const struct delivery *delivery_queue_at(const struct delivery_queue *q, size_t place)
{
    return &q->ring[(q->head + place) & (q->cap - 1)];
}

/* The oldest, now the caller's. The queue must not be empty. */
struct delivery delivery_queue_pop(struct delivery_queue *q);

/* The one at this place, 0 is the oldest: now the caller's. The others keep their order; costs as much as its place. */
struct delivery delivery_queue_take(struct delivery_queue *q, size_t place);

void delivery_queue_fini(struct delivery_queue *q);

#endif
