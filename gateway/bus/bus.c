/* bus - see bus.h: the thread around a poller. */
#include "bus/bus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bus/poller.h"

struct bus {
    pthread_t thread;
    bool started;
    int stop_fd;
    struct poller *poller;
    bus_ended_fn *on_ended; /* may be NULL */
    void *arg;
    _Atomic bool ended;
};

static void *run(void *arg)
{
    struct bus *bus = arg;

    /* Waits of T3.5 and of a character's length must end on time (default slack: 50 us). */
    prctl(PR_SET_TIMERSLACK, 1000ul);
    poller_run(bus->poller);
    atomic_store(&bus->ended, true);
    if (bus->on_ended)
        bus->on_ended(bus->arg);
    return NULL;
}

/* Signals are the loop thread's business. */
static int start_thread(struct bus *bus)
{
    sigset_t all;
    sigset_t before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&bus->thread, NULL, run, bus);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    bus->started = r == 0;
    return -r;
}

int bus_start(const struct bus_settings *settings, uint32_t index, const struct hole_list *holes, bus_emit_fn *emit,
              bus_ended_fn *ended, void *arg, struct bus **ret_bus)
{
    struct bus *bus = calloc(1, sizeof(*bus));
    int r;

    if (!bus)
        return -ENOMEM;
    bus->on_ended = ended;
    bus->arg = arg;
    bus->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = bus->stop_fd < 0 ? -errno : 0;
    if (r == 0)
        r = poller_new(settings, index, holes, bus->stop_fd, emit, arg, &bus->poller);
    if (r == 0)
        r = start_thread(bus);
    if (r < 0) {
        bus_free(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

void bus_request_stop(struct bus *bus)
{
    eventfd_write(bus->stop_fd, 1);
}

int bus_submit(struct bus *bus, struct command *c)
{
    return command_queue_put(bus->poller->commands, c);
}

bool bus_ended(const struct bus *bus)
{
    return atomic_load(&bus->ended);
}

void bus_free(struct bus *bus)
{
    if (!bus)
        return;
    if (bus->started) {
        bus_request_stop(bus);
        pthread_join(bus->thread, NULL);
    }
    poller_free(bus->poller);
    if (bus->stop_fd >= 0)
        close(bus->stop_fd);
    free(bus);
}

const char *bus_state_name(enum bus_state state)
{
    static const char *const names[] = {
        [BUS_STARTING] = "starting", [BUS_UP] = "up", [BUS_FAULT] = "fault", [BUS_ABSENT] = "absent"};

    return names[state];
}

int bus_get_holes(struct bus *bus, size_t device, struct hole_list *ret_holes)
{
    return poller_get_holes(bus->poller, device, ret_holes);
}

int bus_get_frames(struct bus *bus, struct buf *out)
{
    return traffic_print(bus->poller->record.traffic, out);
}

void bus_get_status(struct bus *bus, struct bus_status *ret_status)
{
    poller_get_status(bus->poller, ret_status);
}
