/* link - see link.h. This file: bytes to and from the socket. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/link_internal.h"
#include "loop.h"
#include "tls/tls_stream.h"

ssize_t link_recv(struct client_link *l, uint8_t *data, size_t len)
{
    ssize_t n;

    if (l->tls)
        return tls_stream_read(l->tls, data, len);
    n = recv(l->fd, data, len, 0);
    if (n >= 0)
        return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t link_send(struct client_link *l, const uint8_t *data, size_t len)
{
    ssize_t n;

    if (l->tls)
        return tls_stream_write(l->tls, data, len);
    do
        n = send(l->fd, data, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

const char *link_problem(const struct client_link *l, int error, char text[LINK_WHY_SIZE])
{
    bool closed = error == 0 || error == -ECONNRESET;
    char system[128];

    if (l->tls && (error == -EKEYREJECTED || error == -EPROTO))
        snprintf(text, LINK_WHY_SIZE, "%s%s", l->stage == LINK_SECURING ? "" : "TLS: ", tls_stream_error(l->tls));
    else if (closed && l->stage == LINK_SECURING)
        snprintf(text, LINK_WHY_SIZE, "closed by the peer within the handshake: does this port speak TLS?");
    else if (closed && l->stage == LINK_UPGRADING)
        snprintf(text, LINK_WHY_SIZE, "closed by the peer without an answer: does this port speak HTTP?");
    else if (error == 0)
        snprintf(text, LINK_WHY_SIZE, "closed by the peer");
    else /* strerror(3) has one buffer for all threads. */
        snprintf(text, LINK_WHY_SIZE, "%s", strerror_r(-error, system, sizeof(system)));
    return text;
}

/* The peer's last words may still be unread: the read event that follows ends the link. */
static void fail_sending(struct client_link *l, struct buf *out, int error)
{
    l->send_error = -error;
    buf_clear(out);
    buf_clear(&l->out);
    loop_watch_set(l->watch, LOOP_READ);
    if (l->tls)
        loop_timer_start(l->loop, &l->timer, 0); /* its sessions end without making the socket readable */
}

/* What goes out next; empty when there is nothing. */
static struct buf *output(struct client_link *l)
{
    return l->ws ? link_ws_output(l) : &l->out;
}

static void note_sent(struct client_link *l, struct buf *out, size_t n)
{
    buf_consume(out, n);
    l->last_sent_ms = loop_now_ms(l->loop);
    if (!l->ws) {
        l->out_total += n;
    } else if (buf_len(out) == 0) {
        l->out_total += l->out_framed;
        l->out_framed = 0;
    }
}

static void close_our_side(struct client_link *l)
{
    l->shut = true;
    if (l->tls)
        tls_stream_shutdown(l->tls);
    /* The peer of a WebSocket has been told, and closes. */
    if (!l->ws)
        shutdown(l->fd, SHUT_WR);
}

void client_link_flush(struct client_link *l)
{
    struct buf *out;

    if ((!l->up && l->stage != LINK_UPGRADING) || l->fd < 0 || l->send_error)
        return;
    while (buf_len(out = output(l)) > 0) {
        ssize_t n = link_send(l, buf_data(out), buf_len(out));

        if (n == -EAGAIN) {
            loop_watch_set(l->watch, LOOP_READ | (l->tls ? tls_stream_wants(l->tls) : LOOP_WRITE));
            return;
        }
        if (n < 0) {
            fail_sending(l, out, (int)n);
            return;
        }
        note_sent(l, out, (size_t)n);
    }
    loop_watch_set(l->watch, LOOP_READ);
    if (l->finishing && !l->shut)
        close_our_side(l);
}

void client_link_finish(struct client_link *l)
{
    assert(l->up);
    l->finishing = true;
    client_link_flush(l);
}
