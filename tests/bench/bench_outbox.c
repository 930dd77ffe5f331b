/*
 * bench-outbox - what the outbox costs: outages, backlogs, starts.
 *
 * Usage: bench-outbox FOLDER     (which it fills with about 150 MB; on the disk to be judged)
 *
 * Messages as a device's json: a topic of 30 bytes, a payload of 100.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/message.h"
#include "loop.h"
#include "queue/outbox.h"
#include "store/store.h"

enum {
    OUTAGE_S = 20,
    RATE = 1000,
    BACKLOG = 1000000,
    AT_ONCE = 5000,
    PAYLOAD_LEN = 100,
    WINDOW = 100,
    COMMITS = 20000
};

struct bench {
    char path[512];
    struct loop *loop;
    struct store *store;
    struct outbox *outbox;
    struct outbox_settings settings;
    struct timer timer;
    uint64_t appended;
    uint64_t received;
    int64_t ends_ms;
    bool online;
};

static double cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* The number behind `name` in a file of /proc/self. */
static uint64_t proc_number(const char *path, const char *name)
{
    FILE *f = fopen(path, "re");
    char line[128];
    uint64_t number = 0;

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            number = strtoull(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return number;
}

/* Bytes that this process had written to disks. */
static uint64_t disk_bytes(void)
{
    return proc_number("/proc/self/io", "write_bytes:");
}

static void print_memory(const char *when)
{
    printf("resident memory %s: %" PRIu64 " kB\n", when, proc_number("/proc/self/status", "VmRSS:"));
}

static void on_settled(void *arg, struct message *m, int result)
{
    struct bench *b = arg;

    (void)m;
    if (result < 0)
        exit(1);
    loop_stop(b->loop);
}

static void append(struct bench *b, uint64_t count, uint8_t origin)
{
    char payload[PAYLOAD_LEN];
    char topic[64];

    memset(payload, 'x', sizeof(payload));
    while (count--) {
        struct message *m;

        snprintf(topic, sizeof(topic), "wp/plant7/d/device-%06" PRIu64 "/json", b->appended % 10);
        snprintf(payload, sizeof(payload), "{\"seq\":%" PRIu64, b->appended++);
        m = message_new(str_of(topic), (struct str){.data = payload, .len = sizeof(payload)}, str_of(""), 1, false);
        if (!m)
            abort();
        m->origin = origin;
        if (origin == MESSAGE_FROM_CLIENT)
            m->on_settled = on_settled;
        m->settled_arg = b;
        outbox_append(b->outbox, m, 1);
        message_unref(m);
    }
}

static void on_ready(void *arg);

static void open_all(struct bench *b)
{
    if (store_open(b->loop, b->path, &b->store) < 0 ||
        outbox_open(b->loop, b->store, "upstream", &b->settings, on_ready, b, &b->outbox) < 0)
        exit(1);
}

static void close_all(struct bench *b)
{
    outbox_close(b->outbox);
    store_close(b->store);
}

static void stop(void *arg, int result)
{
    struct bench *b = arg;

    if (result < 0)
        exit(1);
    loop_stop(b->loop);
}

static void flush(struct bench *b)
{
    outbox_flush(b->outbox, stop, b);
    loop_run(b->loop);
}

static void tick(void *arg)
{
    struct bench *b = arg;

    if (loop_now_ms(b->loop) >= b->ends_ms) {
        loop_stop(b->loop);
        return;
    }
    append(b, RATE / 100, MESSAGE_FROM_DRIVER);
    loop_timer_start(b->loop, &b->timer, 10);
}

/* The upstream acknowledges before anything is due. */
static void measure_online(struct bench *b)
{
    double cpu = cpu_us();
    struct outbox_stats stats;
    uint64_t seq;

    for (int i = 0; i < BACKLOG; i++) {
        append(b, 1, MESSAGE_FROM_DRIVER);
        if (!outbox_next(b->outbox, &seq))
            abort();
        outbox_ack(b->outbox, seq);
    }
    outbox_get_stats(b->outbox, &stats);
    printf("online: %.2f us of CPU, %" PRIu64 " bytes to the disk a message\n", (cpu_us() - cpu) / BACKLOG,
           stats.written_bytes);
    b->received = b->appended = 0;
}

static void measure_outage(struct bench *b)
{
    struct outbox_stats stats;
    struct store_stats store;
    double cpu = cpu_us();
    uint64_t disk = disk_bytes();

    timer_init(&b->timer, tick, b);
    b->ends_ms = loop_now_ms(b->loop) + OUTAGE_S * 1000;
    tick(b);
    loop_run(b->loop);
    flush(b);
    outbox_get_stats(b->outbox, &stats);
    store_get_stats(b->store, &store);
    printf("outage, %d messages/s for %d s: %.2f us of CPU, %.0f bytes handed over, %.0f bytes to the disk a message,"
           " %" PRIu64 " commits\n",
           RATE, OUTAGE_S, (cpu_us() - cpu) / (double)b->appended, (double)stats.written_bytes / (double)b->appended,
           (double)(disk_bytes() - disk) / (double)b->appended, store.commits);
}

/* As fast as the disk takes them, so that memory does not fill. */
static void fill(void *arg)
{
    struct bench *b = arg;
    struct outbox_stats stats;

    outbox_get_stats(b->outbox, &stats);
    if (b->appended >= BACKLOG) {
        loop_stop(b->loop);
        return;
    }
    if (stats.messages - stats.on_disk < 3 * AT_ONCE)
        append(b, AT_ONCE, MESSAGE_FROM_DRIVER);
    loop_timer_start(b->loop, &b->timer, 1);
}

static void measure_fill(struct bench *b)
{
    double cpu = cpu_us();
    int64_t begin_us = clock_mono_us();
    uint64_t disk = disk_bytes();
    uint64_t before = b->appended;
    double n;

    timer_init(&b->timer, fill, b);
    fill(b);
    loop_run(b->loop);
    flush(b);
    n = (double)(b->appended - before);
    printf("filling a backlog: %.0f messages/s, %.2f us of CPU, %.0f bytes to the disk a message\n",
           n / (double)(clock_mono_us() - begin_us) * 1e6, (cpu_us() - cpu) / n, (double)(disk_bytes() - disk) / n);
}

/* The receiver: takes a window, then acknowledges it. */
static void on_ready(void *arg)
{
    struct bench *b = arg;
    uint64_t seqs[WINDOW];

    while (b->online) {
        int n = 0;

        while (n < WINDOW && outbox_next(b->outbox, &seqs[n]))
            n++;
        for (int i = 0; i < n; i++)
            outbox_ack(b->outbox, seqs[i]);
        b->received += (uint64_t)n;
        if (n < WINDOW)
            break;
    }
    if (b->online && b->received >= b->appended)
        loop_stop(b->loop);
}

static void measure_drain(struct bench *b)
{
    double cpu = cpu_us();
    int64_t begin_us = clock_mono_us();
    uint64_t disk = disk_bytes();
    struct outbox_stats stats;

    b->online = true;
    on_ready(b);
    if (b->received < b->appended)
        loop_run(b->loop);
    b->online = false;
    printf("draining it: %.0f messages/s, %.2f us of CPU a message\n",
           (double)b->received / (double)(clock_mono_us() - begin_us) * 1e6, (cpu_us() - cpu) / (double)b->received);
    cpu = cpu_us();
    flush(b);
    printf("forgetting it: %.1f ms of CPU, %.0f bytes to the disk a message\n", (cpu_us() - cpu) / 1000,
           (double)(disk_bytes() - disk) / (double)b->received);
    outbox_get_stats(b->outbox, &stats);
    if (stats.messages || stats.dropped_disk || stats.dropped_full || stats.dropped_expired)
        exit(1);
}

static void wake_up(void *arg)
{
    struct bench *b = arg;

    loop_stop(b->loop);
}

/* A moment for the store to look after its file. */
static void rest(struct bench *b)
{
    timer_init(&b->timer, wake_up, b);
    loop_timer_start(b->loop, &b->timer, 300);
    loop_run(b->loop);
}

static void measure_start(struct bench *b)
{
    struct outbox_stats stats;
    int64_t begin_us;

    close_all(b);
    begin_us = clock_mono_us();
    open_all(b);
    outbox_get_stats(b->outbox, &stats);
    printf("start with %" PRIu64 " messages owed: %.1f ms\n", stats.messages,
           (double)(clock_mono_us() - begin_us) / 1000);
}

/* One message a commit: a slow publisher that waits. */
static void measure_start_with_small_segments(struct bench *b)
{
    double cpu = cpu_us();
    uint64_t disk = disk_bytes();

    b->settings.linger_ms = 0;
    for (int i = 0; i < COMMITS; i++) {
        append(b, 1, MESSAGE_FROM_CLIENT);
        loop_run(b->loop);
    }
    printf("one message a commit: %.1f us of CPU, %.0f bytes to the disk\n", (cpu_us() - cpu) / COMMITS,
           (double)(disk_bytes() - disk) / COMMITS);
    measure_start(b);
}

int main(int argc, char **argv)
{
    struct bench b = {.settings = {.linger_ms = 2000}};

    if (argc != 2) {
        fprintf(stderr, "usage: bench-outbox FOLDER\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(b.path, sizeof(b.path), "%s/bench-outbox.db", argv[1]);
    unlink(b.path);
    if (loop_new(&b.loop) < 0)
        return 1;
    open_all(&b);
    print_memory("at rest");
    measure_online(&b);
    measure_outage(&b);
    measure_start(&b);
    measure_fill(&b);
    measure_start(&b);
    measure_drain(&b);
    rest(&b);
    print_memory("after the backlog");
    measure_start_with_small_segments(&b);
    close_all(&b);
    loop_free(b.loop);
    unlink(b.path);
    return 0;
}
