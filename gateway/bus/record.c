/* record - see record.h. */
#include "bus/record.h"

#include <errno.h>
#include <stdio.h>

#include "bus/poller.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/reading.h"

static void count_exception(struct line_faults *f, uint8_t code)
{
    f->exceptions[code < EXCEPTION_CODES ? code : 0]++;
}

static void count_fault(struct line_faults *f, enum link_verdict verdict)
{
    switch (verdict) {
    case LINK_WRONG:
        f->wrong++;
        break;
    case LINK_FOREIGN:
        f->foreign++;
        break;
    case LINK_LATE:
        f->late++;
        break;
    case LINK_DAMAGED:
        f->damaged++;
        break;
    case LINK_NOISE:
        f->noise++;
        break;
    case LINK_ECHO:
        f->echoes++;
        break;
    case LINK_SILENCE:
        f->timeouts++;
        break;
    case LINK_SENT:
    case LINK_BYTES:
    case LINK_ANSWER:
    case LINK_REFUSAL:
        break;
    }
}

static void on_frame(void *arg, enum link_verdict verdict, const uint8_t *bytes, size_t len)
{
    struct poller *p = arg;

    traffic_add(p->record.traffic, verdict, bytes, len, clock_wall_ms(), clock_mono_us());
    if (verdict == LINK_REFUSAL)
        count_exception(&p->status.faults, traffic_exception(p->settings->type, bytes, len));
    count_fault(&p->status.faults, verdict);
    if (p->record.asked)
        count_fault(&p->record.asked->health.shown.faults, verdict);
}

struct link_trace record_trace(struct poller *p)
{
    return (struct link_trace){on_frame, p};
}

int record_init(struct poller *p)
{
    p->record.traffic = traffic_new(p->settings->type);
    if (!p->record.traffic)
        return -ENOMEM;
    link_set_trace(p->link, record_trace(p));
    return 0;
}

void record_fini(struct poller *p)
{
    traffic_free(p->record.traffic);
}

static void note_error(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    static const char *const tables[] = {
        [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};
    struct last_error *e = &d->health.shown.error;
    struct buf reason = {0};

    reason_print(o->reason, &reason);
    e->ts_ms = o->ts_ms;
    snprintf(e->text, sizeof(e->text), STR_FMT ": %s %u to %u", STR_ARG(buf_str(&reason)), tables[req->table],
             req->address, req->address + req->count - 1u);
    buf_fini(&reason);
    p->status.error = *e;
    p->status.error_device = d->device.settings->name;
}

void record_outcome(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o)
{
    if (o->result == 0 || o->result == -EREMOTEIO) {
        latency_add(&d->latency, o->latency_us);
        latency_add(&p->record.latency, o->latency_us);
        d->health.shown.latency = latency_summary(&d->latency, clock_mono_ms());
        p->status.latency = latency_summary(&p->record.latency, clock_mono_ms());
    }
    if (o->result == -EREMOTEIO)
        count_exception(&d->health.shown.faults, (uint8_t)o->reason.code);
    if (o->result < 0)
        note_error(p, d, req, o);
}
