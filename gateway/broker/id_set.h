/*
 * id_set - the packet ids of QoS 2 messages that a client has sent and not yet
 * released (4.3.3). Usually a few; searched straight on. Zeroed memory is
 * empty. Pure. Loop thread only.
 */
#ifndef WP_BROKER_ID_SET_H
#define WP_BROKER_ID_SET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct id_set {
    uint16_t *ids;
    uint32_t count;
    uint32_t cap;
};

static inline bool id_set_has(const struct id_set *s, uint16_t id)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->ids[i] == id)
            return true;
    return false;
}

/* The id must not be in the set. 0 or -ENOMEM. */
static inline int id_set_add(struct id_set *s, uint16_t id)
{
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 16;
        uint16_t *ids = realloc(s->ids, cap * sizeof(*ids));

        if (!ids)
            return -ENOMEM;
        s->ids = ids;
        s->cap = cap;
    }
    s->ids[s->count++] = id;
    return 0;
}

/* False when it was not in the set. Keeps the order: releases come oldest first. */
static inline bool id_set_remove(struct id_set *s, uint16_t id)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->ids[i] != id)
            continue;
        s->count--;
        for (; i < s->count; i++)
            s->ids[i] = s->ids[i + 1];
        return true;
    }
    return false;
}

static inline void id_set_fini(struct id_set *s)
{
    free(s->ids);
    *s = (struct id_set){0};
}

#endif
