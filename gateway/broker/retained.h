/*
 * retained - the last message of each topic that had the retain flag (3.3.1.3).
 *
 * Holds one reference per message. A message whose expiry has passed is
 * dropped when a walk meets it. Pure: time is passed in. Loop thread only.
 */
#ifndef WP_BROKER_RETAINED_H
#define WP_BROKER_RETAINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/topic_tree.h"

struct message;

struct retained {
    struct topic_tree tree;
    struct node_row frontier;
    struct node_row next;
    struct node_row found;
    size_t count;
    size_t of_clients;         /* of them, not this gateway's own */
    uint64_t of_clients_bytes; /* of these messages */
};

int retained_init(struct retained *r, uint64_t seed);
void retained_fini(struct retained *r);

/* Keeps the message in place of the topic's last one. 0 or -ENOMEM. */
int retained_set(struct retained *r, struct message *m);

/* Memory that clients' messages and all topics take. */
uint64_t retained_memory(const struct retained *r);

/* Whether a client's message of so many bytes may be kept under the topic without having more than `most` messages, or
 * most_bytes of memory; 0: no limit. */
bool retained_has_room(const struct retained *r, struct str topic, size_t bytes, size_t most, uint64_t most_bytes);

/* The topic's message, or NULL. */
struct message *retained_get(const struct retained *r, struct str topic);

/* Forgets the topic's message. False when there was none. */
bool retained_clear(struct retained *r, struct str topic);

/* Calls fn for each message whose topic the filter matches; fn must not change the store. 0 or -ENOMEM. */
typedef void retained_fn(void *arg, struct message *m);
int retained_match(struct retained *r, struct str filter, int64_t now_run_ms, retained_fn *fn, void *arg);

#endif
