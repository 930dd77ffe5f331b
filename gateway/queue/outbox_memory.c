/* outbox_memory - what of an outbox is in memory, and what is only on disk. See outbox_private.h. */
#include <stdlib.h>

#include "core/clock.h"
#include "loop.h"
#include "queue/outbox_private.h"

enum {
    /* More than this in memory: what is written and far from being sent is given up to the disk... */
    WINDOW_MESSAGES = 16384,
    WINDOW_BYTES = 4 << 20,
    /* ...down to this. */
    KEEP_MESSAGES = 8192,
    KEEP_BYTES = 2 << 20,
    /* Less than this ahead of the receiver: more is read. */
    AHEAD_MESSAGES = 4096,
    AHEAD_BYTES = 1 << 20,

    REREAD_MS = 1000,
};

bool outbox_has_gap(const struct outbox *o)
{
    return list_linked(&o->gap);
}

void outbox_begin_gap(struct outbox *o, struct list_node *before, uint64_t after, int64_t oldest_ms)
{
    list_insert_before(before, &o->gap);
    o->gap_after = after;
    o->gap_oldest_ms = oldest_ms;
    if (o->next == before)
        o->next = &o->gap;
}

void outbox_end_gap(struct outbox *o)
{
    if (o->next == &o->gap)
        o->next = o->gap.next;
    list_remove(&o->gap);
    o->gapped = (struct amount){0};
    o->ahead = (struct amount){0};
    o->wants_more = false;
}

void outbox_count_ahead(struct outbox *o)
{
    o->ahead = (struct amount){0};
    for (struct list_node *n = o->next; n != &o->list && n != &o->gap; n = n->next) {
        entry_of(n)->sent = false;
        if (outbox_has_gap(o))
            amount_add(&o->ahead, entry_of(n));
    }
}

void outbox_read_on(struct outbox *o)
{
    if (!outbox_has_gap(o) || o->wants_more || amount_over(&o->ahead, AHEAD_MESSAGES, AHEAD_BYTES))
        return;
    o->wants_more = true;
    outbox_look(o);
}

/* The entries behind the gap that were written. QoS 0 ones among them are lost: nothing was promised. */
static void give_up_written(struct outbox *o)
{
    while (o->gap.next != o->unwritten) {
        struct entry *e = entry_of(o->gap.next);

        amount_sub(&o->memory, e);
        if (e->on_disk) {
            o->on_disk--;
            amount_add(&o->gapped, e);
        } else {
            o->stats.dropped_full++;
        }
        list_remove(&e->node);
        message_unref(e->m);
        free(e);
    }
}

/* The first entry to give up: the start of a segment, not sent, with enough kept before it if
 * possible. o->unwritten when there is none. */
static struct list_node *find_boundary(const struct outbox *o)
{
    struct list_node *boundary = o->unwritten;
    struct amount kept = o->memory;

    for (struct list_node *n = o->unwritten->prev; n != &o->list && !entry_of(n)->sent; n = n->prev) {
        const struct entry *e = entry_of(n);

        amount_sub(&kept, e);
        if (!e->on_disk || !e->begins_segment)
            continue;
        boundary = n;
        if (!amount_over(&kept, KEEP_MESSAGES, KEEP_BYTES))
            break;
    }
    return boundary;
}

void outbox_shed(struct outbox *o)
{
    struct list_node *boundary;

    if (!outbox_has_gap(o)) {
        if (!amount_over(&o->memory, WINDOW_MESSAGES, WINDOW_BYTES))
            return;
        boundary = find_boundary(o);
        if (boundary == o->unwritten)
            return;
        outbox_begin_gap(o, boundary, entry_of(boundary)->seq - 1, entry_of(boundary)->time_ms);
        outbox_count_ahead(o);
    }
    give_up_written(o);
}

static void gapped_sub(struct outbox *o, uint64_t messages, uint64_t bytes)
{
    o->gapped.messages -= messages < o->gapped.messages ? messages : o->gapped.messages;
    o->gapped.bytes -= bytes < o->gapped.bytes ? bytes : o->gapped.bytes;
}

void outbox_take_read(struct outbox *o, struct outbox_job *job)
{
    if (!job->read || !outbox_has_gap(o))
        return;
    while (!list_empty(&job->loaded)) {
        struct entry *e = entry_of(job->loaded.next);

        list_remove(&e->node);
        list_insert_before(&o->gap, &e->node);
        if (o->next == &o->gap)
            o->next = &e->node;
        amount_add(&o->memory, e);
        amount_add(&o->ahead, e);
        o->on_disk++;
        o->gap_oldest_ms = e->time_ms;
    }
    gapped_sub(o, job->read_messages, job->read_bytes);
    o->stats.dropped_disk += job->damaged_messages;
    if (job->read_through)
        o->gap_after = job->read_through;
    /* Nobody asks again for a receiver that waits, if all of it was damaged. */
    o->wants_more = o->starved && o->next == &o->gap;
    if (job->read_result < 0) {
        o->wants_more = true;
        o->reread_at_ms = loop_now_ms(o->loop) + REREAD_MS;
    } else if (job->read_all) {
        o->stats.dropped_disk += o->gapped.messages; /* counted, but not there */
        outbox_end_gap(o);
    }
}

void outbox_take_dropped(struct outbox *o, const struct outbox_job *job)
{
    if (!job->dropped_through)
        return;
    gapped_sub(o, job->dropped_messages, job->dropped_bytes);
    o->gap_after = job->dropped_through;
    o->stats.dropped_expired += job->dropped_expired;
    o->stats.dropped_full += job->dropped_messages - job->dropped_expired;
}
