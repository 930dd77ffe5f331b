/* tcp - see tcp.h. */
#include "broker/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/conn.h"
#include "core/log.h"

struct lingering {
    struct list_node node; /* in listeners.lingering */
    struct timer timer;
    struct tcp *tcp;
};

struct tcp {
    struct broker *broker;
    struct conn *conn; /* NULL: the broker is done with it */
    struct loop_watch *watch;
    struct lingering *linger; /* NULL: not lingering */
    int fd;
    bool busy;    /* inside its own callback */
    bool unwatch; /* to be freed when the callback ends */
};

enum { PEER_TEXT = INET6_ADDRSTRLEN + 8 };

static void tcp_free(struct tcp *t)
{
    if (t->linger) {
        loop_timer_stop(t->broker->loop, &t->linger->timer);
        list_remove(&t->linger->node);
        free(t->linger);
        t->linger = NULL;
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

static void on_linger_end(void *arg)
{
    struct lingering *l = arg;

    tcp_free(l->tcp);
}

/* False when there is nothing to wait for or no memory to wait with. */
static bool begin_linger(struct tcp *t, bool peer_finished)
{
    struct listeners *ls = &t->broker->listeners;

    if (peer_finished || t->broker->stopping || shutdown(t->fd, SHUT_WR) < 0)
        return false;
    t->linger = malloc(sizeof(*t->linger));
    if (!t->linger)
        return false;
    t->linger->tcp = t;
    timer_init(&t->linger->timer, on_linger_end, t->linger);
    loop_timer_start(t->broker->loop, &t->linger->timer, TCP_LINGER_MS);
    list_push_back(&ls->lingering, &t->linger->node);
    return loop_watch_set(t->watch, LOOP_READ) == 0;
}

static ssize_t tcp_write(void *arg, const uint8_t *data, size_t len)
{
    struct tcp *t = arg;
    ssize_t n = send(t->fd, data, len, MSG_NOSIGNAL);
    int events = (broker_conn_paused(t->conn) ? 0 : LOOP_READ) | LOOP_WRITE;

    if (n >= 0)
        return n;
    if (errno == EINTR)
        return 0;
    if (errno == EAGAIN && loop_watch_set(t->watch, events) == 0)
        return -EAGAIN;
    loop_watch_set(t->watch, LOOP_READ); /* reading will tell what has happened */
    return -EPIPE;
}

static void tcp_close(void *arg)
{
    struct tcp *t = arg;
    bool finished = t->conn->finished;

    t->conn = NULL;
    if (!begin_linger(t, finished))
        tcp_free(t);
}

static const struct broker_transport tcp_transport = {.write = tcp_write, .close = tcp_close};

static void tcp_resume(void *arg)
{
    struct tcp *t = arg;

    loop_watch_set(t->watch, t->conn->blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void lost(struct tcp *t, const char *why)
{
    struct conn *c = t->conn;

    t->conn = NULL;
    if (c)
        broker_conn_lost(c, why);
    tcp_free(t);
}

static void readable(struct tcp *t)
{
    uint8_t *data = loop_read_buffer(t->broker->loop);
    ssize_t n = recv(t->fd, data, LOOP_READ_BUFFER, 0);

    if (n == 0) {
        lost(t, "closed by the peer");
    } else if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            lost(t, strerror(errno));
    } else if (t->conn) {
        broker_conn_receive(t->conn, data, (size_t)n);
        if (t->conn && broker_conn_paused(t->conn))
            loop_watch_set(t->watch, t->conn->blocked ? LOOP_WRITE : 0);
    }
}

static void on_ready(void *arg, int events)
{
    struct tcp *t = arg;

    t->busy = true;
    if (events & LOOP_WRITE && t->conn) {
        loop_watch_set(t->watch, broker_conn_paused(t->conn) ? 0 : LOOP_READ);
        broker_conn_writable(t->conn);
    }
    if (events & LOOP_READ)
        readable(t);
    t->busy = false;
    if (t->unwatch)
        free(t);
}

static void peer_text(const struct sockaddr *sa, char text[PEER_TEXT], bool *ret_loopback)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, PEER_TEXT, "[%s]:%u", host, ntohs(in6->sin6_port));
        *ret_loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    } else {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)sa;

        inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host));
        snprintf(text, PEER_TEXT, "%s:%u", host, ntohs(in4->sin_port));
        *ret_loopback = ntohl(in4->sin_addr.s_addr) >> 24 == 127;
    }
}

void tcp_accept(struct listeners *ls, const struct entrance *e, int fd, const struct sockaddr *peer)
{
    struct tcp *t = calloc(1, sizeof(*t));
    char text[PEER_TEXT];
    struct broker_peer who = {.name = text, .entrance = e};

    if (!t) {
        close(fd);
        return;
    }
    t->broker = ls->broker;
    t->fd = fd;
    peer_text(peer, text, &who.loopback);
    if (loop_watch_open(ls->broker->loop, fd, LOOP_READ, on_ready, t, &t->watch) < 0) {
        tcp_free(t);
        return;
    }
    t->conn = broker_conn_open(ls->broker, &tcp_transport, t, &who);
    if (!t->conn) {
        log_debug("broker: %s: refused (too many connections, or out of memory)", text);
        tcp_free(t);
        return;
    }
    broker_conn_on_resume(t->conn, tcp_resume);
}

void tcp_end_lingering(struct listeners *ls)
{
    while (!list_empty(&ls->lingering))
        tcp_free(list_entry(ls->lingering.next, struct lingering, node)->tcp);
}
