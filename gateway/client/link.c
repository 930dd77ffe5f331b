/* link - see link.h. This file: its life, and what comes in. */
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

#include "client/link_internal.h"
#include "client/resolve.h"
#include "loop.h"
#include "tls/tls_stream.h"

enum { READS_PER_TURN = 16 };

static void try_next_address(struct client_link *l, int error);
static void on_timer(void *arg);

void client_link_init(struct client_link *l, struct loop *loop, const struct client_link_events *events, void *arg)
{
    *l = (struct client_link){.loop = loop, .events = events, .arg = arg, .fd = -1};
    timer_init(&l->timer, on_timer, l);
}

static void close_socket(struct client_link *l)
{
    loop_timer_stop(l->loop, &l->timer);
    loop_watch_close(l->watch);
    l->watch = NULL;
    tls_stream_free(l->tls);
    l->tls = NULL;
    link_ws_free(l->ws);
    l->ws = NULL;
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
    l->out_framed = 0;
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

void link_lose(struct client_link *l, int error, const char *why)
{
    static const char *const subjects[] = {
        [LINK_RESOLVING] = "name lookup: ", [LINK_CONNECTING] = "", [LINK_SECURING] = "TLS: ",
        [LINK_UPGRADING] = "WebSocket: ",   [LINK_UP] = "",
    };
    char text[LINK_WHY_SIZE];
    struct client_link_loss loss = {.stage = l->stage, .error = error, .why = text};

    snprintf(text, sizeof(text), "%s%s", subjects[l->stage], why);
    client_link_close(l);
    l->events->lost(l->arg, &loss);
}

static void lose_by_error(struct client_link *l, int error)
{
    char why[LINK_WHY_SIZE];

    link_lose(l, error, link_problem(l, error, why));
}

/* Reading */

/* With an unfinished tail the new bytes join it; otherwise they are used where they are. */
void link_deliver(struct client_link *l, const uint8_t *data, size_t len)
{
    bool joined = buf_len(&l->in) > 0;
    size_t used;

    if (joined) {
        buf_append(&l->in, data, len);
        data = buf_data(&l->in);
        len = buf_len(&l->in);
    }
    if (buf_failed(&l->in)) {
        lose_by_error(l, -ENOMEM);
        return;
    }
    used = l->events->received(l->arg, data, len);
    if (l->fd < 0 || l->finishing)
        return;
    if (joined)
        buf_consume(&l->in, used);
    else if (used < len)
        buf_append(&l->in, data + used, len - used);
}

static void on_bytes(struct client_link *l, const uint8_t *data, size_t len)
{
    l->last_received_ms = loop_now_ms(l->loop);
    if (l->ws)
        link_ws_receive(l, data, len);
    else if (!l->finishing)
        link_deliver(l, data, len);
}

/* What TLS has decrypted already makes no socket readable: it is read to its end, over several turns if it is much. */
static void read_some(struct client_link *l)
{
    uint8_t *data = loop_read_buffer(l->loop);

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = link_recv(l, data, LOOP_READ_BUFFER);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            lose_by_error(l, l->send_error ? -l->send_error : (int)n);
            return;
        }
        on_bytes(l, data, (size_t)n);
        if (!l->tls || !tls_stream_pending(l->tls))
            return;
    }
    loop_timer_start(l->loop, &l->timer, 0);
}

/* Handshakes */

void link_go_up(struct client_link *l)
{
    l->stage = LINK_UP;
    l->up = true;
    loop_watch_set(l->watch, LOOP_READ);
    l->last_sent_ms = loop_now_ms(l->loop);
    l->last_received_ms = l->last_sent_ms;
    /* The peer's last handshake bytes may have brought more along. */
    if (l->tls)
        loop_timer_start(l->loop, &l->timer, 0);
    else
        loop_timer_stop(l->loop, &l->timer);
    l->events->connected(l->arg);
}

static void upgrade(struct client_link *l)
{
    int r;

    if (!l->target.ws_path) {
        link_go_up(l);
        return;
    }
    l->stage = LINK_UPGRADING;
    r = link_ws_new(l);
    if (r < 0) {
        lose_by_error(l, r);
        return;
    }
    loop_timer_start(l->loop, &l->timer, CLIENT_LINK_CONNECT_MS);
    client_link_flush(l);
}

static void shake_hands(struct client_link *l)
{
    int r = tls_stream_handshake(l->tls);

    if (r == -EAGAIN)
        loop_watch_set(l->watch, tls_stream_wants(l->tls));
    else if (r < 0)
        lose_by_error(l, r);
    else
        upgrade(l);
}

static void secure(struct client_link *l)
{
    int r;

    if (!l->target.tls) {
        upgrade(l);
        return;
    }
    l->stage = LINK_SECURING;
    r = tls_stream_new(l->target.tls, l->fd, l->target.host, &l->tls);
    if (r < 0) {
        lose_by_error(l, r);
        return;
    }
    loop_timer_start(l->loop, &l->timer, CLIENT_LINK_CONNECT_MS);
    shake_hands(l);
}

/* Connecting */

static void connect_done(struct client_link *l)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error)
        try_next_address(l, -error);
    else
        secure(l);
}

static void on_socket(void *arg, int events)
{
    struct client_link *l = arg;

    if (l->stage == LINK_CONNECTING) {
        connect_done(l);
        return;
    }
    if (l->stage == LINK_SECURING) {
        shake_hands(l);
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

/* Tries the addresses from l->address on; `error` is how the one before it failed. */
static void try_addresses(struct client_link *l, int error)
{
    for (; l->address; l->address = l->address->ai_next) {
        error = connect_address(l, l->address);
        if (error == 0)
            return;
        close_socket(l);
    }
    lose_by_error(l, error);
}

static void try_next_address(struct client_link *l, int error)
{
    close_socket(l);
    l->address = l->address->ai_next;
    try_addresses(l, error);
}

static void on_timer(void *arg)
{
    struct client_link *l = arg;

    switch (l->stage) {
    case LINK_CONNECTING:
        try_next_address(l, -ETIMEDOUT);
        break;
    case LINK_SECURING:
        link_lose(l, -ETIMEDOUT, "no end of the handshake within 10 s");
        break;
    case LINK_UPGRADING:
        link_lose(l, -ETIMEDOUT, "no answer to the request within 10 s");
        break;
    case LINK_UP:
        read_some(l);
        break;
    case LINK_RESOLVING:
        break;
    }
}

static void on_resolved(void *arg, int error, struct addrinfo *addresses)
{
    struct client_link *l = arg;

    resolve_close(l->resolve);
    l->resolve = NULL;
    if (error) {
        link_lose(l, 0, gai_strerror(error));
        return;
    }
    l->addresses = addresses;
    l->address = addresses;
    l->stage = LINK_CONNECTING;
    try_addresses(l, -EADDRNOTAVAIL);
}

int client_link_open(struct client_link *l, const struct client_link_target *target)
{
    assert(l->fd < 0 && !l->resolve);
    l->target = *target;
    l->stage = LINK_RESOLVING;
    return resolve_open(l->loop, target->host, target->port, on_resolved, l, &l->resolve);
}
