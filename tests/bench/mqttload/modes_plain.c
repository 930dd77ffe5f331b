/* modes_plain - idle and storm, which carry no messages: see modes.h. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "modes.h"
#include "options.h"
#include "report.h"
#include "turns.h"

static void make_plain(void)
{
    load.plain_count = opt.conns;
    load.plain = must_calloc(load.plain_count, sizeof(*load.plain));
    for (unsigned i = 0; i < load.plain_count; i++)
        client_init(&load.plain[i], ROLE_PLAIN, i);
}

enum status mode_idle(void)
{
    struct process_usage before;
    struct process_usage connected;
    struct process_usage after;
    uint64_t start;
    double seconds;

    make_plain();
    before = broker_usage();
    start = now_ns();
    bring_up(load.plain, sizeof(*load.plain), load.plain_count);
    seconds = (double)(now_ns() - start) / 1e9;
    connected = broker_usage();
    usleep(opt.hold_ms * 1000u);
    after = broker_usage();

    report_begin();
    printf(",\"connections\":%u,\"connect_s\":%.4f", load.plain_count, seconds);
    if (opt.pid)
        printf(",\"rss_before_kib\":%" PRId64 ",\"rss_kib\":%" PRId64
               ",\"rss_bytes_per_conn\":%.0f,\"idle_cpu_s\":%.4f",
               before.rss_kib, after.rss_kib, (double)(after.rss_kib - before.rss_kib) * 1024.0 / load.plain_count,
               after.cpu_s - connected.cpu_s);
    report_end(STATUS_WELL);
    for (unsigned i = 0; i < load.plain_count; i++)
        bring_down(&load.plain[i]);
    return STATUS_WELL;
}

/* The clients from `from` on that have come up leave again; returns how many. */
static unsigned take_down(unsigned from, unsigned to, struct histogram *h)
{
    uint64_t now = now_ns();
    unsigned n = 0;

    for (unsigned i = from; i < to; i++) {
        if (load.plain[i].state != CLIENT_UP)
            continue;
        histogram_add(h, now - load.plain[i].opened_ns);
        bring_down(&load.plain[i]);
        n++;
    }
    return n;
}

static void connect_and_leave(struct histogram *h)
{
    unsigned count = load.plain_count;
    unsigned opened = 0;
    unsigned done = 0;
    unsigned swept = 0; /* all before this have left */

    while (done < count) {
        while (opened < count && opened - done < opt.ramp)
            client_open(&load.plain[opened++]);
        loop_turn(&load.loops[0], UINT64_MAX, 50 * NS_PER_MS);
        done += take_down(swept, opened, h);
        while (swept < opened && load.plain[swept].state == CLIENT_GONE)
            swept++;
        if (now_ns() > load.deadline_ns)
            die(STATUS_SETUP, "timed out (%u of %u connected)", done, count);
    }
}

/* CONNECT, CONNACK, DISCONNECT, close: as fast as the broker goes along. */
enum status mode_storm(void)
{
    struct histogram *h = &load.loops[0].latency;
    struct process_usage before;
    struct process_usage after;
    uint64_t start;
    double seconds;

    make_plain();
    before = broker_usage();
    start = now_ns();
    connect_and_leave(h);
    seconds = (double)(now_ns() - start) / 1e9;
    after = broker_usage();

    report_begin();
    printf(",\"connections\":%u,\"ramp\":%u,\"seconds\":%.4f,\"conns_per_s\":%.0f", load.plain_count, opt.ramp, seconds,
           load.plain_count / seconds);
    report_latency("connect", h);
    if (opt.pid)
        printf(",\"broker_cpu_s\":%.4f,\"cpu_us_per_conn\":%.1f,\"rss_kib\":%" PRId64, after.cpu_s - before.cpu_s,
               (after.cpu_s - before.cpu_s) * 1e6 / load.plain_count, after.rss_kib);
    report_end(STATUS_WELL);
    return STATUS_WELL;
}
