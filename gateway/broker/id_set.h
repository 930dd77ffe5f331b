/*
 * id_set - the packet ids of QoS 2 messages that a client has sent and not yet
 * released (4.3.3). Zeroed memory is empty. Pure. Loop thread only.
 *
 *   ids:  usually a few, searched straight on; releases come oldest first
 *   bits: one for each id, beyond ID_SET_FEW, so that a client that never
 *         releases does not make each of its messages dear
 */
#ifndef WP_BROKER_ID_SET_H
#define WP_BROKER_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_SET_FEW = 1024 };

struct id_set {
    uint16_t *ids; /* NULL: bits are used, or nothing */
    uint8_t *bits;
    uint32_t count;
    uint32_t cap;
};

bool id_set_has(const struct id_set *s, uint16_t id);

/* The id must not be in the set. 0 or -ENOMEM. */
int id_set_add(struct id_set *s, uint16_t id);

/* False when it was not in the set. */
bool id_set_remove(struct id_set *s, uint16_t id);

void id_set_fini(struct id_set *s);

#endif
