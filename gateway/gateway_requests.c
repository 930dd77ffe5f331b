/* gateway_requests - see gateway_requests.h. */
#include "gateway_requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/server.h"
#include "core/log.h"
#include "gateway_stages.h"

enum { REQUESTS_MAX = 64 };

struct gateway_requests {
    struct requests *requests;
    struct control *control;
};

static void set_log_level(void *gateway, struct control_request *rq, const cJSON *body)
{
    static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
                                        [LOG_LEVEL_WARNING] = "warning",
                                        [LOG_LEVEL_INFO] = "info",
                                        [LOG_LEVEL_DEBUG] = "debug"};
    const char *level = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "level"));

    (void)gateway;
    for (size_t i = 0; level && i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], level) != 0)
            continue;
        log_set_level((enum log_level)i);
        log_info("gateway: told to log %s and worse", level);
        request_done(rq);
        return;
    }
    request_fail(rq, "bad_request", "'level' must be error, warning, info or debug");
}

/* What it does is logged; what is wrong with the file is answered, too. */
static void reload(void *gateway, struct control_request *rq, const cJSON *body)
{
    struct buf report = {0};
    int r = gateway_reload_file(gateway, &report);

    (void)body;
    if (r == 0)
        request_done(rq);
    else if (buf_len(&report) > 0)
        request_fail(rq, "refused", STR_FMT, STR_ARG(buf_str(&report)));
    else
        request_fail(rq, "refused", "%s",
                     r == -EPERM ? "a change of gateway.id or data_dir needs a restart" : strerror(-r));
    buf_fini(&report);
}

static const struct request_kind kinds[] = {
    {"log", set_log_level},         {"read", gateway_request_read},   {"reload", reload},
    {"scan", gateway_request_scan}, {"write", gateway_request_write}, {0},
};

static void open_socket(struct gateway *gw, struct gateway_requests *all)
{
    char *path;
    int r;

    if (asprintf(&path, "%s/control.sock", gw->settings->gateway.data_dir) < 0)
        return;
    r = control_open(gw->loop, path, all->requests, &all->control);
    if (r == -EADDRINUSE)
        log_warning("control: another gateway listens at %s, this one is not to be reached", path);
    else if (r < 0)
        log_warning("control: cannot listen at %s (%s), this gateway is not to be reached by commands", path,
                    strerror(-r));
    free(path);
}

int gateway_start_requests(struct gateway *gw)
{
    struct gateway_requests *all = calloc(1, sizeof(*all));

    if (!all)
        return -ENOMEM;
    gw->requests = all;
    all->requests = requests_new(kinds, REQUESTS_MAX, gw);
    if (!all->requests)
        return -ENOMEM;
    open_socket(gw, all);
    return 0;
}

void gateway_stop_requests(struct gateway *gw)
{
    if (!gw->requests)
        return;
    control_close(gw->requests->control);
    gw->requests->control = NULL;
}

void gateway_free_requests(struct gateway *gw)
{
    if (!gw->requests)
        return;
    gateway_stop_requests(gw);
    gateway_end_jobs(gw);
    requests_free(gw->requests->requests);
    free(gw->requests);
    gw->requests = NULL;
}
