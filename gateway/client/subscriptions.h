/*
 * subscriptions - the filters a client wants, and what the server knows of them.
 *
 * One SUBSCRIBE or UNSUBSCRIBE is outstanding at a time, with as many filters as
 * fit. The list outlives connections: what a new one does not know is sent again.
 * Pure. One thread at a time. Zeroed memory must be initialised.
 */
#ifndef WP_CLIENT_SUBSCRIPTIONS_H
#define WP_CLIENT_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "mqtt/packet.h"

struct subscriptions {
    struct list_node all; /* in the order in which they were asked for */
    uint32_t count;
    uint16_t outstanding_id; /* 0 = none */
    uint8_t outstanding_type;
};

enum {
    SUBSCRIPTIONS_MAX = 1000,
    SUBSCRIPTIONS_PER_PACKET = 64,
    SUBSCRIPTIONS_ID_FIRST = 65001, /* below are the ids of publishes */
};

void subscriptions_init(struct subscriptions *s);
void subscriptions_fini(struct subscriptions *s);

/* Copies. The same filter replaces the one there was; with the same options it changes nothing, unless the server has
 * refused it: then it is asked again. 0, -ENOMEM, or -ENOSPC: too many. */
int subscriptions_add(struct subscriptions *s, const struct mqtt_filter *filter);

/* -ENOENT when there is no such filter. */
int subscriptions_remove(struct subscriptions *s, struct str filter);

/* A connection begins: nothing is outstanding; without the session the server knows none. */
void subscriptions_begin(struct subscriptions *s, bool session_present);

/* Appends the next SUBSCRIBE or UNSUBSCRIBE that is due, at most max_packet bytes long. Nothing when all is known or
 * one is outstanding. 0 or -ENOMEM. */
int subscriptions_put(struct subscriptions *s, enum mqtt_version version, uint32_t max_packet, struct buf *out);

/* A SUBACK or UNSUBACK arrived. result is called for each filter of a SUBACK; it may add and remove.
 * -EPROTO when it answers nothing that was asked. */
typedef void subscriptions_result_fn(void *arg, struct str filter, uint8_t code);
int subscriptions_answer(struct subscriptions *s, const struct mqtt_packet *p, subscriptions_result_fn *result,
                         void *arg);

#endif
