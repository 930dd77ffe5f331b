/*
 * scan - which units of a line answer, with which settings of the line, and what they look like.
 *
 *   {"bus": "rs485-1", "units": "1-247", "baud": "9600,19200", "parity": "none,even", "timeout_ms": 100}
 *
 *   -> {"status": "accepted", "questions": 494, "estimate_ms": 61000}
 *   -> {"status": "progress", "asked": 120, "questions": 494, "found": 2, "unit": 57, "baud": 9600, ...}
 *   -> {"status": "unit", "unit": 3, ...}              as soon as it is known what it looks like
 *   -> {"status": "done", "units": [...], ...}         or "cancelled", with those found until then
 *
 *   presence --answer--> identity --> match --> presence of the next unit
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commission/scan_private.h"

enum {
    PROGRESS_MS = 250,
    DOUBT_ATTEMPTS = 2,
    DOUBT_PATIENCE = 3, /* times the time-out */
    FOUND_MAX = 1024,
};

static bool next_target(struct scan *s)
{
    if (s->doubt_count > 0) {
        s->now = s->doubts[0];
        memmove(s->doubts, s->doubts + 1, --s->doubt_count * sizeof(s->doubts[0]));
        return true;
    }
    s->has_before = s->asked > 0;
    s->before = s->now.target;
    s->now = (struct doubt){0};
    if (!scan_order_next(&s->order, &s->now.target))
        return false;
    s->asked++;
    return true;
}

/* A device that answers is waited for as long as it may need; not longer, where it ignores what it does not know. */
static int64_t patience(const struct scan *s)
{
    const struct found *f = &s->found[s->found_count - 1];
    int64_t enough_ms = 4 * f->latency_us / 1000 + 50;

    return enough_ms > s->timeout_ms ? enough_ms : s->timeout_ms;
}

static void ask(const struct scan *s, struct question *q)
{
    size_t port = s->now.target.port;

    *q = (struct question){.unit = s->now.target.unit,
                           .timeout_ms = s->timeout_ms * (s->now.attempts > 0 ? DOUBT_PATIENCE : 1),
                           .once = s->now.attempts == 0 && s->stage == STAGE_PRESENCE,
                           .port = port > 0 ? &s->ports[port] : NULL};
    if (s->stage != STAGE_PRESENCE)
        q->timeout_ms = patience(s);
}

static void unit_done(struct scan *s)
{
    s->stage = STAGE_PRESENCE;
    scan_tell_unit(s, &s->found[s->found_count - 1]);
}

static enum job_step match_next(struct scan *s, struct question *q)
{
    struct found *f = &s->found[s->found_count - 1];
    enum modbus_table table;
    uint16_t address;
    uint16_t count;
    enum job_step step = matcher_next(s->matcher, &table, &address, &count);

    if (step == JOB_ASK) {
        ask(s, q);
        pdu_ask_values(q, table, address, count);
    } else if (step == JOB_DONE) {
        f->match_count = matcher_best(s->matcher, f->matches);
        unit_done(s);
        step = JOB_AGAIN;
    }
    return step;
}

static enum job_step scan_next(struct job *j, int64_t now_ms, struct question *q)
{
    struct scan *s = scan_of(j);

    s->now_ms = now_ms;
    if (!s->accepted) {
        s->accepted = true;
        s->started_ms = s->told_ms = now_ms;
        scan_tell_accepted(s);
    }
    if (now_ms - s->told_ms >= PROGRESS_MS) {
        s->told_ms = now_ms;
        scan_tell_progress(s);
    }
    if (s->stage == STAGE_MATCH)
        return match_next(s, q);
    if (s->stage == STAGE_PRESENCE && !next_target(s))
        return JOB_DONE;
    ask(s, q);
    if (s->stage == STAGE_IDENTITY)
        pdu_ask_identity(q);
    else
        pdu_ask_values(q, s->now.target.table, 0, 1);
    return JOB_ASK;
}

/* What the answers mean. */

static const struct device_settings *configured_as(const struct scan *s, const struct scan_target *t)
{
    const struct bus_settings *bus = s->job.bus;

    for (size_t i = 0; t->port == 0 && i < bus->device_count; i++)
        if (bus->devices[i].unit == t->unit)
            return &bus->devices[i];
    return NULL;
}

static bool is_found(const struct scan *s, const struct scan_target *t)
{
    for (size_t i = 0; i < s->found_count; i++)
        if (s->found[i].unit == t->unit && s->found[i].port_index == t->port)
            return true;
    return false;
}

static void add_found(struct scan *s, enum found_by by, const struct answer *a)
{
    const struct scan_target *t = &s->now.target;
    struct found *more;

    if (t->port == 0)
        s->order.answered[t->unit] = true;
    if (is_found(s, t) || s->found_count == FOUND_MAX)
        return;
    more = realloc(s->found, (s->found_count + 1) * sizeof(*more));
    if (!more) {
        job_fail(&s->job, "memory", "out of memory");
        return;
    }
    s->found = more;
    more[s->found_count++] = (struct found){.unit = t->unit,
                                            .port_index = t->port,
                                            .port = s->is_serial ? &s->ports[t->port] : NULL,
                                            .by = by,
                                            .exception = a->exception,
                                            .latency_us = a->took_us,
                                            .configured = configured_as(s, t)};
    if (by == FOUND_DAMAGED)
        unit_done(s);
    else
        s->stage = STAGE_IDENTITY;
}

static void doubt(struct scan *s, const struct doubt *d)
{
    if (s->doubt_count < DOUBTS_MAX && !is_found(s, &d->target))
        s->doubts[s->doubt_count++] = *d;
}

/* A whole frame of another unit is one that was given up on too soon: most likely the one before. */
static void not_clear(struct scan *s, const struct answer *a)
{
    struct doubt again = s->now;

    if (++again.attempts <= DOUBT_ATTEMPTS) {
        doubt(s, &again);
        if (a->result == -EPROTO && s->has_before && s->now.attempts == 0)
            doubt(s, &(struct doubt){.target = s->before, .attempts = 1});
    } else if (a->result == -EBADMSG) {
        add_found(s, FOUND_DAMAGED, a);
    }
}

static void take_presence(struct scan *s, const struct answer *a)
{
    if (a->result >= 0)
        add_found(s, FOUND_BY_VALUE, a);
    else if (a->result == -EREMOTEIO)
        add_found(s, FOUND_BY_REFUSAL, a);
    else if (a->result != -ETIMEDOUT)
        not_clear(s, a);
}

static void take_identity(struct scan *s, const struct answer *a)
{
    struct found *f = &s->found[s->found_count - 1];

    f->has_identity = pdu_take_identity(a, &f->identity) == 0;
    if (f->configured || !s->match) {
        unit_done(s);
        return;
    }
    s->stage = STAGE_MATCH;
    matcher_start(s->matcher);
}

static void scan_answer(struct job *j, const struct answer *a)
{
    struct scan *s = scan_of(j);

    switch (s->stage) {
    case STAGE_PRESENCE:
        take_presence(s, a);
        break;
    case STAGE_IDENTITY:
        take_identity(s, a);
        break;
    case STAGE_MATCH:
        matcher_answer(s->matcher, a);
        break;
    }
}

static void scan_free(struct job *j)
{
    struct scan *s = scan_of(j);

    matcher_free(s->matcher);
    free(s->found);
    free(s);
}

const struct job_ops scan_ops = {
    .next = scan_next,
    .answer = scan_answer,
    .end = scan_end,
    .free = scan_free,
};
