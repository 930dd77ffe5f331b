/*
 * completions - brings finished commands back from the bus threads to the loop.
 *
 * Any thread may push; only the loop runs them. Not bounded itself: a command is in
 * one bus's queue or here, and those are.
 */
#ifndef WP_BUS_COMPLETIONS_H
#define WP_BUS_COMPLETIONS_H

struct command;
struct completions;

/* Runs in the pushing thread, no lock held. */
typedef void completions_wake_fn(void *arg);

/* NULL when out of memory. */
struct completions *completions_new(completions_wake_fn *wake, void *arg);

/* Accepts NULL. Nobody may still be pushing, and all have been run. */
void completions_free(struct completions *cs);

/* Any thread. */
void completions_push(struct completions *cs, struct command *c);

/* Calls done() of each, in the order in which they were pushed. */
void completions_run(struct completions *cs);

#endif
