/* net_listen - see net_listen.h. */
#include "net/net_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
    struct sockaddr sa;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static int parse(const struct net_place *place, union address *ret_address, socklen_t *ret_len)
{
    union address a = {0};

    if (inet_pton(AF_INET, place->bind, &a.in4.sin_addr) == 1) {
        a.in4.sin_family = AF_INET;
        a.in4.sin_port = htons(place->port);
        *ret_len = sizeof(a.in4);
    } else if (inet_pton(AF_INET6, place->bind, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(place->port);
        *ret_len = sizeof(a.in6);
    } else {
        return -EINVAL;
    }
    *ret_address = a;
    return 0;
}

/* TCP_NODELAY is inherited by what is accepted. Without SO_REUSEADDR a restart would wait for the TIME_WAIT of old
 * connections. */
static int listen_tcp(const struct net_place *place, struct net_listening *l)
{
    const int on = 1;
    union address a;
    socklen_t len;
    int r = parse(place, &a, &len);

    if (r < 0)
        return r;
    l->fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd >= 0 && setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        (a.sa.sa_family != AF_INET6 || setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        bind(l->fd, &a.sa, len) == 0 && listen(l->fd, BACKLOG) == 0)
        return 0;
    return -errno;
}

/* 0 when the name is free, perhaps because what a process that is gone has left there was removed. */
static int make_way(const union address *a, const char **ret_why)
{
    struct stat st;
    int fd;
    int r;

    if (lstat(a->un.sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode)) {
        *ret_why = "there is a file that is no socket; it was left alone";
        return -EEXIST;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = connect(fd, &a->sa, sizeof(a->un)) == 0 ? 0 : errno;
    close(fd);
    if (r == ECONNREFUSED)
        return unlink(a->un.sun_path) == 0 || errno == ENOENT ? 0 : -errno;
    if (r == 0 || r == EAGAIN || r == EPROTOTYPE) {
        *ret_why = "another process listens there";
        return -EADDRINUSE;
    }
    return r == ENOENT ? 0 : -r;
}

static int give_to_group(const struct net_place *place, const char **ret_why)
{
    struct group entry;
    struct group *found = NULL;
    char text[4096];
    int r;

    if (!place->group)
        return 0;
    r = getgrnam_r(place->group, &entry, text, sizeof(text), &found);
    if (!found) {
        if (r == 0)
            *ret_why = "there is no such group";
        return r ? -r : -ENOENT;
    }
    return chown(place->path, (uid_t)-1, found->gr_gid) == 0 ? 0 : -errno;
}

/* Nobody can connect before listen(), and then owner and mode are right. */
static int listen_unix(const struct net_place *place, struct net_listening *l, const char **ret_why)
{
    union address a = {.un.sun_family = AF_UNIX};
    struct stat st;
    int r;

    if (strlen(place->path) >= sizeof(a.un.sun_path))
        return -ENAMETOOLONG;
    memcpy(a.un.sun_path, place->path, strlen(place->path) + 1);
    r = make_way(&a, ret_why);
    if (r < 0)
        return r;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || bind(l->fd, &a.sa, sizeof(a.un)) < 0)
        return -errno;
    l->path = strdup(place->path);
    if (!l->path || lstat(place->path, &st) < 0) {
        r = l->path ? -errno : -ENOMEM;
        unlink(place->path);
        return r;
    }
    l->device = st.st_dev;
    l->inode = st.st_ino;
    r = give_to_group(place, ret_why);
    if (r == 0 && (chmod(place->path, place->mode) < 0 || listen(l->fd, BACKLOG) < 0))
        r = -errno;
    return r;
}

int net_listen(const struct net_place *place, struct net_listening *ret_listening, const char **ret_why)
{
    struct net_listening l = {.fd = -1};
    const char *why = NULL;
    int r = place->path ? listen_unix(place, &l, &why) : listen_tcp(place, &l);

    if (r < 0) {
        net_unlisten(&l);
        *ret_why = why ? why : strerror(-r);
        return r;
    }
    *ret_listening = l;
    return 0;
}

void net_unlisten(struct net_listening *l)
{
    struct stat st;

    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
    free(l->path);
    l->path = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

uint16_t net_listening_port(const struct net_listening *l)
{
    union address a = {0};
    socklen_t len = sizeof(a);

    if (l->path || getsockname(l->fd, &a.sa, &len) < 0)
        return 0;
    return ntohs(a.sa.sa_family == AF_INET6 ? a.in6.sin6_port : a.in4.sin_port);
}
