/* listener - see listener.h. */
#include "broker/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/broker_internal.h"
#include "broker/tcp.h"
#include "core/log.h"

enum {
    ACCEPTS_PER_TURN = 64,
    TLS_ACCEPTS_PER_TURN = 16,
    BACKLOG = 1024,
    RETRY_MS = 500, /* after running out of descriptors */
};

struct listener {
    struct list_node node;
    struct listeners *all;
    const struct listener_settings *settings;
    struct entrance entrance;
    struct tls_port tls;
    struct loop_watch *watch;
    struct timer retry;
    int fd;
    bool starved; /* said so in the log */
};

union address {
    struct sockaddr sa;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

static int parse(const struct listener_settings *s, union address *ret_address, socklen_t *ret_len)
{
    union address a = {0};

    if (inet_pton(AF_INET, s->bind, &a.in4.sin_addr) == 1) {
        a.in4.sin_family = AF_INET;
        a.in4.sin_port = htons(s->port);
        *ret_len = sizeof(a.in4);
    } else if (inet_pton(AF_INET6, s->bind, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(s->port);
        *ret_len = sizeof(a.in6);
    } else {
        return -EINVAL;
    }
    *ret_address = a;
    return 0;
}

/* TCP_NODELAY is inherited by what is accepted. */
static int open_socket(const union address *a, socklen_t len, int *ret_fd)
{
    const int on = 1;
    int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int e;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        (a->sa.sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        bind(fd, &a->sa, len) == 0 && listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return 0;
    }
    e = errno;
    close(fd);
    return -e;
}

static uint16_t bound_port(int fd)
{
    union address a = {0};
    socklen_t len = sizeof(a);

    if (getsockname(fd, &a.sa, &len) < 0)
        return 0;
    return ntohs(a.sa.sa_family == AF_INET6 ? a.in6.sin6_port : a.in4.sin_port);
}

/* Out of descriptors: the connection stays in the backlog, so waiting for readiness would spin. */
static void starve(struct listener *l, int e)
{
    if (!l->starved)
        log_warning("broker: port %u: cannot accept (%s), trying again every %d ms", bound_port(l->fd), strerror(e),
                    RETRY_MS);
    l->starved = true;
    loop_watch_set(l->watch, 0);
    loop_timer_start(l->all->broker->loop, &l->retry, RETRY_MS);
}

static void on_ready(void *arg, int events)
{
    struct listener *l = arg;
    int most = l->settings->tls ? TLS_ACCEPTS_PER_TURN : ACCEPTS_PER_TURN;

    (void)events;
    if (l->settings->tls && !tls_share_left(&l->all->handshakes))
        return; /* in a later turn */
    for (int i = 0; i < most; i++) {
        union address peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(l->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            l->starved = false;
            tcp_accept(l->all, &l->entrance, l->settings->tls ? &l->tls : NULL, fd, &peer.sa);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            starve(l, errno);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static void on_retry(void *arg)
{
    struct listener *l = arg;

    loop_watch_set(l->watch, LOOP_READ);
}

/* Listens no more; whoever came in stays. */
static void listener_park(struct listener *l)
{
    loop_timer_stop(l->all->broker->loop, &l->retry);
    loop_watch_close(l->watch);
    l->watch = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static void listener_free(struct listener *l)
{
    listener_park(l);
    tls_port_fini(&l->tls);
    list_remove(&l->node);
    free(l);
}

static int listener_listen(struct listener *l)
{
    union address address;
    socklen_t len;
    int r = parse(l->settings, &address, &len);

    if (r == 0)
        r = open_socket(&address, len, &l->fd);
    if (r == 0)
        r = loop_watch_open(l->all->broker->loop, l->fd, LOOP_READ, on_ready, l, &l->watch);
    if (r < 0) {
        log_error("broker: cannot listen on %s port %u (%s)", l->settings->bind, l->settings->port, strerror(-r));
        listener_park(l);
        return r;
    }
    log_info("broker: listening on %s port %u%s", l->settings->bind, bound_port(l->fd),
             l->settings->tls ? " with TLS" : "");
    return 0;
}

static int listener_open(struct listeners *ls, const struct listener_settings *settings)
{
    struct listener *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    *l = (struct listener){.all = ls, .settings = settings, .entrance.settings = &settings->entrance, .fd = -1};
    list_init(&l->node);
    timer_init(&l->retry, on_retry, l);
    r = listener_listen(l);
    if (r < 0) {
        listener_free(l);
        return r;
    }
    list_push_back(&ls->open, &l->node);
    return 0;
}

void listeners_init(struct listeners *ls, struct broker *b)
{
    ls->broker = b;
    list_init(&ls->open);
    list_init(&ls->lingering);
}

/* With TLS it is another one: who came in without it has to go. */
static bool is_for(const struct listener *l, const struct listener_settings *s)
{
    return l->settings->port == s->port && !l->settings->tls == !s->tls && strcmp(l->settings->bind, s->bind) == 0;
}

static struct listener *find(const struct listeners *ls, const struct listener_settings *settings)
{
    struct list_node *n;

    list_for_each (n, &ls->open)
        if (is_for(list_entry(n, struct listener, node), settings))
            return list_entry(n, struct listener, node);
    return NULL;
}

static const struct listener_settings *find_settings(const struct broker_settings *settings, const struct listener *l)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (is_for(l, &settings->listeners[i]))
            return &settings->listeners[i];
    return NULL;
}

/* Gives up the addresses that are not named any more: one that is new may need them. */
static void park_others(struct listeners *ls, const struct broker_settings *settings)
{
    struct list_node *n;

    list_for_each (n, &ls->open) {
        struct listener *l = list_entry(n, struct listener, node);
        const struct listener_settings *s = find_settings(settings, l);

        if (!s) {
            listener_park(l);
            continue;
        }
        l->settings = s;
        l->entrance.settings = &s->entrance;
    }
}

/* The old settings are still there. */
static void free_parked(struct listeners *ls)
{
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &ls->open) {
        struct listener *l = list_entry(n, struct listener, node);

        if (l->fd >= 0)
            continue;
        log_info("broker: no longer listening on %s port %u", l->settings->bind, l->settings->port);
        entrance_close(ls->broker, &l->entrance);
        listener_free(l);
    }
}

static int open_one(struct listeners *ls, const struct listener_settings *settings)
{
    struct listener *l = find(ls, settings);

    if (!l)
        return listener_open(ls, settings);
    return l->fd < 0 ? listener_listen(l) : 0;
}

int listeners_open(struct listeners *ls)
{
    const struct broker_settings *settings = ls->broker->settings;

    park_others(ls, settings);
    for (size_t i = 0; i < settings->listener_count; i++) {
        int r = open_one(ls, &settings->listeners[i]);

        if (r < 0)
            return r;
    }
    free_parked(ls);
    return 0;
}

void listeners_use(struct listeners *ls, struct certificates *c)
{
    struct list_node *n;

    list_for_each (n, &ls->open) {
        struct listener *l = list_entry(n, struct listener, node);
        size_t i = (size_t)(l->settings - ls->broker->settings->listeners);

        if (!l->settings->tls)
            continue;
        tls_port_use(&l->tls, ls->broker, l->settings->tls, c->contexts[i]);
        c->contexts[i] = NULL;
    }
}

void listeners_stop(struct listeners *ls)
{
    while (!list_empty(&ls->open))
        listener_free(list_entry(ls->open.next, struct listener, node));
    tcp_end_lingering(ls);
}
