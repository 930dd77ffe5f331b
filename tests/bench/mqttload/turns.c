/* turns - see turns.h. */
#include "turns.h"

#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include "basics.h"
#include "client.h"
#include "options.h"
#include "packets.h"
#include "publish.h"
#include "receive.h"

enum { EVENTS_PER_TURN = 256, MOST_THREADS = 64 };

struct load load;

void loops_init(void)
{
    load.loops = must_calloc(opt.threads, sizeof(*load.loops));
    for (unsigned i = 0; i < opt.threads; i++) {
        load.loops[i].epoll = epoll_create1(EPOLL_CLOEXEC);
        load.loops[i].scratch = must_calloc(1, RECEIVE_SCRATCH);
    }
    load.deadline_ns = now_ns() + opt.timeout_s * NS_PER_S;
}

void loop_turn(struct loop *l, uint64_t wake_ns, uint64_t most_ns)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct timespec wait = {0};
    int count;

    if (wake_ns && !opt.spin) {
        uint64_t now = now_ns();
        uint64_t ns = wake_ns > now ? wake_ns - now : 0;

        if (ns > most_ns)
            ns = most_ns;
        wait.tv_sec = (time_t)(ns / NS_PER_S);
        wait.tv_nsec = (long)(ns % NS_PER_S);
    }
    count = epoll_pwait2(l->epoll, events, EVENTS_PER_TURN, &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;

        if (c->fd >= 0)
            client_on_event(c, events[i].events);
    }
}

/* ---- up and down ---- */

static struct client *client_at(void *first, size_t stride, unsigned i)
{
    return (struct client *)(void *)((char *)first + stride * i);
}

void bring_up(void *first, size_t stride, unsigned count)
{
    unsigned opened = 0;

    atomic_store(&load.up, 0);
    while (atomic_load(&load.up) < count) {
        while (opened < count && opened - atomic_load(&load.up) < opt.ramp)
            client_open(client_at(first, stride, opened++));
        loop_turn(&load.loops[0], UINT64_MAX, 50 * NS_PER_MS);
        if (now_ns() > load.deadline_ns)
            die(STATUS_SETUP, "timed out connecting (%u of %u up)", atomic_load(&load.up), count);
    }
}

void bring_down(struct client *c)
{
    if (c->state != CLIENT_UP)
        return;
    send_disconnect(c);
    client_flush(c);
    client_close(c);
}

static void move(struct client *c, struct loop *to)
{
    epoll_ctl(c->loop->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    c->events = 0;
    c->loop = to;
    client_watch(c, EPOLLIN);
}

void share_out(bool subscribers_too)
{
    for (unsigned i = 0; i < opt.threads; i++)
        load.loops[i].publishers = must_calloc(opt.publishers, sizeof(struct publisher *));
    for (unsigned i = 0; i < opt.publishers; i++) {
        struct loop *l = &load.loops[i % opt.threads];

        move(&load.publishers[i].client, l);
        l->publishers[l->publisher_count++] = &load.publishers[i];
    }
    for (unsigned i = 0; subscribers_too && i < opt.subscribers; i++)
        move(&load.subscribers[i].client, &load.loops[(i + 1) % opt.threads]);
}

/* ---- running ---- */

/* QoS 0 only: writes off what was not delivered, so that a lossy broker does not hold the publishers for good. */
static void write_off(void)
{
    load.stalls++;
    for (unsigned i = 0; i < opt.publishers; i++) {
        struct publisher *p = &load.publishers[i];

        atomic_store(&p->delivered, (uint64_t)p->sent * p->listeners);
    }
}

/* When something last moved, as the first loop sees it. */
struct progress {
    uint64_t received;
    uint64_t moved_ns;
};

/* Whether the run is over. */
static bool is_over(struct progress *at)
{
    uint64_t received = atomic_load_explicit(&load.received, memory_order_relaxed);
    bool sent_all = atomic_load_explicit(&load.done, memory_order_relaxed) == opt.publishers;
    uint64_t now = now_ns();

    if ((sent_all && received >= load.want) || now > load.deadline_ns)
        return true;
    if (received != at->received || (!load.want && !sent_all)) {
        at->received = received;
        at->moved_ns = now;
    } else if (now - at->moved_ns > opt.quiet_ms * NS_PER_MS) {
        if (sent_all)
            return true;
        if (opt.qos == 0)
            write_off();
        at->moved_ns = now;
    }
    return false;
}

static void *run(void *arg)
{
    struct loop *l = arg;
    struct progress progress = {.moved_ns = now_ns()};
    uint64_t most = opt.threads > 1 ? NS_PER_MS : 20 * NS_PER_MS;

    prctl(PR_SET_TIMERSLACK, 1);
    while (!atomic_load_explicit(&load.stop, memory_order_relaxed)) {
        loop_turn(l, publishers_pump(l), most);
        if (l == load.loops && is_over(&progress))
            break;
    }
    atomic_store(&load.stop, true);
    return NULL;
}

void loops_run(uint64_t want)
{
    pthread_t threads[MOST_THREADS];

    load.want = want;
    atomic_store(&load.stop, false);
    for (unsigned i = 1; i < opt.threads; i++)
        if (pthread_create(&threads[i], NULL, run, &load.loops[i]))
            die(STATUS_SETUP, "pthread_create");
    run(&load.loops[0]);
    for (unsigned i = 1; i < opt.threads; i++)
        pthread_join(threads[i], NULL);
}
