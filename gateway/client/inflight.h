/*
 * inflight - the publishes on their way out: sent and unanswered, or still to be
 * sent on this connection. MQTT 5.0, 4.3 and 4.4.
 *
 *   oldest [ sent, unanswered ... | next | unsent ... ] newest
 *
 * QoS 1: PUBLISH -> PUBACK. QoS 2: PUBLISH -> PUBREC, PUBREL -> PUBCOMP. QoS 0 stays
 * until its last byte is with the kernel, so nothing is lost in our own buffers.
 * Each new connection begins with everything unsent again, in the old order.
 * Pure; each flight holds a reference on its message. One thread at a time.
 */
#ifndef WP_CLIENT_INFLIGHT_H
#define WP_CLIENT_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"
#include "mqtt/packet.h"

struct message;

enum {
    INFLIGHT_MAX = 65000,   /* ids above are for SUBSCRIBE and UNSUBSCRIBE */
    INFLIGHT_URGENT_MAX = 4 /* beyond the window */
};

/* What goes out when its turn comes. */
enum flight_step { FLIGHT_PUBLISH, FLIGHT_RELEASE };

struct flight {
    struct list_node node;     /* inflight.flights */
    struct list_node buffered; /* inflight.buffered: QoS 0 between our buffer and the kernel */
    struct message *message;
    uint64_t token;
    uint64_t end; /* QoS 0: the connection's byte count at which it is sent */
    uint16_t id;  /* 0 at QoS 0 */
    uint8_t qos;
    uint8_t step; /* enum flight_step */
    bool sent;    /* on this connection */
    bool dup;     /* an earlier connection of this session sent it */
    bool counted; /* in stats, as sent for the first time */
    struct str topic;
    char topic_copy[];
};

struct inflight {
    struct list_node flights;
    struct list_node buffered;
    struct list_node *next; /* the first unsent one, or the list's head */
    struct flight **by_id;  /* [1..ids] */
    uint16_t *free_ids;     /* a ring: the id unused for longest comes first */
    uint32_t ids;           /* how many there are */
    uint32_t free_at;       /* the ring's oldest */
    uint32_t count;         /* flights with an id */
    uint32_t open;          /* of them, sent on this connection and unanswered */
    uint32_t window;        /* most flights with an id, the urgent ones apart */
    uint32_t quota;         /* 4.9: most open ones; the server's receive maximum */
};

/* 0 or -ENOMEM. */
int inflight_init(struct inflight *f, uint16_t window);
void inflight_fini(struct inflight *f); /* Accepts zeroed memory. */

/* Room for another publish at this QoS. Urgent ones may exceed the window. */
bool inflight_has_room(const struct inflight *f, uint8_t qos, bool urgent);

/* Puts a publish last, or when urgent ahead of all that is unsent. Takes a reference; copies `topic` unless its
 * data is NULL (then the message's own). There must be room. NULL when out of memory. */
struct flight *inflight_add(struct inflight *f, struct message *m, struct str topic, uint8_t qos, uint64_t token,
                            bool urgent);

/* A connection begins; quota and qos_max: what its server takes. Without the session the server knows
 * nothing of what was sent before: all of it is sent as new. */
void inflight_begin(struct inflight *f, uint16_t quota, uint8_t qos_max, bool session_present);

/* The flight to send now, or NULL: none, or the quota is used up. */
struct flight *inflight_next(struct inflight *f);

/* It is in the output buffer; `end`: bytes appended to the connection so far. */
void inflight_sent(struct inflight *f, struct flight *fl, uint64_t end);

/* Forgets one flight, sent or not. */
void inflight_drop(struct inflight *f, struct flight *fl);

/* The oldest QoS 0 flight whose bytes are all among the connection's first `sent`, or NULL. */
struct flight *inflight_flushed(struct inflight *f, uint64_t sent);

enum flight_verdict {
    FLIGHT_UNKNOWN, /* no such id is open */
    FLIGHT_WAITS,   /* answer with PUBREL */
    FLIGHT_DONE,    /* forgotten; its token is returned */
    FLIGHT_WRONG,   /* this packet cannot answer what was sent: a protocol error */
};

/* PUBACK, PUBREC or PUBCOMP arrived. */
enum flight_verdict inflight_answer(struct inflight *f, enum mqtt_type type, uint16_t id, uint8_t reason,
                                    uint64_t *ret_token);

#endif
