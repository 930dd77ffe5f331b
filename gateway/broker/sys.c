/* sys - see sys.h. */
#include "broker/sys.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "broker/broker_internal.h"
#include "broker/figures.h"
#include "core/message.h"

#define TOPIC(name) "broker/" name

/* The figures that are also given as averages. */
static const struct {
    const char *topic;
    size_t at; /* in struct broker_stats */
} loads[] = {
    {"messages/received", offsetof(struct broker_stats, messages_received)},
    {"messages/sent", offsetof(struct broker_stats, messages_sent)},
    {"publish/received", offsetof(struct broker_stats, publish_received)},
    {"publish/sent", offsetof(struct broker_stats, publish_sent)},
    {"publish/dropped", offsetof(struct broker_stats, publish_dropped)},
    {"bytes/received", offsetof(struct broker_stats, bytes_received)},
    {"bytes/sent", offsetof(struct broker_stats, bytes_sent)},
    {"sockets", offsetof(struct broker_stats, sockets)},
    {"connections", offsetof(struct broker_stats, connects)},
};
_Static_assert(ARRAY_LEN(loads) == SYS_LOADS, "struct sys has one of each");

static const struct {
    const char *name;
    double seconds;
} spans[SYS_SPANS] = {{"1min", 60.0}, {"5min", 300.0}, {"15min", 900.0}};

static void publish(struct sys *sys, const char *topic, const char *payload)
{
    char full[128];
    struct message *m;

    snprintf(full, sizeof(full), "$SYS/%s", topic);
    m = message_new(str_of(full), str_of(payload), str_of(""), 0, true);
    if (!m)
        return;
    m->origin = MESSAGE_FROM_DRIVER;
    broker_publish(sys->broker, m);
    message_unref(m);
}

static void publish_number(struct sys *sys, const char *topic, uint64_t value, const char *unit)
{
    char text[40];

    snprintf(text, sizeof(text), "%" PRIu64 "%s", value, unit);
    publish(sys, topic, text);
}

static void publish_figures(struct sys *sys, const struct broker_stats *now)
{
    assert(broker_figure_count <= SYS_FIGURES);
    for (size_t i = 0; i < broker_figure_count; i++) {
        uint64_t value = figure_value(&broker_figures[i], now);

        if (value == sys->last[i])
            continue;
        sys->last[i] = value;
        publish_number(sys, broker_figures[i].topic, value, "");
    }
}

static void publish_load(struct sys *sys, size_t i, size_t span)
{
    struct sys_load *load = &sys->loads[i];
    double value = round(load->average[span] * 100.0) / 100.0;
    char topic[80];
    char text[40];

    if (value == load->told[span])
        return;
    load->told[span] = value;
    snprintf(topic, sizeof(topic), TOPIC("load/%s/%s"), loads[i].topic, spans[span].name);
    snprintf(text, sizeof(text), "%.2f", value);
    publish(sys, topic, text);
}

/* Each look counts as much as its share of the span: an exponential average. */
static void publish_loads(struct sys *sys, const struct broker_stats *now, double passed_s)
{
    for (size_t i = 0; i < SYS_LOADS; i++) {
        struct sys_load *load = &sys->loads[i];
        uint64_t count;
        double rate;

        memcpy(&count, (const char *)now + loads[i].at, sizeof(count));
        rate = passed_s > 0.0 ? (double)(count - load->count) * 60.0 / passed_s : 0.0;
        load->count = count;
        for (size_t span = 0; span < SYS_SPANS; span++) {
            load->average[span] = rate + exp(-passed_s / spans[span].seconds) * (load->average[span] - rate);
            publish_load(sys, i, span);
        }
    }
}

static void publish_heap(struct sys *sys)
{
    struct mallinfo2 info = mallinfo2();
    uint64_t heap = (uint64_t)info.uordblks + (uint64_t)info.hblkhd;

    if (heap > sys->heap_maximum)
        sys->heap_maximum = heap;
    publish_number(sys, TOPIC("heap/current"), heap, "");
    publish_number(sys, TOPIC("heap/maximum"), sys->heap_maximum, "");
}

static void publish_all(struct sys *sys)
{
    struct broker *b = sys->broker;
    int64_t now_ms = loop_now_ms(b->loop);
    struct broker_stats now;

    broker_get_stats(b, &now);
    publish_figures(sys, &now);
    publish_loads(sys, &now, (double)(now_ms - sys->looked_ms) / 1000.0);
    publish_heap(sys);
    publish_number(sys, TOPIC("uptime"), (uint64_t)(now_ms - sys->started_ms) / 1000, " seconds");
    sys->looked_ms = now_ms;
}

static void on_timer(void *arg)
{
    struct sys *sys = arg;

    publish_all(sys);
    loop_timer_start(sys->broker->loop, &sys->timer, sys->broker->settings->sys_interval_ms);
}

void sys_start(struct sys *sys, struct broker *b)
{
    int64_t now_ms = loop_now_ms(b->loop);

    *sys = (struct sys){.broker = b, .started_ms = now_ms, .looked_ms = now_ms};
    timer_init(&sys->timer, on_timer, sys);
    sys_begin(sys);
}

void sys_begin(struct sys *sys)
{
    sys_stop(sys);
    if (sys->broker->settings->sys_interval_ms == 0)
        return;
    for (size_t i = 0; i < SYS_FIGURES; i++)
        sys->last[i] = UINT64_MAX;
    for (size_t i = 0; i < SYS_LOADS; i++)
        for (size_t span = 0; span < SYS_SPANS; span++)
            sys->loads[i].told[span] = -1.0;
    publish(sys, TOPIC("version"), "wirepost " WIREPOST_VERSION);
    on_timer(sys);
}

void sys_stop(struct sys *sys)
{
    if (sys->broker)
        loop_timer_stop(sys->broker->loop, &sys->timer);
}
