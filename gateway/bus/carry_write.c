/* carry_write - see carry.h. */
#include <errno.h>

#include "bus/carry.h"
#include "bus/poll.h"
#include "bus/poller.h"
#include "core/clock.h"
#include "core/reading.h"

/* The pause that the device wants after its last request; not the one that a failing device is given. */
static void keep_gap(struct poller *p, const struct polled_device *d)
{
    int64_t until_ms = clock_mono_ms() + d->device.settings->min_request_gap_ms;

    if (d->plan.count > 0 && p->schedule.entries[d->first_entry].not_before_ms < until_ms)
        until_ms = p->schedule.entries[d->first_entry].not_before_ms;
    if (d->plan.count > 0)
        poller_wait(p, until_ms);
}

static int carry_out(struct polled_device *d, const struct write_item *item)
{
    const struct device_settings *s = d->device.settings;
    uint8_t answer[LINK_PDU_MAX];
    int r;

    if (!item->is_action)
        return d->driver->write(&d->device, &s->tags[item->index], item->text);
    r = link_transact(d->device.link, s->unit, s->actions[item->index].pdu, s->actions[item->index].len, 0, answer);
    return r > 0 ? 0 : r;
}

/* What reads one tag alone. */
static struct request read_of(const struct tag_settings *tag, const uint32_t *index)
{
    return (struct request){.table = tag->table,
                            .address = tag->address,
                            .count = table_is_bits(tag->table) ? 1 : tag_width(tag),
                            .tags = index,
                            .tag_count = 1};
}

static int write_once(struct poller *p, struct polled_device *d, const struct write_item *item,
                      const struct request *read)
{
    int64_t timeout_ms = health_timeout_ms(&d->health);
    int64_t started_us = clock_mono_us();
    int r;

    link_set_timeout(p->link, timeout_ms);
    p->record.asked = d;
    r = carry_out(d, item);
    carry_count(p, r);
    carry_clean_up(p, r, timeout_ms);
    p->record.asked = NULL;
    poll_count_busy(p, started_us);
    /* Its bits may have had to be read before: that answer may still come. */
    if (!carry_is_answer(r) && !item->is_action && poll_answers_look_alike(p))
        doubt_add(&d->doubt, read);
    return r;
}

static int read_once(struct poller *p, struct polled_device *d, const struct request *read, struct batch *batch)
{
    struct outcome o = poll_once(p, d, read, clock_mono_us(), batch);

    batch->ts_ms = o.ts_ms;
    return o.result;
}

/* One attempt to write it; or, with a batch, to read it back. */
static int attempt(struct poller *p, struct polled_device *d, const struct write_item *item, struct batch *batch)
{
    struct request read = {0};
    int r;

    keep_gap(p, d);
    if (p->stopping)
        return -ECANCELED;
    if (!item->is_action)
        read = read_of(&d->device.settings->tags[item->index], &item->index);
    if (!item->is_action && !poll_settle(p, d, &read))
        return p->stopping ? -ECANCELED : -ETIMEDOUT;
    r = batch ? read_once(p, d, &read, batch) : write_once(p, d, item, &read);
    poll_keep_gap(p, d, clock_mono_ms());
    return r;
}

/* An action is not repeated: who knows whether it was carried out before the answer went astray. */
static int try(struct poller *p, struct polled_device *d, const struct command *c, const struct write_item *item,
               struct batch *batch)
{
    int32_t left = item->is_action ? 0 : health_retries(&d->health);
    int r = attempt(p, d, item, batch);

    while (!carry_is_answer(r) && r != -ECANCELED && left-- > 0 && clock_mono_ms() < c->expires_ms) {
        if (poller_open(p) < 0)
            break;
        r = attempt(p, d, item, batch);
    }
    return r;
}

/* The tag is read next, so that its new value is soon known. */
static void expedite(struct poller *p, struct polled_device *d, uint32_t tag)
{
    for (size_t i = 0; i < d->plan.count; i++) {
        const struct request *req = &d->plan.requests[i];

        for (size_t k = 0; k < req->tag_count; k++)
            if (req->tags[k] == tag)
                schedule_resume(&p->schedule, d->first_entry + i, clock_mono_ms());
    }
}

static bool shows(const struct batch *b, const struct value *wanted)
{
    return b->count == 1 && b->readings[0].reason.kind == REASON_NONE && value_equal(&b->readings[0].value, wanted);
}

static int verify(struct poller *p, struct polled_device *d, const struct command *c, const struct write_item *item)
{
    char text[VALUE_TEXT_MAX];
    struct value wanted;
    struct batch *b = batch_new(1);
    int r;

    if (!b)
        return -ENOMEM;
    r = d->driver->preview(&d->device.settings->tags[item->index], item->text, text, &wanted);
    if (r == 0)
        r = try(p, d, c, item, b);
    if (r < 0) {
        batch_free(b);
        return r;
    }
    r = shows(b, &wanted) ? 0 : -EUCLEAN;
    report_batch(p, d, b);
    return r;
}

static int carry_items(struct poller *p, struct polled_device *d, struct command *c)
{
    struct command_write *w = &c->write;

    for (; w->written < w->count; w->written++) {
        int r = try(p, d, c, &w->items[w->written], NULL);

        if (r < 0)
            return r;
        if (!w->items[w->written].is_action && !w->items[w->written].verify)
            expedite(p, d, w->items[w->written].index);
    }
    for (; w->verified < w->count; w->verified++) {
        int r = w->items[w->verified].verify ? verify(p, d, c, &w->items[w->verified]) : 0;

        if (r < 0)
            return r;
    }
    return 0;
}

int carry_write(struct poller *p, struct command *c)
{
    struct polled_device *d = &p->devices[c->write.device];
    int r;

    if (!d->driver->write)
        return -EOPNOTSUPP;
    if (health_is_quarantined(&d->health))
        return -EHOSTDOWN;
    r = carry_items(p, d, c);
    if (r == -EREMOTEIO)
        c->exception = link_exception(p->link);
    return r;
}
