/* broker_stats - what the broker counts, since it started unless it is said that it is now. */
#ifndef WP_BROKER_STATS_H
#define WP_BROKER_STATS_H

#include <stdint.h>

/* What clients have run into; options of broker.limits, most of them. */
enum limit {
    LIMIT_CONNECTIONS, /* turned away */
    LIMIT_CONNECTIONS_PER_ADDRESS,
    LIMIT_CONNECTION_RATE,
    LIMIT_CLIENT_ID,        /* refused: its client id is too long */
    LIMIT_WILL,             /* refused: no room for its will (message_bytes) */
    LIMIT_PACKET_BYTES,     /* disconnected: a packet is too large */
    LIMIT_MESSAGE_RATE,     /* not read from for a while */
    LIMIT_BYTE_RATE,        /* not read from for a while */
    LIMIT_TOPIC,            /* a topic name or filter refused: too long or with too many levels */
    LIMIT_SUBSCRIPTIONS,    /* a subscription refused: too many of the client or in all */
    LIMIT_RETAINED,         /* a message not retained */
    LIMIT_OFFLINE_SESSIONS, /* a session ended before its time */
    LIMIT_SLOW_CONSUMERS,   /* disconnected: on_full */
    LIMIT_UNFINISHED,       /* disconnected: no room for the rest of a packet (message_bytes) */
    LIMITS,
};

/* Why a message was not given to one who should have had it. */
enum drop_reason {
    DROP_QUEUE_FULL, /* QoS 1 and 2: of one that is away or slow */
    DROP_SLOW,       /* QoS 0: the connection is not read from */
    DROP_TOO_LARGE,  /* for the client's Maximum Packet Size */
    DROP_EXPIRED,
    DROP_REFUSED, /* published where nobody may */
    DROP_OTHER,   /* out of memory, a shared subscription that ended */
    DROP_REASONS,
};

/* Each has its line in figures.c. */
struct broker_stats {
    uint64_t clients_connected;
    uint64_t clients_disconnected; /* sessions without a connection */
    uint64_t clients_total;        /* both */
    uint64_t clients_maximum;      /* connected at once */
    uint64_t clients_expired;      /* sessions that ended without their clients */
    uint64_t sockets;              /* connections opened, whether or not a client came in by them */
    uint64_t tls_sessions;         /* handshakes that were finished... */
    uint64_t tls_resumed;          /* ...of them, those that went on from an earlier session... */
    uint64_t tls_failed;           /* ...and others */
    uint64_t connects;             /* CONNECT packets */
    uint64_t connects_refused;
    uint64_t subscriptions;
    uint64_t shared_subscriptions;
    uint64_t retained_messages;
    uint64_t held_messages;     /* retained, queued or in flight */
    uint64_t held_bytes;        /* of their payloads */
    uint64_t messages_received; /* packets of any type */
    uint64_t messages_sent;
    uint64_t publish_received;
    uint64_t publish_sent;
    uint64_t publish_dropped;   /* all of `dropped` */
    uint64_t deliveries_denied; /* by rules */
    uint64_t subscribe_denied;
    uint64_t logins_wrong;           /* passwords, or users that are not there */
    uint64_t logins_refused;         /* unheard: too many were waiting */
    uint64_t publish_bytes_received; /* of payloads */
    uint64_t publish_bytes_sent;
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t message_bytes; /* memory of all messages, now */
    uint64_t dropped[DROP_REASONS];
    uint64_t limited[LIMITS];
};

#endif
