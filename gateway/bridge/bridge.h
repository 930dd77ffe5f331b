/*
 * bridge - forwards local messages to an upstream broker and loses none.
 *
 *   broker tap -> outbox (disk when needed) -> client -> upstream
 *                    ^------------ ack ---------'
 *
 * Loop thread only.
 */
#ifndef WP_BRIDGE_H
#define WP_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/bridge_settings.h"
#include "queue/outbox.h"

struct bridge;
struct loop;
struct message;
struct stamp_clock;
struct store;

/* Called on connection and loss, for $SYS and the log of whoever wants it. */
typedef void bridge_state_fn(void *arg, const struct bridge *br);

/* Opens the outbox; settings are borrowed. state_topic (copied) is published retained `online` at each
 * connection, after its prefix mapping, and is the last will `offline`; NULL = none. */
int bridge_new(struct loop *loop, struct store *store, const struct bridge_settings *settings, const char *state_topic,
               bridge_state_fn *on_state, void *arg, struct bridge **ret_bridge);
void bridge_free(struct bridge *br); /* Accepts NULL. */

/* What is owed and has no time yet gets it as it is sent, once the clock tells. Borrowed, and changed as it changes. */
void bridge_use_clock(struct bridge *br, const struct stamp_clock *clock);

void bridge_start(struct bridge *br);

/* Goes on with other settings under the same name: publishes `offline`, disconnects, connects as they say. What is owed
 * stays owed, and messages are taken all the while. done runs when the old settings are no longer borrowed; not when it
 * is stopped meanwhile. One at a time. 0 or -ENOMEM, and nothing has changed. */
typedef void bridge_stopped_fn(void *arg);
int bridge_change(struct bridge *br, const struct bridge_settings *settings, bridge_stopped_fn *done, void *arg);

/* Sends what it can in 2 s, publishes `offline`, disconnects, writes what is still owed to disk; then done. */
void bridge_stop(struct bridge *br, bridge_stopped_fn *done, void *arg);

/* Takes a reference on a message that a rule matches; forgets any other. For each message once, whatever filters match.
 */
void bridge_take(struct bridge *br, struct message *m);

struct bridge_stats {
    bool online;
    char last_error[128]; /* "" when online */
    uint64_t sent;        /* messages taken from the outbox and given to the connection */
    uint64_t resent;
    uint64_t acked;
    uint64_t refused; /* the upstream answered 0x80 or more, the message was too large, or no rule names it any more */
    struct outbox_stats outbox;
};

void bridge_get_stats(const struct bridge *br, struct bridge_stats *ret_stats);
const char *bridge_name(const struct bridge *br);

#endif
