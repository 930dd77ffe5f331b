/*
 * buf_pool - buffers that connections borrow while they have bytes to hold, so
 * that an idle connection has none. Keeps a few, of moderate size. Loop thread only.
 */
#ifndef WP_BROKER_BUF_POOL_H
#define WP_BROKER_BUF_POOL_H

#include <stddef.h>

#include "core/buf.h"

enum { BUF_POOL_KEEPS = 64, BUF_POOL_KEEPS_BYTES = 16384 };

/* Zeroed memory is empty. */
struct buf_pool {
    struct buf *spare[BUF_POOL_KEEPS];
    size_t count;
};

/* An empty buffer, or NULL when out of memory. */
struct buf *buf_pool_get(struct buf_pool *pool);

/* Accepts NULL. */
void buf_pool_put(struct buf_pool *pool, struct buf *b);

void buf_pool_fini(struct buf_pool *pool);

#endif
