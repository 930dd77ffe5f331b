/*
 * broker_internal - struct broker, for the files of this folder.
 *
 *   conns      every open connection
 *   dirty      those with output to send, or to close, at the end of the turn
 *   dead       closed ones, freed at the end of the turn
 */
#ifndef WP_BROKER_INTERNAL_H
#define WP_BROKER_INTERNAL_H

#include "broker/addresses.h"
#include "broker/broker.h"
#include "broker/buf_pool.h"
#include "broker/control.h"
#include "broker/delivery.h"
#include "broker/entrance.h"
#include "broker/events.h"
#include "broker/gather.h"
#include "broker/joining.h"
#include "broker/limit.h"
#include "broker/listener.h"
#include "broker/passwords.h"
#include "broker/plugins.h"
#include "broker/publication.h"
#include "broker/retained.h"
#include "broker/router.h"
#include "broker/session.h"
#include "broker/share.h"
#include "broker/sys.h"
#include "core/list.h"
#include "loop.h"

struct broker {
    struct loop *loop;
    const struct broker_settings *settings;
    uint64_t seed; /* of all hashes */
    struct router router;
    struct retained retained;
    struct session_table sessions;
    struct share_table shares;
    struct listeners listeners;
    struct sys sys;

    struct entrance entrance; /* of what did not come in by a listener */
    struct list_node judges;  /* struct judge */
    struct passwords passwords;
    struct events events;
    struct control control;
    struct plugins plugins;
    struct list_node conns;
    struct list_node auths; /* enhanced_auth.c */
    uint32_t conn_count;
    uint32_t refused_count; /* conns that wait to be told that they may not come in */
    struct addresses addresses;
    struct list_node dead;
    struct list_node closed_taps; /* freed at the end of the turn */
    struct list_node catching_up; /* catch_up.c: conns with subscriptions that wait for retained messages */
    struct timer catch_up;
    struct conn *dirty; /* the first to be served */
    struct conn *dirty_last;
    uint32_t dirty_count;
    struct loop_hook end_of_turn;
    struct buf_pool pool;
    uint64_t buffer_bytes; /* budget.c, enhanced_auth.c: what connections hold of packets */
    uint64_t held_peak;    /* since memory was given back */
    int64_t give_back_ms;  /* not before then */
    struct limit_log limit_log;
    struct gather gather;

    struct buf frames[FRAME_LAYOUTS]; /* of the message being routed */
    struct buf props;                 /* scratch: rebuilt properties, suback codes */
    struct buf mounted;               /* scratch: a topic with its mount */
    bool routing;
    uint64_t routed;                /* messages so far */
    struct delivery_queue deferred; /* published by taps while a message was routed */

    struct broker_stats stats;
    bool stopping;
};

/* Now, for a message that expires: the clock is read only then. */
int64_t broker_run_ms(const struct message *m);

/* route.c: retains the message if it says so and gives it to everyone who subscribed. `from` may be
 * NULL. Returns the number of receivers, or -ENOMEM: somebody who should have it may not. */
int broker_route(struct broker *b, struct publication *p, const struct session *from);

/* route.c: forgets a topic's retained message. 0 or -ENOENT. */
int broker_clear_retained(struct broker *b, struct str topic);

/* route.c: whether one more client's message may be retained. */
bool broker_may_retain(const struct broker *b, struct str topic, size_t payload_len);

/* route.c: publishes what taps have published meanwhile. Not while routing. */
void broker_publish_deferred(struct broker *b);

/* route.c: sends the retained messages that match a session's subscription. 0 or -ENOMEM. */
int broker_send_retained(struct session *s, struct str filter, const struct subscription_options *options);

#endif
