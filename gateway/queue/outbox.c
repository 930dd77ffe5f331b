/* outbox - see outbox.h: what callers see. The list is explained in outbox_private.h. */
#include "queue/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "loop.h"
#include "queue/outbox_private.h"

enum {
    CLIENT_LINGER_MS = 20, /* a publisher waits */

    /* Memory when the disk is too slow or fails: beyond it readings are dropped, clients refused. */
    HARD_MESSAGES = 65536,
    HARD_BYTES = 16 << 20,
    /* QoS 0 messages, which nothing is promised for, leave the rest to the others. */
    VOLATILE_MESSAGES = 16384,
    VOLATILE_BYTES = 4 << 20,
};

static void on_timer(void *arg)
{
    outbox_look(arg);
}

int outbox_open(struct loop *loop, struct store *store, const char *name, const struct outbox_settings *settings,
                outbox_ready_fn *ready, void *arg, struct outbox **ret_outbox)
{
    struct outbox *o = calloc(1, sizeof(*o));
    int r;

    if (!o)
        return -ENOMEM;
    o->loop = loop;
    o->store = store;
    o->settings = settings;
    o->ready = ready;
    o->arg = arg;
    list_init(&o->list);
    list_init(&o->gap);
    o->next = &o->list;
    o->unwritten = &o->list;
    o->due_ms = INT64_MAX;
    o->save_at_ms = INT64_MAX;
    timer_init(&o->timer, on_timer, o);
    o->name = strdup(name);
    r = o->name ? outbox_load(o) : -ENOMEM;
    if (r < 0) {
        outbox_close(o);
        return r;
    }
    *ret_outbox = o;
    return 0;
}

void outbox_change(struct outbox *o, const struct outbox_settings *settings)
{
    o->settings = settings;
}

void outbox_close(struct outbox *o)
{
    if (!o)
        return;
    if (!o->closed) {
        o->closed = true;
        loop_timer_stop(o->loop, &o->timer);
        list_remove(&o->gap);
        while (!list_empty(&o->list))
            outbox_remove(o, entry_of(o->list.next), -ECANCELED);
    }
    if (o->job) /* comes back here when it is done */
        return;
    free(o->name);
    free(o);
}

void outbox_settle(struct entry *e, int result)
{
    if (!e->held)
        return;
    e->held = false;
    message_settle(e->m, result);
}

void outbox_detach(struct outbox *o, struct entry *e)
{
    if (o->next == &e->node)
        o->next = e->node.next;
    if (o->unwritten == &e->node)
        o->unwritten = e->node.next;
    amount_sub(&o->memory, e);
    if (!e->sent && outbox_has_gap(o) && e->seq <= o->gap_after)
        amount_sub(&o->ahead, e);
    if (e->on_disk)
        o->on_disk--;
    else if (e->durable)
        amount_sub(&o->fresh, e);
    list_remove(&e->node);
    if (e->on_disk || e->seq <= o->taken_seq)
        outbox_position_moved(o);
}

void outbox_release(struct entry *e, int result)
{
    outbox_settle(e, result);
    message_unref(e->m);
    free(e);
}

void outbox_remove(struct outbox *o, struct entry *e, int result)
{
    outbox_detach(o, e);
    outbox_release(e, result);
}

/* The oldest that was not sent. False: there is none in memory. */
static bool drop_oldest(struct outbox *o)
{
    if (o->next == &o->list || o->next == &o->gap)
        return false;
    outbox_remove(o, entry_of(o->next), 0);
    o->stats.dropped_full++;
    return true;
}

/* The oldest that was neither sent nor written, while the disk does not take any. */
static bool drop_oldest_fresh(struct outbox *o)
{
    struct list_node *n = o->unwritten;

    while (n != &o->list && entry_of(n)->sent)
        n = n->next;
    if (n == &o->list)
        return false;
    outbox_remove(o, entry_of(n), -ENOSPC);
    o->stats.dropped_disk++;
    return true;
}

static bool has_memory(struct outbox *o, const struct message *m, bool durable, int *ret_result)
{
    *ret_result = 0;
    if (!durable && amount_over(&o->memory, VOLATILE_MESSAGES, VOLATILE_BYTES)) {
        o->stats.dropped_full++;
        return false;
    }
    if (!amount_over(&o->memory, HARD_MESSAGES, HARD_BYTES))
        return true;
    if (m->origin == MESSAGE_FROM_DRIVER && drop_oldest_fresh(o))
        return true;
    o->stats.dropped_disk++;
    *ret_result = -ENOSPC;
    return false;
}

/* False when the message is not taken; its publisher is then told *ret_result. */
static bool has_room(struct outbox *o, const struct message *m, bool durable, int *ret_result)
{
    const uint64_t max = o->settings->max_bytes;
    const uint64_t size = message_bytes(m);

    if (!has_memory(o, m, durable, ret_result))
        return false;
    while (max && o->memory.bytes + o->gapped.bytes + size > max) {
        if (o->settings->on_full == OUTBOX_DROP_OLDEST && size <= max && drop_oldest(o))
            continue;
        /* The oldest are on disk: the next job drops them, until then memory takes what comes. */
        if (o->settings->on_full == OUTBOX_DROP_OLDEST && size <= max && o->next == &o->gap)
            return true;
        o->stats.dropped_full++;
        *ret_result = o->settings->on_full == OUTBOX_REJECT ? -ENOSPC : 0;
        return false;
    }
    return true;
}

/* The publisher is told that we do not keep it, in the same way as it would be later. */
static void refuse(struct message *m, int result)
{
    if (result == 0)
        return;
    message_hold(m);
    message_settle(m, result);
}

static struct entry *entry_new(struct outbox *o, struct message *m, bool durable)
{
    /* The promise is to be on disk within the linger: the commit itself needs a part of it. */
    const int64_t linger = o->settings->linger_ms - o->settings->linger_ms / 10;
    const bool waited_for = m->origin == MESSAGE_FROM_CLIENT && linger > CLIENT_LINGER_MS;
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->m = message_ref(m);
    e->seq = ++o->last_seq;
    e->time_ms = clock_steady_ms();
    e->due_ms = loop_now_ms(o->loop) + (waited_for ? CLIENT_LINGER_MS : linger);
    e->durable = durable;
    if (durable) {
        e->held = true;
        message_hold(m);
    }
    return e;
}

static void push(struct outbox *o, struct entry *e)
{
    list_push_back(&o->list, &e->node);
    if (o->next == &o->list)
        o->next = &e->node;
    if (o->unwritten == &o->list)
        o->unwritten = &e->node;
    amount_add(&o->memory, e);
    if (e->durable)
        amount_add(&o->fresh, e);
}

void outbox_wake_receiver(struct outbox *o)
{
    if (!o->starved || o->next == &o->list || o->next == &o->gap)
        return;
    o->starved = false;
    o->ready(o->arg);
}

void outbox_append(struct outbox *o, struct message *m, uint8_t qos)
{
    struct entry *e;
    int result;

    o->stats.appended++;
    if (!has_room(o, m, qos > 0, &result)) {
        refuse(m, qos > 0 ? result : 0);
        return;
    }
    e = entry_new(o, m, qos > 0);
    if (!e) {
        o->stats.dropped_full++;
        refuse(m, qos > 0 ? -ENOMEM : 0);
        return;
    }
    push(o, e);
    outbox_appended(o, e);
    outbox_wake_receiver(o);
}

static bool is_expired(const struct outbox *o, const struct entry *e, int64_t run_ms, int64_t steady_ms)
{
    const int64_t max_age = o->settings->max_age_ms;

    return is_older(e->m->expires_ms, run_ms + 1) || (max_age > 0 && is_older(e->time_ms, steady_ms - max_age));
}

void outbox_drop_expired(struct outbox *o)
{
    const int64_t run_ms = clock_run_ms();
    const int64_t steady_ms = clock_steady_ms();

    while (o->next != &o->list && o->next != &o->gap && is_expired(o, entry_of(o->next), run_ms, steady_ms)) {
        o->stats.dropped_expired++;
        outbox_remove(o, entry_of(o->next), 0);
    }
}

struct message *outbox_next(struct outbox *o, uint64_t *ret_seq)
{
    struct entry *e = NULL;

    outbox_drop_expired(o);
    o->starved = o->next == &o->list || o->next == &o->gap;
    if (!o->starved) {
        e = entry_of(o->next);
        o->next = e->node.next;
        e->sent = true;
        if (outbox_has_gap(o))
            amount_sub(&o->ahead, e);
        *ret_seq = e->seq;
    }
    outbox_read_on(o);
    return e ? e->m : NULL;
}

void outbox_ack(struct outbox *o, uint64_t seq)
{
    for (struct list_node *n = o->list.next; n != &o->list && n != &o->gap; n = n->next) {
        struct entry *e = entry_of(n);

        if (e->seq < seq)
            continue;
        if (e->seq == seq) {
            o->stats.acked++;
            outbox_remove(o, e, 0);
        }
        return;
    }
}

void outbox_rewind(struct outbox *o)
{
    o->next = o->list.next;
    outbox_count_ahead(o);
}

void outbox_flush(struct outbox *o, outbox_flushed_fn *done, void *arg)
{
    o->flushed = done;
    o->flushed_arg = arg;
    o->save_at_ms = 0;
    o->position_first = o->failing;
    outbox_look(o);
}

void outbox_get_stats(const struct outbox *o, struct outbox_stats *ret_stats)
{
    struct list_node *first = o->list.next;

    *ret_stats = o->stats;
    ret_stats->messages = o->memory.messages + o->gapped.messages;
    ret_stats->bytes = o->memory.bytes + o->gapped.bytes;
    ret_stats->on_disk = o->on_disk + o->gapped.messages;
    if (first == &o->gap)
        ret_stats->oldest_ms = o->gap_oldest_ms;
    else if (first != &o->list)
        ret_stats->oldest_ms = entry_of(first)->time_ms;
}
