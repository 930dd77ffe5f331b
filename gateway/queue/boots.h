/*
 * boots - when the machine was booted, of the last few times: so that messages which were queued before anybody knew
 * the time can still be given theirs. Loop thread only.
 */
#ifndef WP_QUEUE_BOOTS_H
#define WP_QUEUE_BOOTS_H

#include <stddef.h>

#include "core/stamp.h"

struct store;

enum { BOOTS_KEPT = 64 };

/* Reads them, and waits for it: while starting up only. The array is the caller's. 0 or -errno. */
int boots_load(struct store *store, struct stamp_boot **ret_boots, size_t *ret_count);

/* Adds one; copies it. 0, or -errno when the store takes nothing. What comes of it is logged. */
int boots_save(struct store *store, const struct stamp_boot *boot);

#endif
