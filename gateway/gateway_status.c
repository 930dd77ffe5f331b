/*
 * gateway_status - how everything stands, for `wirepost status`: what is published anyway, gathered.
 *
 *   -> {"status": "done", "gateway": "plant7", "clients": 3, "buses": {"rs485-1": {...}}, "devices": {"tank": {...}},
 *       "bridges": {...}, "inbox": {...}, "store": {...}}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/message.h"
#include "gateway_requests.h"
#include "gateway_stages.h"

/* The topics of one group, while they are gathered. */
struct gathering {
    struct json *out;
    size_t before; /* what of a topic comes before the name... */
    size_t after;  /* ...and after it */
};

static void add(void *arg, struct message *m)
{
    struct gathering *g = arg;
    struct str name = {.data = m->topic.data + g->before, .len = m->topic.len - g->before - g->after};

    if (m->payload.len == 0)
        return;
    json_key_str(g->out, name);
    if (m->payload.data[0] == '{')
        json_raw_str(g->out, m->payload);
    else
        json_str(g->out, m->payload);
}

/* Retained messages are given while the tap is opened. */
static void gather(struct gateway *gw, struct json *out, const char *key, const char *before, const char *after)
{
    struct gathering g = {.out = out, .before = strlen(before), .after = strlen(after)};
    struct broker_tap *tap;
    char *filter;

    json_key(out, key);
    json_object_begin(out);
    if (asprintf(&filter, "%s+%s", before, after) >= 0) {
        if (broker_tap_open(gw->broker, filter, add, &g, &tap) == 0)
            broker_tap_close(tap);
        free(filter);
    }
    json_object_end(out);
}

void gateway_request_status(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct gateway *gw = gateway;
    struct broker_stats stats;
    struct buf out = {0};
    struct json j;
    char *devices;

    (void)body;
    if (request_from(rq) == REQUEST_FROM_MQTT) { /* no tap is opened while messages are routed */
        request_fail(rq, "not_here", "by MQTT this is $SYS/wirepost/# and wp/%s/d/+/status", gw->settings->gateway.id);
        return;
    }
    if (asprintf(&devices, "wp/%s/d/", gw->settings->gateway.id) < 0) {
        request_fail(rq, "memory", "out of memory");
        return;
    }
    broker_get_stats(gw->broker, &stats);
    j = request_object(rq, "done", &out);
    json_key(&j, "gateway");
    json_text(&j, gw->settings->gateway.id);
    json_key(&j, "clients");
    json_uint(&j, stats.clients_connected);
    gather(gw, &j, "buses", "$SYS/wirepost/bus/", "");
    gather(gw, &j, "devices", devices, "/status");
    gather(gw, &j, "availability", devices, "/availability");
    gather(gw, &j, "bridges", "$SYS/wirepost/bridge/", "");
    gather(gw, &j, "gateway_state", "$SYS/wirepost/", "");
    json_object_end(&j);
    request_end(rq, buf_str(&out));
    buf_fini(&out);
    free(devices);
}
