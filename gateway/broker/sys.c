/* sys - see sys.h. */
#include "broker/sys.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "broker/broker_internal.h"
#include "core/message.h"

#define TOPIC(name) "$SYS/broker/" name

struct sys_values {
    struct broker_stats stats;
    uint64_t disconnected;
};

static const struct {
    const char *topic;
    size_t at; /* in struct sys_values */
} values[] = {
    {TOPIC("bytes/received"), offsetof(struct sys_values, stats.bytes_received)},
    {TOPIC("bytes/sent"), offsetof(struct sys_values, stats.bytes_sent)},
    {TOPIC("clients/connected"), offsetof(struct sys_values, stats.clients_connected)},
    {TOPIC("clients/active"), offsetof(struct sys_values, stats.clients_connected)},
    {TOPIC("clients/disconnected"), offsetof(struct sys_values, disconnected)},
    {TOPIC("clients/maximum"), offsetof(struct sys_values, stats.clients_maximum)},
    {TOPIC("clients/total"), offsetof(struct sys_values, stats.clients_total)},
    {TOPIC("messages/received"), offsetof(struct sys_values, stats.messages_received)},
    {TOPIC("messages/sent"), offsetof(struct sys_values, stats.messages_sent)},
    {TOPIC("publish/messages/dropped"), offsetof(struct sys_values, stats.publish_dropped)},
    {TOPIC("publish/messages/received"), offsetof(struct sys_values, stats.publish_received)},
    {TOPIC("publish/messages/sent"), offsetof(struct sys_values, stats.publish_sent)},
    {"$SYS/wirepost/message_bytes", offsetof(struct sys_values, stats.message_bytes)},
    {TOPIC("retained messages/count"), offsetof(struct sys_values, stats.retained_messages)},
    {TOPIC("subscriptions/count"), offsetof(struct sys_values, stats.subscriptions)},
};
enum { FIRST_LIMIT = ARRAY_LEN(values), FIRST_DROP = FIRST_LIMIT + LIMITS };
_Static_assert(FIRST_DROP + DROP_REASONS <= SYS_VALUES, "struct sys remembers every value");

static void publish(struct sys *sys, const char *topic, const char *payload)
{
    struct message *m = message_new(str_of(topic), str_of(payload), str_of(""), 0, true);

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

static uint64_t value_at(const struct sys_values *from, size_t at)
{
    uint64_t value;

    memcpy(&value, (const char *)from + at, sizeof(value));
    return value;
}

static void publish_changed(struct sys *sys, size_t i, const char *topic, uint64_t value)
{
    if (value == sys->last[i])
        return;
    sys->last[i] = value;
    publish_number(sys, topic, value, "");
}

/* "$SYS/wirepost/dropped/queue_full" */
static void publish_own(struct sys *sys, size_t i, const char *group, const char *name, uint64_t value)
{
    char topic[80];

    snprintf(topic, sizeof(topic), "$SYS/wirepost/%s/%s", group, name);
    publish_changed(sys, i, topic, value);
}

static void publish_all(struct sys *sys)
{
    struct broker *b = sys->broker;
    struct sys_values now;

    broker_get_stats(b, &now.stats);
    now.disconnected = now.stats.clients_total - now.stats.clients_connected;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        publish_changed(sys, i, values[i].topic, value_at(&now, values[i].at));
    for (size_t i = 0; i < LIMITS; i++)
        publish_own(sys, FIRST_LIMIT + i, "limits", limit_name((enum limit)i), now.stats.limited[i]);
    for (size_t i = 0; i < DROP_REASONS; i++)
        publish_own(sys, FIRST_DROP + i, "dropped", drop_reason_name((enum drop_reason)i), now.stats.dropped[i]);
    publish_number(sys, TOPIC("uptime"), (uint64_t)(loop_now_ms(b->loop) - sys->started_ms) / 1000, " seconds");
}

static void on_timer(void *arg)
{
    struct sys *sys = arg;

    publish_all(sys);
    loop_timer_start(sys->broker->loop, &sys->timer, sys->broker->settings->sys_interval_ms);
}

void sys_start(struct sys *sys, struct broker *b)
{
    *sys = (struct sys){.broker = b, .started_ms = loop_now_ms(b->loop)};
    timer_init(&sys->timer, on_timer, sys);
    sys_begin(sys);
}

void sys_begin(struct sys *sys)
{
    sys_stop(sys);
    if (sys->broker->settings->sys_interval_ms == 0)
        return;
    for (size_t i = 0; i < SYS_VALUES; i++)
        sys->last[i] = UINT64_MAX;
    publish(sys, TOPIC("version"), "wirepost " WIREPOST_VERSION);
    on_timer(sys);
}

void sys_stop(struct sys *sys)
{
    if (sys->broker)
        loop_timer_stop(sys->broker->loop, &sys->timer);
}
