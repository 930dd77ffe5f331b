/* budget - see budget.h. */
#include "broker/budget.h"

#include <errno.h>
#include <malloc.h>

#include "broker/catch_up.h"
#include "broker/conn.h"
#include "broker/events_message.h"
#include "broker/limit.h"

uint64_t budget_held(const struct broker *b)
{
    return message_memory() + b->buffer_bytes;
}

uint64_t budget_left(const struct broker *b)
{
    uint64_t most = b->settings->totals.message_bytes;
    uint64_t held = budget_held(b);

    if (most == 0)
        return UINT64_MAX;
    return held < most ? most - held : 0;
}

bool budget_allows(const struct broker *b, uint64_t bytes)
{
    return bytes <= BUDGET_NOTHING || bytes <= budget_left(b);
}

static size_t size_of(const struct buf *b)
{
    return b ? b->cap : 0;
}

void budget_count(struct conn *c)
{
    size_t bytes = size_of(c->in) + size_of(c->out) + catch_up_bytes(c);

    if (c->joining)
        bytes += c->joining->connect_len + c->joining->early_len;
    if (bytes > UINT32_MAX)
        bytes = UINT32_MAX;
    c->broker->buffer_bytes -= c->counted;
    c->broker->buffer_bytes += bytes;
    c->counted = (uint32_t)bytes;
}

void budget_end_turn(struct broker *b)
{
    uint64_t held = budget_held(b);
    int64_t now_ms = loop_now_ms(b->loop);

    if (held >= b->held_peak)
        b->held_peak = held;
    if (b->held_peak - held < BUDGET_GIVES_BACK || now_ms < b->give_back_ms)
        return;
    malloc_trim(0);
    b->held_peak = held;
    b->give_back_ms = now_ms + BUDGET_GIVES_BACK_MS;
}

static bool has_room(const struct broker *b, const struct broker_limits *most, const struct delivery_queue *q,
                     uint64_t bytes)
{
    if (most->queued_messages && q->count >= most->queued_messages)
        return false;
    if (most->queued_bytes && q->bytes + bytes > most->queued_bytes)
        return false;
    return budget_allows(b, q->bytes + bytes);
}

/* Whether dropping what is queued could make room for it. */
static bool can_have_room(const struct broker *b, const struct broker_limits *most, const struct delivery_queue *q,
                          uint64_t bytes)
{
    uint64_t left = budget_left(b);

    if (most->queued_bytes && bytes > most->queued_bytes)
        return false;
    return bytes <= BUDGET_NOTHING || bytes <= left || bytes - left <= q->bytes;
}

static void tell(struct session *s, const struct delivery *d, enum wirepost_outcome outcome)
{
    struct publication p;

    if (!s || !events_heard(&s->broker->events, EVENT_message_enqueued_or_dropped))
        return;
    p = publication_of_message(d->m, broker_run_ms(d->m));
    events_enqueued_or_dropped(s, &p, d, outcome);
    publication_fini(&p);
}

static void drop_oldest(struct broker *b, struct delivery_queue *q, struct session *s)
{
    struct delivery oldest = delivery_queue_pop(q);

    drop_count(b, DROP_QUEUE_FULL);
    if (s && events_heard(&b->events, EVENT_queue_overwritten))
        events_queue_overwritten(s, oldest.m);
    delivery_fini(&oldest);
}

static void drop_newest(struct broker *b, struct delivery *d, struct session *s)
{
    drop_count(b, DROP_QUEUE_FULL);
    tell(s, d, WIREPOST_FULL);
    delivery_fini(d);
}

int budget_enqueue(struct broker *b, const struct broker_limits *most, struct delivery_queue *q, struct delivery d,
                   struct session *s)
{
    uint64_t bytes = delivery_bytes(&d);
    bool drops_oldest = most->on_full != ON_FULL_DROP_NEWEST && can_have_room(b, most, q, bytes);
    int dropped = 0;

    while (drops_oldest && q->count > 0 && !has_room(b, most, q, bytes)) {
        drop_oldest(b, q, s);
        dropped++;
    }
    if (!has_room(b, most, q, bytes)) {
        drop_newest(b, &d, s);
        return dropped + 1;
    }
    if (delivery_queue_push(q, d) < 0) {
        drop_count(b, DROP_OTHER);
        tell(s, &d, WIREPOST_NO_MEMORY);
        delivery_fini(&d);
        return -ENOMEM;
    }
    tell(s, &d, WIREPOST_QUEUED);
    return dropped;
}
