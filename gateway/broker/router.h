/*
 * router - who has subscribed to what, and who therefore gets a message.
 *
 *   filter tree node -> subscription -> subscriber (a session or a tap)
 *
 * A subscriber that several filters match appears once among the matches, with
 * the highest QoS and all its matching subscriptions. Pure. Loop thread only.
 */
#ifndef WP_BROKER_ROUTER_H
#define WP_BROKER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/topic_tree.h"

enum { ROUTER_KEEPS_TOPIC = 128 };

enum subscriber_kind { SUBSCRIBER_SESSION, SUBSCRIBER_SHARE, SUBSCRIBER_TAP, SUBSCRIBER_REQUESTS };

/* Embedded in whatever receives messages. */
struct subscriber {
    struct subscription *subscriptions; /* the router's */
    size_t match;                       /* its place in router.matches, if that names it */
    enum subscriber_kind kind;
    uint32_t count; /* of its subscriptions */
};

/* 3.8.3.1 */
struct subscription_options {
    uint32_t id; /* Subscription Identifier; 0 = none */
    uint8_t qos;
    bool no_local;
    bool retain_as_published;
};

struct subscription {
    struct subscriber *who;
    struct topic_node *node;
    struct subscription *node_next; /* others at the same filter */
    struct subscription *node_prev;
    struct subscription *own_next; /* others of the same subscriber */
    struct subscription *own_prev;
    struct subscription *match_next; /* others that match the same message; only while it is routed */
    struct subscription_options options;
};

struct match {
    struct subscriber *to;
    struct subscription *subscriptions; /* linked by match_next */
    uint8_t qos;                        /* the highest */
    bool retain_as_published;           /* of any */
    bool has_ids;                       /* some have a subscription identifier */
};

/* Whom router.matches is for. */
struct matched {
    const struct subscriber *from;
    size_t len; /* 0: for nobody any more */
    char topic[ROUTER_KEEPS_TOPIC];
};

struct router {
    struct topic_tree tree;
    struct node_row rows[2]; /* scratch: the nodes that fit so far, and those a level below */
    struct match *matches;   /* the last router_match()'s */
    size_t match_count;
    size_t match_cap;
    struct matched matched; /* a client's messages often go to one topic in a row: looked up once */
    size_t subscription_count;
};

int router_init(struct router *r, uint64_t seed);

/* All subscribers must have been dropped. */
void router_fini(struct router *r);

/* Adds the subscription, or replaces the options of the one with the same filter. 0 or -ENOMEM. */
int router_subscribe(struct router *r, struct subscriber *who, struct str filter,
                     const struct subscription_options *options, bool *ret_existed);

bool router_has(const struct router *r, const struct subscriber *who, struct str filter);

/* False when there was no such subscription. */
bool router_unsubscribe(struct router *r, struct subscriber *who, struct str filter);

/* Memory that all subscriptions take; and what one with this filter takes if nobody else has subscribed to it. */
size_t router_bytes(const struct router *r);
size_t router_cost(struct str filter);

/* Ends all subscriptions of `who`. */
void router_drop(struct router *r, struct subscriber *who);

/* Fills router.matches; `from` (may be NULL) is the publisher, for No Local. 0 or -ENOMEM. */
int router_match(struct router *r, struct str topic, const struct subscriber *from);

#endif
