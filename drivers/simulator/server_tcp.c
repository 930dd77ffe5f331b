/* server_tcp - a server for all units of a bus, several connections at once: Modbus TCP, or RTU frames over TCP. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "drivers/simulator/rtu_request.h"
#include "drivers/simulator/server.h"

enum { MAX_PEERS = 16, MBAP_LEN = 6, LISTEN_BACKLOG = 8, HALF_FRAME_US = 200000 };

struct peer {
    int fd;           /* -1: free */
    int64_t heard_us; /* when it last sent something */
    size_t len;
    uint8_t bytes[RESPONDER_FRAME_MAX];
};

struct server_line {
    int listener;
    struct peer peers[MAX_PEERS];
};

static int listen_at(const char *host, uint16_t port)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    const int on = 1;
    struct addrinfo *ai;
    char service[8];
    int fd;
    int r = 0;

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &ai) != 0)
        return -EADDRNOTAVAIL;
    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        r = -errno;
    freeaddrinfo(ai);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

static int tcp_open(struct server *s)
{
    s->line = calloc(1, sizeof(*s->line));
    if (!s->line)
        return -ENOMEM;
    for (size_t i = 0; i < MAX_PEERS; i++)
        s->line->peers[i].fd = -1;
    s->line->listener = listen_at(s->settings->host, s->settings->tcp_port);
    if (s->line->listener < 0)
        return s->line->listener;
    log_info("%s: simulated on %s:%u", s->settings->name, s->settings->host, s->settings->tcp_port);
    return 0;
}

static void tcp_close(struct server *s)
{
    if (!s->line)
        return;
    for (size_t i = 0; i < MAX_PEERS; i++)
        if (s->line->peers[i].fd >= 0)
            close(s->line->peers[i].fd);
    if (s->line->listener >= 0)
        close(s->line->listener);
    free(s->line);
}

static void accept_peer(struct server_line *line)
{
    const int on = 1;
    int fd = accept4(line->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t i = 0; i < MAX_PEERS; i++)
        if (line->peers[i].fd < 0) {
            line->peers[i].fd = fd;
            line->peers[i].len = 0;
            return;
        }
    close(fd);
}

static void drop_peer(struct server *s, size_t i)
{
    close(s->line->peers[i].fd);
    s->line->peers[i].fd = -1;
    responder_forget(s->responder, (int)i);
}

/* Bytes of the frame that a peer has begun to send; 0 when more of it is needed to tell. */
static size_t frame_len(const struct server *s, const struct peer *p)
{
    size_t len;

    if (s->settings->type == BUS_MODBUS_TCP) /* the MBAP header says */
        return p->len < MBAP_LEN ? 0 : MBAP_LEN + (size_t)(p->bytes[4] << 8 | p->bytes[5]);
    len = rtu_request_len(p->bytes, p->len);
    return len == RTU_REQUEST_UNKNOWN ? p->len : len; /* a segment of TCP ends where its sender fell silent */
}

static void take_frames(struct server *s, size_t i)
{
    struct peer *p = &s->line->peers[i];
    size_t len;

    while ((len = frame_len(s, p)) > 0) {
        if (len > sizeof(p->bytes)) {
            drop_peer(s, i);
            return;
        }
        if (p->len < len)
            return;
        responder_take(s->responder, (int)i, p->bytes, len, clock_mono_us());
        p->len -= len;
        memmove(p->bytes, p->bytes + len, p->len);
    }
}

static void read_peer(struct server *s, size_t i)
{
    struct peer *p = &s->line->peers[i];
    ssize_t n = read(p->fd, p->bytes + p->len, sizeof(p->bytes) - p->len);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            drop_peer(s, i);
        return;
    }
    /* Half of an RTU frame ends where silence begins. */
    if (s->settings->type == BUS_MODBUS_RTU_TCP && clock_mono_us() > p->heard_us + HALF_FRAME_US) {
        memmove(p->bytes, p->bytes + p->len, (size_t)n);
        p->len = 0;
    }
    p->heard_us = clock_mono_us();
    p->len += (size_t)n;
    take_frames(s, i);
}

static void send_due(struct server *s)
{
    uint8_t frame[RESPONDER_ANSWER_MAX];
    size_t len;
    int i;

    while ((len = responder_give(s->responder, clock_mono_us(), &i, frame)) > 0)
        if (send(s->line->peers[i].fd, frame, len, MSG_NOSIGNAL) != (ssize_t)len)
            drop_peer(s, (size_t)i);
}

static void tcp_serve(struct server *s)
{
    struct pollfd fds[MAX_PEERS + 2] = {{.fd = s->stop_fd, .events = POLLIN},
                                        {.fd = s->line->listener, .events = POLLIN}};

    while (!fds[0].revents) {
        int64_t next_us = responder_next(s->responder);
        int64_t left_us = next_us - clock_mono_us();
        struct timespec wait = {0};

        for (size_t i = 0; i < MAX_PEERS; i++)
            fds[i + 2] = (struct pollfd){.fd = s->line->peers[i].fd, .events = POLLIN};
        if (left_us > 0)
            wait = (struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
        if (ppoll(fds, MAX_PEERS + 2, next_us == INT64_MAX ? NULL : &wait, NULL) < 0)
            continue;
        for (size_t i = 0; i < MAX_PEERS; i++)
            if (fds[i + 2].revents)
                read_peer(s, i);
        if (fds[1].revents)
            accept_peer(s->line);
        send_due(s);
    }
}

const struct server_ops server_tcp = {.open = tcp_open, .serve = tcp_serve, .close = tcp_close};
