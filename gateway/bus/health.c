/* health - see health.h. */
#include "bus/health.h"

enum {
    USUAL_FACTOR = 3,    /* a probe waits so many usual latencies */
    PROBE_FLOOR_MS = 20, /* scheduling and adapters have their own delays */
    FULL_WAIT_EVERY = 8, /* probes */
    SMOOTHING = 8,
};

static void set_state(struct device_health *h, enum device_state state, int64_t boot_ms)
{
    h->shown.state = state;
    h->shown.since_ms = boot_ms;
}

void health_init(struct device_health *h, const struct device_settings *settings, int64_t boot_ms)
{
    *h = (struct device_health){.settings = settings, .timeout_ms = settings->timeout_ms};
    h->shown.timeout_ms = (uint32_t)settings->timeout_ms;
    set_state(h, DEVICE_STARTING, boot_ms);
}

static void set_timeout(struct device_health *h, int64_t timeout_ms)
{
    h->timeout_ms = timeout_ms;
    h->shown.timeout_ms = (uint32_t)timeout_ms;
}

void health_was_late(struct device_health *h, int64_t mono_ms, int64_t boot_ms)
{
    int64_t base_ms = h->settings->timeout_ms;
    int64_t longest_ms = HEALTH_LATE_FACTOR * base_ms;

    h->calm_since_ms = mono_ms;
    h->slowest_us = 0;
    set_timeout(h, h->timeout_ms + base_ms < longest_ms ? h->timeout_ms + base_ms : longest_ms);
    if (h->shown.state == DEVICE_UP)
        set_state(h, DEVICE_SLOW, boot_ms);
}

/* Whole time-outs, so that a little more or less changes nothing. */
static void shrink_timeout(struct device_health *h, int64_t mono_ms)
{
    int64_t base_us = h->settings->timeout_ms * 1000;
    int64_t needed = h->slowest_us * 5 / 4 / base_us + 1;

    if (needed * h->settings->timeout_ms < h->timeout_ms)
        set_timeout(h, needed * h->settings->timeout_ms);
    h->calm_since_ms = needed > 1 ? mono_ms : 0;
    h->slowest_us = 0;
}

bool health_answered(struct device_health *h, int64_t latency_us, int64_t wait_us, int64_t mono_ms, int64_t boot_ms)
{
    enum device_state state;
    uint32_t latency_ms = (uint32_t)((latency_us + 500) / 1000);

    h->failures = 0;
    h->shown.latency_ms = latency_ms;
    if (latency_ms > h->shown.latency_max_ms)
        h->shown.latency_max_ms = latency_ms;
    if (h->usual_latency_us == 0)
        h->usual_latency_us = latency_us;
    else
        h->usual_latency_us += (latency_us - h->usual_latency_us) / SMOOTHING;

    if (wait_us > h->slowest_us)
        h->slowest_us = wait_us;
    if (h->calm_since_ms > 0 && mono_ms >= h->calm_since_ms + HEALTH_CALM_MS)
        shrink_timeout(h, mono_ms);

    state = h->timeout_ms > h->settings->timeout_ms ? DEVICE_SLOW : DEVICE_UP;
    if (h->shown.state == state)
        return false;
    set_state(h, state, boot_ms);
    return true;
}

bool health_failed(struct device_health *h, struct reason reason, int64_t mono_ms, int64_t boot_ms)
{
    h->shown.reason = reason;
    if (h->failures == 0)
        h->failing_since_ms = mono_ms;
    h->failures++;
    if (health_is_quarantined(h) || h->failures < h->settings->fail_count ||
        mono_ms - h->failing_since_ms < h->settings->fail_time_ms)
        return false;

    set_state(h, DEVICE_QUARANTINED, boot_ms);
    h->probes = 0;
    h->answers_late = false;
    h->probe_wait_ms = PROBE_MIN_MS;
    h->probe_due_ms = mono_ms + PROBE_MIN_MS;
    return true;
}

void health_probe_failed(struct device_health *h, int64_t mono_ms, uint32_t random, bool late)
{
    h->probes++;
    h->answers_late = late;
    h->probe_wait_ms = h->probe_wait_ms * 2 < PROBE_MAX_MS ? h->probe_wait_ms * 2 : PROBE_MAX_MS;
    /* Up to a fifth sooner, so that devices that died together are not asked together. */
    h->probe_due_ms = mono_ms + h->probe_wait_ms - (int64_t)(random % 256) * h->probe_wait_ms / (5 * 256);
}

/* Three times what it usually takes, or if it was never heard the slowest of its neighbours; 0: not known. */
static int64_t expected_ms(const struct device_health *h)
{
    int64_t usual_us = h->usual_latency_us > 0 ? h->usual_latency_us : h->neighbours_us;
    int64_t expected = usual_us * USUAL_FACTOR / 1000 + PROBE_FLOOR_MS;

    if (usual_us == 0)
        return h->settings->timeout_ms;
    return expected < h->settings->timeout_ms ? expected : h->settings->timeout_ms;
}

int64_t health_timeout_ms(const struct device_health *h)
{
    uint32_t every = h->usual_latency_us > 0 ? FULL_WAIT_EVERY : FULL_WAIT_EVERY / 2;

    if (!health_is_quarantined(h) || h->answers_late || h->probes % every == every - 1)
        return h->timeout_ms;
    return expected_ms(h);
}

int64_t health_drain_ms(const struct device_health *h)
{
    return health_is_quarantined(h) ? expected_ms(h) : h->timeout_ms;
}

int32_t health_retries(const struct device_health *h)
{
    return h->failures == 0 && !health_is_quarantined(h) ? h->settings->retries : 0;
}

int64_t health_pause_ms(const struct device_health *h)
{
    int64_t pause_ms = h->settings->fail_time_ms / h->settings->fail_count;

    if (h->failures == 0 || health_is_quarantined(h))
        return 0;
    if (h->failures == 1)
        pause_ms = h->settings->timeout_ms;
    return pause_ms < HEALTH_PAUSE_MAX_MS ? pause_ms : HEALTH_PAUSE_MAX_MS;
}

void health_forgive(struct device_health *h)
{
    h->failures = 0;
}

int64_t dead_share_next(int64_t started_ms, int64_t cost_ms, int32_t share_percent)
{
    return started_ms + cost_ms * 100 / share_percent;
}
