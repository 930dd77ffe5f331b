/* client - see client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basics.h"
#include "options.h"

void client_init(struct client *c, enum role role, unsigned index)
{
    c->fd = -1;
    c->role = role;
    c->index = index;
    c->loop = &load.loops[0];
}

void client_watch(struct client *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (c->events == events)
        return;
    if (epoll_ctl(c->loop->epoll, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e))
        die(STATUS_SETUP, "epoll_ctl: %s", strerror(errno));
    c->events = events;
}

void client_open(struct client *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    const int on = 1;

    if (inet_pton(AF_INET, opt.host, &address.sin_addr) != 1)
        die(STATUS_USAGE, "--host wants an IPv4 address");
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die(STATUS_SETUP, "socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->opened_ns = now_ns();
    c->state = CLIENT_CONNECTING;
    if (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) && errno != EINPROGRESS)
        die(STATUS_SETUP, "connect: %s", strerror(errno));
    client_watch(c, EPOLLOUT);
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd); /* leaves epoll by itself */
    c->fd = -1;
    c->events = 0;
    c->state = CLIENT_GONE;
}

void client_lost(struct client *c)
{
    struct publisher *p = (struct publisher *)c;

    if (c->state == CLIENT_GONE)
        return;
    if (c->state != CLIENT_UP)
        die(STATUS_SETUP, "connection refused or closed during set-up");
    c->loop->counters.disconnects++;
    client_close(c);
    if (c->role == ROLE_PUBLISHER && !p->done) {
        p->done = true;
        atomic_fetch_add(&load.done, 1);
    }
}

uint8_t *client_room(struct client *c, size_t len)
{
    uint8_t *room;

    if (c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = must_realloc(c->out, c->out_cap);
    }
    room = c->out + c->out_len;
    c->out_len += len;
    return room;
}

void client_flush(struct client *c)
{
    while (client_has_output(c)) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

        if (n >= 0) {
            c->out_at += (size_t)n;
        } else if (errno == EAGAIN) {
            client_watch(c, EPOLLIN | EPOLLOUT);
            return;
        } else if (errno != EINTR) {
            client_lost(c);
            return;
        }
    }
    client_watch(c, EPOLLIN);
}

void client_is_up(struct client *c)
{
    c->state = CLIENT_UP;
    atomic_fetch_add(&load.up, 1);
}
