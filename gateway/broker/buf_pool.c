/* buf_pool - see buf_pool.h. A stack: the most recently used is used next, the bottom ones are trimmed. */
#include "broker/buf_pool.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"

static void drop(struct buf *b)
{
    buf_fini(b);
    free(b);
}

static void on_trim(void *arg)
{
    struct buf_pool *pool = arg;

    for (size_t i = 0; i < pool->least; i++)
        drop(pool->spare[i]);
    pool->count -= pool->least;
    memmove(pool->spare, pool->spare + pool->least, pool->count * sizeof(pool->spare[0]));
    pool->least = pool->count;
    if (pool->count > 0)
        loop_timer_start(pool->loop, &pool->trim, BUF_POOL_TRIM_MS);
}

void buf_pool_init(struct buf_pool *pool, struct loop *loop)
{
    *pool = (struct buf_pool){.loop = loop};
    timer_init(&pool->trim, on_trim, pool);
}

void buf_pool_fini(struct buf_pool *pool)
{
    loop_timer_stop(pool->loop, &pool->trim);
    while (pool->count > 0)
        drop(pool->spare[--pool->count]);
}

struct buf *buf_pool_get(struct buf_pool *pool)
{
    struct buf *b;

    if (pool->count == 0)
        return calloc(1, sizeof(*b));
    b = pool->spare[--pool->count];
    if (pool->count < pool->least)
        pool->least = pool->count;
    return b;
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
    if (!timer_running(&pool->trim))
        loop_timer_start(pool->loop, &pool->trim, BUF_POOL_TRIM_MS);
}
