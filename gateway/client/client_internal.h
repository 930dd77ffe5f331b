/*
 * client_internal - what client.c (connections), session.c (packets) and
 * publishing.c (what goes out) share. Nobody else includes it.
 */
#ifndef WP_CLIENT_INTERNAL_H
#define WP_CLIENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "client/backoff.h"
#include "client/client.h"
#include "client/inflight.h"
#include "client/link.h"
#include "client/outgoing.h"
#include "client/subscriptions.h"
#include "client/topic_aliases.h"
#include "core/timer.h"
#include "loop.h"
#include "mqtt/packet.h"

enum {
    CLIENT_HANDSHAKE_MS = 10000, /* from the TCP connection to CONNACK */
    CLIENT_PING_WAIT_MS = 10000, /* from PINGREQ to any byte; less with a shorter keepalive */
    CLIENT_STOP_MS = 1000,
    CLIENT_UNSENT_MAX = 262144, /* bytes; beyond this publishes wait */
};

enum client_state {
    CLIENT_STOPPED,
    CLIENT_WAITING,
    CLIENT_CONNECTING,
    CLIENT_HANDSHAKE,
    CLIENT_ONLINE,
    CLIENT_CLOSING
};

struct client {
    struct loop *loop;
    const struct client_settings *settings;
    const struct client_events *events;
    void *arg;

    enum client_state state;
    bool stopping; /* client_stop() was called: acted on at the end of the turn */
    bool stop_with_will;
    bool blocked;     /* somebody was told -EAGAIN */
    bool had_session; /* an earlier connection of this run was accepted */
    struct client_link link;
    struct tls_context *tls; /* NULL: to be made from the settings, where they want one */
    struct timer timer;      /* WAITING: next try; HANDSHAKE, CLOSING: give up; ONLINE: keepalive */
    struct timer again;      /* wakes the loop for a turn that has work left */
    struct loop_hook hook;
    struct backoff backoff;
    uint64_t random;

    struct inflight inflight;
    struct outgoing outgoing;
    struct subscriptions subscriptions;
    uint8_t *received_ids; /* QoS 2: a bit for each id taken but not released; NULL before the first */
    char *assigned_id;     /* by the server, when settings give none */

    /* of this connection */
    struct topic_aliases aliases;
    int64_t keepalive_ms;
    int64_t online_since_ms;
    int64_t ping_sent_ms; /* 0 = none unanswered */
    uint32_t packet_max;  /* the server's largest */
    uint8_t qos_max;
    bool retain_available;

    struct client_stats stats;
};

/* client.c */

/* Ends the connection for our own reason, telling an MQTT 5 server. */
void client_fail(struct client *c, enum mqtt_reason reason, const char *why);

/* The connection is over, closed by now or closed here. loss: all but retry_ms; for_good where the cause alone does not
 * tell. */
void client_lost(struct client *c, struct client_loss loss);

/* CONNACK said yes and has been read into the fields above. */
void client_went_online(struct client *c, bool session_present, const struct mqtt_packet *connack);

/* session.c */

/* Appends CONNECT. 0 or -errno. */
int session_put_connect(struct client *c);

/* Takes what is whole of the input and returns how much that was. */
size_t session_receive(struct client *c, const uint8_t *data, size_t len);

/* publishing.c */

/* Appends what is due: publishes, resent, waiting or new. */
void publishing_pump(struct client *c);

/* Reports the QoS 0 publishes whose bytes the kernel has. */
void publishing_flushed(struct client *c);

/* The broker has answered. */
void publishing_report(struct client *c, uint64_t token, uint8_t reason, const char *said);

/* Whether a publish may be offered. */
bool publishing_has_room(const struct client *c, uint8_t qos, bool urgent);

#endif
