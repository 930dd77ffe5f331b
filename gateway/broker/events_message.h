/*
 * events_message - the events that a message and its packets meet on their way; see events.h. Each is only raised when
 * somebody listens to it (events_heard()). Loop thread only.
 */
#ifndef WP_BROKER_EVENTS_MESSAGE_H
#define WP_BROKER_EVENTS_MESSAGE_H

#include "broker/broker_stats.h"
#include "broker/events.h"
#include "broker/publication.h"

struct delivery;
struct message;

/*
 * Asks what becomes of a message; `p` may be changed, and then borrows from the scratch memory: the caller marks and
 * releases that. from: NULL: not a client. ret_reason: with REFUSE and CLOSE.
 */
enum wirepost_verdict events_intercept_publish(struct broker *b, const struct session *from, struct publication *p,
                                               uint8_t *ret_reason);

/* A message that another was changed to holds back the other's acknowledgement as long as its own. */
void events_follow(struct message *changed, struct message *original);

/* The same for one receiver. begin: what it is to be given, `d` changed too; NULL: nothing. end: in any case. */
struct enqueueing {
    struct scratch_block *mark;
    struct publication *original;
    struct publication changed;
    bool is_changed;
};
struct publication *events_enqueue_begin(struct enqueueing *q, struct session *s, struct publication *p,
                                         struct delivery *d);
void events_enqueue_end(struct enqueueing *q, struct session *s);

enum wirepost_outcome events_outcome(enum drop_reason why);
void events_enqueued_or_dropped(struct session *s, const struct publication *p, const struct delivery *d,
                                enum wirepost_outcome outcome);
void events_not_consumed(struct broker *b, const struct publication *p);
void events_acknowledged(struct session *s, struct message *m, uint16_t id, uint8_t reason); /* m may be NULL */
void events_retained_changed(struct broker *b, const struct publication *p);
void events_retained_cleared(struct broker *b, struct str topic);
void events_queue_overwritten(struct session *s, struct message *m);

/* False: the packet is not to be handled; the connection may be closed. */
bool events_inbound(struct conn *c, struct str raw);

/* Of the packet that is the last `len` bytes of c->out; it may be taken away again. */
void events_outbound(struct conn *c, size_t len);

#endif
