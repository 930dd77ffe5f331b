/*
 * load - everybody who takes part: clients, the loops that carry them, and what the loops agree on.
 *
 *   loops[0] carries all clients while they are set up; share_out() then deals them out.
 *   A client belongs to one loop, whose thread alone touches it; what is _Atomic is shared.
 */
#ifndef MQTTLOAD_LOAD_H
#define MQTTLOAD_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

enum role { ROLE_PUBLISHER, ROLE_SUBSCRIBER, ROLE_PLAIN };

enum client_state {
    CLIENT_NEW,
    CLIENT_CONNECTING, /* TCP */
    CLIENT_GREETING,   /* waits for CONNACK */
    CLIENT_SUBSCRIBING,
    CLIENT_UP,
    CLIENT_GONE,
};

struct loop;

struct client {
    int fd; /* -1: none */
    enum role role;
    enum client_state state;
    uint32_t index; /* within its role */
    struct loop *loop;
    uint32_t events; /* what epoll watches; 0: nothing yet */
    uint8_t *out;    /* bytes not yet written */
    size_t out_len;
    size_t out_at;
    size_t out_cap;
    uint8_t *part; /* start of a packet, the rest is to come */
    size_t part_len;
    size_t part_cap;
    unsigned subacks; /* awaited */
    uint64_t opened_ns;
    bool session_present;
};

struct publisher {
    struct client client; /* first: clients are cast to their role */
    uint8_t *packet;      /* a whole PUBLISH, patched for each message */
    size_t packet_len;
    size_t topic_end; /* places in it */
    size_t id_at;
    size_t payload_at;
    uint32_t sent;
    uint32_t acked;
    uint32_t inflight;
    uint32_t window;
    uint32_t listeners;
    _Atomic uint64_t delivered; /* counted by the subscribers' loops */
    uint64_t *ids_used;         /* bitmap; NULL at QoS 0 */
    uint16_t last_id;
    uint64_t due_ns; /* fixed rate: when to send next */
    bool done;
};

/* What a subscriber has had of one publisher. */
struct seen {
    uint64_t *bits; /* NULL: it does not hear that one */
    uint32_t next;
};

struct subscriber {
    struct client client;
    struct seen *seen; /* one for each publisher */
};

struct counters {
    uint64_t received;
    uint64_t duplicated;
    uint64_t corrupt;
    uint64_t out_of_order;
    uint64_t foreign;
    uint64_t rejected;
    uint64_t bad_acks;
    uint64_t disconnects;
};

/* A thread's share. */
struct loop {
    int epoll;
    uint8_t *scratch; /* what is being received */
    struct publisher **publishers;
    unsigned publisher_count;
    struct counters counters;
    uint64_t last_receipt_ns;
    struct histogram latency;
    struct histogram late;
};

struct load {
    struct publisher *publishers;
    struct subscriber *subscribers;
    struct client *plain; /* idle, storm and ballast */
    unsigned plain_count;
    struct loop *loops;
    atomic_bool stop;
    _Atomic uint64_t received; /* distinct messages */
    _Atomic unsigned done;     /* publishers with nothing left to do */
    _Atomic unsigned up;       /* clients set up since bring_up() began */
    uint64_t want;             /* deliveries to wait for */
    uint64_t deadline_ns;
    unsigned stalls;
};

extern struct load load;

#endif
