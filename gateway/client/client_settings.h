/*
 * client_settings - how an MQTT client reaches its broker and presents itself.
 */
#ifndef WP_CLIENT_SETTINGS_H
#define WP_CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "tls/tls_settings.h"

struct client_settings {
    const char *host;
    uint16_t port;
    bool encrypted; /* with `tls`; its files are read at the first connection and after one that failed */
    struct tls_client_settings tls;
    const char *ws_path; /* of the WebSocket that carries MQTT; NULL: it goes over TCP or TLS as it is */
    uint8_t version;     /* 4 = MQTT 3.1.1, 5 = MQTT 5.0 */
    const char *client_id;
    const char *username; /* NULL if none */
    const char *password; /* NULL if none; never logged */
    bool clean_start;     /* forget what the broker kept from earlier runs; with MQTT 5 and a session expiry the later
                           * connections of this run resume all the same */
    uint32_t session_expiry_s; /* MQTT 5 */
    uint16_t keepalive_s;      /* 0 = none: a dead peer is then found only by sending */
    uint16_t inflight;         /* most QoS 1 and 2 publishes unacknowledged at once */
    uint32_t packet_bytes;     /* largest packet taken; 0 = any */
    uint16_t topic_aliases;    /* MQTT 5: most topics sent as numbers, where the server takes them */
    bool response_info;        /* MQTT 5: asks where answers to this client may go */
    uint32_t queue_messages;   /* most publishes that wait for a connection; 0 = none: they are not taken then */
    size_t queue_bytes;        /* of them: topics, payloads, properties */
    int64_t backoff_min_ms;
    int64_t backoff_max_ms;
    struct { /* last will; topic NULL if none */
        const char *topic;
        struct str payload;
        uint8_t qos;
        bool retain;
        uint32_t delay_s; /* MQTT 5 */
    } will;
};

#endif
