/*
 * carry - carries out commands; see poller.h and command.h.
 *
 * The line is as clean after a command as it was before: what comes late is drained,
 * so that it is no answer to the next poll.
 */
#include <errno.h>

#include "bus/command.h"
#include "bus/completions.h"
#include "bus/poller.h"
#include "core/clock.h"
#include "core/reading.h"

static bool is_answer(int result)
{
    return result >= 0 || result == -EREMOTEIO;
}

/* The time-out was that of this request; a late answer has as much again. */
static void clean_up(struct poller *p, int result, int64_t timeout_ms)
{
    if (result == -ECANCELED)
        p->stopping = true;
    else if (result == -ENODEV || (!is_answer(result) && link_drain(p->link, timeout_ms) == -ENODEV))
        link_close(p->link);
}

static void count(struct poller *p, int result)
{
    if (result == -ECANCELED)
        return;
    p->status.requests++;
    if (is_answer(result))
        p->status.answers++;
    else
        p->status.errors++;
}

/* Hands a command back. */
static void finish(struct poller *p, struct command *c, int result, int64_t started_us)
{
    c->result = result;
    c->ts_ms = clock_wall_ms();
    c->cost_us = clock_mono_us() - started_us;
    p->status.busy_us += (uint64_t)c->cost_us;
    report_counters(p);
    completions_push(c->reply_to, c);
}

/* The line with other settings for one request. It is closed for that and opened anew. */
static int transact_elsewise(struct poller *p, struct command *c)
{
    struct command_raw *raw = &c->raw;
    struct bus_settings elsewise = *p->settings;
    struct link *other;
    int r;

    if (!p->settings->port.device)
        return -EINVAL;
    elsewise.port = *raw->port;
    r = link_new(&elsewise, p->stop_fd, &other);
    if (r < 0)
        return r;
    link_close(p->link);
    r = link_open(other);
    if (r == 0) {
        link_set_timeout(other, raw->timeout_ms);
        r = link_transact(other, raw->unit, raw->pdu, raw->len, raw->want, raw->answer);
        c->exception = link_exception(other);
        if (!is_answer(r) && r != -ENODEV && r != -ECANCELED)
            link_drain(other, raw->timeout_ms);
    }
    link_free(other);
    if (r != -ECANCELED)
        link_open(p->link); /* if it cannot, poller_open() tries again and says so */
    return r;
}

static int transact(struct poller *p, struct command *c)
{
    struct command_raw *raw = &c->raw;
    int r;

    if (raw->port)
        return transact_elsewise(p, c);
    link_set_timeout(p->link, raw->timeout_ms);
    r = link_transact(p->link, raw->unit, raw->pdu, raw->len, raw->want, raw->answer);
    c->exception = link_exception(p->link);
    clean_up(p, r, raw->timeout_ms);
    return r;
}

static void carry_raw(struct poller *p, struct command *c)
{
    int64_t started_us = clock_mono_us();
    int r = transact(p, c);
    int64_t cost_ms = (clock_mono_us() - started_us + 999) / 1000;

    if (r == -ECANCELED)
        p->stopping = true;
    if (r >= 0)
        c->raw.answer_len = (size_t)r;
    count(p, r);
    p->raw_not_before_ms = command_share_next(started_us / 1000, cost_ms, p->settings->commands.share_percent);
    finish(p, c, r > 0 ? 0 : r, started_us);
}

/* The pause that the device wants after its last request. */
static void keep_gap_before(struct poller *p, const struct polled_device *d)
{
    if (d->plan.count > 0)
        poller_wait(p, p->schedule.entries[d->first_entry].not_before_ms);
}

static int write_item(struct poller *p, struct polled_device *d, const struct write_item *item)
{
    int64_t timeout_ms = health_timeout_ms(&d->health);
    int r;

    keep_gap_before(p, d);
    if (p->stopping)
        return -ECANCELED;
    link_set_timeout(p->link, timeout_ms);
    r = d->driver->write(&d->device, &d->device.settings->tags[item->tag], item->text);
    count(p, r);
    clean_up(p, r, timeout_ms);
    poll_keep_gap(p, d, clock_mono_ms());
    return r;
}

static int write_items(struct poller *p, struct polled_device *d, struct command *c)
{
    if (!d->driver->write)
        return -EOPNOTSUPP;
    if (health_is_quarantined(&d->health))
        return -EHOSTDOWN;
    for (size_t i = 0; i < c->write.count; i++) {
        int r = write_item(p, d, &c->write.items[i]);

        if (r < 0)
            return r;
        c->write.done_count++;
    }
    return 0;
}

static void carry_write(struct poller *p, struct command *c)
{
    struct polled_device *d = &p->devices[c->write.device];
    int64_t started_us = clock_mono_us();
    int r = write_items(p, d, c);

    if (r == -EREMOTEIO)
        c->exception = link_exception(p->link);
    finish(p, c, r, started_us);
}

bool carry_next(struct poller *p, int64_t now_ms, bool poll_is_due)
{
    bool raw = !poll_is_due || now_ms >= p->raw_not_before_ms;
    struct command *c = command_queue_take(p->commands, now_ms, raw);

    if (!c)
        return false;
    if (c->kind == COMMAND_WRITE)
        carry_write(p, c);
    else
        carry_raw(p, c);
    return true;
}
