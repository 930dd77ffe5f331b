/* link_socket - a TCP connection for a link. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_impl.h"

enum {
    CONNECT_TIMEOUT_MS = 3000,
    DEAD_PEER_MS = 10000, /* unacknowledged for so long: the connection is gone */
};

static void set_options(int fd)
{
    const int on = 1;
    const unsigned int dead_ms = DEAD_PEER_MS;

    /* Nothing to do about an option that is refused; all of them are conveniences. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
}

static int finish_connect(const struct link *l, int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    int r = link_wait(l, fd, POLLOUT, clock_mono_us() + CONNECT_TIMEOUT_MS * 1000);

    if (r == 0)
        return -ETIMEDOUT;
    if (r < 0)
        return r;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

static int connect_to(const struct link *l, const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
        r = errno == EINPROGRESS ? finish_connect(l, fd) : -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    set_options(fd);
    return fd;
}

int link_socket_open(const struct link *l, const char *host, uint16_t port)
{
    struct addrinfo *found;
    int r = link_resolve(l, host, port, &found);

    if (r < 0)
        return r;
    r = -EHOSTUNREACH;
    for (const struct addrinfo *ai = found; ai && r < 0 && r != -ECANCELED; ai = ai->ai_next)
        r = connect_to(l, ai);
    freeaddrinfo(found);
    return r;
}

int link_socket_send(int fd, const uint8_t *bytes, size_t len)
{
    /* A dozen bytes that do not fit the send buffer: the peer has stopped reading long ago. */
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -ENODEV;
}
