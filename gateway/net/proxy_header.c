/* proxy_header - see proxy_header.h. */
#include "net/proxy_header.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const uint8_t first_version[6] = "PROXY ";

enum { VERSION = 0x20, VERSION_MASK = 0xf0, LOCAL = 0x20, PROXY = 0x21, IPV4_TCP = 0x11, IPV6_TCP = 0x21, UNIX = 0x31 };

enum { IPV4_BYTES = 12, IPV6_BYTES = 36, UNIX_BYTES = 216, RECORD_HEAD = 3 };

static bool begins(const uint8_t *data, size_t len, const uint8_t *wanted, size_t wanted_len)
{
    return memcmp(data, wanted, len < wanted_len ? len : wanted_len) == 0;
}

int proxy_header_len(const uint8_t *data, size_t len)
{
    size_t whole;

    if (len == 0)
        return 0;
    if (begins(data, len, first_version, sizeof(first_version)))
        return len >= sizeof(first_version) ? -EPROTONOSUPPORT : 0;
    if (!begins(data, len, signature, sizeof(signature)))
        return -EBADMSG;
    if (len < PROXY_HEADER_FIXED)
        return 0;
    whole = PROXY_HEADER_FIXED + ((size_t)data[14] << 8 | data[15]);
    return (data[12] & VERSION_MASK) == VERSION && whole <= PROXY_HEADER_MAX ? (int)whole : -EBADMSG;
}

/* Whether records of type, length and value fill these bytes. */
static bool are_records(const uint8_t *data, size_t len)
{
    size_t at = 0;

    while (len - at >= RECORD_HEAD) {
        size_t value = (size_t)data[at + 1] << 8 | data[at + 2];

        if (value > len - at - RECORD_HEAD)
            return false;
        at += RECORD_HEAD + value;
    }
    return at == len;
}

/* Whether the client's machine is this one only the proxy could tell, and it did not. */
static struct net_peer unknown_behind(const struct net_peer *proxy)
{
    struct net_peer p = {.address = proxy->address};

    snprintf(p.name, sizeof(p.name), "behind %.50s", proxy->name);
    return p;
}

static struct net_peer ipv4_peer(const uint8_t *data)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};

    memcpy(&in4.sin_addr, data, 4);
    memcpy(&in4.sin_port, data + 8, 2);
    return net_peer_of(-1, (const struct sockaddr *)&in4);
}

static struct net_peer ipv6_peer(const uint8_t *data)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memcpy(&in6.sin6_addr, data, 16);
    memcpy(&in6.sin6_port, data + 32, 2);
    return net_peer_of(-1, (const struct sockaddr *)&in6);
}

/* Bytes of the addresses; -EBADMSG: not of a stream. */
static int address_bytes(uint8_t family)
{
    switch (family) {
    case IPV4_TCP:
        return IPV4_BYTES;
    case IPV6_TCP:
        return IPV6_BYTES;
    case UNIX:
        return UNIX_BYTES;
    case 0:
        return 0;
    default:
        return -EBADMSG;
    }
}

int proxy_header_peer(const uint8_t *data, size_t len, const struct net_peer *proxy, struct net_peer *ret_peer)
{
    const uint8_t *addresses = data + PROXY_HEADER_FIXED;
    size_t left = len - PROXY_HEADER_FIXED;
    int bytes = address_bytes(data[13]);

    if (data[12] == LOCAL) { /* what follows means nothing */
        *ret_peer = *proxy;
        return 0;
    }
    if (data[12] != PROXY || bytes < 0 || left < (size_t)bytes ||
        (data[13] != 0 && !are_records(addresses + bytes, left - (size_t)bytes)))
        return -EBADMSG;
    if (data[13] == IPV4_TCP)
        *ret_peer = ipv4_peer(addresses);
    else if (data[13] == IPV6_TCP)
        *ret_peer = ipv6_peer(addresses);
    else
        *ret_peer = unknown_behind(proxy);
    ret_peer->loopback &= proxy->loopback; /* from elsewhere nobody can be here */
    return 0;
}
