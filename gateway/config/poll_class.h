/*
 * poll_class - named periods: `poll: slow` instead of a duration. Private to config/.
 *
 *   fast 1s   normal 10s   slow 1m       unless the bus or the device says otherwise:
 *
 *   poll_classes: {slow: 5m, hourly: 1h}
 *
 * So that a template says what a value needs, and a site what its line can carry.
 */
#ifndef WP_CONFIG_POLL_CLASS_H
#define WP_CONFIG_POLL_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/near.h"

struct loader;
struct node;

enum { POLL_MIN_MS = 10, POLL_MAX_MS = 24 * 60 * 60 * 1000 };

/* What is said of classes where a poll is read: the values of `poll_classes`, either may be NULL. */
struct poll_scope {
    const struct node *of_bus;
    const struct node *of_device; /* counts for more */
};

/* False when there is no class of this name; the nearest is in ret_near. */
bool poll_class_find(const struct poll_scope *scope, struct str name, int64_t *ret_ms, struct near *ret_near);

/* Reports what is wrong with the `poll_classes` of a bus or device, if it has any. The mapping, or NULL. */
const struct node *poll_classes_of(struct loader *ld, const struct node *level);

#endif
