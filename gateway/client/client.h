/*
 * client - an MQTT client that stays connected: reconnects with back-off and
 * jitter, subscribes again to what it remembers, sends again what was not
 * acknowledged. MQTT 3.1.1 and 5.0, QoS 0, 1, 2 both ways, over TCP, TLS and
 * WebSocket. Loop thread only.
 *
 *   stopped -> resolving -> connecting -> handshake -> online -> (lost) -> waiting -> resolving ...
 */
#ifndef WP_CLIENT_H
#define WP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client_settings.h"
#include "mqtt/packet.h"

struct client;
struct loop;
struct message;

/* Whose fault it is that there is no connection. */
enum client_cause {
    CLIENT_CAUSE_HERE,         /* files or settings of our own, or no memory */
    CLIENT_CAUSE_NETWORK,      /* no such name, nobody there, cut off */
    CLIENT_CAUSE_TLS,          /* certificates or versions do not suit each other */
    CLIENT_CAUSE_WEBSOCKET,    /* the server has none for us */
    CLIENT_CAUSE_REFUSED,      /* by CONNACK */
    CLIENT_CAUSE_DISCONNECTED, /* by DISCONNECT */
    CLIENT_CAUSE_PROTOCOL,     /* the broker broke its rules */
};

/* Why there is no connection; valid during the call. */
struct client_loss {
    const char *why; /* for people: "Connection refused", "refused: bad user name or password" */
    enum client_cause cause;
    uint8_t reason;   /* of the broker's CONNACK or DISCONNECT, as MQTT 5 has them; 0 = it gave none */
    bool for_good;    /* for something that only a person can change; it is tried again all the same */
    int64_t retry_ms; /* until the next try */
};

/* All run in the loop thread; each may call any client function but client_free(); each may
 * be NULL. */
struct client_events {
    /* CONNACK said yes. */
    void (*online)(void *arg, bool session_present, const struct mqtt_packet *connack);
    /* Lost, refused, or not reached. */
    void (*offline)(void *arg, const struct client_loss *loss);
    /* A PUBLISH arrived; borrowed during the call. Acknowledged when it returns. */
    void (*message)(void *arg, const struct mqtt_packet *publish);
    /* The broker has the message given to client_publish() (QoS 0: its bytes were handed to the kernel).
     * reason: 0, or what an MQTT 5 broker answered; 0x80 and up means it was refused. said: the broker's words, fit
     * for a log; "" if none. */
    void (*published)(void *arg, uint64_t token, uint8_t reason, const char *said);
    /* SUBACK: one filter's granted QoS or 0x80 and up. */
    void (*subscribed)(void *arg, struct str filter, uint8_t code);
    /* client_publish() said -EAGAIN before and may be tried again. */
    void (*writable)(void *arg);
    /* client_stop() is done: everything closed. */
    void (*stopped)(void *arg);
};

/* Settings and events are borrowed. */
int client_new(struct loop *loop, const struct client_settings *settings, const struct client_events *events, void *arg,
               struct client **ret_client);
void client_free(struct client *c); /* Accepts NULL. Not from within an event. */

void client_start(struct client *c);

/* Sends what is buffered and DISCONNECT (with_will: reason 0x04, the broker publishes the will), then closes;
 * gives up after a second. `stopped` follows. */
void client_stop(struct client *c, bool with_will);

bool client_online(const struct client *c);

/* Remembered and sent again at each connection. The same filter twice replaces the first; where nothing about it
 * changes, nothing is sent. 0, -ENOMEM, or -ENOSPC: too many. */
int client_subscribe(struct client *c, const struct mqtt_filter *filter);
/* Online or not. -ENOENT: not subscribed. */
int client_unsubscribe(struct client *c, struct str filter);

/* Takes a reference. Publishes m to `topic` (copied; NULL data = m->topic) at qos, m->retain, or the highest the broker
 * takes. -EAGAIN: not online, the window (receive maximum) is full, or too much is unsent: nothing was taken,
 * `writable` follows. With a queue it is taken while not online too; -ENOBUFS: that is full, and counts. -EMSGSIZE:
 * larger than the broker takes: will never work. A message once taken outlives connections. It is sent at the end of
 * the turn; of the next one when a hook added after client_new() calls this. */
int client_publish(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token);

/* The same, ahead of everything that is not yet sent on this connection and beyond the window: for the few
 * messages that must come first, such as `online`. -EAGAIN also when four are unanswered. */
int client_publish_first(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token);

struct client_stats {
    uint64_t connects;
    uint64_t published; /* written to the connection, first time */
    uint64_t resent;
    uint64_t acked; /* as `published` was called: QoS 0 too */
    uint64_t received;
    uint32_t inflight; /* QoS 1 and 2, unacknowledged */
    uint32_t queued;   /* waiting for a connection */
    uint64_t queue_refused;
};

void client_get_stats(const struct client *c, struct client_stats *ret_stats);

#endif
