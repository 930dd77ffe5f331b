/* link - see link.h. */
#include "client/link.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/resolve.h"
#include "loop.h"

static void try_next_address(struct client_link *l, const char *why);
static void on_connect_timeout(void *arg);

void client_link_init(struct client_link *l, struct loop *loop, const struct client_link_events *events, void *arg)
{
    *l = (struct client_link){.loop = loop, .events = events, .arg = arg, .fd = -1};
    timer_init(&l->timer, on_connect_timeout, l);
}

static void close_socket(struct client_link *l)
{
    loop_timer_stop(l->loop, &l->timer);
    loop_watch_close(l->watch);
    l->watch = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->up = false;
}

void client_link_close(struct client_link *l)
{
    close_socket(l);
    resolve_close(l->resolve);
    l->resolve = NULL;
    if (l->addresses)
        freeaddrinfo(l->addresses);
    l->addresses = NULL;
    l->address = NULL;
    buf_clear(&l->in);
    buf_clear(&l->out);
    l->out_total = 0;
    l->send_error = 0;
    l->finishing = false;
    l->shut = false;
}

void client_link_fini(struct client_link *l)
{
    if (!l->loop)
        return;
    client_link_close(l);
    buf_fini(&l->in);
    buf_fini(&l->out);
}

static void lose(struct client_link *l, const char *why)
{
    client_link_close(l);
    l->events->lost(l->arg, why);
}

static void lose_by_errno(struct client_link *l, int error)
{
    char why[128];

    /* strerror(3) has one buffer for all threads. */
    lose(l, strerror_r(error, why, sizeof(why)));
}

/* Reading */

/* With an unfinished tail the new bytes join it; otherwise they are used where they are. */
static void deliver(struct client_link *l, const uint8_t *data, size_t len)
{
    bool joined = buf_len(&l->in) > 0;
    size_t used;

    if (joined) {
        buf_append(&l->in, data, len);
        data = buf_data(&l->in);
        len = buf_len(&l->in);
    }
    if (buf_failed(&l->in)) {
        lose_by_errno(l, ENOMEM);
        return;
    }
    used = l->events->received(l->arg, data, len);
    if (!l->up || l->finishing)
        return;
    if (joined)
        buf_consume(&l->in, used);
    else if (used < len)
        buf_append(&l->in, data + used, len - used);
}

static void read_some(struct client_link *l)
{
    uint8_t *data = loop_read_buffer(l->loop);
    ssize_t n = recv(l->fd, data, LOOP_READ_BUFFER, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && l->finishing)
        return;
    if (n > 0) {
        l->last_received_ms = loop_now_ms(l->loop);
        deliver(l, data, (size_t)n);
    } else if (n == 0 && l->send_error == 0) {
        lose(l, "closed by the peer");
    } else {
        lose_by_errno(l, l->send_error ? l->send_error : errno);
    }
}

/* Writing */

void client_link_flush(struct client_link *l)
{
    while (l->up && buf_len(&l->out) > 0) {
        ssize_t n = send(l->fd, buf_data(&l->out), buf_len(&l->out), MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            loop_watch_set(l->watch, LOOP_READ | LOOP_WRITE);
            return;
        }
        if (n < 0) {
            /* The peer's last words may still be unread: the read event that follows ends the link. */
            l->send_error = errno;
            buf_clear(&l->out);
            break;
        }
        buf_consume(&l->out, (size_t)n);
        l->out_total += (uint64_t)n;
        l->last_sent_ms = loop_now_ms(l->loop);
    }
    if (!l->up)
        return;
    loop_watch_set(l->watch, LOOP_READ);
    if (l->finishing && !l->shut) {
        shutdown(l->fd, SHUT_WR);
        l->shut = true;
    }
}

void client_link_finish(struct client_link *l)
{
    assert(l->up);
    l->finishing = true;
    client_link_flush(l);
}

/* Connecting */

static void connect_done(struct client_link *l)
{
    int error = 0;
    socklen_t len = sizeof(error);
    char why[128];

    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error) {
        try_next_address(l, strerror_r(error, why, sizeof(why)));
        return;
    }
    loop_timer_stop(l->loop, &l->timer);
    loop_watch_set(l->watch, LOOP_READ);
    l->up = true;
    l->last_sent_ms = loop_now_ms(l->loop);
    l->last_received_ms = l->last_sent_ms;
    l->events->connected(l->arg);
}

static void on_socket(void *arg, int events)
{
    struct client_link *l = arg;

    if (!l->up) {
        connect_done(l);
        return;
    }
    if (events & LOOP_WRITE)
        client_link_flush(l);
    if (events & LOOP_READ)
        read_some(l);
}

static int connect_address(struct client_link *l, const struct addrinfo *a)
{
    const int on = 1;
    int r;

    l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return -errno;
    if (setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        return -errno;
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        return -errno;
    /* Connected at once or later: writable tells. */
    r = loop_watch_open(l->loop, l->fd, LOOP_WRITE, on_socket, l, &l->watch);
    if (r == 0)
        loop_timer_start(l->loop, &l->timer, CLIENT_LINK_CONNECT_MS);
    return r;
}

/* Tries the addresses from l->address on; `why` is how the one before it failed. */
static void try_addresses(struct client_link *l, const char *why)
{
    char text[128];

    for (; l->address; l->address = l->address->ai_next) {
        int r = connect_address(l, l->address);

        if (r == 0)
            return;
        why = strerror_r(-r, text, sizeof(text));
        close_socket(l);
    }
    lose(l, why);
}

static void try_next_address(struct client_link *l, const char *why)
{
    close_socket(l);
    l->address = l->address->ai_next;
    try_addresses(l, why);
}

static void on_connect_timeout(void *arg)
{
    try_next_address(arg, "no connection within 10 s");
}

static void on_resolved(void *arg, int error, struct addrinfo *addresses)
{
    struct client_link *l = arg;

    resolve_close(l->resolve);
    l->resolve = NULL;
    if (error) {
        lose(l, gai_strerror(error));
        return;
    }
    l->addresses = addresses;
    l->address = addresses;
    try_addresses(l, "the name has no address");
}

int client_link_open(struct client_link *l, const char *host, uint16_t port)
{
    assert(l->fd < 0 && !l->resolve);
    return resolve_open(l->loop, host, port, on_resolved, l, &l->resolve);
}
