/*
 * budget - the memory for messages (broker.limits.message_bytes): what they
 * take, and how much one client may have.
 *
 * Counted are all messages, the queues and windows that refer to them, and what
 * connections hold of packets, incoming and outgoing. Nobody may hold more than
 * is left for everybody else: a hog stops at a half, of two each at a third, and
 * who keeps up always finds room. Loop thread only.
 */
#ifndef WP_BROKER_BUDGET_H
#define WP_BROKER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/delivery.h"

enum { BUDGET_NOTHING = 4096 };
enum { BUDGET_GIVES_BACK = 16 * 1024 * 1024, BUDGET_GIVES_BACK_MS = 10000 };

struct broker;
struct broker_limits;
struct conn;
struct session;

uint64_t budget_held(const struct broker *b);

/* UINT64_MAX: there is no limit. */
uint64_t budget_left(const struct broker *b);

/* Whether somebody may hold so many bytes: as much as is left for all others, or next to nothing. */
bool budget_allows(const struct broker *b, uint64_t bytes);

/* Counts what the connection holds now. */
void budget_count(struct conn *c);

/* At the end of a turn: when much less is held than before, the system gets the memory back, now and then. */
void budget_end_turn(struct broker *b);

/* Queues the delivery, or drops it, or others for it, as bounds and on_full say; takes it. s: whose queue it is; NULL:
 * not one client's. The number of messages dropped, or -ENOMEM. */
int budget_enqueue(struct broker *b, const struct broker_limits *most, struct delivery_queue *q, struct delivery d,
                   struct session *s);

#endif
