/*
 * carry - carries out commands between polls. Private to bus/.
 *
 *   carry.c        whose turn it is; raw requests
 *   carry_write.c  writes: each item in order, then those to verify are read back
 *
 * The line is as clean after a command as it was before: what comes late is drained, so that it is no
 * answer to the next poll. The bus thread.
 */
#ifndef WP_BUS_CARRY_H
#define WP_BUS_CARRY_H

#include <stdbool.h>
#include <stdint.h>

struct command;
struct poller;

/* Carries out the next command if one may go now; whether it did. */
bool carry_next(struct poller *p, int64_t now_ms, bool poll_is_due);

/* carry_write.c: the result. */
int carry_write(struct poller *p, struct command *c);

/* Whether the device has answered, if only by a refusal. */
bool carry_is_answer(int result);

/* A request in the bus's counters. */
void carry_count(struct poller *p, int result);

/* After a request with this time-out: a late answer has as much time again. */
void carry_clean_up(struct poller *p, int result, int64_t timeout_ms);

#endif
