/* carry - see carry.h. Here: whose turn it is, and raw requests. */
#include <errno.h>

#include "bus/carry.h"
#include "bus/command.h"
#include "bus/completions.h"
#include "bus/poll.h"
#include "bus/poller.h"
#include "core/clock.h"
#include "core/reading.h"

/* Then a poll that is due has its turn: who writes without end does not stop all reading. */
enum { WRITES_IN_ROW = 8 };

bool carry_is_answer(int result)
{
    return result >= 0 || result == -EREMOTEIO;
}

void carry_clean_up(struct poller *p, int result, int64_t timeout_ms)
{
    if (result == -ECANCELED)
        p->stopping = true;
    else if (result == -ENODEV || (!carry_is_answer(result) && link_drain(p->link, timeout_ms) == -ENODEV))
        link_close(p->link);
}

void carry_count(struct poller *p, int result)
{
    if (result == -ECANCELED)
        return;
    p->status.requests++;
    if (carry_is_answer(result))
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
    link_set_trace(other, record_trace(p));
    link_close(p->link);
    r = link_open(other);
    if (r == 0) {
        link_set_timeout(other, raw->timeout_ms);
        r = link_transact(other, raw->unit, raw->pdu, raw->len, raw->want, raw->answer);
        c->exception = link_exception(other);
        if (!carry_is_answer(r) && r != -ENODEV && r != -ECANCELED)
            link_drain(other, raw->timeout_ms);
    }
    link_free(other);
    if (r != -ECANCELED)
        link_open(p->link); /* if it cannot, poller_open() tries again and says so */
    return r;
}

/* The device that is polled under this unit; NULL: none is. */
static struct polled_device *device_of(struct poller *p, uint8_t unit)
{
    for (size_t i = 0; i < p->settings->device_count; i++)
        if (p->settings->devices[i].unit == unit)
            return &p->devices[i];
    return NULL;
}

/* False when it is no read of registers or bits. */
static bool is_read(const struct command_raw *raw, struct request *ret_read)
{
    static const enum modbus_table tables[] = {[1] = TABLE_COIL, TABLE_DISCRETE, TABLE_HOLDING, TABLE_INPUT};

    if (raw->len != 5 || raw->pdu[0] < 1 || raw->pdu[0] > 4)
        return false;
    *ret_read = (struct request){.table = tables[raw->pdu[0]],
                                 .address = (uint16_t)(raw->pdu[1] << 8 | raw->pdu[2]),
                                 .count = (uint16_t)(raw->pdu[3] << 8 | raw->pdu[4])};
    return true;
}

static int transact_here(struct poller *p, struct command *c)
{
    struct command_raw *raw = &c->raw;
    int r;

    link_set_timeout(p->link, raw->timeout_ms);
    r = link_transact(p->link, raw->unit, raw->pdu, raw->len, raw->want, raw->answer);
    c->exception = link_exception(p->link);
    carry_clean_up(p, r, raw->timeout_ms);
    return r;
}

/* Its late answer could be taken for that of a poll, and a poll's for its own. */
static int transact(struct poller *p, struct command *c)
{
    struct polled_device *d = device_of(p, c->raw.unit);
    struct request read;
    int r;

    if (c->raw.port)
        return transact_elsewise(p, c);
    if (!d || !poll_answers_look_alike(p) || !is_read(&c->raw, &read))
        return transact_here(p, c);
    if (!poll_settle(p, d, &read))
        return p->stopping ? -ECANCELED : -ETIMEDOUT;
    r = transact_here(p, c);
    if (!carry_is_answer(r))
        doubt_add(&d->doubt, &read);
    return r;
}

static int carry_raw(struct poller *p, struct command *c)
{
    int64_t started_us = clock_mono_us();
    int r = transact(p, c);
    int64_t cost_ms = (clock_mono_us() - started_us + 999) / 1000;

    if (r == -ECANCELED)
        p->stopping = true;
    if (r >= 0)
        c->raw.answer_len = (size_t)r;
    carry_count(p, r);
    poll_count_busy(p, started_us);
    p->raw_not_before_ms = command_share_next(started_us / 1000, cost_ms, p->settings->commands.share_percent);
    return r > 0 ? 0 : r;
}

bool carry_next(struct poller *p, int64_t now_ms, bool poll_is_due)
{
    bool raw = !poll_is_due || now_ms >= p->raw_not_before_ms;
    int64_t started_us = clock_mono_us();
    struct command *c;

    if (poll_is_due && p->writes_in_row >= WRITES_IN_ROW) {
        p->writes_in_row = 0;
        return false;
    }
    c = command_queue_take(p->commands, now_ms, raw);
    p->writes_in_row = c && c->kind == COMMAND_WRITE ? p->writes_in_row + 1 : 0;
    if (!c)
        return false;
    finish(p, c, c->kind == COMMAND_WRITE ? carry_write(p, c) : carry_raw(p, c), started_us);
    return true;
}
