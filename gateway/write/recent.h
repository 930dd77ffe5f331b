/*
 * recent - the last ids of a device's requests, so that none is carried out twice. Pure.
 */
#ifndef WP_WRITE_RECENT_H
#define WP_WRITE_RECENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

enum { RECENT_IDS = 256 };

/* Zeroed memory is valid and empty. */
struct recent {
    char *ids[RECENT_IDS]; /* the oldest at `next` once all are used */
    size_t next;
};

void recent_fini(struct recent *r);

bool recent_has(const struct recent *r, struct str id);

/* Copies; forgets the oldest. Without memory the id is not remembered. */
void recent_add(struct recent *r, struct str id);

#endif
