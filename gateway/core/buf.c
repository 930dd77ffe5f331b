/* buf - see buf.h. Grows by doubling; the consumed head is reclaimed before it grows. */
#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_MIN_CAP 64

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->head = 0;
    b->tail = 0;
    b->failed = false;
}

static bool buf_grow(struct buf *b, size_t len)
{
    size_t used = buf_len(b);
    size_t cap = b->cap ? b->cap : BUF_MIN_CAP;
    uint8_t *data;

    if (len > SIZE_MAX / 2 - used)
        return false;

    /* Half empty at the head: moving is cheaper than growing, and bounded by what was consumed. */
    if (b->data && b->head >= used && b->cap - used >= len) {
        memmove(b->data, b->data + b->head, used);
        b->head = 0;
        b->tail = used;
        return true;
    }

    while (cap - used < len)
        cap *= 2;

    data = malloc(cap);
    if (!data)
        return false;
    if (b->data)
        memcpy(data, b->data + b->head, used);
    free(b->data);
    b->data = data;
    b->cap = cap;
    b->head = 0;
    b->tail = used;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    if (b->failed)
        return NULL;
    if ((!b->data || b->cap - b->tail < len) && !buf_grow(b, len)) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->tail;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    uint8_t *to = len ? buf_reserve(b, len) : NULL;

    if (!to)
        return;
    memcpy(to, data, len);
    b->tail += len;
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    buf_append(b, &v, sizeof(v));
}

void buf_put_u16(struct buf *b, uint16_t v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    buf_append(b, bytes, sizeof(bytes));
}

void buf_put_u32(struct buf *b, uint32_t v)
{
    buf_put_u16(b, (uint16_t)(v >> 16));
    buf_put_u16(b, (uint16_t)v);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    buf_put_u32(b, (uint32_t)(v >> 32));
    buf_put_u32(b, (uint32_t)v);
}

void buf_put_text(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_list again;
    int len;
    uint8_t *to;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    to = len < 0 ? NULL : buf_reserve(b, (size_t)len + 1);
    if (to) {
        vsnprintf((char *)to, (size_t)len + 1, fmt, again);
        b->tail += (size_t)len;
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t len)
{
    b->head += len;
    if (b->head == b->tail) {
        b->head = 0;
        b->tail = 0;
    }
}

void buf_truncate(struct buf *b, size_t len)
{
    b->tail = b->head + len;
}
