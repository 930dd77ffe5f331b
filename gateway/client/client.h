/*
 * client - an MQTT client that stays connected: reconnects with back-off and
 * jitter, subscribes again to what it remembers, sends again what was not
 * acknowledged. MQTT 3.1.1 and 5.0, QoS 0, 1, 2 both ways. Loop thread only.
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

/* All run in the loop thread; each may call any client function but client_free(). */
struct client_events {
    /* CONNACK said yes. */
    void (*online)(void *arg, bool session_present, const struct mqtt_packet *connack);
    /* Lost or refused: `why` is for the log, valid during the call; retry_ms until the next try, -1 when
     * the settings make a retry pointless (refused credentials are still retried). */
    void (*offline)(void *arg, const char *why, int64_t retry_ms);
    /* A PUBLISH arrived; borrowed during the call. Acknowledged when it returns. */
    void (*message)(void *arg, const struct mqtt_packet *publish);
    /* The broker has the message given to client_publish() (QoS 0: its bytes were handed to the kernel).
     * reason: 0, or what an MQTT 5 broker answered; 0x80 and up means it was refused. */
    void (*published)(void *arg, uint64_t token, uint8_t reason);
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

/* Remembered and sent again at each connection. The same filter twice replaces the first. */
int client_subscribe(struct client *c, const struct mqtt_filter *filter);
int client_unsubscribe(struct client *c, struct str filter);

/* Takes a reference. Publishes m to `topic` (copied; NULL data = m->topic) at qos, m->retain. -EAGAIN: not online, the
 * window (receive maximum) is full, or too much is unsent: nothing was taken, `writable` follows.
 * -EMSGSIZE: larger than the broker takes: will never work. */
int client_publish(struct client *c, struct message *m, struct str topic, uint8_t qos, uint64_t token);

struct client_stats {
    uint64_t connects;
    uint64_t published; /* handed to the socket, first time */
    uint64_t resent;
    uint64_t acked;
    uint64_t received;
    uint32_t inflight;
};

void client_get_stats(const struct client *c, struct client_stats *ret_stats);

#endif
