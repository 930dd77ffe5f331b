/* requests - see requests.h. */
#include "control/requests.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/near.h"
#include "core/buf.h"
#include "core/json.h"

enum { REQUEST_WHO_LEN = 128 };

struct requests {
    const struct request_kind *kinds;
    size_t max;
    size_t count;
    void *arg;
};

struct control_request {
    struct requests *all;
    enum request_from from;
    char who[REQUEST_WHO_LEN];
    char *id;                  /* as JSON; NULL: none */
    bool beginning;            /* its handler runs for the first time */
    bool ended;                /* during that */
    request_answer_fn *answer; /* NULL: abandoned */
    void *answer_arg;
    request_cancel_fn *cancel;
    void *cancel_arg;
};

struct requests *requests_new(const struct request_kind *kinds, size_t max, void *arg)
{
    struct requests *rs = calloc(1, sizeof(*rs));

    if (rs)
        *rs = (struct requests){.kinds = kinds, .max = max, .arg = arg};
    return rs;
}

void requests_free(struct requests *rs)
{
    free(rs);
}

enum request_from request_from(const struct control_request *rq)
{
    return rq->from;
}

const char *request_who(const struct control_request *rq)
{
    return rq->who;
}

static void answer(struct control_request *rq, struct str object, bool last)
{
    if (rq->answer)
        rq->answer(rq->answer_arg, object, last);
}

static void release(struct control_request *rq)
{
    rq->ended = true;
    if (rq->beginning)
        return;
    rq->all->count--;
    cJSON_free(rq->id);
    free(rq);
}

void request_tell(struct control_request *rq, struct str object)
{
    answer(rq, object, false);
}

void request_end(struct control_request *rq, struct str object)
{
    answer(rq, object, true);
    release(rq);
}

void request_finish(struct control_request *rq)
{
    request_end(rq, str_of(""));
}

struct json request_object(const struct control_request *rq, const char *status, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    if (rq->id) {
        json_key(&j, "id");
        json_raw(&j, rq->id);
    }
    json_key(&j, "status");
    json_text(&j, status);
    return j;
}

void request_fail(struct control_request *rq, const char *code, const char *fmt, ...)
{
    struct buf out = {0};
    struct json j = request_object(rq, "failed", &out);
    char why[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    json_key(&j, "code");
    json_text(&j, code);
    json_key(&j, "error");
    json_text(&j, why);
    json_object_end(&j);
    request_end(rq, buf_str(&out));
    buf_fini(&out);
}

void request_done(struct control_request *rq)
{
    struct buf out = {0};
    struct json j = request_object(rq, "done", &out);

    json_object_end(&j);
    request_end(rq, buf_str(&out));
    buf_fini(&out);
}

void request_on_cancel(struct control_request *rq, request_cancel_fn *fn, void *arg)
{
    rq->cancel = fn;
    rq->cancel_arg = arg;
}

static const struct request_kind *find_kind(const struct requests *rs, const char *name, struct near *near)
{
    for (const struct request_kind *k = rs->kinds; k->name; k++) {
        if (strcmp(k->name, name) == 0)
            return k;
        near_offer(near, k->name);
    }
    return NULL;
}

static void run(struct control_request *rq, const char *name, const cJSON *body)
{
    struct near near = near_to(str_of(name));
    const struct request_kind *kind = find_kind(rq->all, name, &near);

    if (!cJSON_IsObject(body))
        request_fail(rq, "bad_request", "a request must be a JSON object");
    else if (!kind)
        request_fail(rq, "no_such_request", "there is no request '%.40s'%s%s%s", name,
                     near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
    else if (rq->all->count > rq->all->max)
        request_fail(rq, "busy", "%zu requests are being carried out, and that is the most", rq->all->max);
    else
        kind->begin(rq->all->arg, rq, body);
}

struct control_request *requests_begin(struct requests *rs, enum request_from from, struct str who, const char *name,
                                       const cJSON *body, request_answer_fn *fn, void *arg)
{
    struct control_request *rq = calloc(1, sizeof(*rq));
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(body, "id");

    if (!rq) {
        fn(arg, str_of("{\"status\":\"failed\",\"code\":\"memory\",\"error\":\"out of memory\"}"), true);
        return NULL;
    }
    *rq = (struct control_request){.all = rs, .from = from, .beginning = true, .answer = fn, .answer_arg = arg};
    snprintf(rq->who, sizeof(rq->who), STR_FMT, STR_ARG(who));
    rq->id = id ? cJSON_PrintUnformatted(id) : NULL;
    rs->count++;
    run(rq, name, body);
    rq->beginning = false;
    if (!rq->ended)
        return rq;
    release(rq);
    return NULL;
}

void request_cancel(struct control_request *rq)
{
    request_cancel_fn *fn = rq->cancel;

    rq->cancel = NULL;
    if (fn)
        fn(rq->cancel_arg);
}

void request_abandon(struct control_request *rq)
{
    rq->answer = NULL;
    request_cancel(rq);
}

bool request_has_id(const struct control_request *rq, const cJSON *id)
{
    char *text = id ? cJSON_PrintUnformatted(id) : NULL;
    bool same = text && rq->id ? strcmp(text, rq->id) == 0 : !text && !rq->id;

    cJSON_free(text);
    return same;
}
