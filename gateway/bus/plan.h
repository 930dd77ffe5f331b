/*
 * plan - the fewest requests that read all tags of a device.
 *
 *   tags     u16@0  f32@1     u16@9      f32@20        (one table, one period, max_gap 8)
 *   requests [0 ............... 9]       [20 21]
 *
 * Tags are joined when they share table and poll period, the unwanted
 * registers between them number at most max_gap, and the request stays within
 * max_count and one of the device's blocks. A tag is never split. Pure.
 */
#ifndef WP_BUS_PLAN_H
#define WP_BUS_PLAN_H

#include <stddef.h>

#include "drivers/driver.h"

struct plan {
    struct request *requests;
    size_t count;
    uint32_t *tags; /* what the requests' tag lists point into */
};

/* Of one device; it is borrowed. 0 or -ENOMEM. */
int plan_build(const struct device_settings *device, struct plan *ret_plan);

/* The same without the tags that it refuses, and without requests over its holes. */
struct holes;
int plan_build_around(const struct device_settings *device, const struct holes *holes, struct plan *ret_plan);
void plan_fini(struct plan *plan);

/* The cheapest request: the one asked to learn whether a device is back. NULL when there is none. */
const struct request *plan_smallest(const struct plan *plan);

#endif
