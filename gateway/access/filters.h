/*
 * filters - what two topic filters have in common. Both are valid ones. Pure, any thread.
 */
#ifndef WP_ACCESS_FILTERS_H
#define WP_ACCESS_FILTERS_H

#include <stdbool.h>

#include "core/str.h"

/* Whether there is a topic that both match. */
bool filters_overlap(struct str a, struct str b);

/* Whether `wide` matches every topic that `narrow` matches. ("+/#" and "#" are the same, but "+/#" does not cover "#".)
 */
bool filter_covers(struct str wide, struct str narrow);

#endif
