/*
 * websockets - who carries MQTT over WebSocket for the broker's listeners.
 *
 *   listener  -- accepts --> carrier  -- broker_conn_open(), ... --> conn
 *
 * The broker listens and accepts, so that all listeners are opened and closed
 * alike; the carrier speaks HTTP, TLS and WebSocket. Loop thread only.
 */
#ifndef WP_BROKER_WEBSOCKETS_H
#define WP_BROKER_WEBSOCKETS_H

#include <stdbool.h>

struct broker;
struct entrance;
struct listener_settings;
struct net_peer;
struct tls_context;

struct broker_websockets {
    /* A port for one listener. NULL, logged. */
    void *(*open)(void *arg, const struct listener_settings *settings);

    /* Before the first connection, and when anything has changed. Both are borrowed until the next call or close;
     * tls is NULL without it. */
    void (*use)(void *port, const struct listener_settings *settings, struct tls_context *tls);

    /* Takes the descriptor, whatever comes of it. False: enough for now, until broker_accept_websockets(). */
    bool (*accept)(void *port, int fd, const struct net_peer *peer, struct entrance *entrance);

    /* The conns that came in there are closed already. */
    void (*close)(void *port);
};

/* Before broker_start(), for good; both are borrowed. */
void broker_carry_websockets(struct broker *b, const struct broker_websockets *carrier, void *arg);

/* Goes on accepting. */
void broker_accept_websockets(struct broker *b);

#endif
