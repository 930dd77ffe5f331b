/*
 * events - whoever wants to know what happens in the broker, or have a say in it.
 *
 *   handle_*.c, route.c, deliver.c, conn.c -> events_*() -> listener -> listener -> ...
 *
 * Parts of this process listen just as plugins do, with the same functions: include/wirepost/plugin.h says of each
 * event when it runs, what it may change and who owns what. Listeners are asked in the order in which they were
 * added. Nothing that a listener may call (broker/control.h) happens before the event is over: no event runs within
 * another, and no connection, session or subscription goes while somebody looks at it.
 *
 * Where an event would be, `events_heard()` is the one branch it costs while nobody listens. Loop thread only.
 */
#ifndef WP_BROKER_EVENTS_H
#define WP_BROKER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/joining.h"
#include "broker/scratch.h"
#include "core/list.h"
#include "core/str.h"
#include "include/wirepost/plugin.h"

struct broker;
struct conn;
struct mqtt_packet;
struct session;

/* clang-format off */
#define EVENTS(X) \
    X(started) X(stopped) X(woken) X(retained_loading) \
    X(validating_connection) X(auth_start) X(auth_continue) X(auth_ended) \
    X(client_connected) X(client_disconnected) X(session_preparing) X(session_deleted) \
    X(intercept_subscription) X(client_subscribed) X(intercept_unsubscription) X(client_unsubscribed) \
    X(intercept_publish) X(intercept_enqueue) X(message_enqueued_or_dropped) \
    X(message_not_consumed) X(publish_acknowledged) \
    X(retained_changed) X(retained_cleared) X(queue_overwritten) \
    X(intercept_inbound_packet) X(intercept_outbound_packet)

#define EVENT_NAMED(name) EVENT_##name,
enum event { EVENTS(EVENT_NAMED) EVENT_COUNT };
/* clang-format on */

enum { EVENTS_WHY = 256 };

struct events {
    struct list_node listeners; /* struct events_listener */
    uint64_t heard;             /* bit N: somebody listens to event N */
    uint64_t last_ticket;
    struct scratch scratch;
    char why[EVENTS_WHY]; /* the reason string that goes with a refusal just given; "": none */
};

struct events_listener {
    struct list_node node;
    const struct wirepost_events *on; /* borrowed */
    void *self;                       /* their first argument */
    const char *name;                 /* for the log */
    struct judge judge;
    struct list_node tickets; /* struct ticket: clients that wait for its verdict */
    bool complained;          /* an answer that makes no sense has been logged */
};

static inline bool events_heard(const struct events *ev, enum event event)
{
    return __builtin_expect((ev->heard >> event & 1) != 0, 0);
}

void events_init(struct events *ev);

/* The caller keeps the listener until events_remove(), which refuses the clients that wait for it (0x88). Neither from
 * within an event. */
void events_add(struct broker *b, struct events_listener *l);
void events_remove(struct broker *b, struct events_listener *l);

/* From now on it is asked after all others. */
void events_move_last(struct broker *b, struct events_listener *l);

/* To each. */
void events_started(struct broker *b);
void events_retained_loading(struct broker *b);

/* Decides for a client that waits: JOIN_UNDECIDED, MQTT_SUCCESS or why it is refused. user: NULL data: as it says
 * itself. False when there is no such ticket. Not while routing, nor from within an event: control.h does that. */
bool events_decide(struct events_listener *l, uint64_t ticket, uint8_t verdict, struct str user);
bool events_has_ticket(const struct events_listener *l, uint64_t ticket);

/* The reason string of a refusal just given, once; none: NULL data. */
struct str events_take_why(struct broker *b);

/* An enhanced authentication (4.12): the exchange goes on with the listener that began it. Zeroed: none. */
struct auth_exchange {
    struct events_listener *with;
    void *state;   /* the listener's own */
    bool orphaned; /* the listener was removed in its midst: to be refused */
};

struct auth_step {
    struct str method;
    struct str data;      /* NULL data: none */
    bool again;           /* the client is in, and shows again who it is */
    struct str ret_reply; /* until events_auth_done() */
    struct scratch_block *mark;
};

/* Asks for the next step: MQTT_SUCCESS, MQTT_CONTINUE_AUTHENTICATION, or why it is refused: 0x8C when nobody knows the
 * method. connect: NULL when the client is in. What the listener says of its name is in c->user then. */
uint8_t events_auth(struct conn *c, const struct mqtt_packet *connect, struct auth_exchange *exchange,
                    struct auth_step *step);
void events_auth_done(struct conn *c, struct auth_step *step);

/* The connection, or the listener, goes in the midst of an exchange. */
void events_auth_gone(struct auth_exchange *exchange);

/* From here on: only called when heard. */

/* The expiry that the session gets. connect: of the client that comes in with this id. */
void events_client_connected(struct conn *c, bool present);
void events_client_disconnected(struct conn *c, enum wirepost_end by, uint8_t reason);
uint32_t events_session_preparing(struct conn *c, const struct mqtt_packet *connect, struct str id, uint32_t expiry_s);
void events_session_deleted(struct session *s);

/* Ask and tell with what the caller has filled in but for size and client. */
enum wirepost_verdict events_intercept_subscription(struct session *s, struct wirepost_subscription *e);
enum wirepost_verdict events_intercept_unsubscription(struct session *s, struct wirepost_subscription *e);
void events_client_subscribed(struct session *s, struct wirepost_subscription *e);
void events_client_unsubscribed(struct session *s, struct wirepost_subscription *e);

#endif
