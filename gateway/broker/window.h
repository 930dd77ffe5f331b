/*
 * window - the QoS 1 and 2 messages sent to one session and not yet fully
 * acknowledged, by packet id (4.3, 4.4).
 *
 *   QoS 1:  PUBLISH -> [PUBACK]  -> done
 *   QoS 2:  PUBLISH -> [PUBREC]  -> PUBREL -> [PUBCOMP] -> done      [ ]: what is awaited
 *
 * A slot's place is its id modulo the table's size; ids whose place is taken
 * are passed over. Zeroed memory is empty. Pure. Loop thread only.
 */
#ifndef WP_BROKER_WINDOW_H
#define WP_BROKER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/delivery.h"

enum window_state { WINDOW_FREE, WINDOW_PUBACK, WINDOW_PUBREC, WINDOW_PUBCOMP };

struct window_slot {
    struct delivery delivery; /* without its message once that need not be sent again */
    uint32_t order;           /* rises from one message to the next */
    uint32_t bytes;           /* of the message */
    uint16_t id;
    uint8_t state; /* enum window_state */
    bool sent;     /* on the present connection */
};

struct window {
    struct window_slot *slots;
    size_t cap;     /* 0 or a power of two */
    size_t used;    /* not WINDOW_FREE */
    size_t unsent;  /* of them, still to be sent again on the present connection */
    uint64_t bytes; /* of those used, as weighed */
    uint32_t next_order;
    uint16_t next_id;
    uint16_t *resend; /* ids to send again, in order */
    size_t resend_at;
    size_t resend_count;
};

enum { WINDOW_MAX = 65535 };

/* Gives the delivery (QoS 1 or 2; taken when a slot is returned) a packet id, marked as sent. NULL when out of memory
 * or of ids. */
struct window_slot *window_add(struct window *w, struct delivery d);

/* Says how many bytes the slot counts for; not said: none. */
void window_weigh(struct window *w, struct window_slot *slot, size_t bytes);

/* NULL when no message with this id is under way. */
struct window_slot *window_find(const struct window *w, uint16_t id);

void window_remove(struct window *w, struct window_slot *slot);

/* A new connection: everything has to be sent again, in order. 0 or -ENOMEM. */
int window_restart(struct window *w);

/* The next slot to send again, now marked as sent; NULL when there is none. */
struct window_slot *window_next_resend(struct window *w);

/* Takes out the QoS 1 messages of a shared subscription, oldest first, into `to`, which has room for w->used. Returns
 * how many; 0 also when out of memory. */
size_t window_take_shared(struct window *w, uint32_t share, struct delivery *to);

void window_fini(struct window *w);

#endif
