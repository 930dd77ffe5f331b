/*
 * publish - see publish.h.
 *
 * A tag is good (value), bad (reason) or not known yet. A reading that decoding
 * refused turns it bad at once; a missing answer only leaves its reason behind,
 * and the tag turns bad when stale_after has passed since the last good reading.
 * Turning bad, and good again, is published at once; when a good value is, rule.h says.
 */
#include "publish/publish.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "publish/derive.h"
#include "publish/rule.h"
#include "publish/state.h"

/* Counters in a device's status are refreshed so often while they change. */
#define STATUS_PERIOD_MS 60000

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void publish_emit(struct publish *p, uint8_t qos)
{
    if (!buf_failed(&p->topic) && !buf_failed(&p->payload)) {
        p->stats.messages++;
        p->emit(p->arg, buf_str(&p->topic), buf_str(&p->payload), qos, true);
    }
    buf_clear(&p->topic);
    buf_clear(&p->payload);
}

static void topic_of_gateway(struct publish *p, const char *name)
{
    buf_printf(&p->topic, "wp/%s/%s", p->gateway_id, name);
}

void publish_topic_of_device(struct publish *p, const struct device_publish *d, const char *name)
{
    buf_printf(&p->topic, "wp/%s/d/%s/%s", p->gateway_id, d->settings->name, name);
}

void publish_topic_of_tag(struct publish *p, const struct device_publish *d, const struct tag_state *tag)
{
    buf_printf(&p->topic, "wp/%s/d/%s/v/%s", p->gateway_id, d->settings->name, tag->settings->name);
}

/* `text` has room for the longest text of the tag. */
static void keep_value(struct value *to, char *text, const struct value *v)
{
    *to = *v;
    if (v->type != VALUE_TEXT)
        return;
    memcpy(text, v->text.data, v->text.len);
    to->text.data = text;
}

static void emit_tag(struct publish *p, const struct device_publish *d, struct tag_state *tag, int64_t now_mono_ms)
{
    tag->known = true;
    tag->fresh = false;
    keep_value(&tag->told, tag->told_text, &tag->value);
    tag->told_ms = now_mono_ms;
    if (d->settings->publish == PUBLISH_JSON)
        return;
    publish_topic_of_tag(p, d, tag);
    value_print(&tag->value, &p->payload);
    publish_emit(p, 1);
}

static void emit_json(struct publish *p, struct device_publish *d, const uint32_t *tags, size_t count, int64_t ts_ms)
{
    if (d->settings->publish == PUBLISH_VALUES)
        return;
    publish_topic_of_device(p, d, "json");
    document_json(p->clock, d, tags, count, ts_ms, &p->payload);
    d->seq++;
    publish_emit(p, 1);
}

static void set_availability(struct publish *p, struct device_publish *d, enum availability availability)
{
    if (d->availability == availability)
        return;
    d->availability = availability;
    publish_topic_of_device(p, d, "availability");
    buf_put_text(&p->payload, availability == AVAILABILITY_ONLINE ? "online" : "offline");
    publish_emit(p, 1);
}

struct publish *publish_new(const char *gateway_id, publish_emit_fn *emit_fn, void *arg)
{
    static const struct stamp_clock as_it_is = {.trusted = true};
    struct publish *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->clock = &as_it_is;
    p->emit = emit_fn;
    p->arg = arg;
    p->gateway_id = strdup(gateway_id);
    if (p->gateway_id)
        return p;
    publish_free(p);
    return NULL;
}

static struct device_publish *find_device(const struct publish *p, uint32_t bus, size_t device)
{
    assert(bus < p->bus_room && p->buses[bus] && device < p->buses[bus]->settings->device_count);
    return &p->buses[bus]->devices[device];
}

struct value publish_value(const struct publish *p, uint32_t bus, size_t device, uint32_t tag)
{
    return find_device(p, bus, device)->tags[tag].value;
}

struct publish_device publish_get_device(const struct publish *p, uint32_t bus, size_t device)
{
    const struct device_publish *d = find_device(p, bus, device);

    return (struct publish_device){.online = d->availability == AVAILABILITY_ONLINE, .health = d->health};
}

uint64_t publish_seq(const struct publish *p, uint32_t bus, size_t device)
{
    return find_device(p, bus, device)->seq;
}

void publish_set_seq(struct publish *p, uint32_t bus, size_t device, uint64_t next)
{
    struct device_publish *d = find_device(p, bus, device);

    if (!d->goes_on)
        d->seq = next;
}

void publish_devices(struct publish *p)
{
    topic_of_gateway(p, "devices");
    document_devices(p, &p->payload);
    publish_emit(p, 1);
}

void publish_use_clock(struct publish *p, const struct stamp_clock *clock)
{
    p->clock = clock;
}

static void emit_status(struct publish *p, struct device_publish *d, const struct health *h, int64_t now_mono_ms)
{
    d->health = *h;
    d->status_ms = now_mono_ms;
    publish_topic_of_device(p, d, "status");
    document_status(p->clock, h, &p->payload);
    publish_emit(p, 0);
}

/* What was told without a time. */
static void tell_statuses_again(struct publish *p)
{
    for (size_t b = 0; b < p->bus_room; b++) {
        const struct bus_publish *bus = p->buses[b];

        for (size_t i = 0; bus && i < bus->settings->device_count; i++)
            if (bus->devices[i].status_ms > 0 && !bus->devices[i].taken_over)
                emit_status(p, &bus->devices[i], &bus->devices[i].health, bus->devices[i].status_ms);
    }
}

void publish_clock(struct publish *p)
{
    topic_of_gateway(p, "clock");
    document_clock(p->clock, &p->payload);
    publish_emit(p, 1);

    topic_of_gateway(p, "info");
    document_info(p, &p->payload);
    publish_emit(p, 1);

    tell_statuses_again(p);
}

void publish_announce(struct publish *p, int64_t now_boot_ms)
{
    p->started_ms = now_boot_ms;
    topic_of_gateway(p, "state");
    buf_put_text(&p->payload, "online");
    publish_emit(p, 1);

    publish_clock(p);
    publish_devices(p);
}

void publish_farewell(struct publish *p)
{
    topic_of_gateway(p, "state");
    buf_put_text(&p->payload, "offline");
    publish_emit(p, 1);
}

static void take_health(struct publish *p, struct device_publish *d, const struct health *h, int64_t now_mono_ms)
{
    bool changed = d->health.state != h->state || d->health.since_ms != h->since_ms ||
                   d->health.reason.kind != h->reason.kind || d->health.reason.code != h->reason.code ||
                   d->health.setup != h->setup;

    if (changed || now_mono_ms - d->status_ms >= STATUS_PERIOD_MS)
        emit_status(p, d, h, now_mono_ms);
    if (h->state == DEVICE_QUARANTINED || h->state == DEVICE_DISABLED)
        set_availability(p, d, AVAILABILITY_OFFLINE);
}

/* An exception or a refused value is an answer too: the device is there. */
static bool shows_life(struct reason reason)
{
    return reason.kind == REASON_NONE || reason.kind == REASON_EXCEPTION || reason_refuses_value(reason);
}

/* Turns the tag bad for `why`. True when that is news. */
static bool turn_bad(struct tag_state *tag, struct reason why)
{
    if (tag->known && tag->bad.kind == why.kind && tag->bad.code == why.code)
        return false;
    tag->bad = why;
    tag->fresh = false;
    tag->value = (struct value){.type = VALUE_NONE};
    return true;
}

/* Takes one reading into its tag's state. True when there is something to publish. */
static bool take_reading(struct tag_state *tag, const struct reading *r, int64_t ts_ms, int64_t now_mono_ms)
{
    if (r->reason.kind == REASON_NONE) {
        bool turned = !tag->known || tag->bad.kind != REASON_NONE;

        keep_value(&tag->value, tag->text, &r->value);
        tag->ts_ms = ts_ms;
        tag->fresh = true;
        tag->bad = (struct reason){0};
        tag->last_failure = (struct reason){0};
        tag->good_ms = now_mono_ms;
        return turned || rule_due(tag) <= now_mono_ms;
    }

    tag->last_failure = r->reason;
    if (reason_refuses_value(r->reason) || tag->bad.kind != REASON_NONE)
        return turn_bad(tag, r->reason);
    return false; /* the last value stands until it is stale */
}

/* What the json message of a request holds besides its news. A tag that still stands on an older value than this
 * request must not be shown with its time, and what its rule holds back not at all. */
static bool shows(const struct tag_state *tag, const struct reading *r)
{
    return tag->bad.kind != REASON_NONE || (r->reason.kind == REASON_NONE && rule_shows(tag));
}

/* What one batch, or a look at the age of tags, leads to. */
struct outcome {
    size_t count; /* of tags in p->shown, for the json message */
    bool news;    /* there is to be one */
    int64_t next; /* see publish_batch() */
};

/* Inputs of a computed tag stand before it. */
static void compute_tags(struct publish *p, struct device_publish *d, int64_t ts_ms, int64_t now_mono_ms,
                         struct outcome *o)
{
    for (uint32_t t = (uint32_t)d->settings->tag_count; t < device_all_tags(d->settings); t++) {
        struct tag_state *tag = &d->tags[t];
        struct reading r;
        bool news;

        if (!derive_reading(d, t, ts_ms, &r))
            continue;
        news = r.reason.kind == REASON_NONE ? take_reading(tag, &r, ts_ms, now_mono_ms) : turn_bad(tag, r.reason);
        if (news)
            emit_tag(p, d, tag, now_mono_ms);
        o->news |= news;
        if (news || (r.reason.kind == REASON_NONE && rule_shows(tag)))
            p->shown[o->count++] = t;
        o->next = earlier(o->next, rule_due(tag));
    }
}

int64_t publish_batch(struct publish *p, const struct batch *b, int64_t now_mono_ms)
{
    struct device_publish *d = find_device(p, b->bus, b->device);
    struct outcome o = {.next = INT64_MAX};

    assert(b->count <= d->settings->tag_count);
    p->stats.readings += b->count;
    for (size_t i = 0; i < b->count; i++) {
        const struct reading *r = &b->readings[i];
        struct tag_state *tag = &d->tags[r->tag];

        assert(r->tag < d->settings->tag_count);
        if (r->reason.kind == REASON_NONE)
            p->stats.good++;
        d->silence = shows_life(r->reason) ? (struct reason){0} : r->reason;
        if (shows_life(r->reason)) {
            d->answer_ms = now_mono_ms;
            set_availability(p, d, AVAILABILITY_ONLINE);
        }
        if (take_reading(tag, r, b->ts_ms, now_mono_ms)) {
            o.news = true;
            emit_tag(p, d, tag, now_mono_ms);
        }
        if (shows(tag, r))
            p->shown[o.count++] = r->tag;
        o.next = earlier(o.next, rule_due(tag));
    }
    if (b->count > 0)
        compute_tags(p, d, b->ts_ms, now_mono_ms, &o);

    if (o.news)
        emit_json(p, d, p->shown, o.count, b->ts_ms);
    take_health(p, d, &b->health, now_mono_ms);
    return o.next;
}

/* Publishes the values whose interval has ended, those of one sample in one json message, the oldest first.
 * Returns when the next one ends. */
static int64_t publish_due(struct publish *p, struct device_publish *d, int64_t now_mono_ms)
{
    for (;;) {
        int64_t next = INT64_MAX;
        int64_t ts = INT64_MAX;
        size_t count = 0;

        for (size_t t = 0; t < device_all_tags(d->settings); t++) {
            int64_t due = rule_due(&d->tags[t]);

            if (due > now_mono_ms)
                next = earlier(next, due);
            else
                ts = earlier(ts, d->tags[t].ts_ms);
        }
        if (ts == INT64_MAX)
            return next;
        for (uint32_t t = 0; t < device_all_tags(d->settings); t++) {
            if (d->tags[t].ts_ms != ts || rule_due(&d->tags[t]) > now_mono_ms)
                continue;
            p->shown[count++] = t;
            emit_tag(p, d, &d->tags[t], now_mono_ms);
        }
        emit_json(p, d, p->shown, count, ts);
    }
}

/* A device that does not answer is not asked for each of its tags. */
static struct reason why_overdue(const struct device_publish *d, const struct tag_state *tag)
{
    if (tag->last_failure.kind != REASON_NONE)
        return tag->last_failure;
    return d->silence.kind != REASON_NONE ? d->silence : (struct reason){.kind = REASON_STALE};
}

/* The next moment at which there is something to do for one of the device's tags. */
static int64_t check_device(struct publish *p, struct device_publish *d, int64_t now_mono_ms, int64_t now_boot_ms)
{
    struct outcome o = {.next = INT64_MAX};
    int64_t next = INT64_MAX;

    if (d->settings->broadcast) /* never read */
        return INT64_MAX;
    for (uint32_t t = 0; t < d->settings->tag_count; t++) {
        struct tag_state *tag = &d->tags[t];
        int64_t due = tag->good_ms + tag->settings->stale_after_ms;

        if (tag->bad.kind != REASON_NONE)
            continue;
        if (due > now_mono_ms) {
            next = earlier(next, due);
        } else {
            turn_bad(tag, why_overdue(d, tag));
            p->shown[o.count++] = t;
            emit_tag(p, d, tag, now_mono_ms);
        }
    }
    if (o.count > 0) {
        compute_tags(p, d, now_boot_ms, now_mono_ms, &o);
        emit_json(p, d, p->shown, o.count, now_boot_ms);
    }
    next = earlier(next, publish_due(p, d, now_mono_ms));

    if (d->availability != AVAILABILITY_OFFLINE && d->overdue_ms != INT64_MAX) {
        if (d->answer_ms + d->overdue_ms <= now_mono_ms)
            set_availability(p, d, AVAILABILITY_OFFLINE);
        else
            next = earlier(next, d->answer_ms + d->overdue_ms);
    }
    return next;
}

int64_t publish_check_age(struct publish *p, int64_t now_mono_ms, int64_t now_boot_ms)
{
    int64_t next = INT64_MAX;

    for (size_t b = 0; b < p->bus_room; b++) {
        const struct bus_publish *bus = p->buses[b];

        for (size_t i = 0; bus && i < bus->settings->device_count; i++)
            if (!bus->devices[i].taken_over)
                next = earlier(next, check_device(p, &bus->devices[i], now_mono_ms, now_boot_ms));
    }
    return next;
}

void publish_get_stats(const struct publish *p, struct publish_stats *ret_stats)
{
    *ret_stats = p->stats;
}
