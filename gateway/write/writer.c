/* writer - see writer.h. */
#include "write/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/reading.h"
#include "core/value_json.h"
#include "drivers/driver.h"
#include "store/audit.h"
#include "write/failsafe.h"
#include "write/outcome.h"
#include "write/recent.h"
#include "write/write_job.h"

/* A client that is always refused must not wear out the flash. */
enum { REJECTS_AUDITED = 60, REJECTS_WINDOW_MS = 60000, AUDITED_TEXT = VALUE_TEXT_MAX };

static const char failsafe_name[] = "failsafe";

/* The ids of a device that had requests with one. */
struct known_device {
    struct list_node node;
    char *name;
    struct recent recent;
};

struct writer {
    char *gateway_id;
    int64_t expiry_ms;
    const struct writer_ops *ops;
    void *arg;
    struct completions *reply_to;
    struct list_node jobs;    /* with a bus */
    struct list_node devices; /* struct known_device */
    struct failsafe failsafe;
    struct writer_time now; /* of this call */
    int64_t rejects_since_ms;
    uint32_t rejects;
    uint64_t next_id;
    struct buf topic;   /* scratch */
    struct buf payload; /* scratch */
};

struct writer *writer_new(const char *gateway_id, int64_t expiry_ms, const struct writer_ops *ops, void *arg,
                          struct completions *reply_to)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->gateway_id = strdup(gateway_id);
    w->expiry_ms = expiry_ms;
    w->ops = ops;
    w->arg = arg;
    w->reply_to = reply_to;
    list_init(&w->jobs);
    list_init(&w->devices);
    failsafe_init(&w->failsafe);
    if (!w->gateway_id) {
        writer_free(w);
        return NULL;
    }
    return w;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    while (!list_empty(&w->devices)) {
        struct known_device *d = list_entry(w->devices.next, struct known_device, node);

        list_remove(&d->node);
        recent_fini(&d->recent);
        free(d->name);
        free(d);
    }
    failsafe_fini(&w->failsafe);
    buf_fini(&w->topic);
    buf_fini(&w->payload);
    free(w->gateway_id);
    free(w);
}

/* NULL when out of memory: its ids are not remembered. */
static struct recent *recent_of(struct writer *w, const char *device)
{
    struct known_device *d;
    struct list_node *n;

    list_for_each (n, &w->devices) {
        d = list_entry(n, struct known_device, node);
        if (strcmp(d->name, device) == 0)
            return &d->recent;
    }
    d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->name = strdup(device);
    if (!d->name) {
        free(d);
        return NULL;
    }
    list_push_back(&w->devices, &d->node);
    return &d->recent;
}

/* What is said of a job. */
struct saying {
    enum write_status status;
    const char *code;
    const char *tag;
    size_t count; /* of the entries: the values to show */
    int64_t ts_ms;
};

static void tell(struct writer *w, const struct write_job *job, const struct saying *s)
{
    struct outcome_value values[REQUEST_ITEMS_MAX];
    const struct outcome o = {.id = job->id,
                              .status = s->status,
                              .code = s->code,
                              .tag = s->tag,
                              .values = values,
                              .count = s->count,
                              .ts_ms = s->ts_ms};

    for (size_t i = 0; i < s->count; i++)
        values[i] = (struct outcome_value){.name = job->entries[i].name, .json = job->entries[i].json};
    buf_clear(&w->topic);
    buf_clear(&w->payload);
    buf_printf(&w->topic, "wp/%s/d/%s/result", w->gateway_id, job->device);
    outcome_print(&o, &w->payload);
    if (buf_failed(&w->topic) || buf_failed(&w->payload))
        return;
    w->ops->publish(w->arg, buf_str(&w->topic), buf_str(&w->payload), str_of(""));
    if (job->response_topic.len > 0)
        w->ops->publish(w->arg, job->response_topic, buf_str(&w->payload), job->correlation);
}

static struct str cut(struct str text)
{
    return (struct str){.data = text.data, .len = text.len < AUDITED_TEXT ? text.len : AUDITED_TEXT};
}

static void record(struct writer *w, const struct write_job *job, const struct job_entry *e, const struct saying *s)
{
    const struct audit_entry entry = {
        .ts_ms = s->ts_ms,
        .who = job->who,
        .device = str_of(job->device),
        .tag = str_of(e ? e->name : ""),
        .value = cut(e ? e->text : str_of("")),
        .from = cut(e ? e->before : str_of("")),
        .result = str_of(write_status_name(s->status)),
        .code = str_of(s->code),
    };

    w->ops->audit(w->arg, &entry);
}

static bool rejects_are_audited(struct writer *w)
{
    if (w->rejects_since_ms == 0 || w->now.mono_ms - w->rejects_since_ms >= REJECTS_WINDOW_MS) {
        w->rejects_since_ms = w->now.mono_ms;
        w->rejects = 0;
    }
    return w->rejects++ < REJECTS_AUDITED;
}

static void reject(struct writer *w, struct write_job *job, const char *code, const char *tag)
{
    const struct saying s = {
        .status = WRITE_REJECTED, .code = code, .tag = tag, .count = job->count, .ts_ms = w->now.wall_ms};

    tell(w, job, &s);
    if (rejects_are_audited(w)) {
        for (size_t i = 0; i < job->count; i++)
            record(w, job, &job->entries[i], &s);
        if (job->count == 0)
            record(w, job, NULL, &s);
    }
    write_job_free(job);
}

/* What became of each item, with code and status of the one that failed, if one did. */
static void record_all(struct writer *w, const struct write_job *job, const struct saying *failure)
{
    const struct command_write *c = &job->command.write;
    size_t failed = c->written < c->count ? c->written : c->verified;

    for (size_t i = 0; i < job->count; i++) {
        struct saying s = {.status = c->items[i].verify ? WRITE_VERIFIED : WRITE_WRITTEN, .ts_ms = job->command.ts_ms};

        if (failure && (i == failed || c->written == 0))
            s = *failure;
        else if (failure && i > failed && i >= c->written)
            s = (struct saying){.status = WRITE_FAILED, .code = "not_done", .ts_ms = s.ts_ms};
        else if (failure && i > failed)
            s.status = WRITE_WRITTEN; /* not read back any more */
        record(w, job, &job->entries[i], &s);
    }
}

static bool is_of_failsafe(const struct write_job *job)
{
    return job->who.data == failsafe_name;
}

/* It was asked, but its answer is not to be had: the device may well have done it. */
static bool may_be_written(const struct command *c, size_t item)
{
    return item == c->write.written && (c->result == -ETIMEDOUT || c->result == -EBADMSG || c->result == -EPROTO);
}

static void tell_failsafe(struct writer *w, const struct write_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct job_entry *e = &job->entries[i];
        bool written = i < job->command.write.written;

        if (is_of_failsafe(job))
            failsafe_done(&w->failsafe, job->device, e->name, written, w->now.mono_ms);
        else if ((written || may_be_written(&job->command, i)) && e->failsafe)
            failsafe_written(&w->failsafe, job->device, e->name, e->failsafe, e->failsafe_after_ms, w->now.mono_ms);
    }
}

static bool verifies(const struct command_write *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].verify)
            return true;
    return false;
}

static void on_done(void *arg, struct command *c)
{
    struct write_job *job = arg;
    struct writer *w = job->writer;
    struct saying s = {.status = WRITE_WRITTEN, .count = c->write.written, .ts_ms = c->ts_ms};
    bool all_written = c->write.written == c->write.count;
    char code[OUTCOME_CODE_LEN];

    w->now = w->ops->now(w->arg);
    if (job->command.ts_ms == 0) /* never begun */
        job->command.ts_ms = s.ts_ms = w->now.wall_ms;
    list_remove(&job->node);
    if (all_written)
        tell(w, job, &s);
    if (c->result == 0) {
        s.status = WRITE_VERIFIED;
        if (verifies(&c->write))
            tell(w, job, &s);
    } else {
        s.status = outcome_of_result(c->result, c->exception, code, &s.code);
        s.tag = job->entries[all_written ? c->write.verified : c->write.written].name;
        tell(w, job, &s);
    }
    record_all(w, job, c->result == 0 ? NULL : &s);
    tell_failsafe(w, job);
    write_job_free(job);
}

static bool find_tag(const struct device_settings *d, const char *name, uint32_t *ret_index)
{
    for (size_t i = 0; i < d->tag_count; i++)
        if (strcmp(d->tags[i].name, name) == 0) {
            *ret_index = (uint32_t)i;
            return true;
        }
    return false;
}

static bool find_action(const struct device_settings *d, const char *name, uint32_t *ret_index)
{
    for (size_t i = 0; i < d->action_count; i++)
        if (strcmp(d->actions[i].name, name) == 0) {
            *ret_index = (uint32_t)i;
            return true;
        }
    return false;
}

static struct str keep_value(struct write_job *job, const struct value *v, bool as_json)
{
    struct buf printed = {0};
    struct json j = json_to(&printed);
    struct str kept;

    if (as_json)
        json_value(&j, v);
    else
        value_print(v, &printed);
    kept = write_job_keep(job, buf_str(&printed));
    buf_fini(&printed);
    return kept;
}

/* NULL, or the code to refuse the whole request with. verify: -1 as the tag says. */
static const char *check_tag(struct writer *w, struct write_job *job, size_t i, const struct write_target *t,
                             int verify)
{
    struct job_entry *e = &job->entries[i];
    struct write_item *item = &job->command.write.items[i];
    const struct tag_settings *tag;
    char text[VALUE_TEXT_MAX];
    struct value shown;
    struct value before;
    int r;

    if (!find_tag(t->device, e->name, &item->index))
        return "unknown_tag";
    tag = &t->device->tags[item->index];
    if (!tag->write.allowed || !t->driver->preview || !t->driver->write)
        return "read_only";
    r = t->driver->preview(tag, e->text, text, &shown);
    if (r < 0)
        return r == -ERANGE ? "out_of_range" : "bad_value";
    before = w->ops->value(w->arg, t, item->index);
    e->before = keep_value(job, &before, false);
    e->json = keep_value(job, &shown, true);
    e->failsafe = tag->write.failsafe ? write_job_keep(job, str_of(tag->write.failsafe)).data : NULL;
    e->failsafe_after_ms = tag->write.failsafe_after_ms;
    item->text = e->text;
    item->verify = !t->device->broadcast && (verify < 0 ? tag->write.verify : verify > 0);
    return NULL;
}

static const char *check_action(struct write_job *job, const struct write_target *t)
{
    struct write_item *item = &job->command.write.items[0];

    if (!find_action(t->device, job->entries[0].name, &item->index))
        return "unknown_tag";
    item->is_action = true;
    job->entries[0].json = str_of("true");
    return NULL;
}

static const char *check_items(struct writer *w, struct write_job *job, const struct write_request *req,
                               const struct write_target *t, const char **ret_tag)
{
    for (size_t i = 0; i < job->count; i++) {
        const char *code = !req->items[i].is_value ? "bad_value"
                           : req->is_action        ? check_action(job, t)
                                                   : check_tag(w, job, i, t, req->verify);

        if (code) {
            *ret_tag = job->entries[i].name;
            return code;
        }
    }
    return NULL;
}

/* 0 or -errno of submit. The job is the bus's then. */
static int submit(struct writer *w, struct write_job *job, const struct write_target *t, int64_t expires_mono_ms)
{
    struct command *c = &job->command;
    int r;

    c->kind = COMMAND_WRITE;
    c->expires_ms = expires_mono_ms;
    c->reply_to = w->reply_to;
    c->done = on_done;
    c->arg = job;
    c->write.device = (uint32_t)t->index;
    c->write.count = job->count;
    job->writer = w;
    list_push_back(&w->jobs, &job->node);
    r = w->ops->submit(w->arg, t, c);
    if (r < 0)
        list_remove(&job->node);
    return r;
}

static int64_t expiry_of(const struct writer *w, const struct write_request *req, const struct write_message *m)
{
    int64_t expiry_ms = req->expires_ms >= 0 ? req->expires_ms : w->expiry_ms;

    if (m->expires_wall_ms > 0 && m->expires_wall_ms - w->now.wall_ms < expiry_ms)
        expiry_ms = m->expires_wall_ms - w->now.wall_ms;
    return expiry_ms;
}

/* NULL, or why the whole request is refused. */
static const char *carry_out(struct writer *w, struct write_job *job, const struct write_request *req,
                             const struct write_target *t, int64_t expiry_ms, const char **ret_tag)
{
    struct recent *recent = req->has_id ? recent_of(w, job->device) : NULL;
    const char *code;
    int r;

    if (recent && recent_has(recent, job->id))
        return "duplicate";
    code = check_items(w, job, req, t, ret_tag);
    if (code)
        return code;
    r = submit(w, job, t, w->now.mono_ms + expiry_ms);
    if (r < 0)
        return r == -ENOBUFS ? "busy" : "device_offline";
    if (recent)
        recent_add(recent, job->id);
    return NULL;
}

/* NULL, or why there is nobody to write to. */
static const char *find(struct writer *w, struct str device, struct write_target *ret_target)
{
    int r = w->ops->find(w->arg, device, ret_target);

    return r == 0 ? NULL : r == -ENOENT ? "unknown_device" : "device_offline";
}

static void set_origin(struct writer *w, struct write_job *job, const struct write_message *m)
{
    char id[64];

    job->who = write_job_keep(job, m->who);
    if (request_may_answer_on(w->gateway_id, m->response_topic))
        job->response_topic = write_job_keep(job, m->response_topic);
    job->correlation = write_job_keep(job, m->correlation);
    if (job->id.len > 0)
        return;
    snprintf(id, sizeof(id), "\"%" PRId64 "-%" PRIu64 "\"", w->now.wall_ms, ++w->next_id);
    job->id = write_job_keep(job, str_of(id));
}

void writer_take(struct writer *w, const struct write_message *m)
{
    struct arena *arena = arena_new();
    struct write_target target;
    struct write_request req;
    struct write_job *job = NULL;
    const char *tag = NULL;
    const char *code;
    int r = arena ? request_parse(w->gateway_id, m->topic, m->payload, arena, &req) : -ENOMEM;

    w->now = w->ops->now(w->arg);
    if (r == 0 || r == -EBADMSG)
        job = write_job_new(&req, arena);
    if (!job) { /* not for us, or no memory to answer with */
        arena_free(arena);
        return;
    }
    set_origin(w, job, m);
    code = m->retain ? "retained" : r < 0 ? "bad_value" : find(w, req.device, &target);
    if (!code)
        code = carry_out(w, job, &req, &target, expiry_of(w, &req, m), &tag);
    if (code)
        reject(w, job, code, tag);
    else
        tell(w, job, &(struct saying){.status = WRITE_ACCEPTED, .count = job->count, .ts_ms = w->now.wall_ms});
}

static bool is_under_way(const struct writer *w, const char *device, const char *tag)
{
    struct list_node *n;

    list_for_each (n, &w->jobs) {
        const struct write_job *job = list_entry(n, struct write_job, node);

        for (size_t i = 0; strcmp(job->device, device) == 0 && i < job->count; i++)
            if (strcmp(job->entries[i].name, tag) == 0)
                return true;
    }
    return false;
}

/* False when it has to be tried again. */
static bool write_failsafe(struct writer *w, const struct failsafe_due *due)
{
    const struct write_message m = {.who = {.data = failsafe_name, .len = sizeof(failsafe_name) - 1}};
    struct write_job *job = write_job_new_single(due->device, due->tag, str_of(due->value));
    struct write_target target;

    if (!job || is_under_way(w, due->device, due->tag) || w->ops->find(w->arg, str_of(due->device), &target) < 0 ||
        check_tag(w, job, 0, &target, -1)) {
        write_job_free(job);
        return false;
    }
    set_origin(w, job, &m);
    job->who = m.who;
    if (submit(w, job, &target, w->now.mono_ms + w->expiry_ms) < 0) {
        write_job_free(job);
        return false;
    }
    log_warning("%s: nobody has written %s for too long, writing its failsafe value %s", due->device, due->tag,
                due->value);
    tell(w, job, &(struct saying){.status = WRITE_ACCEPTED, .count = 1, .ts_ms = w->now.wall_ms});
    return true;
}

/* Whether the configuration still wants a failsafe value there. */
static bool still_wanted(struct writer *w, const char *device, const char *tag)
{
    struct write_target t;
    uint32_t index;
    int r = w->ops->find(w->arg, str_of(device), &t);

    if (r < 0)
        return r != -ENOENT; /* its bus is being changed */
    return find_tag(t.device, tag, &index) && t.device->tags[index].write.failsafe;
}

int64_t writer_check(struct writer *w)
{
    struct failsafe_due due;

    w->now = w->ops->now(w->arg);
    while (failsafe_take(&w->failsafe, w->now.mono_ms, &due)) {
        if (!still_wanted(w, due.device, due.tag))
            failsafe_forget(&w->failsafe, due.device, due.tag);
        else if (!write_failsafe(w, &due))
            failsafe_done(&w->failsafe, due.device, due.tag, false, w->now.mono_ms);
    }
    return failsafe_next(&w->failsafe);
}

void writer_restore(struct writer *w, const struct audit_entry *e)
{
    struct write_target t;
    const struct tag_settings *tag;

    w->now = w->ops->now(w->arg);
    if (str_equal(e->who, str_of(failsafe_name)) || w->ops->find(w->arg, e->device, &t) < 0)
        return;
    tag = t.device->tags;
    while (tag < t.device->tags + t.device->tag_count && !str_equal(str_of(tag->name), e->tag))
        tag++;
    if (tag < t.device->tags + t.device->tag_count && tag->write.failsafe)
        failsafe_written(&w->failsafe, t.device->name, tag->name, tag->write.failsafe, tag->write.failsafe_after_ms,
                         w->now.mono_ms);
}
