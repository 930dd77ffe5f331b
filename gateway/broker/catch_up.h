/*
 * catch_up - sends the retained messages to new subscriptions, each turn for a while.
 *
 * One packet may subscribe a quarter of a million times to everything: all of
 * that at once would hold everybody up. What a turn has no time for follows in
 * the next ones; meanwhile the client is not read from. Nor is more sent than
 * the client takes: what it is owed waits as references. Loop thread only.
 */
#ifndef WP_BROKER_CATCH_UP_H
#define WP_BROKER_CATCH_UP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct broker;
struct conn;
struct subscription_options;

void catch_up_init(struct broker *b);

/* Remembers the subscription; copies the filter. */
void catch_up_add(struct conn *c, struct str filter, const struct subscription_options *options);

/* Begins with what was added, or goes on. */
void catch_up_begin(struct conn *c);

/* At the end of a turn, of one that has some to be sent: goes on if the client takes more now. */
void catch_up_resume(struct conn *c);

/* Whether its next share is due: it is not read from before. */
bool catch_up_is_due(const struct conn *c);

/* Memory that waits with it. */
size_t catch_up_bytes(const struct conn *c);

/* Forgets what has not been sent. */
void catch_up_stop(struct conn *c);

#endif
