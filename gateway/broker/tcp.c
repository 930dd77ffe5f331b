/* tcp - see tcp.h. */
#include "broker/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/conn.h"
#include "core/log.h"
#include "net/net_peer.h"
#include "tls/tls_stream.h"

/* What only some have: those with TLS, and those that linger. */
struct extra {
    struct tcp *tcp;
    struct tls_port *port;
    struct tls_stream *stream;  /* NULL: no TLS */
    struct timer timer;         /* to read again; then: the end of lingering */
    struct list_node lingering; /* in listeners.lingering */
};

struct tcp {
    struct broker *broker;
    struct conn *conn; /* NULL: the broker is done with it */
    struct loop_watch *watch;
    struct extra *extra; /* NULL: plain, and not lingering */
    int fd;
    bool shaking; /* hands: the handshake is not done */
    bool busy;    /* inside its own callback */
    bool unwatch; /* to be freed when the callback ends */
};
_Static_assert((int)TLS_WANTS_READ == (int)LOOP_READ && (int)TLS_WANTS_WRITE == (int)LOOP_WRITE,
               "one can be the other");

static void tcp_free(struct tcp *t)
{
    if (t->extra) {
        loop_timer_stop(t->broker->loop, &t->extra->timer);
        t->broker->listeners.lingering_count -= list_linked(&t->extra->lingering);
        list_remove(&t->extra->lingering);
        tls_stream_free(t->extra->stream);
        free(t->extra);
        t->extra = NULL;
    }
    loop_watch_close(t->watch);
    t->watch = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    if (t->busy)
        t->unwatch = true;
    else
        free(t);
}

static struct tls_stream *stream_of(const struct tcp *t)
{
    return t->extra ? t->extra->stream : NULL;
}

/* NULL when out of memory. */
static struct extra *add_extra(struct tcp *t, timer_fn *fn)
{
    struct extra *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->tcp = t;
    timer_init(&x->timer, fn, t);
    list_init(&x->lingering);
    t->extra = x;
    return x;
}

/* ---- the end ---- */

static void on_linger_end(void *arg)
{
    tcp_free(arg);
}

/* Says good-bye. Nothing is decrypted any more: what still comes is thrown away. */
static void end_tls(struct tcp *t)
{
    struct extra *x = t->extra;

    loop_timer_stop(t->broker->loop, &x->timer);
    timer_init(&x->timer, on_linger_end, t);
    tls_stream_shutdown(x->stream);
    tls_stream_free(x->stream);
    x->stream = NULL;
}

/* False when there is nothing to wait for or no memory to wait with. */
static bool begin_linger(struct tcp *t, bool peer_finished)
{
    struct listeners *ls = &t->broker->listeners;

    if (stream_of(t))
        end_tls(t);
    if (peer_finished || t->broker->stopping || shutdown(t->fd, SHUT_WR) < 0)
        return false;
    if (!t->extra && !add_extra(t, on_linger_end))
        return false;
    t->shaking = false;
    if (ls->lingering_count == TCP_LINGERING)
        tcp_free(list_entry(ls->lingering.next, struct extra, lingering)->tcp);
    loop_timer_start(t->broker->loop, &t->extra->timer, TCP_LINGER_MS);
    list_push_back(&ls->lingering, &t->extra->lingering);
    ls->lingering_count++;
    return loop_watch_set(t->watch, LOOP_READ) == 0;
}

static void tcp_close(void *arg)
{
    struct tcp *t = arg;
    bool finished = t->conn->finished;

    t->conn = NULL;
    if (!begin_linger(t, finished))
        tcp_free(t);
}

static void lost(struct tcp *t, const char *why)
{
    struct conn *c = t->conn;

    t->conn = NULL;
    if (c)
        broker_conn_lost(c, why);
    tcp_free(t);
}

/* ---- writing ---- */

/* Bytes, -EAGAIN, or another -errno. */
static ssize_t write_some(struct tcp *t, const uint8_t *data, size_t len)
{
    ssize_t n;

    if (stream_of(t))
        return t->shaking ? -EAGAIN : tls_stream_write(stream_of(t), data, len);
    n = send(t->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    return errno == EINTR ? 0 : -errno;
}

static ssize_t tcp_write(void *arg, const uint8_t *data, size_t len)
{
    struct tcp *t = arg;
    ssize_t n = write_some(t, data, len);
    int events = (broker_conn_paused(t->conn) ? 0 : LOOP_READ) | LOOP_WRITE;

    if (n >= 0)
        return n;
    if (n == -EAGAIN && (t->shaking || loop_watch_set(t->watch, events) == 0))
        return -EAGAIN;
    loop_watch_set(t->watch, LOOP_READ); /* reading will tell what has happened */
    return -EPIPE;
}

/* ---- reading ---- */

/* Bytes; 0: the peer's end; -EAGAIN; another -errno, with the reason in words. */
static ssize_t read_some(struct tcp *t, uint8_t *data, const char **ret_why)
{
    ssize_t n;

    if (stream_of(t)) {
        n = tls_stream_read(stream_of(t), data, LOOP_READ_BUFFER);
        *ret_why = n <= 0 ? tls_stream_error(stream_of(t)) : "";
        return n;
    }
    n = recv(t->fd, data, LOOP_READ_BUFFER, 0);
    if (n < 0)
        n = errno == EINTR ? -EAGAIN : -errno;
    *ret_why = n < 0 ? strerror((int)-n) : "closed by the peer";
    return n;
}

/* Bytes that are decrypted already make no socket readable. */
static void read_again_if_pending(struct tcp *t)
{
    if (stream_of(t) && tls_stream_pending(stream_of(t)))
        loop_timer_start(t->broker->loop, &t->extra->timer, 0);
}

static void readable(struct tcp *t)
{
    uint8_t *data = loop_read_buffer(t->broker->loop);
    const char *why;
    ssize_t n = read_some(t, data, &why);

    if (n == -EAGAIN) {
        if (stream_of(t) && tls_stream_wants(stream_of(t)) == TLS_WANTS_WRITE)
            loop_watch_set(t->watch, LOOP_WRITE); /* it owes its peer an answer, and reads nothing before */
    } else if (n <= 0) {
        lost(t, why);
    } else if (t->conn) {
        broker_conn_receive(t->conn, data, (size_t)n);
        if (t->conn && broker_conn_paused(t->conn))
            loop_watch_set(t->watch, t->conn->blocked ? LOOP_WRITE : 0);
        else if (t->conn)
            read_again_if_pending(t);
    }
}

static void tcp_resume(void *arg)
{
    struct tcp *t = arg;

    loop_watch_set(t->watch, t->conn->blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    read_again_if_pending(t);
}

static const struct broker_transport tcp_transport = {.write = tcp_write, .close = tcp_close, .resume = tcp_resume};

/* ---- turns ---- */

/* True when it is done. */
static bool shake_hands(struct tcp *t)
{
    struct tls_stream *s = stream_of(t);
    int r = tls_port_handshake(&t->broker->listeners.handshakes, s);

    if (r == -EBUSY) /* still readable in the next turn */
        return false;
    if (r == -EAGAIN) {
        loop_watch_set(t->watch, tls_stream_wants(s));
        return false;
    }
    if (r == 0 && tls_port_welcome(t->extra->port, s, t->conn)) {
        t->shaking = false;
        return loop_watch_set(t->watch, LOOP_READ) == 0;
    }
    if (r < 0)
        tls_port_refuse(t->conn, s, r);
    lost(t, "no TLS session");
    return false;
}

static void serve(struct tcp *t, int events)
{
    if (t->shaking && !shake_hands(t))
        return;
    if (events & LOOP_WRITE && t->conn) {
        loop_watch_set(t->watch, broker_conn_paused(t->conn) ? 0 : LOOP_READ);
        broker_conn_writable(t->conn);
    }
    if (events & LOOP_READ || (stream_of(t) && !broker_conn_paused(t->conn)))
        readable(t);
}

static void on_ready(void *arg, int events)
{
    struct tcp *t = arg;

    t->busy = true;
    serve(t, events);
    t->busy = false;
    if (t->unwatch)
        free(t);
}

static void on_read_again(void *arg)
{
    struct tcp *t = arg;

    if (!broker_conn_paused(t->conn))
        on_ready(t, LOOP_READ);
}

/* ---- coming in ---- */

static bool begin_tls(struct tcp *t, struct tls_port *port)
{
    struct extra *x = add_extra(t, on_read_again);

    if (!x)
        return false;
    x->port = port;
    t->shaking = true;
    return tls_stream_new(port->context, t->fd, NULL, &x->stream) == 0;
}

void tcp_accept(struct listeners *ls, struct entrance *e, struct tls_port *tls, int fd, const struct net_peer *peer)
{
    struct tcp *t = calloc(1, sizeof(*t));
    struct broker_peer who = {
        .name = peer->name, .loopback = peer->loopback, .address = peer->address, .entrance = e, .costly = tls};

    if (!t) {
        close(fd);
        return;
    }
    t->broker = ls->broker;
    t->fd = fd;
    if ((tls && !begin_tls(t, tls)) || loop_watch_open(ls->broker->loop, fd, LOOP_READ, on_ready, t, &t->watch) < 0) {
        tcp_free(t);
        return;
    }
    t->conn = broker_conn_open(ls->broker, &tcp_transport, t, &who);
    if (!t->conn) {
        log_debug("broker: %s: refused (too many connections, or out of memory)", peer->name);
        tcp_free(t);
        return;
    }
}

void tcp_end_lingering(struct listeners *ls)
{
    while (!list_empty(&ls->lingering))
        tcp_free(list_entry(ls->lingering.next, struct extra, lingering)->tcp);
}
