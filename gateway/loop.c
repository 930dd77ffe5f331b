/*
 * loop - see loop.h. The only file that names libuv, besides web/.
 *
 * Hooks run in libuv's prepare phase: after the callbacks of the last wait and
 * the timers due, right before the next wait.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

struct later {
    loop_later_fn *fn;
    void *arg;
    struct later *next;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_timer_t alarm; /* the one libuv timer: rings for the earliest of `timers` */
    int64_t alarm_due_ms;
    struct timers timers;
    struct loop_hook *hooks;
    struct later *later;
    struct later **later_end;
    struct signal_watch *signals;
    uint8_t read_buffer[LOOP_READ_BUFFER];
};

struct loop_watch {
    uv_poll_t poll;
    loop_watch_fn *fn;
    void *arg;
    int events;
};

struct loop_wake {
    uv_async_t async;
    loop_wake_fn *fn;
    void *arg;
};

struct signal_watch {
    uv_signal_t handle;
    loop_signal_fn *fn;
    void *arg;
    struct signal_watch *next;
};

static void on_alarm(uv_timer_t *alarm)
{
    struct loop *loop = alarm->data;

    loop->alarm_due_ms = INT64_MAX;
    timers_run(&loop->timers, loop_now_ms(loop));
}

static void set_alarm(struct loop *loop)
{
    int64_t due = timers_next(&loop->timers);
    int64_t delay;

    if (due == loop->alarm_due_ms)
        return;
    loop->alarm_due_ms = due;
    if (due == INT64_MAX) {
        uv_timer_stop(&loop->alarm);
        return;
    }
    delay = due - loop_now_ms(loop);
    uv_timer_start(&loop->alarm, on_alarm, delay > 0 ? (uint64_t)delay : 0, 0);
}

static void run_later(struct loop *loop)
{
    while (loop->later) {
        struct later *l = loop->later;

        loop->later = l->next;
        if (!loop->later)
            loop->later_end = &loop->later;
        l->fn(l->arg);
        free(l);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    struct loop_hook *next;

    for (struct loop_hook *h = loop->hooks; h; h = next) {
        next = h->next;
        h->fn(h->arg);
    }
    run_later(loop);
    set_alarm(loop);
}

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    int r;

    if (!loop)
        return -ENOMEM;
    r = uv_loop_init(&loop->uv); /* libuv's errors are -errno on Unix */
    if (r < 0) {
        free(loop);
        return r;
    }
    timers_init(&loop->timers);
    loop->later_end = &loop->later;
    loop->alarm_due_ms = INT64_MAX;
    uv_timer_init(&loop->uv, &loop->alarm);
    loop->alarm.data = loop;
    uv_prepare_init(&loop->uv, &loop->prepare);
    loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    /* Neither keeps the loop alive by itself. */
    uv_unref((uv_handle_t *)&loop->prepare);
    *ret_loop = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    run_later(loop);
    while (loop->signals) {
        struct signal_watch *s = loop->signals;

        loop->signals = s->next;
        uv_close((uv_handle_t *)&s->handle, (uv_close_cb)free);
    }
    uv_close((uv_handle_t *)&loop->alarm, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    /* A loop_stop() from outside of any callback would end the first run at once. */
    do
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (uv_loop_close(&loop->uv) == UV_EBUSY);
    timers_fini(&loop->timers);
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

int64_t loop_now_ms(const struct loop *loop)
{
    return (int64_t)uv_now(&loop->uv);
}

void loop_timer_start(struct loop *loop, struct timer *t, int64_t delay_ms)
{
    /* Out of memory for one pointer: try at once instead of never. */
    if (timer_start(&loop->timers, t, loop_now_ms(loop) + delay_ms) < 0)
        loop_later(loop, t->fn, t->arg);
}

void loop_timer_stop(struct loop *loop, struct timer *t)
{
    timer_stop(&loop->timers, t);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int start_poll(struct loop_watch *w)
{
    int events = (w->events & LOOP_READ ? UV_READABLE : 0) | (w->events & LOOP_WRITE ? UV_WRITABLE : 0);

    return events ? uv_poll_start(&w->poll, events, on_poll) : uv_poll_stop(&w->poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *w = poll->data;
    int ready = 0;

    if (status < 0) {
        /* libuv stops watching a socket with an error; unread bytes may still lie before it. */
        start_poll(w);
        ready = LOOP_READ | LOOP_WRITE;
    } else {
        if (events & UV_READABLE)
            ready |= LOOP_READ;
        if (events & UV_WRITABLE)
            ready |= LOOP_WRITE;
    }
    w->fn(w->arg, ready);
}

int loop_watch_open(struct loop *loop, int fd, int events, loop_watch_fn *fn, void *arg, struct loop_watch **ret_watch)
{
    struct loop_watch *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    r = uv_poll_init(&loop->uv, &w->poll, fd);
    if (r < 0) {
        free(w);
        return r;
    }
    w->poll.data = w;
    w->fn = fn;
    w->arg = arg;
    w->events = events;
    r = start_poll(w);
    if (r < 0) {
        loop_watch_close(w);
        return r;
    }
    *ret_watch = w;
    return 0;
}

int loop_watch_set(struct loop_watch *w, int events)
{
    if (w->events == events)
        return 0;
    w->events = events;
    return start_poll(w);
}

void loop_watch_close(struct loop_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->poll, (uv_close_cb)free); /* the handle is the first member */
}

static void on_async(uv_async_t *async)
{
    struct loop_wake *w = async->data;

    w->fn(w->arg);
}

int loop_wake_open(struct loop *loop, loop_wake_fn *fn, void *arg, struct loop_wake **ret_wake)
{
    struct loop_wake *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    r = uv_async_init(&loop->uv, &w->async, on_async);
    if (r < 0) {
        free(w);
        return r;
    }
    w->async.data = w;
    w->fn = fn;
    w->arg = arg;
    *ret_wake = w;
    return 0;
}

void loop_wake_send(struct loop_wake *w)
{
    uv_async_send(&w->async);
}

void loop_wake_close(struct loop_wake *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->async, (uv_close_cb)free);
}

static void on_uv_signal(uv_signal_t *handle, int signo)
{
    struct signal_watch *s = handle->data;

    s->fn(s->arg, signo);
}

int loop_on_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg)
{
    struct signal_watch *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    r = uv_signal_init(&loop->uv, &s->handle);
    if (r < 0) {
        free(s);
        return r;
    }
    s->handle.data = s;
    s->fn = fn;
    s->arg = arg;
    s->next = loop->signals;
    loop->signals = s;
    return uv_signal_start(&s->handle, on_uv_signal, signo);
}

void loop_add_hook(struct loop *loop, struct loop_hook *hook)
{
    struct loop_hook **at = &loop->hooks;

    while (*at)
        at = &(*at)->next;
    hook->next = NULL;
    *at = hook;
}

void loop_remove_hook(struct loop *loop, struct loop_hook *hook)
{
    for (struct loop_hook **at = &loop->hooks; *at; at = &(*at)->next) {
        if (*at == hook) {
            *at = hook->next;
            return;
        }
    }
}

void loop_rest(int us)
{
    const struct timespec rest = {.tv_nsec = us * 1000};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}

int loop_later(struct loop *loop, loop_later_fn *fn, void *arg)
{
    struct later *l = malloc(sizeof(*l));

    if (!l)
        return -ENOMEM;
    *l = (struct later){.fn = fn, .arg = arg};
    *loop->later_end = l;
    loop->later_end = &l->next;
    return 0;
}

uint8_t *loop_read_buffer(struct loop *loop)
{
    return loop->read_buffer;
}

void *loop_uv(struct loop *loop)
{
    return &loop->uv;
}
