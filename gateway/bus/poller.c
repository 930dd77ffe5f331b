/* poller - see poller.h. */
#include "bus/poller.h"
#include "bus/poll.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/carry.h"
#include "bus/replan.h"
#include "bus/serial_poll.h"
#include "bus/split.h"
#include "core/clock.h"
#include "core/log.h"

enum { PORT_OPEN_WAIT_MS = 500, TCP_OPEN_WAIT_MIN_MS = 500, TCP_OPEN_WAIT_MAX_MS = 5000 };

/* Those known from before: they have proved themselves. */
static int adopt_holes(struct polled_device *d, const struct hole_list *known)
{
    int r = 0;

    for (size_t i = 0; known && i < known->count && r == 0; i++)
        r = holes_add(&d->holes, known->items[i], clock_mono_ms(), HOLE_RETRY_MAX_MS);
    return r;
}

static int add_devices(struct poller *p, const struct hole_list *holes)
{
    const struct driver *driver = driver_find("modbus");
    int r;

    p->devices = calloc(p->settings->device_count + 1, sizeof(*p->devices));
    if (!p->devices)
        return -ENOMEM;
    for (size_t i = 0; i < p->settings->device_count; i++) {
        struct polled_device *d = &p->devices[i];

        d->device = (struct device){.settings = &p->settings->devices[i], .link = p->link};
        d->driver = driver;
        health_init(&d->health, d->device.settings, clock_boot_ms());
        setup_want(d);
        r = adopt_holes(d, holes ? &holes[i] : NULL);
        if (r < 0)
            return r;
    }
    return replan_all(p);
}

int poller_new(const struct bus_settings *settings, uint32_t index, const struct hole_list *holes, int stop_fd,
               bus_emit_fn *emit, void *arg, struct poller **ret_poller)
{
    struct poller *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return -ENOMEM;
    p->settings = settings;
    p->index = index;
    p->emit = emit;
    p->arg = arg;
    p->stop_fd = stop_fd;
    p->random = (uint32_t)clock_mono_us() + index;
    p->status.since_ms = clock_boot_ms();
    pthread_mutex_init(&p->lock, NULL);

    r = link_new(settings, stop_fd, &p->link);
    p->commands = command_queue_new((size_t)settings->commands.max_queued);
    if (r == 0 && !p->commands)
        r = -ENOMEM;
    if (r == 0)
        r = record_init(p);
    if (r == 0)
        r = add_devices(p, holes);
    if (r == 0 && settings->type == BUS_SERIAL)
        r = serial_poll_new(p, &p->serial);
    if (r < 0) {
        poller_free(p);
        return r;
    }
    report_counters(p);
    *ret_poller = p;
    return 0;
}

void poller_free(struct poller *p)
{
    if (!p)
        return;
    for (size_t i = 0; p->entries && i < p->schedule.count; i++)
        split_free(p->entries[i].split);
    for (size_t i = 0; p->devices && i < p->settings->device_count; i++) {
        plan_fini(&p->devices[i].plan);
        holes_fini(&p->devices[i].holes);
    }
    serial_poll_free(p->serial);
    command_queue_free(p->commands);
    record_fini(p);
    schedule_fini(&p->schedule);
    free(p->entries);
    free(p->devices);
    link_free(p->link);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int poller_get_holes(struct poller *p, size_t device, struct hole_list *ret_holes)
{
    const struct holes *h = &p->devices[device].holes;
    struct hole_list copy;

    pthread_mutex_lock(&p->lock);
    copy = (struct hole_list){.items = calloc(h->count + 1, sizeof(struct hole)), .count = h->count};
    for (size_t i = 0; copy.items && i < h->count; i++)
        copy.items[i] = h->list[i].hole;
    pthread_mutex_unlock(&p->lock);
    if (!copy.items)
        return -ENOMEM;
    *ret_holes = copy;
    return 0;
}

void poller_get_status(struct poller *p, struct bus_status *ret_status)
{
    pthread_mutex_lock(&p->lock);
    *ret_status = p->shown;
    pthread_mutex_unlock(&p->lock);
}

/* command_fd: -1 when commands have to wait too. */
static bool wait_until(struct poller *p, int64_t until_ms, int command_fd)
{
    struct pollfd fds[] = {{.fd = p->stop_fd, .events = POLLIN},
                           {.fd = link_fd(p->link), .events = POLLRDHUP},
                           {.fd = command_fd, .events = POLLIN}};
    int64_t left_ms = until_ms - clock_mono_ms();
    int timeout_ms = left_ms < 0 ? 0 : left_ms > INT32_MAX ? -1 : (int)left_ms;

    if (poll(fds, 3, timeout_ms) < 0)
        return true; /* a signal; the caller looks at the time again */
    if (fds[1].revents)
        link_close(p->link);
    if (fds[0].revents)
        p->stopping = true;
    return !p->stopping;
}

bool poller_wait(struct poller *p, int64_t until_ms)
{
    return wait_until(p, until_ms, -1);
}

static int64_t open_wait(struct poller *p)
{
    if (p->settings->port.device)
        return PORT_OPEN_WAIT_MS;
    p->open_wait_ms = p->open_wait_ms == 0 ? TCP_OPEN_WAIT_MIN_MS : p->open_wait_ms * 2;
    if (p->open_wait_ms > TCP_OPEN_WAIT_MAX_MS)
        p->open_wait_ms = TCP_OPEN_WAIT_MAX_MS;
    return p->open_wait_ms;
}

static void describe_line(const struct bus_settings *s, char *ret_text, size_t size)
{
    if (s->port.device)
        snprintf(ret_text, size, "open %s", s->port.device);
    else
        snprintf(ret_text, size, "connect to %s:%u", s->host, s->tcp_port);
}

static void line_is_back(struct poller *p)
{
    for (size_t i = 0; i < p->settings->device_count; i++) {
        health_forgive(&p->devices[i].health);
        p->devices[i].health.probe_due_ms = clock_mono_ms();
        doubt_clear(&p->devices[i].doubt);
        explore_again(&p->devices[i], clock_mono_ms());
        setup_want(&p->devices[i]);
    }
    p->explore.due_ms = 0;
    p->probe_not_before_ms = 0;
    p->answered_ms = clock_mono_ms();
    p->heard = false;
    schedule_start(&p->schedule, clock_mono_ms());
    report_state(p, BUS_STARTING, "");
}

static void line_is_away(struct poller *p, int error)
{
    bool news = p->status.state != BUS_ABSENT;
    const char *trouble = link_trouble(p->link);
    char line[REPORT_REASON_LEN - LINK_TROUBLE_MAX - 10];
    char reason[REPORT_REASON_LEN];

    describe_line(p->settings, line, sizeof(line));
    snprintf(reason, sizeof(reason), "cannot %s: %s", line, trouble[0] ? trouble : strerror(-error));
    report_state(p, BUS_ABSENT, reason);
    if (news)
        report_absent(p);
}

int poller_open(struct poller *p)
{
    int r;

    if (link_fd(p->link) >= 0)
        return 0;
    pipeline_lost(p);
    if (clock_mono_ms() < p->open_not_before_ms)
        return -EAGAIN;
    r = link_open(p->link);
    p->open_not_before_ms = clock_mono_ms() + open_wait(p);
    if (r == -ECANCELED)
        p->stopping = true;
    else if (r < 0)
        line_is_away(p, r);
    else if (p->status.state == BUS_ABSENT)
        line_is_back(p);
    return r;
}

/* The quarantined device to probe next. With none left alive nobody is kept waiting, and the share does not count. */
static struct polled_device *next_probe(struct poller *p, int64_t *ret_due_ms)
{
    struct polled_device *first = NULL;
    bool some_alive = false;

    for (size_t i = 0; i < p->settings->device_count; i++) {
        struct polled_device *d = &p->devices[i];

        if (d->device.settings->broadcast)
            continue;
        if (!health_is_quarantined(&d->health))
            some_alive = true;
        else if (!first || d->health.probe_due_ms < first->health.probe_due_ms)
            first = d;
    }
    *ret_due_ms = INT64_MAX;
    if (first)
        *ret_due_ms = first->health.probe_due_ms;
    if (first && some_alive && *ret_due_ms < p->probe_not_before_ms)
        *ret_due_ms = p->probe_not_before_ms;
    return first;
}

static void work_or_wait(struct poller *p)
{
    int64_t now_ms = clock_mono_ms();
    int64_t probe_ms;
    struct polled_device *dead = next_probe(p, &probe_ms);
    int64_t entry = schedule_pick(&p->schedule, now_ms);
    int64_t next_ms = schedule_next(&p->schedule);

    if (p->explore.due_ms < next_ms)
        next_ms = p->explore.due_ms;
    if (carry_next(p, now_ms, entry >= 0))
        return;
    if (dead && probe_ms <= now_ms)
        poll_probe(p, dead);
    else if (explore_next(p, now_ms, entry >= 0))
        return;
    else if (p->settings->max_outstanding > 1 && pipeline_work(p, probe_ms))
        return;
    else if (entry >= 0 && setup_before_poll(p, &p->devices[p->entries[entry].device]))
        poll_entry(p, (size_t)entry);
    else if (entry >= 0)
        return; /* the line is gone */
    else
        wait_until(p, probe_ms < next_ms ? probe_ms : next_ms, command_queue_fd(p->commands));
}

void poller_run(struct poller *p)
{
    p->answered_ms = clock_mono_ms();
    schedule_start(&p->schedule, clock_mono_ms());
    explore_start(p);
    while (!p->stopping) {
        if (poller_open(p) == 0 && p->serial) {
            serial_poll_work(p->serial);
        } else if (link_fd(p->link) >= 0) {
            work_or_wait(p);
        } else if (!p->stopping) {
            command_queue_refuse(p->commands, -ENODEV);
            wait_until(p, p->open_not_before_ms, command_queue_fd(p->commands));
        }
    }
}
