/*
 * addresses - how many connections each address has, and how fast it opens them.
 *
 * An address is a number here (net/net_peer.h). Those without connections are
 * remembered for their rate, the last ADDRESSES_IDLE of them, so that the table
 * is bounded whoever comes. Pure. Loop thread only.
 */
#ifndef WP_BROKER_ADDRESSES_H
#define WP_BROKER_ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

#include "broker/bucket.h"
#include "core/list.h"

enum { ADDRESSES_IDLE = 4096 };

struct address_use {
    struct address_use *next; /* in its hash chain */
    struct list_node idle;
    uint64_t key;
    uint32_t connections;
    struct bucket rate;
};

struct addresses {
    struct address_use **chains;
    size_t mask;
    size_t count;
    uint64_t seed;
    struct list_node idle; /* those without connections, the longest so first */
    size_t idle_count;
};

/* 0 or -ENOMEM. */
int addresses_init(struct addresses *t, uint64_t seed);

/* Accepts a zeroed table. */
void addresses_fini(struct addresses *t);

/* The address, new ones without connections; valid until the next call. NULL when out of memory. */
struct address_use *addresses_get(struct addresses *t, uint64_t key);

/* A connection more: the address stays until it has left. */
void addresses_enter(struct addresses *t, struct address_use *a);
void addresses_leave(struct addresses *t, struct address_use *a);

#endif
