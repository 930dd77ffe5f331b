/* buf_pool - see buf_pool.h. */
#include "broker/buf_pool.h"

#include <stdlib.h>

struct buf *buf_pool_get(struct buf_pool *pool)
{
    return pool->count > 0 ? pool->spare[--pool->count] : calloc(1, sizeof(struct buf));
}

static void drop(struct buf *b)
{
    buf_fini(b);
    free(b);
}

void buf_pool_put(struct buf_pool *pool, struct buf *b)
{
    if (!b)
        return;
    if (pool->count == BUF_POOL_KEEPS || b->cap > BUF_POOL_KEEPS_BYTES) {
        drop(b);
        return;
    }
    buf_clear(b);
    pool->spare[pool->count++] = b;
}

void buf_pool_fini(struct buf_pool *pool)
{
    while (pool->count > 0)
        drop(pool->spare[--pool->count]);
}
