/*
 * gateway_jobs - scans, reads and writes of people, one request after the other between the polls of a bus.
 *
 *   step: job_next() -> question -> bus_submit() ... done: job_answer() -> step
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/command.h"
#include "commission/job.h"
#include "core/clock.h"
#include "gateway_buses.h"
#include "gateway_requests.h"
#include "gateway_stages.h"
#include "gateway_writes.h"
#include "loop.h"
#include "store/audit.h"

enum {
    JOBS_MAX = 32,
    TARGET_LEN = 160,
    WAIT_MS = 60000, /* for a bus that has no time */
};

struct gateway_job {
    struct gateway *gw;
    struct settings *settings; /* a reference */
    struct job_site site;
    struct job *job;
    struct control_request *request;
    struct command command;
    bool submitted; /* the command is the bus's */
    bool cancelled;
    cJSON *what;             /* of a write, for the audit: its request; NULL: it changes nothing */
    char target[TARGET_LEN]; /* the device, or bus/unit */
    struct timer timer;      /* the next step */
    struct list_node node;
};

static void end_job(struct gateway_job *gj)
{
    loop_timer_stop(gj->gw->loop, &gj->timer);
    list_remove(&gj->node);
    gj->gw->job_count--;
    job_free(gj->job);
    request_finish(gj->request);
    settings_free(gj->settings);
    cJSON_Delete(gj->what);
    free(gj);
}

static struct str text_of(const cJSON *object, const char *key)
{
    return str_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)));
}

/* Who wrote what, as any other write: the tag is "holding 7". */
static void audit_write(struct gateway_job *gj, struct str text)
{
    cJSON *told = cJSON_ParseWithLength(text.data, text.len);
    char *new = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(gj->what, "values"));
    char *old = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(told, "old"));
    const cJSON *address = cJSON_GetObjectItemCaseSensitive(gj->what, "address");
    bool failed = str_equal(text_of(told, "status"), str_of("failed"));
    char tag[64];

    snprintf(tag, sizeof(tag), STR_FMT " %d", STR_ARG(text_of(gj->what, "table")),
             cJSON_IsNumber(address) ? address->valueint : 0);
    audit_add(gateway_audit(gj->gw->writes),
              &(struct audit_entry){.ts_ms = clock_wall_ms(),
                                    .who = str_of(request_who(gj->request)),
                                    .device = str_of(gj->target),
                                    .tag = str_of(tag),
                                    .value = str_of(new),
                                    .from = str_of(old),
                                    .result = failed ? str_of("failed") : text_of(told, "result"),
                                    .code = text_of(told, "code")});
    cJSON_free(new);
    cJSON_free(old);
    cJSON_Delete(told);
}

static void tell(void *arg, struct str object)
{
    struct gateway_job *gj = arg;

    if (gj->what)
        audit_write(gj, object);
    request_tell(gj->request, object);
}

static void again(struct gateway_job *gj)
{
    loop_timer_start(gj->gw->loop, &gj->timer, 0);
}

static void on_done(void *arg, struct command *c)
{
    struct gateway_job *gj = arg;
    struct answer a = {.result = c->result < 0 ? c->result : (int)c->raw.answer_len,
                       .exception = c->exception,
                       .pdu = c->raw.answer,
                       .took_us = c->cost_us};

    gj->submitted = false;
    job_answer(gj->job, &a);
    again(gj);
}

/* A reload may have begun it anew since. */
static struct gateway_bus *find_bus(const struct gateway_job *gj)
{
    return gateway_bus_named(gj->gw, gj->settings->buses[job_bus(gj->job)].name);
}

static void submit(struct gateway_job *gj, const struct question *q)
{
    struct gateway_bus *bus = find_bus(gj);
    struct answer refused;

    gj->command = (struct command){
        .kind = COMMAND_RAW,
        .expires_ms = clock_mono_ms() + WAIT_MS,
        .reply_to = gj->gw->completions,
        .done = on_done,
        .arg = gj,
        .raw = {.unit = q->unit, .len = q->len, .want = q->want, .timeout_ms = q->timeout_ms, .port = q->port}};
    memcpy(gj->command.raw.pdu, q->pdu, q->len);
    refused = (struct answer){.result = bus ? bus_submit(bus->bus, &gj->command) : -ECANCELED};
    gj->submitted = refused.result == 0;
    if (gj->submitted)
        return;
    job_answer(gj->job, &refused);
    again(gj);
}

static void step(void *arg)
{
    struct gateway_job *gj = arg;
    struct question q;

    if (gj->cancelled)
        job_cancel(gj->job);
    switch (job_next(gj->job, loop_now_ms(gj->gw->loop), &q)) {
    case JOB_ASK:
        submit(gj, &q);
        break;
    case JOB_AGAIN:
        again(gj);
        break;
    case JOB_DONE:
        end_job(gj);
        break;
    }
}

static void on_cancel(void *arg)
{
    struct gateway_job *gj = arg;

    gj->cancelled = true; /* with the next step: the bus may have the command */
}

/* One scan of a line is enough. */
static bool is_scanned(const struct gateway *gw, const char *bus)
{
    struct list_node *n;

    list_for_each (n, &gw->jobs) {
        struct gateway_job *gj = list_entry(n, struct gateway_job, node);

        if (job_is_long(gj->job) && strcmp(gj->settings->buses[job_bus(gj->job)].name, bus) == 0)
            return true;
    }
    return false;
}

static bool may_run(struct gateway_job *gj, struct job_error *error)
{
    const char *bus = gj->settings->buses[job_bus(gj->job)].name;

    if (!find_bus(gj)) {
        *error = (struct job_error){.code = "stopped"};
        snprintf(error->text, sizeof(error->text), "bus %s does not run", bus);
    } else if (gj->gw->job_count >= JOBS_MAX) {
        *error = (struct job_error){.code = "busy", .text = "too many scans, reads and writes at once"};
    } else if (job_is_long(gj->job) && is_scanned(gj->gw, bus)) {
        *error = (struct job_error){.code = "busy"};
        snprintf(error->text, sizeof(error->text), "bus %s is being scanned already", bus);
    } else {
        return true;
    }
    return false;
}

static struct gateway_job *new_job(struct gateway *gw, struct control_request *rq)
{
    struct gateway_job *gj = calloc(1, sizeof(*gj));

    if (!gj)
        return NULL;
    gj->gw = gw;
    gj->request = rq;
    gj->settings = settings_ref(gw->settings);
    gj->site = (struct job_site){.buses = gj->settings->buses,
                                 .bus_count = gj->settings->bus_count,
                                 .config_path = gj->settings->path,
                                 .polled = true};
    timer_init(&gj->timer, step, gj);
    return gj;
}

/* Without memory it goes unaudited, not undone. */
static void remember_write(struct gateway_job *gj, const cJSON *body)
{
    const char *device = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "device"));
    const cJSON *unit = cJSON_GetObjectItemCaseSensitive(body, "unit");

    gj->what = cJSON_Duplicate(body, true);
    if (device)
        snprintf(gj->target, sizeof(gj->target), "%s", device);
    else
        snprintf(gj->target, sizeof(gj->target), "%s unit %d", gj->settings->buses[job_bus(gj->job)].name,
                 cJSON_IsNumber(unit) ? unit->valueint : 1);
}

static void begin(struct gateway *gw, const char *kind, struct control_request *rq, const cJSON *body)
{
    struct gateway_job *gj = new_job(gw, rq);
    struct job_error error = {.code = "memory", .text = "out of memory"};

    if (!gj) {
        request_fail(rq, error.code, "%s", error.text);
        return;
    }
    if (job_new(&gj->site, kind, body, tell, gj, &gj->job, &error) < 0 || !may_run(gj, &error)) {
        request_fail(rq, error.code, "%s", error.text);
        job_free(gj->job);
        settings_free(gj->settings);
        free(gj);
        return;
    }
    if (strcmp(kind, "write") == 0)
        remember_write(gj, body);
    list_push_back(&gw->jobs, &gj->node);
    gw->job_count++;
    request_on_cancel(rq, on_cancel, gj);
    again(gj);
}

/* What changes something, or keeps a line busy for minutes, is not for everybody whom the broker lets publish. */
static bool is_allowed(const struct gateway *gw, struct control_request *rq, const char *kind)
{
    if (request_from(rq) != REQUEST_FROM_MQTT || gw->settings->gateway.remote_commissioning)
        return true;
    request_fail(rq, "not_allowed", "%s by MQTT needs remote_commissioning: true in the section gateway", kind);
    return false;
}

void gateway_request_scan(void *gateway, struct control_request *rq, const cJSON *body)
{
    if (is_allowed(gateway, rq, "scan"))
        begin(gateway, "scan", rq, body);
}

void gateway_request_read(void *gateway, struct control_request *rq, const cJSON *body)
{
    begin(gateway, "read", rq, body);
}

void gateway_request_write(void *gateway, struct control_request *rq, const cJSON *body)
{
    if (is_allowed(gateway, rq, "write"))
        begin(gateway, "write", rq, body);
}

/* The buses have ended, and have given back their commands. */
void gateway_end_jobs(struct gateway *gw)
{
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &gw->jobs)
        end_job(list_entry(n, struct gateway_job, node));
}
