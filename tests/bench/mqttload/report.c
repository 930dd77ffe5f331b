/* report - see report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static void add_counters(struct counters *to, const struct counters *from)
{
    to->received += from->received;
    to->duplicated += from->duplicated;
    to->corrupt += from->corrupt;
    to->out_of_order += from->out_of_order;
    to->foreign += from->foreign;
    to->rejected += from->rejected;
    to->bad_acks += from->bad_acks;
    to->disconnects += from->disconnects;
}

void totals_read(struct totals *t)
{
    memset(t, 0, sizeof(*t));
    for (unsigned i = 0; i < opt.threads; i++) {
        const struct loop *l = &load.loops[i];

        add_counters(&t->counters, &l->counters);
        if (l->last_receipt_ns > t->last_receipt_ns)
            t->last_receipt_ns = l->last_receipt_ns;
        histogram_merge(&t->latency, &l->latency);
        histogram_merge(&t->late, &l->late);
    }
    for (unsigned i = 0; i < opt.publishers; i++) {
        t->sent += load.publishers[i].sent;
        t->acked += load.publishers[i].acked;
    }
}

void report_begin(void)
{
    printf("{\"label\":\"%s\",\"mode\":\"%s\",\"mqtt\":\"%s\"", opt.label, mode_name(),
           opt.mqtt == 5 ? "5.0" : "3.1.1");
}

void report_end(enum status status)
{
    printf(",\"exit\":%d}\n", (int)status);
}

enum status report_messages(const struct totals *t, uint64_t want)
{
    const struct counters *c = &t->counters;
    uint64_t lost = want > c->received ? want - c->received : 0;
    bool unacked = opt.mode != MODE_DRAIN && t->acked < (uint64_t)opt.publishers * opt.messages;

    printf(",\"expected\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"received\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"duplicated\":%" PRIu64 ",\"corrupt\":%" PRIu64 ",\"out_of_order\":%" PRIu64
           ",\"foreign\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"bad_acks\":%" PRIu64 ",\"disconnects\":%" PRIu64
           ",\"stalls\":%u",
           want, t->sent, t->acked, c->received, lost, c->duplicated, c->corrupt, c->out_of_order, c->foreign,
           c->rejected, c->bad_acks, c->disconnects, load.stalls);
    if (c->corrupt || c->bad_acks)
        return STATUS_CORRUPT;
    return opt.qos && (lost || unacked) ? STATUS_LOSS : STATUS_WELL;
}

void report_latency(const char *name, const struct histogram *h)
{
    printf(",\"%s_p50_us\":%.1f,\"%s_p99_us\":%.1f,\"%s_p999_us\":%.1f,\"%s_max_us\":%.1f", name, histogram_us(h, 0.5),
           name, histogram_us(h, 0.99), name, histogram_us(h, 0.999), name, (double)h->max / 1000.0);
}

void report_broker(const struct process_usage *before, const struct process_usage *after, double messages)
{
    double cpu_s = after->cpu_s - before->cpu_s;

    if (!opt.pid)
        return;
    printf(",\"broker_cpu_s\":%.4f,\"broker_user_s\":%.2f,\"broker_sys_s\":%.2f,\"cpu_us_per_msg\":%.3f"
           ",\"rss_kib\":%" PRId64 ",\"peak_rss_kib\":%" PRId64,
           cpu_s, after->user_s - before->user_s, after->sys_s - before->sys_s,
           messages > 0 ? cpu_s * 1e6 / messages : 0.0, after->rss_kib, after->peak_rss_kib);
}
