/* modes - run, enqueue, retained and drain: see modes.h. */
#include "modes.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "options.h"
#include "publish.h"
#include "report.h"
#include "topics.h"
#include "turns.h"

static struct totals totals;

static double to_s(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void make_subscriber(struct subscriber *s, unsigned index)
{
    client_init(&s->client, ROLE_SUBSCRIBER, index);
    s->seen = must_calloc(opt.publishers, sizeof(*s->seen));
    for (unsigned p = 0; p < opt.publishers; p++)
        if (hears(index, p))
            s->seen[p].bits = must_calloc((opt.messages + 63) / 64, sizeof(uint64_t));
}

static void make_clients(void)
{
    load.publishers = must_calloc(opt.publishers, sizeof(*load.publishers));
    load.subscribers = must_calloc(opt.subscribers, sizeof(*load.subscribers));
    for (unsigned i = 0; i < opt.publishers; i++)
        publisher_init(&load.publishers[i], i);
    for (unsigned i = 0; i < opt.subscribers; i++)
        make_subscriber(&load.subscribers[i], i);
}

static void bring_up_publishers(void)
{
    bring_up(load.publishers, sizeof(*load.publishers), opt.publishers);
}

static void bring_up_subscribers(void)
{
    bring_up(load.subscribers, sizeof(*load.subscribers), opt.subscribers);
}

static void bring_up_ballast(void)
{
    load.plain_count = 1;
    load.plain = must_calloc(1, sizeof(*load.plain));
    client_init(load.plain, ROLE_PLAIN, 0);
    bring_up(load.plain, sizeof(*load.plain), 1);
}

static void bring_down_publishers(void)
{
    for (unsigned i = 0; i < opt.publishers; i++)
        bring_down(&load.publishers[i].client);
}

static void bring_down_subscribers(void)
{
    for (unsigned i = 0; i < opt.subscribers; i++)
        bring_down(&load.subscribers[i].client);
}

static void bring_up_all(bool subscribers_stay)
{
    make_clients();
    bring_up_subscribers();
    if (!subscribers_stay) {
        bring_down_subscribers();
        usleep(200000);
    }
    if (opt.ballast)
        bring_up_ballast();
    bring_up_publishers();
    share_out(subscribers_stay);
}

static void report_shape(void)
{
    printf(",\"layout\":\"%s\",\"pubs\":%u,\"subs\":%u,\"qos\":%u,\"payload\":%u,\"batch\":%u,\"credit\":%u,"
           "\"window\":%u,\"rate\":%g,\"ballast\":%u,\"topics\":%u",
           layout_name(), opt.publishers, opt.subscribers, opt.qos, opt.payload, opt.batch, opt.credit, opt.window,
           opt.rate, opt.ballast, opt.topics);
}

enum status mode_run(void)
{
    bool heard = opt.mode == MODE_RUN;
    struct process_usage before;
    struct process_usage after;
    uint64_t want;
    uint64_t start;
    uint64_t end;
    double count;
    double cpu_s;
    double own_s;
    enum status status;

    bring_up_all(heard);
    want = heard ? expected_deliveries() : 0;
    before = broker_usage();
    own_s = own_cpu_s();
    start = now_ns();
    publishers_set_due(start);
    loops_run(want);
    cpu_s = broker_cpu_s();
    own_s = own_cpu_s() - own_s;
    after = broker_usage();
    after.cpu_s = cpu_s;
    totals_read(&totals);
    count = (double)(heard ? totals.counters.received : totals.sent);
    end = totals.last_receipt_ns > start ? totals.last_receipt_ns : now_ns();

    report_begin();
    report_shape();
    status = report_messages(&totals, want);
    printf(",\"seconds\":%.4f,\"msgs_per_s\":%.0f,\"gen_cpu_s\":%.3f", to_s(end - start), count / to_s(end - start),
           own_s);
    report_latency("lat", &totals.latency);
    if (opt.rate > 0)
        report_latency("late", &totals.late);
    report_broker(&before, &after, count);
    report_end(status);
    bring_down_publishers();
    bring_down_subscribers();
    return status;
}

/* What `retained` took: storing all, then fetching all. */
struct retained_cost {
    double store_s;
    double fetch_s;
    double fetch_cpu_s;
    struct process_usage before;
    struct process_usage stored;
    struct process_usage fetched;
};

static void report_retained(const struct retained_cost *cost)
{
    const struct process_usage *before = &cost->before;
    const struct process_usage *stored = &cost->stored;
    double sent = (double)totals.sent;
    double received = (double)totals.counters.received;

    printf(",\"store_s\":%.4f,\"store_per_s\":%.0f,\"fetch_s\":%.4f,\"fetch_per_s\":%.0f", cost->store_s,
           sent / cost->store_s, cost->fetch_s, received / cost->fetch_s);
    if (!opt.pid)
        return;
    printf(",\"store_cpu_us\":%.3f,\"fetch_cpu_us\":%.3f,\"rss_before_kib\":%" PRId64 ",\"rss_kib\":%" PRId64
           ",\"peak_rss_kib\":%" PRId64 ",\"bytes_per_retained\":%.0f",
           (stored->cpu_s - before->cpu_s) * 1e6 / sent, received > 0 ? cost->fetch_cpu_s * 1e6 / received : 0.0,
           before->rss_kib, stored->rss_kib, cost->fetched.peak_rss_kib,
           (double)(stored->rss_kib - before->rss_kib) * 1024.0 / sent);
}

/* Publishes retained messages to distinct topics, then asks for them all. */
enum status mode_retained(void)
{
    struct retained_cost cost;
    uint64_t start;
    enum status status;

    make_clients();
    bring_up_publishers();
    share_out(false);

    cost.before = broker_usage();
    start = now_ns();
    loops_run(0);
    cost.store_s = to_s(now_ns() - start);
    cost.stored = broker_usage();
    if (opt.qos == 0)
        usleep(1000000); /* there are no acknowledgements to wait for */

    cost.fetch_cpu_s = -broker_cpu_s();
    start = now_ns();
    bring_up_subscribers();
    loops_run(expected_deliveries());
    cost.fetch_cpu_s += broker_cpu_s();
    cost.fetched = broker_usage();
    totals_read(&totals);
    cost.fetch_s = to_s(totals.last_receipt_ns - start);

    report_begin();
    printf(",\"qos\":%u,\"payload\":%u,\"retained\":%" PRIu64, opt.qos, opt.payload, expected_deliveries());
    status = report_messages(&totals, expected_deliveries());
    report_retained(&cost);
    report_end(status);
    return status;
}

static unsigned sessions_present(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < opt.subscribers; i++)
        n += load.subscribers[i].client.session_present;
    return n;
}

/* Takes up the sessions that `enqueue` left and counts what they hold. */
enum status mode_drain(void)
{
    struct process_usage before;
    struct process_usage after;
    uint64_t start;
    double seconds;
    double received;
    enum status status;

    make_clients();
    before = broker_usage();
    start = now_ns();
    bring_up_subscribers();
    atomic_store(&load.done, opt.publishers); /* nobody publishes */
    loops_run(expected_deliveries());
    after = broker_usage();
    totals_read(&totals);
    seconds = totals.last_receipt_ns ? to_s(totals.last_receipt_ns - start) : 0;
    received = (double)totals.counters.received;

    report_begin();
    printf(",\"qos\":%u,\"payload\":%u,\"sessions_present\":%u", opt.qos, opt.payload, sessions_present());
    status = report_messages(&totals, expected_deliveries());
    printf(",\"seconds\":%.4f,\"msgs_per_s\":%.0f", seconds, seconds > 0 ? received / seconds : 0.0);
    report_broker(&before, &after, received);
    report_end(status);
    bring_down_subscribers();
    return status;
}
