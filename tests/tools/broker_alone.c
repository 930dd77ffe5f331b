/*
 * broker_alone - the broker and its loop, nothing else, for tests.
 *
 *   broker_alone [port=N] [bind=ADDRESS] [packet_bytes=N] [connections=N] [inflight=N] [queued_messages=N]
 *                [queued_bytes=N] [session_expiry_s=N] [keepalive_max_s=N] [sys_interval_ms=N] [anonymous=0|1]
 *                [hold=FILTER]
 *
 * hold: a tap that keeps each message until one is published to "release" (settled well) or
 * "refuse" (-ENOSPC), oldest first.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "core/message.h"
#include "loop.h"

enum { HELD_MAX = 4096 };

static struct {
    struct message *at[HELD_MAX];
    size_t count;
} held;

static void on_hold(void *arg, struct message *m)
{
    (void)arg;
    if (held.count == HELD_MAX)
        return;
    message_hold(m);
    held.at[held.count++] = message_ref(m);
}

static void settle_oldest(int result)
{
    struct message *m;

    if (held.count == 0)
        return;
    m = held.at[0];
    memmove(&held.at[0], &held.at[1], --held.count * sizeof(held.at[0]));
    message_settle(m, result);
    message_unref(m);
}

static void on_release(void *arg, struct message *m)
{
    (void)arg;
    (void)m;
    settle_oldest(0);
}

static void on_refuse(void *arg, struct message *m)
{
    (void)arg;
    (void)m;
    settle_oldest(-ENOSPC);
}

static void on_signal(void *arg, int signo)
{
    (void)signo;
    loop_stop(arg);
}

static struct listener_settings listener = {.bind = "127.0.0.1"};
static struct broker_settings settings = {
    .listeners = &listener,
    .listener_count = 1,
    .limits =
        {
            .packet_bytes = 1 << 20,
            .connections = 10000,
            .inflight = 1000,
            .queued_messages = 100000,
            .queued_bytes = 64 << 20,
            .session_expiry_s = 30 * 86400,
            .keepalive_max_s = 65535,
        },
    .sys_interval_ms = 10000,
};

static const char *set(const char *name, const char *value)
{
    unsigned long long n = strtoull(value, NULL, 0);

    if (strcmp(name, "port") == 0)
        listener.port = (uint16_t)n;
    else if (strcmp(name, "bind") == 0)
        listener.bind = value;
    else if (strcmp(name, "packet_bytes") == 0)
        settings.limits.packet_bytes = (uint32_t)n;
    else if (strcmp(name, "connections") == 0)
        settings.limits.connections = (uint32_t)n;
    else if (strcmp(name, "inflight") == 0)
        settings.limits.inflight = (uint16_t)n;
    else if (strcmp(name, "queued_messages") == 0)
        settings.limits.queued_messages = (uint32_t)n;
    else if (strcmp(name, "queued_bytes") == 0)
        settings.limits.queued_bytes = n;
    else if (strcmp(name, "session_expiry_s") == 0)
        settings.limits.session_expiry_s = (uint32_t)n;
    else if (strcmp(name, "keepalive_max_s") == 0)
        settings.limits.keepalive_max_s = (uint16_t)n;
    else if (strcmp(name, "sys_interval_ms") == 0)
        settings.sys_interval_ms = (int64_t)n;
    else if (strcmp(name, "anonymous") == 0)
        settings.allow_anonymous = n != 0;
    else if (strcmp(name, "hold") == 0)
        return value;
    else
        fprintf(stderr, "broker_alone: unknown setting %s\n", name);
    return NULL;
}

static int run(struct loop *loop, const char *hold)
{
    struct broker_tap *taps[3] = {NULL};
    struct broker *b = NULL;
    int r = broker_new(loop, &settings, &b);

    if (r == 0 && hold)
        r = broker_tap_open(b, hold, on_hold, NULL, &taps[0]);
    if (r == 0 && hold)
        r = broker_tap_open(b, "release", on_release, NULL, &taps[1]);
    if (r == 0 && hold)
        r = broker_tap_open(b, "refuse", on_refuse, NULL, &taps[2]);
    if (r == 0)
        r = broker_start(b);
    if (r == 0) {
        loop_run(loop);
        broker_stop(b);
    }
    while (held.count > 0)
        settle_oldest(0);
    for (size_t i = 0; i < 3; i++)
        broker_tap_close(taps[i]);
    broker_free(b);
    return r;
}

int main(int argc, char **argv)
{
    const char *hold = NULL;
    struct loop *loop;
    int r;

    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        const char *filter;

        if (!value)
            return 64;
        *value = '\0';
        filter = set(argv[i], value + 1);
        hold = filter ? filter : hold;
    }
    r = loop_new(&loop);
    if (r < 0)
        return 1;
    loop_on_signal(loop, SIGTERM, on_signal, loop);
    loop_on_signal(loop, SIGINT, on_signal, loop);
    r = run(loop, hold);
    loop_free(loop);
    return r < 0;
}
