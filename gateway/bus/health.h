/*
 * health - whether a device answers, and what to do when it does not.
 *
 *   STARTING --answer--> UP --fail_count polls in a row and fail_time--> QUARANTINED
 *                         ^------------------ first answer to a probe ------------'
 *   UP --late answer--> SLOW --in time for half a minute--> UP
 *
 * A late answer makes the time-out longer by its configured length, up to three times that. After
 * half a minute it becomes what the slowest answer of that time needed.
 *
 * A quarantined device is asked only by probes: 1 s after, then less and less
 * often, up to every 10 s. All dead devices of a bus together may use at most
 * dead_share of its time. Pure: time is passed in (mono: monotonic; boot: since the boot, to show), in milliseconds.
 */
#ifndef WP_BUS_HEALTH_H
#define WP_BUS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"

enum {
    PROBE_MIN_MS = 1000,
    PROBE_MAX_MS = 10000,
    HEALTH_LATE_FACTOR = 3,    /* a time-out grows to so many times itself */
    HEALTH_CALM_MS = 30000,    /* in time for so long: it shrinks again */
    HEALTH_PAUSE_MAX_MS = 2000 /* between the polls of a device that fails */
};

struct device_health {
    const struct device_settings *settings;
    struct health shown; /* what batches carry */
    int32_t failures;    /* polls in a row without an answer */
    int64_t failing_since_ms;
    int64_t usual_latency_us; /* smoothed; 0 = not known yet */
    int64_t neighbours_us;    /* the slowest usual latency of the others on its bus; 0 = not known */
    int64_t probe_due_ms;     /* when quarantined */
    int64_t probe_wait_ms;    /* between probes, growing */
    uint32_t probes;          /* since quarantined */
    bool answers_late;        /* the last probe's answer came after its time */
    int64_t timeout_ms;       /* as learnt */
    int64_t calm_since_ms;    /* monotonic; 0: not slow */
    int64_t slowest_us;       /* answer since then */
};

void health_init(struct device_health *h, const struct device_settings *settings, int64_t boot_ms);

/* A poll or probe was answered, if only by a refusal, wait_us after it was asked. True when this changed the state. */
bool health_answered(struct device_health *h, int64_t latency_us, int64_t wait_us, int64_t mono_ms, int64_t boot_ms);

/* An answer came after its time-out. */
void health_was_late(struct device_health *h, int64_t mono_ms, int64_t boot_ms);

/* A poll, with all its retries, was not. True when this quarantined the device. */
bool health_failed(struct device_health *h, struct reason reason, int64_t mono_ms, int64_t boot_ms);

/* A probe was not, or too `late`; `random` is any number, for the jitter. */
void health_probe_failed(struct device_health *h, int64_t mono_ms, uint32_t random, bool late);

/* How long to wait for an answer: to a probe three times the usual (of a device never heard: of its neighbours),
 * but the whole time-out after a late answer and every eighth (fourth) time, for it may be slower. */
int64_t health_timeout_ms(const struct device_health *h);

/* How long a late answer is waited for, so that it does not meet the next request. */
int64_t health_drain_ms(const struct device_health *h);

/* Retries are for devices that are well: a failing one gets one attempt a poll. */
int32_t health_retries(const struct device_health *h);

/* A device that fails is given a pause, so that it does not take the bus until it is quarantined: at first a time-out,
 * for its other requests are due too. */
int64_t health_pause_ms(const struct device_health *h);

/* The port was away: failures until now were not the device's own. */
void health_forgive(struct device_health *h);

static inline bool health_is_quarantined(const struct device_health *h)
{
    return h->shown.state == DEVICE_QUARANTINED;
}

/* The share of dead devices: after a probe that cost some time there is none until that
 * time has become a small enough part of the whole. Returns the monotonic time of the next. */
int64_t dead_share_next(int64_t started_ms, int64_t cost_ms, int32_t share_percent);

#endif
