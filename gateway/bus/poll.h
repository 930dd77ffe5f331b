/*
 * poll - one poll of a device: attempts, drain, health, batch. Part of a poller; see poller.h.
 */
#ifndef WP_BUS_POLL_H
#define WP_BUS_POLL_H

#include "bus/poller.h"

/* Asks, with retries, and emits one batch. */
void poll_entry(struct poller *p, size_t entry);
void poll_probe(struct poller *p, struct polled_device *d);

/* One attempt, begun at started_us: with link_resume() before it, or now. */
struct outcome poll_once(struct poller *p, struct polled_device *d, const struct request *req, int64_t started_us,
                         struct batch *b);
bool poll_is_answer(const struct outcome *o);

/* What follows from the last attempt. Takes the batch. */
void poll_conclude(struct poller *p, struct polled_device *d, const struct request *req, const struct outcome *o,
                   struct batch *b);

/* Before a request that is not planned: has the device answer what it may owe. False when it does not. */
bool poll_settle(struct poller *p, struct polled_device *d, const struct request *req);

/* False where transaction numbers tell answers apart. */
bool poll_answers_look_alike(const struct poller *p);

/* The line was busy since then, other requests in flight or not. */
void poll_count_busy(struct poller *p, int64_t started_us);

/* Keeps the pause that a device wants after its last request. */
void poll_keep_gap(struct poller *p, struct polled_device *d, int64_t now_ms);

#endif
