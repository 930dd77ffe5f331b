/*
 * poll - see poller.h.
 *
 * A late answer must never become a value. On a serial line nothing but unit, function and length
 * tells answers apart, so after a time-out the line is drained, and the device
 * is asked nothing whose answer could be mistaken for the late one: see doubt.h.
 */
#include <errno.h>

#include "bus/fault.h"
#include "bus/forecast.h"
#include "bus/poll.h"
#include "bus/poller.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/reading.h"

/* A gateway's way of saying that the device behind it is silent (1.1b3, section 7). */
enum { GATEWAY_PATH_UNAVAILABLE = 10, GATEWAY_TARGET_SILENT = 11 };

/* A retry is begun within so long of the first attempt. */
enum { RETRY_WITHIN_MS = 1250 };

static struct reason reason_of(int result, const struct link *link)
{
    switch (result) {
    case 0:
        return (struct reason){.kind = REASON_NONE};
    case -EBADMSG:
        return (struct reason){.kind = REASON_CRC};
    case -EPROTO:
        return (struct reason){.kind = REASON_BAD_REPLY};
    case -EREMOTEIO:
        return (struct reason){.kind = REASON_EXCEPTION, .code = link_exception(link)};
    default:
        return (struct reason){.kind = REASON_TIMEOUT};
    }
}

bool poll_is_answer(const struct outcome *o)
{
    if (o->result == -EREMOTEIO)
        return o->reason.code != GATEWAY_PATH_UNAVAILABLE && o->reason.code != GATEWAY_TARGET_SILENT;
    return o->result == 0;
}

static void count(struct poller *p, struct health *h, const struct outcome *o)
{
    p->status.requests++;
    h->requests++;
    if (o->result == 0 || o->result == -EREMOTEIO) {
        p->status.answers++;
        h->answers++;
    } else {
        p->status.errors++;
    }
    if (o->result == -EREMOTEIO)
        h->exceptions++;
    else if (o->result == -EBADMSG)
        h->crc_errors++;
    else if (o->result == -EPROTO)
        h->bad_replies++;
    else if (o->result < 0)
        h->timeouts++;
}

static bool is_planned(const struct polled_device *d, const struct request *req)
{
    return req >= d->plan.requests && req < d->plan.requests + d->plan.count;
}

/* Transaction numbers leave no doubt. */
bool poll_answers_look_alike(const struct poller *p)
{
    return p->settings->type != BUS_MODBUS_TCP;
}

/* Keeps late and damaged frames out of the next answer; see the head of this file. */
static void clean_line(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    if (o->result == 0 || (o->result == -EREMOTEIO && !is_planned(d, req))) {
        doubt_answered(&d->doubt, req);
        return;
    }
    if (o->result == -EREMOTEIO)
        return;
    if (poll_answers_look_alike(p))
        doubt_add(&d->doubt, req);
    if (link_drain(p->link, health_drain_ms(&d->health)) == -ENODEV)
        link_close(p->link);
}

/* Late answers make the time-out longer. */
static void learn_lateness(struct poller *p, struct polled_device *d)
{
    uint32_t late = link_late_answers(p->link, d->device.settings->unit);

    if (late != d->late_seen)
        health_was_late(&d->health, clock_mono_ms(), clock_boot_ms());
    d->late_seen = late;
}

/* What it took beyond its own bytes. */
static int64_t answer_wait_us(const struct poller *p, const struct request *req, const struct outcome *o)
{
    int64_t wait_us = o->latency_us;

    if (p->settings->type != BUS_MODBUS_TCP)
        wait_us -= forecast_request_us(p->settings, req);
    return wait_us > 0 ? wait_us : 0;
}

/* Requests in flight together keep the line busy once. */
void poll_count_busy(struct poller *p, int64_t started_us)
{
    int64_t now_us = clock_mono_us();

    p->status.busy_us += (uint64_t)(now_us - (started_us > p->busy_until_us ? started_us : p->busy_until_us));
    p->busy_until_us = now_us;
}

struct outcome poll_once(struct poller *p, struct polled_device *d, const struct request *req, int64_t started_us,
                         struct batch *b)
{
    int64_t timeout_ms = health_timeout_ms(&d->health);
    struct outcome o;

    link_set_timeout(p->link, timeout_ms);
    p->record.asked = d;
    o.result = d->driver->poll(&d->device, req, b);
    o.latency_us = clock_mono_us() - started_us;
    o.ts_ms = clock_wall_ms() - o.latency_us / 2000;
    o.reason = reason_of(o.result, p->link);
    if (o.result == -ECANCELED) {
        p->stopping = true;
        return o;
    }
    count(p, &d->health.shown, &o);
    record_outcome(p, d, req, &o);
    if (o.result == -ENODEV)
        link_close(p->link);
    else
        clean_line(p, d, req, &o);
    learn_lateness(p, d);
    p->record.asked = NULL;
    poll_count_busy(p, started_us);
    return o;
}

/* Others are not kept waiting for a retry until their values go stale (after 3 s): not beyond 2.5 s. */
static bool may_retry(const struct poller *p, int64_t begun_ms)
{
    return p->settings->device_count == 1 || clock_mono_ms() - begun_ms <= RETRY_WITHIN_MS;
}

static struct outcome ask(struct poller *p, struct polled_device *d, const struct request *req, struct batch *b)
{
    int32_t left = health_retries(&d->health);
    int64_t begun_ms = clock_mono_ms();
    struct outcome o = poll_once(p, d, req, clock_mono_us(), b);

    while (!poll_is_answer(&o) && left-- > 0 && !p->stopping && may_retry(p, begun_ms)) {
        if (!poller_wait(p, clock_mono_ms() + d->device.settings->min_request_gap_ms) || poller_open(p) < 0)
            break;
        o = poll_once(p, d, req, clock_mono_us(), b);
    }
    return o;
}

static void quarantine(struct poller *p, struct polled_device *d)
{
    struct buf reason = {0};

    reason_print(d->health.shown.reason, &reason);
    log_warning("%s/%s: no answer to %d polls (" STR_FMT "), probing until it returns", p->settings->name,
                d->device.settings->name, d->health.failures, STR_ARG(buf_str(&reason)));
    buf_fini(&reason);
    for (size_t i = 0; i < d->plan.count; i++)
        schedule_pause(&p->schedule, d->first_entry + i);
}

static void revive(struct poller *p, struct polled_device *d, int64_t now_ms)
{
    log_info("%s/%s: answers again", p->settings->name, d->device.settings->name);
    for (size_t i = 0; i < d->plan.count; i++)
        schedule_resume(&p->schedule, d->first_entry + i, now_ms);
    explore_again(d, now_ms);
    setup_want(d);
    p->explore.due_ms = now_ms;
}

static void log_refusal(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    static const char *const tables[] = {
        [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};
    unsigned int last = req->address + req->count - 1u;
    bool *was_refused;

    if (!is_planned(d, req))
        return;
    was_refused = &p->entries[d->first_entry + (size_t)(req - d->plan.requests)].refused;
    if (o->result == -EREMOTEIO && !*was_refused)
        log_warning("%s/%s: refuses %s %u to %u (exception %u), asking on", p->settings->name, d->device.settings->name,
                    tables[req->table], req->address, last, (unsigned)o->reason.code);
    else if (o->result == 0 && *was_refused)
        log_info("%s/%s: %s %u to %u is answered again", p->settings->name, d->device.settings->name,
                 tables[req->table], req->address, last);
    if (o->result == 0 || o->result == -EREMOTEIO)
        *was_refused = o->result < 0;
}

static void judge(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    bool was_quarantined = health_is_quarantined(&d->health);
    int64_t now_ms = clock_mono_ms();

    if (poll_is_answer(o)) {
        p->open_wait_ms = 0;
        if (health_answered(&d->health, o->latency_us, answer_wait_us(p, req, o), now_ms, clock_boot_ms()) &&
            was_quarantined)
            revive(p, d, now_ms);
        if (o->result < 0)
            d->health.shown.reason = o->reason;
        fault_is_over(p, now_ms);
        return;
    }
    if (health_failed(&d->health, o->reason, now_ms, clock_boot_ms()))
        quarantine(p, d);
    fault_look(p, now_ms);
}

static void finish(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o,
                   struct batch *b)
{
    b->ts_ms = o->ts_ms;
    if (o->result < 0)
        for (size_t i = 0; i < req->tag_count; i++)
            batch_add_bad(b, req->tags[i], o->reason);
    report_batch(p, d, b);
    report_counters(p);
}

/* The pause a device wants between requests, or is given when it fails, keeps only its own requests waiting. */
void poll_keep_gap(struct poller *p, struct polled_device *d, int64_t now_ms)
{
    int64_t pause_ms = health_pause_ms(&d->health);

    if (pause_ms < d->device.settings->min_request_gap_ms)
        pause_ms = d->device.settings->min_request_gap_ms;
    for (size_t i = 0; i < d->plan.count; i++)
        p->schedule.entries[d->first_entry + i].not_before_ms = now_ms + pause_ms;
}

void poll_conclude(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o,
                   struct batch *b)
{
    log_refusal(p, d, req, o);
    judge(p, d, req, o);
    poll_keep_gap(p, d, clock_mono_ms());
    explore_look(p, d, req, o);
    finish(p, d, req, o, b);
}

/* Asks what cannot be mistaken. A device that has left many questions open, but answers an old one again,
 * answers some lengths only: if nothing more comes for long, nothing is on its way. */
static struct outcome ask_without_doubt(struct poller *p, struct polled_device *d, const struct request *req,
                                        struct batch *b)
{
    struct request question = doubt_question(&d->doubt, req);
    struct outcome o = ask(p, d, &question, b);

    if (poll_is_answer(&o) && d->doubt.count == DOUBTS_MAX) {
        if (link_drain(p->link, HEALTH_LATE_FACTOR * d->device.settings->timeout_ms) == -ENODEV)
            link_close(p->link);
        doubt_clear(&d->doubt);
    }
    return o;
}

bool poll_settle(struct poller *p, struct polled_device *d, const struct request *req)
{
    struct batch *b;
    struct outcome o;

    if (doubt_allows(&d->doubt, req))
        return true;
    b = batch_new(0);
    if (!b)
        return false;
    o = ask_without_doubt(p, d, req, b);
    batch_free(b);
    return poll_is_answer(&o) && doubt_allows(&d->doubt, req);
}

void poll_entry(struct poller *p, size_t entry)
{
    struct polled_device *d = &p->devices[p->entries[entry].device];
    const struct request *req = &d->plan.requests[entry - d->first_entry];
    static const struct request nothing = {0};
    bool allowed = doubt_allows(&d->doubt, req);
    int64_t begun_ms = clock_mono_ms();
    struct batch *b = batch_new(req->tag_count);
    struct outcome o;

    if (!b) {
        schedule_done(&p->schedule, entry, begun_ms, 0);
        return;
    }
    o = allowed ? ask(p, d, req, b) : ask_without_doubt(p, d, req, b);
    if (p->stopping) {
        batch_free(b);
        return;
    }
    /* A failed poll takes long: others come first before it is tried again. */
    if (!poll_is_answer(&o))
        schedule_done(&p->schedule, entry, clock_mono_ms(), 0);
    else if (allowed)
        schedule_done(&p->schedule, entry, begun_ms, o.latency_us);
    else
        req = &nothing; /* a sign of life, no more: the entry itself is due yet */
    poll_conclude(p, d, req, &o, b);
}

static int64_t slowest_us(const struct poller *p)
{
    int64_t slowest = 0;

    for (size_t i = 0; i < p->settings->device_count; i++)
        if (p->devices[i].health.usual_latency_us > slowest)
            slowest = p->devices[i].health.usual_latency_us;
    return slowest;
}

void poll_probe(struct poller *p, struct polled_device *d)
{
    const struct request *req = &d->probe;
    uint32_t late = d->late_seen;
    int64_t started_ms = clock_mono_ms();
    struct batch *b = batch_new(req->tag_count);
    struct outcome o;

    if (!b)
        return;
    d->health.neighbours_us = slowest_us(p);
    o = ask(p, d, req, b);
    if (p->stopping) {
        batch_free(b);
        return;
    }
    p->random = p->random * 1664525u + 1013904223u;
    p->status.probe_us += (uint64_t)(clock_mono_ms() - started_ms) * 1000;
    p->probe_not_before_ms =
        dead_share_next(started_ms, clock_mono_ms() - started_ms, p->settings->health.dead_share_percent);
    judge(p, d, req, &o);
    poll_keep_gap(p, d, clock_mono_ms());
    if (poll_is_answer(&o)) {
        b->count = 0; /* a sign of life, no more: the values come with the polls now due */
        o.result = 0;
    } else {
        health_probe_failed(&d->health, clock_mono_ms(), p->random >> 16, d->late_seen != late);
    }
    finish(p, d, req, &o, b);
}
