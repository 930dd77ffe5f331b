/*
 * broker_alone - a broker with a destination that takes its time, for tests.
 *
 *   broker_alone FILTER INFLIGHT
 *
 * A tap on FILTER keeps each message until something is published to "release"
 * (the oldest is settled well) or "refuse" (-ENOSPC). Listens on 127.0.0.1, on
 * the port that it logs.
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

static void on_message(void *arg, struct message *m)
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

static int run(struct loop *loop, const char *filter, uint16_t inflight)
{
    const struct entrance_settings entrance = {.limits = {.inflight = inflight}};
    const struct listener_settings listener = {.bind = "127.0.0.1", .entrance = entrance};
    const struct broker_settings settings = {.listeners = &listener, .listener_count = 1, .entrance = entrance};
    struct broker_tap *taps[3] = {NULL};
    struct broker *b = NULL;
    int r = broker_new(loop, &settings, &b);

    if (r == 0)
        r = broker_tap_open(b, filter, on_message, NULL, &taps[0]);
    if (r == 0)
        r = broker_tap_open(b, "release", on_release, NULL, &taps[1]);
    if (r == 0)
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
    struct loop *loop;
    int r;

    if (argc != 3) {
        fprintf(stderr, "Usage: broker_alone FILTER INFLIGHT\n");
        return 64;
    }
    r = loop_new(&loop);
    if (r < 0)
        return 1;
    loop_on_signal(loop, SIGTERM, on_signal, loop);
    r = run(loop, argv[1], (uint16_t)strtoul(argv[2], NULL, 10));
    loop_free(loop);
    return r < 0;
}
