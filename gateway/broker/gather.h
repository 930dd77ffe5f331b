/*
 * gather - under load, lets a little more arrive before the next look at the sockets.
 *
 *   turn: 12 sockets with a packet each   \  two such turns, one after the other:
 *   turn: 10 sockets with a packet each   /  a rest of GATHER_REST_US, then the next
 *
 * A packet that is read and answered alone costs ten times what it costs among
 * others, nearly all of it in the kernel. Clients that write one packet
 * whenever they are answered hold a fast broker in that state. What network
 * cards do against it (interrupt moderation) is done here; all output has left
 * before the rest. Few sockets, or sockets that bring many packets each, are
 * not waited for. Pure.
 */
#ifndef WP_BROKER_GATHER_H
#define WP_BROKER_GATHER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GATHER_REST_US = 50,
    GATHER_READS = 4,    /* reads in a turn: fewer are no load */
    GATHER_PACKETS = 24, /* packets for each read: with more there is little to gain */
};

/* Zeroed memory is a broker at rest. */
struct gather {
    uint64_t packets; /* received until the last turn ended */
    uint32_t reads;   /* in this turn */
    bool loaded;      /* the last turn was of that kind */
};

static inline void gather_read(struct gather *g)
{
    g->reads++;
}

/* The turn has ended; `packets` were received in all. Whether to rest before the next. */
bool gather_end_turn(struct gather *g, uint64_t packets);

#endif
