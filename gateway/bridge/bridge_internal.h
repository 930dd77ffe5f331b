/*
 * bridge_internal - what bridge.c (life) and forward.c (messages) share. Nobody else includes it.
 */
#ifndef WP_BRIDGE_INTERNAL_H
#define WP_BRIDGE_INTERNAL_H

#include "bridge/bridge.h"
#include "bridge/pace.h"
#include "bridge/upstream.h"
#include "client/backoff.h"
#include "core/buf.h"
#include "core/timer.h"

enum {
    BRIDGE_DRAIN_MS = 2000,   /* at a stop: for what is still to be sent */
    BRIDGE_GOODBYE_MS = 1000, /* for the acknowledgement of `offline` */
    BRIDGE_RETRY_MIN_MS = 1000,
    BRIDGE_RETRY_MAX_MS = 60000,
};

/* The token of the state message; outbox numbers never get there. */
#define BRIDGE_STATE_TOKEN UINT64_MAX

enum bridge_phase {
    BRIDGE_RUNNING,
    BRIDGE_DRAINING, /* told to stop: sends what it can in BRIDGE_DRAIN_MS */
    BRIDGE_GOODBYE,  /* `offline` is on its way */
    BRIDGE_CLOSING,  /* the client disconnects */
    BRIDGE_CHANGING, /* it has: the next upstream takes its place at the end of the turn */
    BRIDGE_FLUSHING, /* the rest goes to disk */
};

struct bridge {
    struct loop *loop;
    const struct bridge_settings *settings;
    bridge_state_fn *on_state;
    void *arg;
    struct upstream *up;
    struct outbox *outbox;
    const struct stamp_clock *clock; /* NULL: messages go as they are */
    enum bridge_phase phase;
    bridge_stopped_fn *stopped; /* NULL: not told to stop */
    void *stopped_arg;
    struct upstream *next; /* to change to; NULL = none */
    bridge_stopped_fn *changed;
    void *changed_arg;

    char *state_topic; /* local; NULL = none */
    bool state_unanswered;

    struct message *pending; /* from outbox_next(), not yet taken by the client; borrowed */
    uint64_t pending_seq;
    struct buf topic;   /* scratch: a mapped name */
    struct buf payload; /* scratch: one that was given its time */
    uint64_t unanswered;
    bool pumping;
    bool holding; /* over quota: waits until all is answered, then retry_timer runs */
    struct pace pace;
    struct backoff retry;
    struct timer pace_timer;
    struct timer retry_timer;
    struct timer stop_timer;

    bool online;
    uint8_t logged_refusals[32]; /* a bit per reason: said once on each connection */
    char last_error[128];
    char last_logged[128];
    uint64_t sent;
    uint64_t resent; /* to earlier upstreams */
    uint64_t acked;
    uint64_t refused;
};

/* forward.c */

void forward_init(struct bridge *br);
void forward_fini(struct bridge *br);

/* Another upstream: everything that is owed, beginning with the oldest. */
void forward_begin_again(struct bridge *br);

/* Sends what the outbox has and the client takes. */
void forward_pump(struct bridge *br);

/* Publishes `online` or `offline` ahead of the backlog. */
void forward_state(struct bridge *br, struct message *state);

/* The upstream answered a message of ours. */
void forward_answered(struct bridge *br, uint64_t seq, uint8_t reason);

/* bridge.c */

/* While draining: nothing more can be sent now. */
void bridge_drained(struct bridge *br);

#endif
