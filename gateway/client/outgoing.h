/*
 * outgoing - the publishes that wait for a connection, oldest first.
 *
 * Bounded by count and by bytes: beyond either the newest is refused, and counted.
 * Pure; each holds a reference on its message. One thread at a time.
 */
#ifndef WP_CLIENT_OUTGOING_H
#define WP_CLIENT_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"

struct message;

struct outgoing {
    struct list_node waiting;
    uint32_t count;
    size_t bytes; /* topics, payloads, properties */
    uint32_t max_count;
    size_t max_bytes;
    uint64_t refused;
};

struct outgoing_publish {
    struct list_node node;
    struct message *message;
    uint64_t token;
    size_t bytes;
    uint8_t qos;
    struct str topic; /* NULL data: the message's own */
    char topic_copy[];
};

void outgoing_init(struct outgoing *o, uint32_t max_count, size_t max_bytes);
void outgoing_fini(struct outgoing *o);

/* Takes a reference, copies the topic. 0; -ENOBUFS: no room; -ENOMEM. Either of these is counted. */
int outgoing_add(struct outgoing *o, struct message *m, struct str topic, uint8_t qos, uint64_t token);

/* The oldest, or NULL. */
struct outgoing_publish *outgoing_first(const struct outgoing *o);

void outgoing_drop(struct outgoing *o, struct outgoing_publish *p);

#endif
