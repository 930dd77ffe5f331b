/*
 * plugins - loads what broker.plugins names, and joins it to events.h and control.h.
 *
 *   prepare -> commit    a new list: what is in both stays, in its new place; what is new or has other options is
 *          `-> cancel    opened before anything is closed
 *
 * All or none: one that cannot be loaded refuses the start, or the reload. Closed in reverse. Loop thread only.
 */
#ifndef WP_BROKER_PLUGINS_H
#define WP_BROKER_PLUGINS_H

#include <stdbool.h>

#include "core/list.h"

struct broker;
struct broker_settings;

struct plugins {
    struct broker *broker;
    struct list_node all;  /* struct plugin, in order */
    struct list_node next; /* opened, not yet listening; while prepared */
    const struct broker_settings *prepared;
    bool running; /* those that come are told that it has started */
};

void plugins_init(struct plugins *ps, struct broker *b);

/* Opens those of `settings` that are not open yet; the settings are borrowed from the commit on, in the place of those
 * before. 0 or -errno, logged; then all is as before. */
int plugins_prepare(struct plugins *ps, const struct broker_settings *settings);

/* Closes those that are no longer wanted; the others listen from here on. Not from within an event. */
void plugins_commit(struct plugins *ps);
void plugins_cancel(struct plugins *ps);

/* Tells all that it is over, and closes them. */
void plugins_close(struct plugins *ps);

#endif
