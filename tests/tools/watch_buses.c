/*
 * watch_buses - runs the buses of a configuration alone and prints every batch.
 *
 * Usage: watch_buses CONFIG [--quiet]      ends on SIGTERM, SIGINT or the end of standard input
 *
 *   DEVICE TAG VALUE            a good reading; !REASON instead of a value for a bad one
 *   health DEVICE STATE         when it changed
 *   bus NAME STATE REASON       when it changed
 *   stats NAME requests N answers N errors N busy_us N ...     for each byte of standard input and at the end;
 *                               --quiet prints only these
 *   frame NAME FRAME            the last ones, for each 'f' of standard input
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bus/bus.h"
#include "config/config.h"
#include "core/buf.h"
#include "core/reading.h"

struct watch {
    const struct settings *settings;
    bool quiet;
    pthread_mutex_t lock; /* guards standard output and states */
    struct bus **buses;
    enum device_state *states[64]; /* by bus and device */
};

static void print_reading(const struct device_settings *dev, const struct reading *r)
{
    struct buf text = {0};

    if (r->reason.kind != REASON_NONE)
        buf_put_u8(&text, '!');
    reason_print(r->reason, &text);
    value_print(&r->value, &text);
    printf("%s %s " STR_FMT "\n", dev->name, dev->tags[r->tag].name, STR_ARG(buf_str(&text)));
    buf_fini(&text);
}

static void print_batch(struct watch *w, const struct batch *b)
{
    const struct bus_settings *bus = &w->settings->buses[b->bus];

    if (b->device == BATCH_OF_BUS) {
        struct bus_status status = {0};

        if (w->buses[b->bus])
            bus_get_status(w->buses[b->bus], &status);
        printf("bus %s %s%s%s\n", bus->name, bus_state_name(status.state), status.reason[0] ? " " : "", status.reason);
        return;
    }
    for (size_t i = 0; i < b->count; i++)
        print_reading(&bus->devices[b->device], &b->readings[i]);
    if (w->states[b->bus][b->device] != b->health.state)
        printf("health %s %s late %llu\n", bus->devices[b->device].name, device_state_name(b->health.state),
               (unsigned long long)b->health.late_answers);
    w->states[b->bus][b->device] = b->health.state;
}

static void take_batch(void *arg, struct batch *b)
{
    struct watch *w = arg;

    pthread_mutex_lock(&w->lock);
    if (!w->quiet) {
        print_batch(w, b);
        fflush(stdout);
    }
    pthread_mutex_unlock(&w->lock);
    batch_free(b);
}

static void print_stats(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->settings->bus_count; i++) {
        struct bus_status status = {0};

        if (w->buses[i])
            bus_get_status(w->buses[i], &status);
        printf("stats %s requests %llu answers %llu errors %llu busy_us %llu probe_us %llu late_ms %lld overdue %llu\n",
               w->settings->buses[i].name, (unsigned long long)status.requests, (unsigned long long)status.answers,
               (unsigned long long)status.errors, (unsigned long long)status.busy_us,
               (unsigned long long)status.probe_us, (long long)status.late_ms, (unsigned long long)status.overdue);
    }
    fflush(stdout);
    pthread_mutex_unlock(&w->lock);
}

static void print_frames(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->settings->bus_count; i++) {
        struct buf frames = {0};
        struct str rest;

        if (w->buses[i] && bus_get_frames(w->buses[i], &frames) < 0)
            fprintf(stderr, "out of memory\n");
        rest = buf_str(&frames);
        while (rest.len > 0) {
            size_t len = (size_t)((const char *)memchr(rest.data, '\n', rest.len) - rest.data);

            printf("frame %s %.*s\n", w->settings->buses[i].name, (int)len, rest.data);
            rest = (struct str){rest.data + len + 1, rest.len - len - 1};
        }
        buf_fini(&frames);
    }
    fflush(stdout);
    pthread_mutex_unlock(&w->lock);
}

static void wait_for_end(struct watch *w)
{
    struct pollfd fds[2] = {{.events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    sigset_t set;
    char byte;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fds[0].fd = signalfd(-1, &set, SFD_CLOEXEC);
    while (poll(fds, 2, -1) >= 0 && !fds[0].revents) {
        if (!fds[1].revents)
            continue;
        if (read(STDIN_FILENO, &byte, 1) <= 0)
            break;
        if (byte == 'f')
            print_frames(w);
        else
            print_stats(w);
    }
    close(fds[0].fd);
}

static void end(struct watch *w)
{
    print_stats(w);
    for (size_t i = 0; i < w->settings->bus_count; i++) {
        bus_free(w->buses[i]);
        free(w->states[i]);
    }
    free(w->buses);
}

int main(int argc, char **argv)
{
    struct watch w = {.quiet = argc > 2 && strcmp(argv[2], "--quiet") == 0, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf report = {0};
    struct settings *settings = NULL;

    if (argc < 2 || config_load(argv[1], &report, &settings) < 0) {
        fprintf(stderr, STR_FMT, STR_ARG(buf_str(&report)));
        return 1;
    }
    buf_fini(&report);
    w.settings = settings;
    w.buses = calloc(settings->bus_count + 1, sizeof(struct bus *));
    pthread_mutex_lock(&w.lock); /* until all buses are known */
    for (size_t i = 0; i < settings->bus_count && i < ARRAY_LEN(w.states); i++) {
        w.states[i] = calloc(settings->buses[i].device_count + 1, sizeof(enum device_state));
        if (bus_start(&settings->buses[i], (uint32_t)i, NULL, take_batch, NULL, &w, &w.buses[i]) < 0)
            fprintf(stderr, "bus %s cannot start\n", settings->buses[i].name);
    }
    pthread_mutex_unlock(&w.lock);
    wait_for_end(&w);
    end(&w);
    settings_free(settings);
    return 0;
}
