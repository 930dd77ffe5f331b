/*
 * guard - holds clients to the rules of where they came in.
 *
 *   CONNECT -> guard_permit() -> session.permit -> asked for each PUBLISH, SUBSCRIBE and delivery
 *
 * A session keeps its permit while its client is away, and gets another one when he comes by another entrance, as
 * somebody else, or when the rules change. Without rules all of this is one branch. Loop thread only.
 */
#ifndef WP_BROKER_GUARD_H
#define WP_BROKER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "access/permit.h"
#include "broker/session.h"
#include "core/str.h"

struct broker;
struct conn;

/* What the client of this connection may do, once it has the id. *ret_permit NULL: everything, and it is nobody.
 * 0 or -ENOMEM. */
int guard_permit(const struct conn *c, struct str id, struct permit **ret_permit);

/* The session's from now on; takes it. */
void guard_take(struct session *s, struct permit *p);

/* Whose session it is; NULL data: nobody's. */
struct str guard_user(const struct session *s);

/* Whether the client of this connection is the one whose session it is, below the same mount: nobody else continues it.
 */
bool guard_is_same(const struct session *s, const struct conn *c);

/* Whether the permit, which may be NULL, lets something be published, such as a will. */
bool guard_may_leave(struct permit *p, struct str topic);

/* Of a guarded session; the first refusal is logged. */
bool guard_asks_write(struct session *s, struct str topic);
bool guard_asks_read(struct session *s, struct str topic, uint64_t routing);
bool guard_asks_subscribe(struct session *s, struct str filter);

static inline bool guard_may_write(struct session *s, struct str topic)
{
    return !s->guarded || guard_asks_write(s, topic);
}

/* Without counting the answer: it is only asked who might. */
static inline bool guard_could_read(struct session *s, struct str topic, uint64_t routing)
{
    return !s->guarded || (s->permit && permit_may(s->permit, ACL_READ, topic, routing));
}

/* routing: which message it is that is being routed; 0: not known. */
static inline bool guard_may_read(struct session *s, struct str topic, uint64_t routing)
{
    return !s->guarded || guard_asks_read(s, topic, routing);
}

/* filter: valid; of a shared subscription too. */
static inline bool guard_may_subscribe(struct session *s, struct str filter)
{
    return !s->guarded || guard_asks_subscribe(s, filter);
}

/* The settings are others: sessions follow the rules in force, and clients that could no longer come in are
 * disconnected: users that have gone or have another password, and anonymous ones where they are no longer served. Not
 * while routing. */
void guard_change(struct broker *b);

/* Whether a client that proves nothing is served here. */
bool guard_admits_anybody(const struct conn *c);

#endif
