/*
 * broker_stats - what the broker counts. Counters since start, but for those
 * of what there is now.
 */
#ifndef WP_BROKER_STATS_H
#define WP_BROKER_STATS_H

#include <stdint.h>

/* What clients have run into; options of broker.limits, most of them. */
enum limit {
    LIMIT_SLOW_CONSUMERS, /* disconnected: on_full */
    LIMIT_UNFINISHED,     /* disconnected: no room for the rest of a packet (message_bytes) */
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

struct broker_stats {
    uint64_t clients_connected;
    uint64_t clients_total; /* sessions, connected or not */
    uint64_t clients_maximum;
    uint64_t subscriptions;
    uint64_t retained_messages;
    uint64_t messages_received; /* packets of any type */
    uint64_t messages_sent;
    uint64_t publish_received;
    uint64_t publish_sent;
    uint64_t publish_dropped; /* all of `dropped` */
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t message_bytes; /* memory of all messages, now */
    uint64_t dropped[DROP_REASONS];
    uint64_t limited[LIMITS];
};

const char *limit_name(enum limit limit);         /* "slow_consumers" */
const char *drop_reason_name(enum drop_reason r); /* "queue_full" */

#endif
