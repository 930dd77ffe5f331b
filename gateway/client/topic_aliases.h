/*
 * topic_aliases - which topics the server knows by number on this connection (MQTT 5.0, 3.3.2.3.4).
 *
 * The first topics that come get a number and keep it: were numbers given to others later, many topics in turn would
 * cost more than they save. Pure. One thread at a time. Zeroed memory: no numbers at all.
 */
#ifndef WP_CLIENT_TOPIC_ALIASES_H
#define WP_CLIENT_TOPIC_ALIASES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum { TOPIC_ALIASES_TOPIC_MAX = 1024 }; /* bytes; longer topics get no number */

struct topic_alias {
    char *topic; /* NULL: a free slot */
    uint16_t len;
    uint16_t number;
};

struct topic_aliases {
    struct topic_alias *slots; /* an open hash table, never more than half full */
    uint32_t mask;
    uint16_t count;
    uint16_t max;
};

/* A connection begins: the server knows nothing, and takes numbers up to max. Out of memory there are none. */
void topic_aliases_begin(struct topic_aliases *a, uint16_t max);
void topic_aliases_fini(struct topic_aliases *a);

/* The topic's number if the server knows it, or 0. */
uint16_t topic_aliases_find(const struct topic_aliases *a, struct str topic);

/* The number that a new topic can have, or 0: none is left. */
static inline uint16_t topic_aliases_next(const struct topic_aliases *a, struct str topic)
{
    return a->count < a->max && topic.len > 0 && topic.len <= TOPIC_ALIASES_TOPIC_MAX ? (uint16_t)(a->count + 1) : 0;
}

/* The topic has been sent with that number. */
void topic_aliases_add(struct topic_aliases *a, struct str topic);

#endif
