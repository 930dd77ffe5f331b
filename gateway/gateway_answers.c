/*
 * gateway_answers - requests by MQTT:
 *
 *   wp/<id>/request/<name>  {"id": 7, ...}  ->  wp/<id>/response/<name>  {"id": 7, "status": ...}
 *
 * or to the response topic of an MQTT 5 request, with its correlation data. The name "cancel" ends the request
 * with the same id.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "core/buf.h"
#include "core/message.h"
#include "core/utf8.h"
#include "gateway_requests.h"
#include "gateway_stages.h"
#include "mqtt/packet.h"
#include "write/request.h"

enum { PAYLOAD_MAX = 65536, NAME_MAX_LEN = 64 };

/* Where the answers of one request go. */
struct answering {
    struct gateway_answers *all;
    struct list_node node;
    struct control_request *request; /* NULL: it begins just now */
    char *topic;
    struct buf correlation;
};

struct gateway_answers {
    struct gateway *gw;
    struct requests *requests;
    struct broker_tap *tap;
    size_t prefix_len; /* of "wp/<id>/request/" */
    struct list_node open;
};

static void free_answering(struct answering *a)
{
    list_remove(&a->node);
    buf_fini(&a->correlation);
    free(a->topic);
    free(a);
}

static void on_answer(void *arg, struct str object, bool last)
{
    struct answering *a = arg;

    if (object.len > 0)
        gateway_answer(a->all->gw, str_of(a->topic), object, buf_str(&a->correlation));
    if (last)
        free_answering(a);
}

static struct answering *new_answering(struct gateway_answers *all, struct str name, const struct broker_request *req,
                                       const struct mqtt_props *props)
{
    struct answering *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return NULL;
    a->all = all;
    list_push_back(&all->open, &a->node);
    if (mqtt_has(props, MQTT_PROP_RESPONSE_TOPIC) &&
        request_may_answer_on(all->gw->settings->gateway.id, props->response_topic) &&
        broker_request_may_answer(req, props->response_topic))
        r = asprintf(&a->topic, STR_FMT, STR_ARG(props->response_topic));
    else
        r = asprintf(&a->topic, "wp/%s/response/" STR_FMT, all->gw->settings->gateway.id, STR_ARG(name));
    if (mqtt_has(props, MQTT_PROP_CORRELATION_DATA))
        buf_append(&a->correlation, props->correlation_data.data, props->correlation_data.len);
    if (r < 0)
        a->topic = NULL;
    if (r < 0 || buf_failed(&a->correlation)) {
        free_answering(a);
        return NULL;
    }
    return a;
}

static void cancel(struct gateway_answers *all, const cJSON *body)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(body, "id");
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &all->open) {
        struct answering *a = list_entry(n, struct answering, node);

        if (a->request && request_has_id(a->request, id))
            request_cancel(a->request);
    }
}

static void begin(struct answering *a, const char *name, const cJSON *body, struct str who)
{
    struct control_request *rq = requests_begin(a->all->requests, REQUEST_FROM_MQTT, who, name, body, on_answer, a);

    if (rq)
        a->request = rq;
}

static void refuse(struct answering *a, const char *code, const char *why)
{
    struct buf object = {0};

    buf_printf(&object, "{\"status\":\"failed\",\"code\":\"%s\",\"error\":\"%s\"}", code, why);
    on_answer(a, buf_str(&object), true);
    buf_fini(&object);
}

static void on_request(void *arg, const struct broker_request *req)
{
    struct gateway_answers *all = arg;
    struct message *m = req->m;
    struct str name = {.data = m->topic.data + all->prefix_len, .len = m->topic.len - all->prefix_len};
    struct mqtt_props props = {0};
    struct answering *a;
    char name_text[NAME_MAX_LEN];
    cJSON *body;

    if (mqtt_message_props(m->props, &props) < 0)
        props = (struct mqtt_props){0};
    a = new_answering(all, name, req, &props);
    if (!a) {
        all->gw->lost_to_memory++;
        return;
    }
    snprintf(name_text, sizeof(name_text), STR_FMT, STR_ARG(name));
    body = m->payload.len == 0 ? cJSON_CreateObject()
           : m->payload.len > PAYLOAD_MAX || !utf8_valid(m->payload)
               ? NULL
               : cJSON_ParseWithLength(m->payload.data, m->payload.len);
    if (m->retain) {
        refuse(a, "retained", "a request must not be retained");
    } else if (!cJSON_IsObject(body)) {
        refuse(a, "bad_request", "a request must be a JSON object");
    } else if (strcmp(name_text, "cancel") == 0) {
        cancel(all, body);
        free_answering(a);
    } else {
        begin(a, name_text, body, req->client_id);
    }
    cJSON_Delete(body);
}

int gateway_start_answers(struct gateway *gw, struct requests *requests, struct gateway_answers **ret_answers)
{
    struct gateway_answers *all = calloc(1, sizeof(*all));
    char *filter;
    int r;

    if (!all)
        return -ENOMEM;
    *all = (struct gateway_answers){.gw = gw, .requests = requests};
    list_init(&all->open);
    r = asprintf(&filter, "wp/%s/request/+", gw->settings->gateway.id);
    if (r < 0) {
        free(all);
        return -ENOMEM;
    }
    all->prefix_len = strlen(filter) - 1;
    r = broker_requests_open(gw->broker, filter, on_request, all, &all->tap);
    free(filter);
    if (r < 0) {
        free(all);
        return r;
    }
    *ret_answers = all;
    return 0;
}

void gateway_stop_answers(struct gateway_answers *all)
{
    struct list_node *n;
    struct list_node *after;

    if (!all)
        return;
    broker_tap_close(all->tap);
    list_for_each_safe (n, after, &all->open) {
        struct answering *a = list_entry(n, struct answering, node);

        request_abandon(a->request);
        free_answering(a);
    }
    free(all);
}
