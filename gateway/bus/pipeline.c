/* pipeline - see pipeline.h. */
#include "bus/pipeline.h"

#include <errno.h>

#include "bus/poll.h"
#include "bus/poller.h"
#include "core/clock.h"
#include "core/reading.h"

enum { ALONE_MS = 5000 }; /* a suspect that was set aside is not waited for */

static struct polled_device *device_of(struct poller *p, size_t entry)
{
    return &p->devices[p->entries[entry].device];
}

static const struct request *request_of(const struct polled_device *d, size_t entry)
{
    return &d->plan.requests[entry - d->first_entry];
}

static bool is_in_flight(const struct poller *p, size_t entry)
{
    for (size_t i = 0; i < LINK_DEPTH_MAX; i++)
        if (p->pipeline.flights[i].used && p->pipeline.flights[i].entry == entry)
            return true;
    return false;
}

/* Whether the device wants a pause between its requests, and one of them is in flight. */
static bool must_wait(const struct poller *p, const struct polled_device *d)
{
    if (d->device.settings->min_request_gap_ms == 0)
        return false;
    for (size_t i = 0; i < d->plan.count; i++)
        if (is_in_flight(p, d->first_entry + i))
            return true;
    return false;
}

/* The device's other requests wait until this one is over, if it wants a pause after it. */
static void hold_others(struct poller *p, const struct polled_device *d, int64_t now_ms)
{
    if (d->device.settings->min_request_gap_ms == 0)
        return;
    for (size_t i = 0; i < d->plan.count; i++)
        p->schedule.entries[d->first_entry + i].not_before_ms =
            now_ms + health_timeout_ms(&d->health) + d->device.settings->min_request_gap_ms;
}

/* 0 or an error; the link is closed then. */
static int begin(struct poller *p, size_t entry, int32_t retries)
{
    struct polled_device *d = device_of(p, entry);
    int64_t now_us = clock_mono_us();
    int slot;

    link_set_timeout(p->link, health_timeout_ms(&d->health));
    slot = d->driver->begin(&d->device, request_of(d, entry));
    if (slot < 0) {
        link_close(p->link);
        schedule_resume(&p->schedule, entry, now_us / 1000);
        return slot;
    }
    p->pipeline.flights[slot] =
        (struct flight){.used = true, .entry = entry, .sent_us = now_us, .retries_left = retries};
    p->pipeline.count++;
    hold_others(p, d, now_us / 1000);
    return 0;
}

/* The schedule learns what a request costs before it is known: what the last one did. */
static int64_t known_cost_us(const struct poller *p, size_t entry)
{
    int64_t cost_us = p->schedule.entries[entry].cost_us;

    return cost_us > 0 ? cost_us : 1;
}

/* One that is due; -ENODEV. One that is still in flight when it is due again misses a turn. */
static int send_entry(struct poller *p, size_t entry, int64_t now_ms)
{
    struct polled_device *d = device_of(p, entry);

    if (must_wait(p, d)) {
        hold_others(p, d, now_ms);
        return 0;
    }
    if (is_in_flight(p, entry)) {
        schedule_done(&p->schedule, entry, now_ms, 0);
        return 0;
    }
    if (!setup_before_poll(p, d))
        return -ENODEV;
    schedule_done(&p->schedule, entry, now_ms, known_cost_us(p, entry));
    return begin(p, entry, health_retries(&d->health));
}

static int depth(const struct poller *p, int64_t now_ms)
{
    return p->pipeline.suspects > 0 && now_ms < p->pipeline.alone_until_ms ? 1 : p->settings->max_outstanding;
}

static void send_due(struct poller *p)
{
    int64_t now_ms;

    while (now_ms = clock_mono_ms(), p->pipeline.count < depth(p, now_ms)) {
        int64_t entry = schedule_pick(&p->schedule, now_ms);

        if (entry < 0 || send_entry(p, (size_t)entry, now_ms) < 0)
            return;
    }
}

static void clear_suspicion(struct poller *p, size_t entry)
{
    if (p->entries[entry].suspect && p->pipeline.suspects > 0)
        p->pipeline.suspects--;
    p->entries[entry].suspect = false;
}

/* A flight is over: its values, or another attempt. */
static void land(struct poller *p, int slot)
{
    struct flight f = p->pipeline.flights[slot];
    struct polled_device *d = device_of(p, f.entry);
    const struct request *req = request_of(d, f.entry);
    struct batch *b = batch_new(req->tag_count);
    struct outcome o;

    p->pipeline.flights[slot].used = false;
    p->pipeline.count--;
    clear_suspicion(p, f.entry);
    if (!b) { /* what comes for it now is foreign */
        link_close(p->link);
        return;
    }
    link_resume(p->link, slot);
    o = poll_once(p, d, req, f.sent_us, b);
    if (poll_is_answer(&o))
        p->schedule.entries[f.entry].cost_us = o.latency_us / p->settings->max_outstanding;
    if (!poll_is_answer(&o) && f.retries_left > 0 &&
        poller_wait(p, clock_mono_ms() + d->device.settings->min_request_gap_ms) && link_fd(p->link) >= 0 &&
        begin(p, f.entry, f.retries_left - 1) == 0) {
        batch_free(b);
        return;
    }
    if (p->stopping)
        batch_free(b);
    else
        poll_conclude(p, d, req, &o, b);
}

bool pipeline_work(struct poller *p, int64_t until_ms)
{
    int64_t next_ms;
    int slot;

    send_due(p);
    if (link_fd(p->link) < 0)
        return true;
    if (p->pipeline.count == 0)
        return false;
    next_ms = p->pipeline.count < depth(p, clock_mono_ms()) ? schedule_next(&p->schedule) : INT64_MAX;
    if (next_ms > until_ms)
        next_ms = until_ms;
    slot = link_await(p->link, next_ms < INT64_MAX / 1000 ? next_ms * 1000 : INT64_MAX);
    if (slot >= 0)
        land(p, slot);
    else if (slot == -ECANCELED)
        p->stopping = true;
    else if (slot != -EAGAIN)
        link_close(p->link);
    return true;
}

static void forget_suspects(struct poller *p)
{
    for (size_t i = 0; i < p->schedule.count; i++)
        p->entries[i].suspect = false;
    p->pipeline.suspects = 0;
}

static void fail_alone(struct poller *p)
{
    for (int i = 0; i < LINK_DEPTH_MAX; i++) {
        struct flight *f = &p->pipeline.flights[i];

        if (!f->used)
            continue;
        f->retries_left = 0;
        land(p, i); /* the link is closed: -ENODEV */
        return;
    }
}

void pipeline_lost(struct poller *p)
{
    int64_t now_ms = clock_mono_ms();

    if (p->pipeline.count == 1)
        fail_alone(p);
    if (p->pipeline.count == 0)
        return;
    if (now_ms >= p->pipeline.alone_until_ms)
        forget_suspects(p);
    for (size_t i = 0; i < LINK_DEPTH_MAX; i++) {
        struct polled_device *d = device_of(p, p->pipeline.flights[i].entry);

        if (!p->pipeline.flights[i].used)
            continue;
        p->pipeline.suspects += !p->entries[p->pipeline.flights[i].entry].suspect;
        p->entries[p->pipeline.flights[i].entry].suspect = true;
        poll_keep_gap(p, d, now_ms);
        if (!health_is_quarantined(&d->health))
            schedule_resume(&p->schedule, p->pipeline.flights[i].entry, now_ms);
        p->pipeline.flights[i].used = false;
    }
    p->pipeline.count = 0;
    p->pipeline.alone_until_ms = now_ms + ALONE_MS;
}
