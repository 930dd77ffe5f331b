/* outbox_disk - when an outbox goes to disk, and what came of it. See outbox_private.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "loop.h"
#include "queue/outbox_private.h"
#include "queue/segment.h"
#include "store/store.h"

enum {
    /* So much is written before its time, so that memory does not fill. */
    EARLY_MESSAGES = 4096,
    EARLY_BYTES = 1 << 20,
    /* At most this in one transaction. */
    GROUP_MESSAGES = 16384,
    GROUP_BYTES = 4 << 20,

    POSITION_MS = 1000, /* what was acknowledged meanwhile comes twice after a crash */
    RETRY_MS = 1000,

    /* The queue's row costs a page: with every group only when it must, but so often that a start has
     * few segments to count. */
    SKIPPED_UPDATES = 256,
};

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* o->due_ms may be that of an entry which was acknowledged since. */
static bool is_due(struct outbox *o, int64_t now_ms)
{
    if (o->due_ms > now_ms)
        return false;
    o->due_ms = INT64_MAX;
    for (struct list_node *n = o->unwritten; n != &o->list && o->due_ms > now_ms; n = n->next) {
        if (entry_of(n)->durable)
            o->due_ms = earliest(o->due_ms, entry_of(n)->due_ms);
    }
    return o->due_ms <= now_ms;
}

static bool may_write(const struct outbox *o, int64_t now_ms)
{
    return o->flushed || now_ms >= o->retry_at_ms;
}

static bool wants_write(struct outbox *o, int64_t now_ms)
{
    if (!o->fresh.messages) {
        o->due_ms = INT64_MAX; /* that of an entry acknowledged since; the next to come sets its own */
        return false;
    }
    if (!may_write(o, now_ms))
        return false;
    return o->flushed || amount_over(&o->fresh, EARLY_MESSAGES, EARLY_BYTES) || is_due(o, now_ms);
}

static bool wants_save(const struct outbox *o, int64_t now_ms)
{
    return o->save_at_ms <= now_ms && may_write(o, now_ms);
}

static bool wants_read(const struct outbox *o, int64_t now_ms)
{
    return o->wants_more && now_ms >= o->reread_at_ms;
}

/* Everything fresh, up to the bound of a group, and where its segments begin. */
static void take_group(struct outbox *o, struct outbox_job *job)
{
    struct amount group = {0};
    struct amount segment = {0};

    for (struct list_node *n = o->unwritten; n != &o->list; n = n->next) {
        struct entry *e = entry_of(n);

        if (!e->durable)
            continue;
        if (job->count == job->room || group.bytes >= GROUP_BYTES) {
            o->due_ms = e->due_ms;
            break;
        }
        e->begins_segment = !job->count || amount_over(&segment, SEGMENT_MESSAGES, SEGMENT_BYTES);
        if (e->begins_segment)
            segment = (struct amount){0};
        amount_add(&segment, e);
        amount_add(&group, e);
        o->taken_seq = e->seq;
        job->items[job->count++] = (struct outbox_item){
            .m = message_ref(e->m), .seq = e->seq, .time_ms = e->time_ms, .begins_segment = e->begins_segment};
    }
}

/* The last number that the receiver needs no more, with all before it. */
static uint64_t position(const struct outbox *o)
{
    const struct list_node *first = o->list.next;

    if (first == &o->list)
        return o->last_seq;
    return first == &o->gap ? o->gap_after : entry_of(o->list.next)->seq - 1;
}

/* What is over the bounds and lies on disk alone, with nothing older in memory that could go first. */
static void ask_for_drops(const struct outbox *o, struct outbox_job *job)
{
    const struct outbox_settings *s = o->settings;
    const uint64_t bytes = o->memory.bytes + o->gapped.bytes;

    if (o->next != &o->gap)
        return;
    if (s->on_full == OUTBOX_DROP_OLDEST && s->max_bytes && bytes > s->max_bytes)
        job->drop_bytes = bytes - s->max_bytes;
    if (s->max_age_ms > 0 && clock_steady_ms() > 0)
        job->drop_before_ms = clock_steady_ms() - s->max_age_ms;
}

static bool needs_update(const struct outbox *o)
{
    return o->flushed || o->save_at_ms <= loop_now_ms(o->loop) || o->last_seq > o->seq_limit ||
           o->skipped_updates >= SKIPPED_UPDATES;
}

static void ask_to_save(struct outbox *o, struct outbox_job *job)
{
    job->save = true;
    outbox_drop_expired(o);
    job->update = needs_update(o);
    if (job->update)
        o->save_at_ms = INT64_MAX;
    job->flushing = o->flushed;
    job->acked = position(o);
    job->seq_limit = o->flushed ? o->last_seq : o->last_seq + SEQ_RESERVE;
    job->counted_seq = o->counted_seq;
    job->total_messages = o->total.messages;
    job->total_bytes = o->total.bytes;
    if (!job->read)
        ask_for_drops(o, job);
}

/* The queue's row and totals as they are on disk now. */
static void note_saved(struct outbox *o, const struct outbox_job *job)
{
    o->queue = job->queue;
    o->counted_seq = job->counted_seq;
    o->total = (struct amount){.messages = job->total_messages, .bytes = job->total_bytes};
    o->skipped_updates = job->update ? 0 : o->skipped_updates + 1;
    if (job->update) {
        o->seq_limit = job->seq_limit;
        o->saved_seq = job->acked;
    }
}

static void on_done(void *arg, int result);

static int submit(struct outbox *o, bool write, bool save, bool read)
{
    const uint64_t room = write ? (o->fresh.messages < GROUP_MESSAGES ? o->fresh.messages : GROUP_MESSAGES) : 0;
    struct outbox_job *job = outbox_job_new(o, o->name, (size_t)room);
    int r;

    if (!job)
        return -ENOMEM;
    o->job = job; /* from here on nothing else goes to disk */
    job->queue = o->queue;
    job->read = read;
    job->after = o->gap_after;
    if (save)
        ask_to_save(o, job);
    if (write) {
        o->due_ms = INT64_MAX;
        take_group(o, job);
    }
    r = store_submit(o->store, outbox_job_run, on_done, job);
    if (r < 0) {
        outbox_job_free(job);
        o->job = NULL;
        o->taken_seq = 0;
        o->due_ms = 0;
        o->save_at_ms = 0;
    }
    return r;
}

static void set_timer(struct outbox *o, int64_t now_ms)
{
    int64_t at_ms = INT64_MAX;

    if (o->fresh.messages)
        at_ms = latest(o->due_ms, o->retry_at_ms);
    if (o->save_at_ms != INT64_MAX)
        at_ms = earliest(at_ms, latest(o->save_at_ms, o->retry_at_ms));
    if (o->wants_more)
        at_ms = earliest(at_ms, o->reread_at_ms);
    if (at_ms == INT64_MAX)
        loop_timer_stop(o->loop, &o->timer);
    else
        loop_timer_start(o->loop, &o->timer, latest(at_ms - now_ms, 0));
}

void outbox_look(struct outbox *o)
{
    const int64_t now_ms = loop_now_ms(o->loop);
    bool write;
    bool save;
    bool read;

    if (o->job || o->closed)
        return;
    write = wants_write(o, now_ms) && !o->position_first;
    save = write || wants_save(o, now_ms);
    read = wants_read(o, now_ms);
    if (save || read) {
        if (submit(o, write, save, read) == 0)
            return;
        o->retry_at_ms = o->reread_at_ms = now_ms + RETRY_MS;
    }
    set_timer(o, now_ms);
}

void outbox_appended(struct outbox *o, const struct entry *e)
{
    bool look = amount_over(&o->fresh, EARLY_MESSAGES, EARLY_BYTES);

    if (e->durable && e->due_ms < o->due_ms) {
        o->due_ms = e->due_ms;
        look = true;
    }
    if (o->last_seq + SEQ_RESERVE / 2 > o->seq_limit && o->save_at_ms > loop_now_ms(o->loop)) {
        o->save_at_ms = loop_now_ms(o->loop);
        look = true;
    }
    if (look)
        outbox_look(o);
}

void outbox_position_moved(struct outbox *o)
{
    if (o->save_at_ms != INT64_MAX)
        return;
    o->save_at_ms = loop_now_ms(o->loop) + POSITION_MS;
    outbox_look(o);
}

static void written(struct outbox *o, const struct outbox_job *job)
{
    const uint64_t taken = o->taken_seq;

    if (job->count || !o->fresh.messages) {
        if (o->failing)
            log_info("outbox %s: the disk takes messages again", o->name);
        o->failing = false;
    }
    note_saved(o, job);
    o->stats.written_bytes += job->written_bytes;
    outbox_take_dropped(o, job);
    /* A publisher's code may run at each settlement: the cursor is moved before. */
    while (o->unwritten != &o->list && entry_of(o->unwritten)->seq <= taken) {
        struct entry *e = entry_of(o->unwritten);

        o->unwritten = e->node.next;
        if (!e->durable)
            continue;
        e->on_disk = true;
        o->on_disk++;
        amount_sub(&o->fresh, e);
        outbox_settle(e, 0);
    }
    outbox_shed(o);
}

/* Publishers whose messages failed twice and were not sent meanwhile wait no longer. Readings stay. */
static void give_up_clients(struct outbox *o)
{
    struct list_node given_up;
    struct list_node *n = o->unwritten;

    list_init(&given_up);
    while (n != &o->list && entry_of(n)->seq <= o->taken_seq) {
        struct entry *e = entry_of(n);

        n = n->next;
        if (!e->held || e->m->origin != MESSAGE_FROM_CLIENT)
            continue;
        if (e->failed && !e->sent) {
            outbox_detach(o, e);
            list_push_back(&given_up, &e->node);
            o->stats.dropped_disk++;
        }
        e->failed = true;
    }
    while (!list_empty(&given_up)) {
        struct entry *e = entry_of(given_up.next);

        list_remove(&e->node);
        outbox_release(e, -ENOSPC);
    }
}

static void failed(struct outbox *o, int error)
{
    if (!o->failing)
        log_error("outbox %s: the disk takes nothing (%s), holding messages in memory, trying every %d ms", o->name,
                  strerror(-error), RETRY_MS);
    o->failing = true;
    o->retry_at_ms = loop_now_ms(o->loop) + RETRY_MS;
    o->due_ms = 0;
    o->save_at_ms = 0;
    give_up_clients(o);
}

/* The file was damaged and a new one begun: all that is still in memory counts as fresh. */
static void begin_again(struct outbox *o)
{
    log_error("outbox %s: %llu messages are lost with the damaged file, writing %llu again", o->name,
              (unsigned long long)o->gapped.messages, (unsigned long long)o->on_disk);
    o->stats.dropped_disk += o->gapped.messages;
    if (outbox_has_gap(o))
        outbox_end_gap(o);
    for (struct list_node *n = o->list.next; n != &o->list; n = n->next) {
        struct entry *e = entry_of(n);

        if (e->on_disk)
            amount_add(&o->fresh, e);
        e->on_disk = false;
    }
    o->on_disk = 0;
    o->unwritten = o->list.next;
    o->queue = 0;
    o->total = (struct amount){0};
    o->due_ms = 0;
    o->save_at_ms = 0;
}

static void on_done(void *arg, int result)
{
    struct outbox_job *job = arg;
    struct outbox *o = job->outbox;
    bool flushed;

    if (!o->closed) {
        outbox_take_read(o, job);
        if (job->lost)
            begin_again(o);
        else if (job->save && result < 0)
            failed(o, result);
        else if (job->save)
            written(o, job);
        if (job->save)
            o->position_first = result < 0 && job->count > 0 && position(o) != o->saved_seq;
    }
    flushed = job->flushing && !job->lost && (result < 0 || !o->fresh.messages);
    o->taken_seq = 0;
    o->job = NULL;
    outbox_job_free(job);
    if (o->closed) {
        outbox_close(o);
        return;
    }
    outbox_wake_receiver(o);
    if (flushed) {
        outbox_flushed_fn *fn = o->flushed;

        o->flushed = NULL;
        outbox_look(o);
        fn(o->flushed_arg, result); /* may close the outbox */
        return;
    }
    outbox_look(o);
}

/* Also when it could not be saved: messages already on disk must not wait for room on it. */
static int load(struct outbox *o, bool save)
{
    struct outbox_job *job = outbox_job_new(o, o->name, 0);
    int r;

    if (!job)
        return -ENOMEM;
    job->opening = true;
    job->read = true;
    job->save = job->update = save;
    r = store_run(o->store, outbox_job_run, job);
    if (r == 0) {
        note_saved(o, job);
        o->last_seq = job->seq_limit_before;
        o->save_at_ms = save ? INT64_MAX : 0;
        if (o->total.messages) {
            outbox_begin_gap(o, &o->list, job->after, 0);
            o->gapped = o->total;
            outbox_take_read(o, job);
        }
        o->stats.loaded = o->memory.messages + o->gapped.messages;
    }
    outbox_job_free(job);
    return r;
}

int outbox_load(struct outbox *o)
{
    int r = load(o, true);

    if (r == -EUCLEAN) /* the store has begun a new file */
        r = load(o, true);
    if (r < 0) {
        failed(o, r);
        r = load(o, false);
    }
    outbox_look(o);
    return r;
}
