/*
 * gateway_queries - requests that are answered from what the gateway knows:
 *
 *   check   {}                              what is right and wrong in the file it runs with, as it is now
 *   reload  {}                              the same, and it goes on with that
 *   log     {"level": "debug"}              from now on
 *   frames  {"bus": "rs485-1"}              the last frames of a line
 *   audit   {"device": "tank", "limit": 20} the last writes, the newest first
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "config/config.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/log.h"
#include "gateway_buses.h"
#include "gateway_requests.h"
#include "gateway_stages.h"
#include "gateway_writes.h"
#include "store/audit.h"

enum { AUDIT_LIMIT = 100 };

static const char *text_of(const cJSON *body, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, key));
}

/* {"id":..., "status":"done", <key>: [<lines of text>]} */
static void end_with_lines(struct control_request *rq, const char *key, const struct buf *text)
{
    struct str rest = buf_str(text);
    struct buf out = {0};
    struct json j = request_object(rq, "done", &out);

    json_key(&j, key);
    json_array_begin(&j);
    while (rest.len > 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;

        json_str(&j, (struct str){.data = rest.data, .len = len});
        rest.data += end ? len + 1 : len;
        rest.len -= end ? len + 1 : len;
    }
    json_array_end(&j);
    json_object_end(&j);
    request_end(rq, buf_str(&out));
    buf_fini(&out);
}

void gateway_request_log(void *gateway, struct control_request *rq, const cJSON *body)
{
    static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
                                        [LOG_LEVEL_WARNING] = "warning",
                                        [LOG_LEVEL_INFO] = "info",
                                        [LOG_LEVEL_DEBUG] = "debug"};
    const char *level = text_of(body, "level");

    (void)gateway;
    for (size_t i = 0; level && i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], level) != 0)
            continue;
        log_set_level((enum log_level)i);
        log_info("gateway: told by %s to log %s and worse", request_who(rq), level);
        request_done(rq);
        return;
    }
    request_fail(rq, "bad_request", "'level' must be error, warning, info or debug");
}

/* Findings are its result, not its failure. */
void gateway_request_check(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct gateway *gw = gateway;
    struct settings *settings = NULL;
    struct buf report = {0};
    int r = config_load(gw->settings->path, &report, &settings);

    (void)body;
    if (r == 0 || r == -EINVAL)
        end_with_lines(rq, "report", &report);
    else
        request_fail(rq, "refused", "%s", strerror(-r));
    settings_free(settings);
    buf_fini(&report);
}

/* What it does is logged; what is wrong with the file is answered, too. */
void gateway_request_reload(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct buf report = {0};
    int r = gateway_reload_file(gateway, &report);

    (void)body;
    if (r == 0)
        end_with_lines(rq, "report", &report);
    else if (buf_len(&report) > 0)
        request_fail(rq, "refused", STR_FMT, STR_ARG(buf_str(&report)));
    else
        request_fail(rq, "refused", "%s",
                     r == -EPERM ? "a change of gateway.id or data_dir needs a restart" : strerror(-r));
    buf_fini(&report);
}

void gateway_request_frames(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct gateway *gw = gateway;
    const char *name = text_of(body, "bus");
    struct gateway_bus *bus = name ? gateway_bus_named(gw, name) : NULL;
    struct buf frames = {0};

    if (!bus)
        request_fail(rq, "no_such_bus", "no bus '%.64s' runs", name ? name : "");
    else if (bus_get_frames(bus->bus, &frames) < 0)
        request_fail(rq, "memory", "out of memory");
    else
        end_with_lines(rq, "frames", &frames);
    buf_fini(&frames);
}

/* The audit is read by the storage thread; the request may be forgotten by then, but not ended by others. */
struct audit_query {
    struct control_request *request;
    struct buf out;
    struct json json;
};

static void each_write(void *arg, const struct audit_entry *e)
{
    struct audit_query *q = arg;
    const struct {
        const char *key;
        struct str value;
    } texts[] = {{"who", e->who},   {"device", e->device}, {"tag", e->tag},  {"value", e->value},
                 {"from", e->from}, {"result", e->result}, {"code", e->code}};

    json_object_begin(&q->json);
    json_key(&q->json, "ts");
    json_int(&q->json, e->ts_ms);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_key(&q->json, texts[i].key);
        json_str(&q->json, texts[i].value);
    }
    json_object_end(&q->json);
}

static void audit_done(void *arg, int result)
{
    struct audit_query *q = arg;

    json_array_end(&q->json);
    json_object_end(&q->json);
    if (result < 0 || buf_failed(&q->out))
        request_fail(q->request, "store", "the audit cannot be read: %s", strerror(result < 0 ? -result : ENOMEM));
    else
        request_end(q->request, buf_str(&q->out));
    buf_fini(&q->out);
    free(q);
}

void gateway_request_audit(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct gateway *gw = gateway;
    struct audit_query *q = calloc(1, sizeof(*q));
    const cJSON *limit = cJSON_GetObjectItemCaseSensitive(body, "limit");
    size_t most = cJSON_IsNumber(limit) && limit->valueint > 0 ? (size_t)limit->valueint : AUDIT_LIMIT;
    int r = -ENOMEM;

    if (q) {
        q->request = rq;
        q->json = request_object(rq, "done", &q->out);
        json_key(&q->json, "writes");
        json_array_begin(&q->json);
        r = audit_read(gateway_audit(gw->writes), str_of(text_of(body, "device")), most, each_write, audit_done, q);
    }
    if (r == 0)
        return;
    if (q)
        buf_fini(&q->out);
    free(q);
    request_fail(rq, "store", "the audit cannot be read: %s", strerror(-r));
}
