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
    struct gateway_answers *answers;
};

static const struct request_kind kinds[] = {
    {"audit", gateway_request_audit},
    {"check", gateway_request_check},
    {"frames", gateway_request_frames},
    {"log", gateway_request_log},
    {"read", gateway_request_read},
    {"reload", gateway_request_reload},
    {"scan", gateway_request_scan},
    {"set", gateway_request_set},
    {"status", gateway_request_status},
    {"write", gateway_request_write},
    {0},
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
    int r;

    if (!all)
        return -ENOMEM;
    gw->requests = all;
    all->requests = requests_new(kinds, REQUESTS_MAX, gw);
    if (!all->requests)
        return -ENOMEM;
    r = gateway_start_sets(gw);
    if (r < 0)
        return r;
    open_socket(gw, all);
    return gateway_start_answers(gw, all->requests, &all->answers);
}

void gateway_stop_requests(struct gateway *gw)
{
    if (!gw->requests)
        return;
    control_close(gw->requests->control);
    gw->requests->control = NULL;
    gateway_stop_answers(gw->requests->answers);
    gw->requests->answers = NULL;
    gateway_stop_sets(gw); /* their requests have been abandoned */
}

void gateway_free_requests(struct gateway *gw)
{
    if (!gw->requests)
        return;
    requests_free(gw->requests->requests);
    free(gw->requests);
    gw->requests = NULL;
}
