/* delivery - see delivery.h. The ring is given back when it is empty: idle sessions hold nothing. */
#include "broker/delivery.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define MIN_RING 16

void delivery_fini(struct delivery *d)
{
    message_unref(d->m);
    free(d->ids);
    *d = (struct delivery){0};
}

struct sub_ids *sub_ids_of(uint32_t id)
{
    struct sub_ids *ids = id ? malloc(sizeof(*ids) + sizeof(ids->ids[0])) : NULL;

    if (ids) {
        ids->count = 1;
        ids->ids[0] = id;
    }
    return ids;
}

static int grow(struct delivery_queue *q)
{
    size_t cap = q->cap ? q->cap * 2 : MIN_RING;
    struct delivery *ring = malloc(cap * sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < q->count; i++)
        ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
    free(q->ring);
    message_memory_add((ptrdiff_t)((cap - q->cap) * sizeof(*ring)));
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return 0;
}

int delivery_queue_push(struct delivery_queue *q, struct delivery d)
{
    if (q->count == q->cap && grow(q) < 0)
        return -ENOMEM;
    q->ring[(q->head + q->count) & (q->cap - 1)] = d;
    q->count++;
    q->bytes += delivery_bytes(&d);
    return 0;
}

int delivery_queue_push_front(struct delivery_queue *q, struct delivery d)
{
    if (q->count == q->cap && grow(q) < 0)
        return -ENOMEM;
    q->head = (q->head - 1) & (q->cap - 1);
    q->ring[q->head] = d;
    q->count++;
    q->bytes += delivery_bytes(&d);
    return 0;
}

struct delivery delivery_queue_pop(struct delivery_queue *q)
{
    struct delivery d;

    assert(q->count > 0);
    d = q->ring[q->head];
    q->head = (q->head + 1) & (q->cap - 1);
    q->bytes -= delivery_bytes(&d);
    if (--q->count == 0) {
        message_memory_add(-(ptrdiff_t)(q->cap * sizeof(d)));
        free(q->ring);
        *q = (struct delivery_queue){0};
    }
    return d;
}

struct delivery delivery_queue_take(struct delivery_queue *q, size_t place)
{
    size_t mask = q->cap - 1;
    struct delivery d = q->ring[(q->head + place) & mask];

    for (; place > 0; place--)
        q->ring[(q->head + place) & mask] = q->ring[(q->head + place - 1) & mask];
    q->ring[q->head] = d;
    return delivery_queue_pop(q);
}

void delivery_queue_fini(struct delivery_queue *q)
{
    while (q->count > 0) {
        struct delivery d = delivery_queue_pop(q);

        delivery_fini(&d);
    }
}
