/* report - see poller.h. */
#include <stdio.h>
#include <string.h>

#include "bus/poller.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/reading.h"

void report_counters(struct poller *p)
{
    p->status.commands_refused = command_queue_refused(p->commands);
    p->status.demand = schedule_demand(&p->schedule);
    p->status.late_ms = schedule_lateness(&p->schedule);
    p->status.overdue = p->schedule.overdue;
    pthread_mutex_lock(&p->lock);
    p->shown = p->status;
    pthread_mutex_unlock(&p->lock);
}

void report_batch(struct poller *p, struct polled_device *d, struct batch *b)
{
    b->bus = p->index;
    b->device = (uint32_t)(d - p->devices);
    b->health = d->health.shown;
    b->health.late_answers = link_late_answers(p->link, d->device.settings->unit);
    p->emit(p->arg, b);
}

/* Without memory a bad reading is not worth more than silence: the tag goes stale by itself. */
void report_bad(struct poller *p, struct polled_device *d, const uint32_t *tags, size_t count, struct reason reason,
                int64_t ts_ms)
{
    struct batch *b = batch_new(count);

    if (!b)
        return;
    b->ts_ms = ts_ms;
    for (size_t i = 0; i < count; i++)
        batch_add_bad(b, tags ? tags[i] : (uint32_t)i, reason);
    report_batch(p, d, b);
}

/* Nobody is asked while the line is away. Devices that were asked before have just not answered. */
void report_absent(struct poller *p)
{
    for (size_t i = 0; i < p->settings->device_count; i++) {
        struct polled_device *d = &p->devices[i];
        struct reason reason = {.kind = d->health.shown.requests > 0 ? REASON_TIMEOUT : REASON_BUS_FAULT};

        d->health.shown.reason = reason;
        report_bad(p, d, NULL, d->device.settings->tag_count, reason, clock_wall_ms());
    }
}

static void log_state(const struct poller *p)
{
    const char *name = p->settings->name;

    switch (p->status.state) {
    case BUS_STARTING:
    case BUS_UP:
        if (p->status.reason[0])
            log_warning("%s: %s", name, p->status.reason);
        else if (p->status.state == BUS_UP)
            log_info("%s: up", name);
        break;
    case BUS_FAULT:
        log_warning("%s: %s, probing until one does", name, p->status.reason);
        break;
    case BUS_ABSENT:
        log_warning("%s: %s, trying until it works", name, p->status.reason);
        break;
    }
}

void report_news(struct poller *p)
{
    struct batch *b = batch_new(0);

    if (!b)
        return;
    b->bus = p->index;
    b->device = BATCH_OF_BUS;
    b->ts_ms = clock_wall_ms();
    p->emit(p->arg, b);
}

void report_state(struct poller *p, enum bus_state state, const char *reason)
{
    if (p->status.state == state && strcmp(p->status.reason, reason) == 0)
        return;
    p->status.state = state;
    p->status.since_ms = clock_boot_ms();
    p->status.changes++;
    snprintf(p->status.reason, sizeof(p->status.reason), "%s", reason);
    report_counters(p);
    log_state(p);
    report_news(p);
}
