/* listener - see listener.h. */
#include "broker/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker_internal.h"
#include "broker/tcp.h"
#include "broker/websockets.h"
#include "core/log.h"
#include "net/acceptor.h"
#include "net/proxy_wait.h"

enum { TLS_ACCEPTS_PER_TURN = 16 };

struct listener {
    struct list_node node;
    struct listeners *all;
    const struct listener_settings *settings;
    struct entrance entrance;
    struct tls_port tls;
    struct proxy_waits proxied;
    struct acceptor *acceptor; /* NULL: its address was given up */
    void *websockets;          /* the port of who carries them; NULL: plain MQTT */
};

static void hold_websockets(struct listeners *ls, bool hold)
{
    struct list_node *n;

    list_for_each (n, &ls->open) {
        struct listener *l = list_entry(n, struct listener, node);

        if (l->websockets && l->acceptor)
            acceptor_hold(l->acceptor, hold);
    }
}

static void take_in(void *arg, int fd, const struct net_peer *peer)
{
    struct listener *l = arg;

    if (l->websockets) {
        if (!l->all->websockets->accept(l->websockets, fd, peer, &l->entrance))
            hold_websockets(l->all, true);
        return;
    }
    tcp_accept(l->all, &l->entrance, l->settings->tls ? &l->tls : NULL, fd, peer);
}

static void on_accepted(void *arg, int fd, const struct net_peer *peer)
{
    struct listener *l = arg;

    if (l->settings->proxy_protocol)
        proxy_wait(&l->proxied, fd, peer);
    else
        take_in(l, fd, peer);
}

/* Else in a later turn. */
static bool has_time(void *arg)
{
    const struct listener *l = arg;

    return tls_share_left(&l->all->handshakes);
}

/* "127.0.0.1 port 1883", "/run/wirepost/mqtt.sock" */
struct place_name {
    char text[160];
};

static struct place_name place_name(const struct listener_settings *s, uint16_t port)
{
    struct place_name name;

    if (s->path)
        snprintf(name.text, sizeof(name.text), "%s", s->path);
    else
        snprintf(name.text, sizeof(name.text), "%s port %u", s->bind, port);
    return name;
}

/* Listens no more; whoever came in stays. */
static void listener_park(struct listener *l)
{
    acceptor_close(l->acceptor);
    l->acceptor = NULL;
    proxy_waits_end(&l->proxied);
}

static void listener_free(struct listener *l)
{
    listener_park(l);
    if (l->websockets)
        l->all->websockets->close(l->websockets);
    tls_port_fini(&l->tls);
    list_remove(&l->node);
    free(l);
}

/* 0 or -errno, logged. */
static int find_carrier(struct listener *l)
{
    const struct broker_websockets *carrier = l->all->websockets;

    if (l->settings->protocol != LISTENER_WEBSOCKET || l->websockets)
        return 0;
    if (!carrier) {
        log_error("broker: nobody carries WebSockets here");
        return -EPROTONOSUPPORT;
    }
    l->websockets = carrier->open(l->all->websockets_arg, l->settings);
    return l->websockets ? 0 : -ENOMEM;
}

static int listener_listen(struct listener *l)
{
    const struct listener_settings *s = l->settings;
    const struct net_place place = {
        .bind = s->bind, .port = s->port, .path = s->path, .group = s->group, .mode = s->mode};
    const char *why;
    int r = acceptor_open(l->all->broker->loop, "broker", &place, on_accepted, l, &l->acceptor, &why);

    if (r < 0) {
        log_error("broker: cannot listen on %s (%s)", place_name(s, s->port).text, why);
        return r;
    }
    if (s->tls && !l->websockets)
        acceptor_pace(l->acceptor, TLS_ACCEPTS_PER_TURN, has_time);
    log_info("broker: listening on %s%s%s", place_name(s, acceptor_port(l->acceptor)).text,
             l->websockets ? " for WebSockets" : "", s->tls ? " with TLS" : "");
    return 0;
}

static int listener_open(struct listeners *ls, const struct listener_settings *settings)
{
    struct listener *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    *l = (struct listener){.all = ls, .settings = settings, .entrance.settings = &settings->entrance};
    list_init(&l->node);
    proxy_waits_init(&l->proxied, ls->broker->loop, "broker", take_in, l);
    r = find_carrier(l);
    if (r == 0)
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

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether it listens where these settings say, and as they say. With TLS it is another one: who came in without it has
 * to go. */
static bool is_for(const struct listener *l, const struct listener_settings *s)
{
    const struct listener_settings *mine = l->settings;

    if (!same_text(mine->entrance.mount, s->entrance.mount)) /* a connection's topics do not change under it */
        return false;
    if (mine->path || s->path)
        return mine->path && s->path && strcmp(mine->path, s->path) == 0 && mine->mode == s->mode &&
               same_text(mine->group, s->group);
    return mine->port == s->port && mine->protocol == s->protocol && !mine->tls == !s->tls &&
           strcmp(mine->bind, s->bind) == 0;
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

        if (l->acceptor)
            continue;
        log_info("broker: no longer listening on %s", place_name(l->settings, l->settings->port).text);
        entrance_close(ls->broker, &l->entrance);
        listener_free(l);
    }
}

static int open_one(struct listeners *ls, const struct listener_settings *settings)
{
    struct listener *l = find(ls, settings);

    if (!l)
        return listener_open(ls, settings);
    return l->acceptor ? 0 : listener_listen(l);
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

        if (l->settings->tls)
            tls_port_use(&l->tls, ls->broker, l->settings->tls, c->contexts[i]);
        c->contexts[i] = NULL;
        if (l->websockets)
            ls->websockets->use(l->websockets, l->settings, l->tls.context);
    }
}

void broker_carry_websockets(struct broker *b, const struct broker_websockets *carrier, void *arg)
{
    b->listeners.websockets = carrier;
    b->listeners.websockets_arg = arg;
}

void broker_accept_websockets(struct broker *b)
{
    hold_websockets(&b->listeners, false);
}

void listeners_stop(struct listeners *ls)
{
    while (!list_empty(&ls->open))
        listener_free(list_entry(ls->open.next, struct listener, node));
    tcp_end_lingering(ls);
}
