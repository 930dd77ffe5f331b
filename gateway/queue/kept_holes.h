/*
 * kept_holes - what devices refuse to have read, kept on disk.
 *
 * A device's holes belong to its fingerprint: of its unit, template and tags. Under another one they are
 * forgotten. Loop thread only.
 */
#ifndef WP_QUEUE_KEPT_HOLES_H
#define WP_QUEUE_KEPT_HOLES_H

#include <stdint.h>

#include "core/hole.h"

struct store;

struct kept_device {
    const char *name;
    uint64_t fingerprint;
};

/* The holes of each device, valid during the call; result: 0 or -errno (then there are none). */
typedef void kept_holes_loaded_fn(void *arg, const struct hole_list *holes, int result);

/* Names are borrowed until `loaded`, which runs in the loop thread, once. 0, -ENOMEM, -ESHUTDOWN. */
int kept_holes_load(struct store *store, const struct kept_device *devices, size_t count, kept_holes_loaded_fn *loaded,
                    void *arg);

/* Replaces all that is kept of a device. Copies. They change a few times in a device's life, so that
 * saves need no bound. 0, -ENOMEM, -ESHUTDOWN. */
int kept_holes_save(struct store *store, const struct kept_device *device, const struct hole_list *holes);

#endif
