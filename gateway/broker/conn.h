/*
 * conn - one client's connection, whatever carries its bytes.
 *
 *   receive -> frames in place -> handle_*.c            (an unfinished frame's start is kept in `in`)
 *   handle_*.c, deliver.c -> out -> one write at the end of the turn
 *
 * A closed conn stays allocated until the end of the turn. Nothing here closes
 * a conn while a message is being routed: that only dooms it. Loop thread only.
 */
#ifndef WP_BROKER_CONN_H
#define WP_BROKER_CONN_H

#include "broker/aliases.h"
#include "broker/broker_internal.h"
#include "mqtt/packet.h"

enum conn_state {
    CONN_NEW, /* waits for CONNECT */
    CONN_OPEN,
    CONN_CLOSED,
};

struct catch_up;
struct owed_line;

/* There are many, idle: each 16 bytes count. */
struct conn {
    struct broker *broker;
    const struct broker_transport *transport;
    struct entrance *entrance;
    struct address_use *address; /* gate.c; NULL: none that counts */
    void *arg;
    struct session *session; /* while CONN_OPEN */
    char *user;              /* who it has proved to be, before it is let in; NULL: nobody */
    uint64_t user_mark;      /* of the password that proved it; 0: something else did */
    struct joining *joining; /* waits for a verdict; NULL: does not */
    struct list_node node;   /* in broker.conns or .dead */
    struct conn *dirty_next;
    struct buf *in;            /* start of an unfinished frame; NULL: none */
    struct buf *out;           /* unsent; NULL: nothing */
    struct aliases *aliases;   /* of topics, both ways; NULL: none */
    struct catch_up *catch_up; /* subscriptions that wait for retained messages; NULL: none */
    uint32_t counted;          /* budget.c: bytes held for it, as last counted */
    uint32_t dropped;          /* QoS 0 messages since it did not read; 0: it reads */
    struct throttle *throttle; /* NULL: has not been charged */
    struct owed_line *owed;    /* acknowledgements that wait, in order; NULL: none ever did */
    struct timer timer;        /* for CONNECT, then keepalive */
    int64_t heard_ms;
    uint32_t max_packet;   /* the client's limit, or MQTT's */
    uint32_t window;       /* QoS 1 and 2 it takes unacknowledged */
    uint64_t window_bytes; /* from which on no more are sent until it acknowledges some */
    uint32_t packet_bytes; /* largest packet taken from it; 0: any */
    uint16_t inflight;     /* QoS 1 and 2 it may leave unacknowledged; 0: any. Both as it was told: a reload changes
                              them for those who come later */
    uint16_t keep_alive_s;
    uint8_t version;          /* enum mqtt_version; 0 until CONNECT */
    uint8_t state;            /* enum conn_state */
    uint8_t doom;             /* close with this reason at the end of the turn; 0 = no */
    uint8_t farewell;         /* the reason of its DISCONNECT */
    uint8_t refusal;          /* gate.c: why it is turned away when it has sent CONNECT; 0: it is not */
    uint8_t aliases_most;     /* from the client, as it was told */
    uint8_t maximum_qos : 2;  /* as it was told */
    bool retains_nothing : 1; /* likewise */
    bool authenticates : 1;   /* enhanced_auth.h: by exchange of AUTH packets */
    bool checked : 1;         /* terms.h: not everything that MQTT has may be published */
    bool dirty : 1;
    bool blocked : 1; /* the transport takes no more now */
    bool paused : 1;  /* the transport was told so */
    bool loopback : 1;
    bool vouched : 1;  /* a judge has let it in */
    bool mounted : 1;  /* its entrance has a mount */
    bool terse : 1;    /* it wants no reason strings, but in CONNACK and DISCONNECT (3.1.2.11.7) */
    bool finished : 1; /* the peer said DISCONNECT: nothing more will come */
    char peer[];
};

enum {
    CONN_OUT_AHEAD = 256 * 1024, /* unsent bytes from which on QoS 1 and 2 wait by reference */
    CONN_OUT_EARLY = 64 * 1024,  /* unsent bytes that are not left until the end of the turn */
    CONN_CONNECT_MS = 10000,     /* for CONNECT to come */
    CONN_IN_ORDER = 32,          /* so many are served in the order in which they got something to send */
};

/* The output buffer, and the conn on the dirty list. Never NULL: without memory a
 * buffer that ignores what is appended, and the conn is doomed. */
struct buf *conn_out(struct conn *c);

/* Sends an acknowledgement, or any packet, and counts it. */
void conn_send_ack(struct conn *c, enum mqtt_type type, uint16_t id, uint8_t reason);
void conn_send(struct conn *c, const struct mqtt_packet *p);

/* Appends the PUBLISH. False when it is larger than the client takes, or its topic is not below the client's mount. */
bool conn_send_publish(struct conn *c, struct publication *p, const struct publish_form *form);

static inline size_t conn_unsent(const struct conn *c)
{
    return c->out ? buf_len(c->out) : 0;
}

/* Whether more may wait to be sent on it: queued_bytes, or message_bytes. Sends first what it can. */
bool conn_make_room(struct conn *c);
bool conn_is_hog(const struct conn *c); /* does not read, and holds as much as is left for all others */
static inline bool conn_has_room(struct conn *c)
{
    return (!c->blocked && conn_unsent(c) < CONN_OUT_EARLY) || conn_make_room(c);
}

/* A QoS 0 message is dropped for want of room. */
void conn_drop(struct conn *c);
/* Closes now; an MQTT 5 client is told the reason (0: nothing to say). Not while routing. */
void conn_close(struct conn *c, uint8_t reason);
void conn_close_saying(struct conn *c, uint8_t reason, const char *text); /* The same, with a Reason String. */

/* Closes at the end of the turn. */
void conn_doom(struct conn *c, uint8_t reason);

/* Has the conn looked at (flush, resume, pump) at the end of the turn. */
void conn_mark_dirty(struct conn *c);

/* After receiving: pauses the peer when it has caused more than we may hold for it. */
void conn_check_pause(struct conn *c);

/* Starts the keepalive timer, or stops it when keep_alive_s is 0. */
void conn_start_keepalive(struct conn *c);

/* The end of a turn: doomed ones close, the others send what they hold. */
void conns_end_turn(struct broker *b);
void conns_free_dead(struct broker *b);

#endif
