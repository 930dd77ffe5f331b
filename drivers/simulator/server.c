/* server - see server.h. */
#include "drivers/simulator/server.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/log.h"

static const struct server_ops *ops_of(const struct server *s)
{
    return s->settings->type == BUS_MODBUS_RTU ? &server_rtu : &server_tcp;
}

static void *run(void *arg)
{
    struct server *s = arg;

    prctl(PR_SET_TIMERSLACK, 1000ul); /* a character at 115200 baud takes 95 us */
    ops_of(s)->serve(s);
    return NULL;
}

int server_start(struct server *s, const struct bus_settings *settings, struct sim_device *const *devices, bool pace)
{
    int r;

    *s = (struct server){.settings = settings, .pace = pace};
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (settings->type == BUS_MODBUS_ASCII)
        r = -EOPNOTSUPP;
    else
        r = s->stop_fd < 0 ? -errno : responder_new(settings->type, devices, settings->device_count, &s->responder);
    if (r == 0)
        r = ops_of(s)->open(s);
    if (r == 0)
        r = -pthread_create(&s->thread, NULL, run, s);
    if (r < 0) {
        log_error("%s: cannot be simulated (%s)", settings->name, strerror(-r));
        server_stop(s);
        return r;
    }
    s->started = true;
    return 0;
}

void server_stop(struct server *s)
{
    if (!s->settings)
        return;
    if (s->started) {
        eventfd_write(s->stop_fd, 1);
        pthread_join(s->thread, NULL);
    }
    ops_of(s)->close(s);
    responder_free(s->responder);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    *s = (struct server){0};
}
