/*
 * share - a shared subscription, "$share/NAME/FILTER": each message goes to one of its members (4.8.2).
 *
 *   router -> struct share -> the next member that can take it
 *                          `-> queue, until one can
 *
 * Members take turns; one whose window is full or whose session has no
 * connection is passed over. What a member has not acknowledged when it goes
 * is given to another: QoS 1 as soon as there is one, QoS 2 never, once it has
 * been sent [MQTT-4.8.2-4, -5]. A share lives as long as it has members, also
 * such that are away. Loop thread only.
 */
#ifndef WP_BROKER_SHARE_H
#define WP_BROKER_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/delivery.h"
#include "broker/topic_tree.h"
#include "core/str.h"

struct broker;
struct publication;
struct session;
struct subscriber;
struct subscription_options;

enum { SHARES_MAX = 1000 }; /* that one session is a member of: each of its acknowledgements may look at all */

struct share_table {
    struct topic_tree tree; /* by whole filter; node->value is a struct share */
    size_t count;
    size_t member_count;
    size_t waiting; /* shares with a queue */
    uint32_t last_id;
};

int shares_init(struct share_table *t, uint64_t seed);

/* All sessions must have ended. Accepts a zeroed table. */
void shares_fini(struct share_table *t);

/* Makes the session a member, or replaces its options. The filter is valid and shared. 0, -ENOMEM, or -EDQUOT: a
 * member of too many. */
int share_join(struct session *s, struct str filter, const struct subscription_options *options, bool *ret_existed);

bool share_has(const struct session *s, struct str filter);

/* False when it was no member. What it has been sent stays its own. */
bool share_leave(struct session *s, struct str filter);

/* All shares of a session, when its connection comes, goes, and when the session ends. */
void shares_back(struct session *s);
void shares_gone(struct session *s);
void shares_end(struct session *s);

/* Gives the message to one member, or queues it. 0 or -ENOMEM. */
int share_give(struct subscriber *to, struct publication *p);

/* Whether something waits for a member such as this one. */
bool shares_waiting(const struct session *s);

/* The oldest that waits, now the caller's. False when there is none. */
bool shares_next(struct session *s, struct delivery *ret_delivery);

#endif
