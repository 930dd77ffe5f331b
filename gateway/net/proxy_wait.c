/* proxy_wait - see proxy_wait.h. */
#include "net/proxy_wait.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/log.h"
#include "core/timer.h"
#include "loop.h"
#include "net/proxy_header.h"

enum {
    WAITING_MAX = 512, /* a proxy sends its header at once */
    HEADER_MS = 5000,
};

struct waiting {
    struct list_node node;
    struct proxy_waits *all;
    struct net_peer proxy;
    struct loop_watch *watch;
    struct timer timer;
    struct buf header; /* so far */
    int fd;            /* -1: given on */
};

static void waiting_free(struct waiting *w)
{
    loop_timer_stop(w->all->loop, &w->timer);
    loop_watch_close(w->watch);
    list_remove(&w->node);
    w->all->count--;
    buf_fini(&w->header);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}

static void refuse(struct waiting *w, const char *why)
{
    log_info("%s: %s: connection refused (%s)", w->all->name, w->proxy.name, why);
    waiting_free(w);
}

static void on_late(void *arg)
{
    refuse(arg, "no PROXY header within 5 s");
}

static void give_on(struct waiting *w)
{
    struct proxy_waits *all = w->all;
    int fd = w->fd;
    struct net_peer peer;

    if (proxy_header_peer(buf_data(&w->header), buf_len(&w->header), &w->proxy, &peer) < 0) {
        refuse(w, "its PROXY header is malformed");
        return;
    }
    w->fd = -1;
    waiting_free(w);
    all->fn(all->arg, fd, &peer);
}

/* Up to so many bytes of header. False: there are not so many yet, or it was refused. */
static bool read_up_to(struct waiting *w, size_t wanted)
{
    size_t missing = wanted - buf_len(&w->header);
    uint8_t *to = missing > 0 ? buf_reserve(&w->header, missing) : NULL;
    ssize_t n;

    if (missing == 0)
        return true;
    n = to ? recv(w->fd, to, missing, 0) : -1;
    if (n > 0) {
        buf_commit(&w->header, (size_t)n);
        return (size_t)n == missing;
    }
    if (!to)
        refuse(w, "out of memory");
    else if (n == 0)
        waiting_free(w); /* somebody has looked whether there is a port */
    else if (errno != EAGAIN && errno != EINTR)
        refuse(w, strerror(errno));
    return false;
}

static void on_ready(void *arg, int events)
{
    struct waiting *w = arg;
    struct proxy_waits *all = w->all;
    size_t count = all->count;
    bool fixed = read_up_to(w, buf_len(&w->header) < PROXY_HEADER_FIXED ? PROXY_HEADER_FIXED : buf_len(&w->header));
    int len;

    (void)events;
    if (all->count < count) /* refused */
        return;
    len = proxy_header_len(buf_data(&w->header), buf_len(&w->header));
    if (len == -EPROTONOSUPPORT)
        refuse(w, "a PROXY header of version 1: this listener takes version 2, have the proxy send that");
    else if (len < 0)
        refuse(w, "no PROXY header, though 'proxy_protocol' says that there is one");
    else if (fixed && len > 0 && read_up_to(w, (size_t)len))
        give_on(w);
}

void proxy_waits_init(struct proxy_waits *w, struct loop *loop, const char *name, proxy_done_fn *fn, void *arg)
{
    *w = (struct proxy_waits){.loop = loop, .name = name, .fn = fn, .arg = arg};
    list_init(&w->waiting);
}

void proxy_waits_end(struct proxy_waits *w)
{
    while (!list_empty(&w->waiting))
        waiting_free(list_entry(w->waiting.next, struct waiting, node));
}

void proxy_wait(struct proxy_waits *all, int fd, const struct net_peer *proxy)
{
    struct waiting *w = all->count < WAITING_MAX ? calloc(1, sizeof(*w)) : NULL;

    if (!w) {
        log_debug("%s: %s: refused (too many wait for their PROXY header, or out of memory)", all->name, proxy->name);
        close(fd);
        return;
    }
    *w = (struct waiting){.all = all, .proxy = *proxy, .fd = fd};
    list_push_back(&all->waiting, &w->node);
    all->count++;
    timer_init(&w->timer, on_late, w);
    loop_timer_start(all->loop, &w->timer, HEADER_MS);
    if (loop_watch_open(all->loop, fd, LOOP_READ, on_ready, w, &w->watch) < 0) {
        waiting_free(w);
        return;
    }
    on_ready(w, LOOP_READ); /* it has usually come along */
}
