/* job - see job.h. */
#include "commission/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commission/fields.h"
#include "commission/job_private.h"

static const struct {
    const char *name;
    int (*make)(const struct job_site *site, struct fields *f, struct job **ret_job);
} kinds[] = {
    {"read", read_new},
    {"scan", scan_new},
    {"write", write_new},
};

static char *print_id(const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");

    return id ? cJSON_PrintUnformatted(id) : NULL;
}

static int adopt(struct job *j, const struct job_site *site, const cJSON *request, job_tell_fn *tell, void *arg)
{
    j->site = site;
    j->tell = tell;
    j->arg = arg;
    j->id = print_id(request);
    return cJSON_GetObjectItemCaseSensitive(request, "id") && !j->id ? -ENOMEM : 0;
}

int job_new(const struct job_site *site, const char *kind, const cJSON *request, job_tell_fn *tell, void *arg,
            struct job **ret_job, struct job_error *ret_error)
{
    struct fields f = {.request = request, .error = ret_error};
    struct job *j = NULL;
    int r = -EINVAL;

    fields_refuse(&f, "bad_request", "a request must be a JSON object");
    for (size_t i = 0; i < ARRAY_LEN(kinds) && cJSON_IsObject(request); i++) {
        if (strcmp(kinds[i].name, kind) != 0)
            continue;
        f.bad = false;
        r = kinds[i].make(site, &f, &j);
        if (r == 0)
            r = adopt(j, site, request, tell, arg);
    }
    if (r < 0) {
        job_free(j);
        return r;
    }
    *ret_job = j;
    return 0;
}

void job_free(struct job *j)
{
    if (!j)
        return;
    cJSON_free(j->id);
    buf_fini(&j->out);
    j->ops->free(j);
}

size_t job_bus(const struct job *j)
{
    return (size_t)(j->bus - j->site->buses);
}

bool job_is_long(const struct job *j)
{
    return j->is_long;
}

struct json job_begin(struct job *j, const char *status)
{
    struct json out = json_to(&j->out);

    buf_clear(&j->out);
    json_object_begin(&out);
    if (j->id) {
        json_key(&out, "id");
        json_raw(&out, j->id);
    }
    json_key(&out, "status");
    json_text(&out, status);
    return out;
}

void job_send(struct job *j, struct json *out)
{
    json_object_end(out);
    if (!buf_failed(&j->out))
        j->tell(j->arg, buf_str(&j->out));
}

void job_fail(struct job *j, const char *code, const char *fmt, ...)
{
    va_list args;

    snprintf(j->error.code, sizeof(j->error.code), "%s", code);
    va_start(args, fmt);
    vsnprintf(j->error.text, sizeof(j->error.text), fmt, args);
    va_end(args);
}

static void print_error(struct json *out, const struct job_error *error)
{
    json_key(out, "code");
    json_text(out, error->code);
    json_key(out, "error");
    json_text(out, error->text);
}

static void end_failed(struct job *j)
{
    struct json out = job_begin(j, "failed");

    print_error(&out, &j->error);
    job_send(j, &out);
    j->ended = true;
}

enum job_step job_next(struct job *j, int64_t now_ms, struct question *ret_question)
{
    enum job_step step;

    if (j->ended)
        return JOB_DONE;
    step = j->error.code[0] ? JOB_DONE : j->ops->next(j, now_ms, ret_question);
    if (step != JOB_DONE)
        return step;
    if (j->error.code[0])
        end_failed(j);
    else
        j->ops->end(j, "done");
    j->ended = true;
    return JOB_DONE;
}

void job_answer(struct job *j, const struct answer *a)
{
    if (!j->ended && !job_line_failed(j, a))
        j->ops->answer(j, a);
}

void job_cancel(struct job *j)
{
    if (j->ended)
        return;
    j->ops->end(j, "cancelled");
    j->ended = true;
}

bool job_line_failed(struct job *j, const struct answer *a)
{
    switch (a->result) {
    case -ENODEV:
    case -ENOENT:
        job_fail(j, "line", "the line of bus %s is not there", j->bus->name);
        return true;
    case -EINVAL:
        job_fail(j, "line", "the port of bus %s does not take these settings", j->bus->name);
        return true;
    case -ETIME:
    case -ENOBUFS:
        job_fail(j, "busy", "bus %s has no time for this: too much else waits", j->bus->name);
        return true;
    case -ECANCELED:
        job_fail(j, "stopped", "bus %s was stopped", j->bus->name);
        return true;
    default:
        return false;
    }
}

void job_print_failure(const cJSON *request, const struct job_error *error, struct buf *out)
{
    char *id = print_id(request);
    struct json j = json_to(out);

    json_object_begin(&j);
    if (id) {
        json_key(&j, "id");
        json_raw(&j, id);
    }
    json_key(&j, "status");
    json_text(&j, "failed");
    print_error(&j, error);
    json_object_end(&j);
    cJSON_free(id);
}

static const char *exception_name(uint8_t code)
{
    static const char *const names[] = {
        [1] = "illegal function", [2] = "illegal data address", [3] = "illegal data value",
        [4] = "device failure",   [5] = "acknowledge",          [6] = "device busy",
        [8] = "memory parity",    [10] = "gateway path",        [11] = "gateway target does not answer"};

    return code < ARRAY_LEN(names) && names[code] ? names[code] : "unknown";
}

const char *job_reason(const struct answer *a, char ret_text[JOB_REASON_LEN])
{
    if (a->result == -EREMOTEIO)
        snprintf(ret_text, JOB_REASON_LEN, "exception %u (%s)", a->exception, exception_name(a->exception));
    else
        snprintf(ret_text, JOB_REASON_LEN, "%s",
                 a->result == -ETIMEDOUT ? "no answer"
                 : a->result == -EBADMSG ? "a damaged answer"
                                         : "not the answer to this question");
    return ret_text;
}
