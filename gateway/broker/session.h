/*
 * session - what the broker remembers of one client, connected or not (4.1):
 * subscriptions, unacknowledged messages, the queue, the will.
 *
 *   new -> attached to a conn <-> detached, expiry running -> ended
 *
 * Found by client id. Lives while it has a conn or its expiry has not passed. Loop thread only.
 */
#ifndef WP_BROKER_SESSION_H
#define WP_BROKER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/delivery.h"
#include "broker/id_set.h"
#include "broker/router.h"
#include "broker/window.h"
#include "core/list.h"
#include "core/timer.h"

struct absence;
struct broker;
struct conn;
struct permit;
struct publication;
struct will;

/* The state of QoS 1 and 2; made when it is first needed, so an idle session does without. */
struct flow {
    struct window out;           /* sent, not acknowledged */
    struct delivery_queue queue; /* waits for the window, or for the client */
    struct id_set in;            /* QoS 2 received, not released */
    struct list_node pending;    /* struct owed, QoS 2: unsettled when their connection went */
    uint64_t dropped;            /* since the queue became full; 0: it is not */
    bool own_last;               /* what went out last had waited in the queue, not at a shared subscription */
};

struct session {
    struct subscriber subscriber;
    struct broker *broker;
    struct session *bucket;      /* next in its hash bucket */
    struct conn *conn;           /* NULL: not connected */
    struct flow *flow;           /* NULL: none yet */
    struct will *will;           /* NULL: none */
    struct share_member *shares; /* share.c: its shared subscriptions */
    struct permit *permit;       /* guard.h: whose it is, and what he may do; NULL: nobody's, and everything */
    struct absence *absence;     /* while its client is away; NULL: it is here */
    uint32_t hash;
    uint32_t expiry_s; /* 0: ends with the connection; SESSION_NEVER */
    uint32_t mount;    /* mount_mark() of where its topics are */
    uint16_t id_len;
    uint16_t share_count;
    bool guarded;        /* there are rules for it */
    bool refusal_logged; /* by them */
    char id[];
};

#define SESSION_NEVER UINT32_MAX

/* Zeroed memory is not valid: session_table_init(). */
struct session_table {
    struct session **buckets;
    size_t mask;
    size_t count;
    struct list_node away; /* those whose clients are away, the longest so first */
    size_t away_count;
};

int session_table_init(struct session_table *t);

/* Ends all sessions without wills. Accepts a zeroed table. */
void session_table_fini(struct session_table *t);

/* NULL when there is none. */
struct session *session_find(struct broker *b, struct str id);

/* A session with an id that is not in use. NULL when out of memory. */
struct session *session_new(struct broker *b, struct str id);

/* Publishes a will that still waits, then forgets everything. It must not have a conn. */
void session_end(struct session *s);

/* The client is back (or new): stops expiry and a delayed will. 0 or -ENOMEM. Send what is owed by session_pump(). */
int session_attach(struct session *s, struct conn *c);

/* The connection has ended; the session may end, too, and its will be published. */
void session_detach(struct session *s);

/* Its flow, made if need be. NULL when out of memory. */
struct flow *session_flow(struct session *s);

static inline struct str session_id(const struct session *s)
{
    return (struct str){.data = s->id, .len = s->id_len};
}

/* The client id for a log line: without control characters, cut short. */
struct session_name {
    char text[64];
};
struct session_name session_name(const struct session *s);
struct session_name session_name_of(struct str text); /* any other */

/* deliver.c: sends the message, or queues it, or drops and counts it. Takes ids (may be NULL).
 * qos is the subscription's. -ENOMEM: not kept although the session should have it. */
int session_deliver(struct session *s, struct publication *p, uint8_t qos, bool retain, struct sub_ids *ids);

/* deliver.c: the same with a delivery that lacks its message; takes it. */
int session_deliver_as(struct session *s, struct publication *p, struct delivery d);

/* deliver.c: whether the client is connected and takes output; and QoS 1 and 2 at once. */
bool session_has_room(const struct session *s);
bool session_is_ready(const struct session *s);

/* subscriptions.c: subscribes, or replaces the options; the filter is valid, and may be a shared one. 0, -ENOMEM, or
 * -EDQUOT. The others: false when there is no such subscription. */
int session_subscribe(struct session *s, struct str filter, const struct subscription_options *options,
                      bool *ret_existed);
bool session_unsubscribe(struct session *s, struct str filter);
bool session_has_subscription(const struct session *s, struct str filter);

/* deliver.c: sends again and from the queue what the window and the output allow. */
void session_pump(struct session *s);

/* deliver.c: whether session_pump() has something to do. */
bool session_waiting(const struct session *s);

#endif
