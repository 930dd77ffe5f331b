/*
 * buf_pool - buffers that connections borrow while they have bytes to hold, so
 * that an idle connection has none.
 *
 * Keeps some, of moderate size, to spare allocation and page faults under
 * load. What was not needed for BUF_POOL_TRIM_MS is given back. Loop thread only.
 */
#ifndef WP_BROKER_BUF_POOL_H
#define WP_BROKER_BUF_POOL_H

#include <stddef.h>

#include "core/buf.h"
#include "core/timer.h"

struct loop;

enum { BUF_POOL_KEEPS = 64, BUF_POOL_KEEPS_BYTES = 256 * 1024, BUF_POOL_TRIM_MS = 1000 };

struct buf_pool {
    struct loop *loop;
    struct buf *spare[BUF_POOL_KEEPS];
    size_t count;
    size_t least; /* lowest count since the last trim: so many were not needed */
    struct timer trim;
};

void buf_pool_init(struct buf_pool *pool, struct loop *loop);
void buf_pool_fini(struct buf_pool *pool);

/* An empty buffer, or NULL when out of memory. */
struct buf *buf_pool_get(struct buf_pool *pool);

/* Accepts NULL. */
void buf_pool_put(struct buf_pool *pool, struct buf *b);

#endif
