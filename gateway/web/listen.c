/*
 * listen - the port: our own socket, so that it is bound exactly as configured,
 * an error has its errno, and connections beyond the limit wait in the kernel
 * instead of taking memory. Accepted ones are lws's.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "loop.h"
#include "web/web_private.h"

enum { ACCEPTS_A_TURN = 16, RETRY_MS = 1000 };

static int open_listener(const struct addrinfo *address, int *ret_fd)
{
    const int on = 1;
    int fd;
    int r;

    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Otherwise a restart would wait for the old connections' TIME_WAIT. */
    r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (r == 0 && address->ai_family == AF_INET6)
        r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)); /* as the broker's listeners */
    if (r == 0)
        r = bind(fd, address->ai_addr, address->ai_addrlen);
    if (r == 0)
        r = listen(fd, SOMAXCONN);
    if (r < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

static int listen_at(const char *bind_address, uint16_t port, int *ret_fd)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *address;
    char service[8];
    int r;

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(bind_address, service, &hints, &address) != 0)
        return -EADDRNOTAVAIL;
    r = open_listener(address, ret_fd);
    freeaddrinfo(address);
    return r;
}

void web_accept_more(struct web *w)
{
    if (!w->listen_watch || timer_running(&w->accept_retry))
        return;
    loop_watch_set(w->listen_watch, w->http_count < WEB_HTTP_CONNECTIONS ? LOOP_READ : 0);
}

static void on_retry(void *arg)
{
    web_accept_more(arg);
}

static bool is_of_one_connection(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

static void on_incoming(void *arg, int events)
{
    struct web *w = arg;
    const int on = 1;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && w->http_count < WEB_HTTP_CONNECTIONS; i++) {
        int fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && is_of_one_connection(errno))
            continue;
        if (fd < 0 && errno != EAGAIN) {
            /* Out of descriptors or memory: the connection stays where it is, so look again later, not at once. */
            log_warning("web: cannot accept a connection (%s), trying again every second", strerror(errno));
            loop_timer_start(w->loop, &w->accept_retry, RETRY_MS);
            loop_watch_set(w->listen_watch, 0);
            return;
        }
        if (fd < 0)
            break;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        lws_adopt_socket_vhost(w->vhost, fd); /* closes it when it cannot */
    }
    web_accept_more(w);
}

int web_listen(struct web *w)
{
    const char *at = w->settings->bind;
    bool v6 = strchr(at, ':');
    int r;

    timer_init(&w->accept_retry, on_retry, w);
    r = listen_at(at, w->settings->port, &w->listen_fd);
    if (r < 0) {
        log_error("web: cannot listen on %s%s%s:%u (%s)", v6 ? "[" : "", at, v6 ? "]" : "", w->settings->port,
                  strerror(-r));
        return r;
    }
    r = loop_watch_open(w->loop, w->listen_fd, LOOP_READ, on_incoming, w, &w->listen_watch);
    if (r < 0) {
        log_error("web: cannot watch the port (%s)", strerror(-r));
        web_unlisten(w);
        return r;
    }
    log_info("web: listening on http://%s%s%s:%u/", v6 ? "[" : "", at, v6 ? "]" : "", w->settings->port);
    return 0;
}

void web_unlisten(struct web *w)
{
    loop_timer_stop(w->loop, &w->accept_retry);
    loop_watch_close(w->listen_watch);
    w->listen_watch = NULL;
    if (w->listen_fd >= 0)
        close(w->listen_fd);
    w->listen_fd = -1;
}
