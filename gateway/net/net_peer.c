/* net_peer - see net_peer.h. */
#include "net/net_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint64_t V4_PREFIX = 0x0000ffff00000000u; /* as in ::ffff:192.0.2.7 */

static void take_ipv4(struct net_peer *p, const struct sockaddr_in *in4)
{
    char host[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host));
    snprintf(p->name, sizeof(p->name), "%s:%u", host, ntohs(in4->sin_port));
    p->loopback = ntohl(in4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    p->address = V4_PREFIX | ntohl(in4->sin_addr.s_addr);
}

/* The last half of an address is its owner's to choose; an IPv4 address in an IPv6 one is that. */
static uint64_t address_of(const struct in6_addr *in6)
{
    uint64_t address = 0;
    uint32_t v4;

    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        memcpy(&v4, &in6->s6_addr[12], sizeof(v4));
        return V4_PREFIX | ntohl(v4);
    }
    for (size_t i = 0; i < sizeof(address); i++)
        address = address << 8 | in6->s6_addr[i];
    return address ? address : 1; /* ::1 and its like */
}

static void take_ipv6(struct net_peer *p, const struct sockaddr_in6 *in6)
{
    char host[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
    snprintf(p->name, sizeof(p->name), "[%s]:%u", host, ntohs(in6->sin6_port));
    p->loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    p->address = address_of(&in6->sin6_addr);
}

static void take_process(struct net_peer *p, int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);

    p->loopback = true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
        snprintf(p->name, sizeof(p->name), "unix uid %u pid %d", who.uid, who.pid);
    else
        snprintf(p->name, sizeof(p->name), "unix");
}

struct net_peer net_peer_of(int fd, const struct sockaddr *sa)
{
    struct net_peer p = {.name = "?"};

    if (sa->sa_family == AF_INET)
        take_ipv4(&p, (const struct sockaddr_in *)(const void *)sa);
    else if (sa->sa_family == AF_INET6)
        take_ipv6(&p, (const struct sockaddr_in6 *)(const void *)sa);
    else if (sa->sa_family == AF_UNIX)
        take_process(&p, fd);
    return p;
}
