/* acceptor - see acceptor.h. */
#include "net/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/log.h"
#include "core/timer.h"
#include "loop.h"

enum {
    ACCEPTS_PER_TURN = 64,
    RETRY_MS = 500, /* after running out of descriptors */
};

struct acceptor {
    struct loop *loop;
    const char *name;
    acceptor_fn *fn;
    void *arg;
    struct net_listening listening;
    struct loop_watch *watch;
    struct timer retry;
    bool (*may)(void *arg); /* NULL: always */
    int per_turn;
    bool hold;
    bool starved; /* said so in the log */
    bool busy;    /* inside its own callback */
    bool closed;  /* to be freed when the callback ends */
};

union address {
    struct sockaddr sa;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static void set_watch(struct acceptor *a)
{
    bool idle = a->hold || timer_running(&a->retry);

    loop_watch_set(a->watch, idle ? 0 : LOOP_READ);
}

static void on_retry(void *arg)
{
    set_watch(arg);
}

/* The connection stays in the backlog, so waiting for readiness would spin. */
static void starve(struct acceptor *a, int e)
{
    if (!a->starved)
        log_warning("%s: cannot accept a connection (%s), trying again every %d ms", a->name, strerror(e), RETRY_MS);
    a->starved = true;
    loop_timer_start(a->loop, &a->retry, RETRY_MS);
    set_watch(a);
}

/* False when there is no more to accept now. */
static bool accept_one(struct acceptor *a)
{
    union address from = {0};
    socklen_t len = sizeof(from);
    int fd = accept4(a->listening.fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct net_peer peer;

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        starve(a, errno);
    if (fd < 0) /* the others concern one connection alone */
        return errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == EPERM;
    a->starved = false;
    peer = net_peer_of(fd, &from.sa);
    a->fn(a->arg, fd, &peer);
    return true;
}

static void on_ready(void *arg, int events)
{
    struct acceptor *a = arg;

    (void)events;
    a->busy = true;
    for (int i = 0; i < a->per_turn && !a->hold && !a->closed; i++)
        if ((a->may && !a->may(a->arg)) || !accept_one(a))
            break;
    a->busy = false;
    if (a->closed)
        free(a);
}

int acceptor_open(struct loop *loop, const char *name, const struct net_place *place, acceptor_fn *fn, void *arg,
                  struct acceptor **ret_acceptor, const char **ret_why)
{
    struct acceptor *a = calloc(1, sizeof(*a));
    int r;

    *ret_why = "out of memory";
    if (!a)
        return -ENOMEM;
    *a = (struct acceptor){
        .loop = loop, .name = name, .fn = fn, .arg = arg, .per_turn = ACCEPTS_PER_TURN, .listening.fd = -1};
    timer_init(&a->retry, on_retry, a);
    r = net_listen(place, &a->listening, ret_why);
    if (r == 0)
        r = loop_watch_open(loop, a->listening.fd, LOOP_READ, on_ready, a, &a->watch);
    if (r < 0) {
        acceptor_close(a);
        return r;
    }
    *ret_acceptor = a;
    return 0;
}

void acceptor_close(struct acceptor *a)
{
    if (!a)
        return;
    loop_timer_stop(a->loop, &a->retry);
    loop_watch_close(a->watch);
    a->watch = NULL;
    net_unlisten(&a->listening);
    a->closed = true;
    if (!a->busy)
        free(a);
}

void acceptor_pace(struct acceptor *a, int per_turn, bool (*may)(void *arg))
{
    a->per_turn = per_turn;
    a->may = may;
}

void acceptor_hold(struct acceptor *a, bool hold)
{
    a->hold = hold;
    set_watch(a);
}

uint16_t acceptor_port(const struct acceptor *a)
{
    return net_listening_port(&a->listening);
}
