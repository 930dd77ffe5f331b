/*
 * proxy_header - what a proxy writes before the bytes of the client it stands
 * for: the PROXY protocol, version 2.
 *
 *    0  0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a    signature
 *   12  version 2, command                     0x20 LOCAL: the proxy itself speaks; 0x21 PROXY
 *   13  family, transport                      0x11 TCP over IPv4, 0x21 over IPv6, 0x31 a Unix stream
 *   14  length of what follows                 addresses, then records of type, length and value
 *
 * Pure. Any thread.
 */
#ifndef WP_NET_PROXY_HEADER_H
#define WP_NET_PROXY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "net/net_peer.h"

enum {
    PROXY_HEADER_FIXED = 16,  /* bytes that every header has */
    PROXY_HEADER_MAX = 16384, /* with a certificate in its records; longer ones are refused */
};

/* How long the header is that begins with these bytes, at least PROXY_HEADER_FIXED of it. -EPROTONOSUPPORT: it is one
 * of version 1; -EBADMSG: it is none. Fewer bytes than that: 0 while they may be the start of one. */
int proxy_header_len(const uint8_t *data, size_t len);

/* The peer that a whole header names. `proxy` is who has sent it, and the peer if it speaks for itself. An address that
 * it does not tell is never this machine's, nor is any that a proxy elsewhere tells. 0 or -EBADMSG. */
int proxy_header_peer(const uint8_t *data, size_t len, const struct net_peer *proxy, struct net_peer *ret_peer);

#endif
