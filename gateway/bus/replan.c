/* replan - see replan.h. */
#include "bus/replan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/poller.h"
#include "bus/split.h"
#include "core/clock.h"

/* As configured, or else the cheapest of its plan. */
static struct request probe_of(const struct polled_device *d)
{
    static const enum modbus_table tables[] = {
        [1] = TABLE_COIL, [2] = TABLE_DISCRETE, [3] = TABLE_HOLDING, [4] = TABLE_INPUT};
    const struct probe_settings *probe = &d->device.settings->probe;
    const struct request *smallest = plan_smallest(&d->plan);

    if (probe->function > 0)
        return (struct request){.table = tables[probe->function], .address = probe->address, .count = probe->count};
    return smallest ? *smallest : (struct request){0};
}

static int plan_device(struct polled_device *d)
{
    int r = plan_build_around(d->device.settings, &d->holes, &d->plan);

    /* Without anything left to ask nobody would learn that it has changed. */
    if (r == 0 && d->plan.count == 0 && d->holes.count > 0) {
        plan_fini(&d->plan);
        holes_fini(&d->holes);
        r = plan_build_around(d->device.settings, &d->holes, &d->plan);
    }
    d->probe = probe_of(d);
    return r;
}

int replan_all(struct poller *p)
{
    size_t entries = 0;
    size_t entry = 0;
    int r = 0;

    for (size_t i = 0; i < p->settings->device_count && r == 0; i++) {
        struct polled_device *d = &p->devices[i];

        d->first_entry = entries;
        if (p->settings->type != BUS_SERIAL)
            r = plan_device(d);
        entries += d->plan.count;
    }
    if (r == 0)
        r = schedule_init(&p->schedule, entries);
    p->entries = calloc(entries + 1, sizeof(*p->entries));
    if (r < 0 || !p->entries)
        return -ENOMEM;
    for (size_t i = 0; i < p->settings->device_count; i++)
        for (size_t k = 0; k < p->devices[i].plan.count; k++) {
            p->entries[entry].device = (uint32_t)i;
            p->schedule.entries[entry++].period_ms = p->devices[i].plan.requests[k].poll_ms;
        }
    return 0;
}

/* What the two plans have in common. */
struct change {
    const struct plan *from;
    const struct plan *to;
    size_t first; /* of both, in the schedule */
    struct polled_entry *entries;
    struct schedule_entry *timing;
};

static bool same_request(const struct request *a, const struct request *b)
{
    return a->table == b->table && a->address == b->address && a->count == b->count && a->poll_ms == b->poll_ms &&
           a->tag_count == b->tag_count && memcmp(a->tags, b->tags, a->tag_count * sizeof(a->tags[0])) == 0;
}

/* From the old request like `to`, or else due now. */
static void fill_entry(struct poller *p, const struct polled_device *d, const struct change *c, size_t to)
{
    size_t at = c->first + to;

    for (size_t i = 0; i < c->from->count; i++) {
        size_t old = c->first + i;

        if (!same_request(&c->from->requests[i], &c->to->requests[to]))
            continue;
        c->entries[at] = p->entries[old];
        c->timing[at] = p->schedule.entries[old];
        p->entries[old].split = NULL;
        return;
    }
    c->entries[at].device = (uint32_t)(d - p->devices);
    c->timing[at] = (struct schedule_entry){.period_ms = c->to->requests[to].poll_ms, .due_ms = clock_mono_ms()};
}

static void fill_others(struct poller *p, const struct change *c)
{
    size_t from = c->first + c->from->count;
    size_t to = c->first + c->to->count;
    size_t count = p->schedule.count - from;

    memcpy(c->entries, p->entries, c->first * sizeof(*c->entries));
    memcpy(c->timing, p->schedule.entries, c->first * sizeof(*c->timing));
    memcpy(c->entries + to, p->entries + from, count * sizeof(*c->entries));
    memcpy(c->timing + to, p->schedule.entries + from, count * sizeof(*c->timing));
}

/* Entries behind those of the device move. */
static void renumber(struct poller *p, const struct change *c)
{
    size_t behind = c->first + c->from->count;

    for (size_t i = 0; i < p->settings->device_count; i++)
        if (p->devices[i].first_entry >= behind)
            p->devices[i].first_entry += c->to->count - c->from->count;
    for (size_t i = 0; i < LINK_DEPTH_MAX; i++)
        if (p->pipeline.flights[i].used && p->pipeline.flights[i].entry >= behind)
            p->pipeline.flights[i].entry += c->to->count - c->from->count;
    p->schedule.count += c->to->count - c->from->count;
}

int replan_device(struct poller *p, struct polled_device *d)
{
    struct polled_device next = {.device = d->device, .holes = d->holes};
    int r = plan_device(&next);
    size_t total = p->schedule.count - d->plan.count + next.plan.count;
    struct change c = {
        .from = &d->plan,
        .to = &next.plan,
        .first = d->first_entry,
        .entries = r == 0 ? calloc(total + 1, sizeof(*c.entries)) : NULL,
        .timing = r == 0 ? calloc(total + 1, sizeof(*c.timing)) : NULL,
    };

    if (!c.entries || !c.timing) {
        free(c.entries);
        free(c.timing);
        plan_fini(&next.plan);
        d->holes = next.holes;
        return -ENOMEM;
    }
    fill_others(p, &c);
    for (size_t i = 0; i < next.plan.count; i++)
        fill_entry(p, d, &c, i);
    for (size_t i = 0; i < d->plan.count; i++)
        split_free(p->entries[d->first_entry + i].split);
    renumber(p, &c);
    free(p->entries);
    free(p->schedule.entries);
    p->entries = c.entries;
    p->schedule.entries = c.timing;
    plan_fini(&d->plan);
    d->plan = next.plan;
    d->probe = next.probe;
    d->holes = next.holes;
    return 0;
}

bool replan_must_wait(const struct poller *p, const struct polled_device *d)
{
    for (size_t i = 0; i < LINK_DEPTH_MAX; i++) {
        const struct flight *f = &p->pipeline.flights[i];

        if (f->used && f->entry >= d->first_entry && f->entry < d->first_entry + d->plan.count)
            return true;
    }
    return false;
}
