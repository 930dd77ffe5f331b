/* gateway_writes - see gateway_writes.h. */
#include "gateway_writes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "bus/bus.h"
#include "core/clock.h"
#include "core/message.h"
#include "core/reading.h"
#include "drivers/driver.h"
#include "gateway_buses.h"
#include "loop.h"
#include "mqtt/packet.h"
#include "publish/publish.h"
#include "store/audit.h"
#include "write/writer.h"

enum { TOPICS = 3 };

struct gateway_writes {
    struct gateway *gw;
    struct audit *audit;
    struct writer *writer;
    struct broker_tap *taps[TOPICS];
    struct timer timer; /* of failsafe values */
};

static bool is_configured(const struct settings *s, const char *device)
{
    for (size_t i = 0; i < s->bus_count; i++)
        for (size_t d = 0; d < s->buses[i].device_count; d++)
            if (strcmp(s->buses[i].devices[d].name, device) == 0)
                return true;
    return false;
}

static int find_target(void *arg, struct str device, struct write_target *ret_target)
{
    struct gateway_writes *ws = arg;
    char name[128];
    struct gateway_bus *bus;
    size_t index;

    if (device.len >= sizeof(name))
        return -ENOENT;
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(device));
    bus = ws->gw->ending ? NULL : gateway_find_device(ws->gw, name, &index);
    if (!bus)
        return is_configured(ws->gw->settings, name) ? -EHOSTDOWN : -ENOENT;
    *ret_target = (struct write_target){
        .device = &bus->settings->devices[index], .driver = driver_find("modbus"), .bus = bus, .index = index};
    return 0;
}

static int submit(void *arg, const struct write_target *t, struct command *c)
{
    struct gateway_bus *bus = t->bus;

    (void)arg;
    return bus_submit(bus->bus, c);
}

static struct value value_now(void *arg, const struct write_target *t, uint32_t tag)
{
    struct gateway_writes *ws = arg;
    const struct gateway_bus *bus = t->bus;

    return publish_value(ws->gw->publish, bus->number, t->index, tag);
}

static void publish_result(void *arg, struct str topic, struct str payload, struct str correlation)
{
    struct gateway_writes *ws = arg;

    gateway_answer(ws->gw, topic, payload, correlation);
}

static void add_audit(void *arg, const struct audit_entry *e)
{
    struct gateway_writes *ws = arg;

    audit_add(ws->audit, e);
}

static struct writer_time now(void *arg)
{
    struct gateway_writes *ws = arg;

    return (struct writer_time){.mono_ms = loop_now_ms(ws->gw->loop), .wall_ms = clock_wall_ms()};
}

static const struct writer_ops ops = {
    .find = find_target,
    .submit = submit,
    .value = value_now,
    .publish = publish_result,
    .audit = add_audit,
    .now = now,
};

void gateway_writes_look(struct gateway_writes *ws)
{
    int64_t now_ms = loop_now_ms(ws->gw->loop);
    int64_t next_ms = ws->gw->ending ? INT64_MAX : writer_check(ws->writer);

    if (next_ms == INT64_MAX)
        loop_timer_stop(ws->gw->loop, &ws->timer);
    else
        loop_timer_start(ws->gw->loop, &ws->timer, next_ms > now_ms ? next_ms - now_ms : 0);
}

static void on_timer(void *arg)
{
    gateway_writes_look(arg);
}

static void on_request(void *arg, const struct broker_request *req)
{
    struct gateway_writes *ws = arg;
    struct message *m = req->m;
    struct write_message wm = {.topic = m->topic,
                               .payload = m->payload,
                               .retain = m->retain,
                               .who = req->client_id,
                               .expires_wall_ms = m->expires_ms ? m->expires_ms - clock_run_ms() + clock_wall_ms() : 0};
    struct mqtt_props props;

    if (mqtt_message_props(m->props, &props) == 0) {
        if (mqtt_has(&props, MQTT_PROP_RESPONSE_TOPIC) && broker_request_may_answer(req, props.response_topic))
            wm.response_topic = props.response_topic;
        if (mqtt_has(&props, MQTT_PROP_CORRELATION_DATA))
            wm.correlation = props.correlation_data;
    }
    writer_take(ws->writer, &wm);
}

static int open_topics(struct gateway_writes *ws)
{
    static const char *const ends[TOPICS] = {"set", "v/+/set", "action/+/set"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < TOPICS; i++) {
        char *filter;

        if (asprintf(&filter, "wp/%s/d/+/%s", ws->gw->settings->gateway.id, ends[i]) < 0)
            return -ENOMEM;
        r = broker_requests_open(ws->gw->broker, filter, on_request, ws, &ws->taps[i]);
        free(filter);
    }
    return r;
}

int gateway_writes_new(struct gateway *gw, struct gateway_writes **ret_writes)
{
    const struct gateway_settings *s = &gw->settings->gateway;
    struct gateway_writes *ws = calloc(1, sizeof(*ws));
    int r;

    if (!ws)
        return -ENOMEM;
    ws->gw = gw;
    timer_init(&ws->timer, on_timer, ws);
    ws->audit = audit_new(gw->store, s->audit_rows);
    ws->writer = writer_new(s->id, s->write_expiry_ms, &ops, ws, gw->completions);
    r = ws->audit && ws->writer ? open_topics(ws) : -ENOMEM;
    if (r < 0) {
        gateway_writes_stop(ws);
        gateway_writes_free(ws);
        return r;
    }
    *ret_writes = ws;
    return 0;
}

static void restore(void *arg, const struct audit_entry *e)
{
    struct gateway_writes *ws = arg;

    writer_restore(ws->writer, e);
}

static void restored(void *arg, int result)
{
    struct gateway_writes *ws = arg;

    if (result < 0 && !ws->gw->ending)
        log_warning("store: cannot read the audit (%s), failsafe values wait for the next writes", strerror(-result));
    gateway_writes_look(ws);
}

void gateway_writes_restore(struct gateway_writes *ws)
{
    int r = audit_read_last(ws->audit, restore, restored, ws);

    if (r < 0)
        restored(ws, r);
}

void gateway_writes_stop(struct gateway_writes *ws)
{
    if (!ws)
        return;
    for (size_t i = 0; i < TOPICS; i++) {
        broker_tap_close(ws->taps[i]);
        ws->taps[i] = NULL;
    }
    loop_timer_stop(ws->gw->loop, &ws->timer);
}

void gateway_writes_free(struct gateway_writes *ws)
{
    if (!ws)
        return;
    writer_free(ws->writer);
    audit_free(ws->audit);
    free(ws);
}

void gateway_writes_take(struct gateway_writes *ws, const struct write_message *m)
{
    writer_take(ws->writer, m);
}

struct audit *gateway_audit(struct gateway_writes *ws)
{
    return ws->audit;
}
