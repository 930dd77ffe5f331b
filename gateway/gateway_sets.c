/*
 * gateway_sets - writes to tags, under the tags' own rules, for those who ask by request:
 *
 *   {"device": "tank", "v": {"level": 3.5}, "verify": true, "expires_ms": 3000}
 *
 *   -> {"status": "done", "result": "verified", ...}
 *   -> {"status": "failed", "code": "out_of_range", "error": "tank level: rejected, out_of_range", ...}
 *
 * They go the way of every other write (wp/<id>/d/<device>/set), with an id of our own; the results are picked up
 * where everybody can read them. "written" may be followed by "verified", within the same turn.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/message.h"
#include "gateway_requests.h"
#include "gateway_stages.h"
#include "gateway_writes.h"
#include "loop.h"
#include "write/writer.h"

enum { ID_LEN = 32, DEVICE_LEN = 65 };

struct set_request {
    struct gateway_sets *all;
    struct list_node node;
    struct control_request *request;
    char id[ID_LEN];
    char device[DEVICE_LEN];
    struct timer timer; /* "written" was the last word */
};

struct gateway_sets {
    struct gateway *gw;
    struct broker_tap *tap;
    struct list_node open;
    uint64_t count;
};

static void free_set(struct set_request *s)
{
    loop_timer_stop(s->all->gw->loop, &s->timer);
    list_remove(&s->node);
    free(s);
}

static void end_well(struct set_request *s, const char *result)
{
    struct buf out = {0};
    struct json j = request_object(s->request, "done", &out);

    json_key(&j, "result");
    json_text(&j, result);
    json_key(&j, "device");
    json_text(&j, s->device);
    json_object_end(&j);
    request_end(s->request, buf_str(&out));
    buf_fini(&out);
    free_set(s);
}

static void end_badly(struct set_request *s, const char *status, const cJSON *result)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "code"));
    const char *tag = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "tag"));

    request_fail(s->request, code ? code : status, "%s%s%s: %s%s%s", s->device, tag ? " " : "", tag ? tag : "", status,
                 code ? ", " : "", code ? code : "");
    free_set(s);
}

static void on_written(void *arg)
{
    end_well(arg, "written");
}

static void take_result(struct set_request *s, const cJSON *result)
{
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "status"));

    if (!status || strcmp(status, "accepted") == 0)
        return;
    if (strcmp(status, "written") == 0)
        loop_timer_start(s->all->gw->loop, &s->timer, 0);
    else if (strcmp(status, "verified") == 0)
        end_well(s, status);
    else
        end_badly(s, status, result);
}

static void on_result(void *arg, struct message *m)
{
    struct gateway_sets *all = arg;
    cJSON *result = list_empty(&all->open) ? NULL : cJSON_ParseWithLength(m->payload.data, m->payload.len);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "id"));
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &all->open) {
        struct set_request *s = list_entry(n, struct set_request, node);

        if (id && strcmp(id, s->id) == 0)
            take_result(s, result);
    }
    cJSON_Delete(result);
}

/* The request as a message to the device's topic; NULL without memory. */
static char *make_payload(const struct set_request *s, const cJSON *body)
{
    static const char *const kept[] = {"v", "verify", "expires_ms"};
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;
    bool ok = root && cJSON_AddStringToObject(root, "id", s->id);

    for (size_t i = 0; ok && i < ARRAY_LEN(kept); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(body, kept[i]);

        ok = !v || cJSON_AddItemToObject(root, kept[i], cJSON_Duplicate(v, true));
    }
    if (ok)
        text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

static void write_now(struct set_request *s, const cJSON *body)
{
    struct gateway *gw = s->all->gw;
    char *payload = make_payload(s, body);
    struct buf topic = {0};

    buf_printf(&topic, "wp/%s/d/%s/set", gw->settings->gateway.id, s->device);
    if (payload && !buf_failed(&topic)) {
        struct write_message wm = {
            .topic = buf_str(&topic), .payload = str_of(payload), .who = str_of(request_who(s->request))};

        gateway_writes_take(gw->writes, &wm);
    } else {
        request_fail(s->request, "memory", "out of memory");
        free_set(s);
    }
    buf_fini(&topic);
    cJSON_free(payload);
}

void gateway_request_set(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct gateway *gw = gateway;
    const char *device = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "device"));
    struct set_request *s;

    if (!device || strlen(device) >= DEVICE_LEN || strpbrk(device, "/+#")) {
        request_fail(rq, "bad_request", "'device' must name one");
        return;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        request_fail(rq, "memory", "out of memory");
        return;
    }
    *s = (struct set_request){.all = gw->sets, .request = rq};
    timer_init(&s->timer, on_written, s);
    snprintf(s->id, sizeof(s->id), "request-%" PRIu64, ++gw->sets->count);
    snprintf(s->device, sizeof(s->device), "%s", device);
    list_push_back(&gw->sets->open, &s->node);
    write_now(s, body);
}

int gateway_start_sets(struct gateway *gw)
{
    struct gateway_sets *all = calloc(1, sizeof(*all));
    char *filter;
    int r;

    if (!all)
        return -ENOMEM;
    all->gw = gw;
    list_init(&all->open);
    gw->sets = all;
    if (asprintf(&filter, "wp/%s/d/+/result", gw->settings->gateway.id) < 0)
        return -ENOMEM;
    r = broker_tap_open(gw->broker, filter, on_result, all, &all->tap);
    free(filter);
    return r;
}

void gateway_stop_sets(struct gateway *gw)
{
    struct list_node *n;
    struct list_node *after;

    if (!gw->sets)
        return;
    broker_tap_close(gw->sets->tap);
    list_for_each_safe (n, after, &gw->sets->open) {
        struct set_request *s = list_entry(n, struct set_request, node);

        request_fail(s->request, "stopped", "the gateway stops");
        free_set(s);
    }
    free(gw->sets);
    gw->sets = NULL;
}
