/*
 * buf - a growable run of bytes: appended at the tail, consumed at the head.
 *
 * Writers do not check each call: the first allocation that fails marks the
 * buffer as failed, later appends do nothing, and buf_failed() is asked once
 * at the end. Zeroed memory is a valid empty buffer. One thread at a time.
 */
#ifndef WP_CORE_BUF_H
#define WP_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct buf {
    uint8_t *data;
    size_t head; /* first byte not yet consumed */
    size_t tail; /* one past the last byte */
    size_t cap;
    bool failed;
};

/* Frees the memory; the buffer is empty and usable again. */
void buf_fini(struct buf *b);

/* Empties the buffer and forgets a failure; keeps the memory. */
void buf_clear(struct buf *b);

/* Room for `len` more bytes at the tail, or NULL (and failed). Write there, then buf_commit(). */
uint8_t *buf_reserve(struct buf *b, size_t len);

static inline void buf_commit(struct buf *b, size_t len)
{
    b->tail += len;
}

void buf_append(struct buf *b, const void *data, size_t len);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);        /* big endian */
void buf_put_u32(struct buf *b, uint32_t v);        /* big endian */
void buf_put_u64(struct buf *b, uint64_t v);        /* big endian */
void buf_put_text(struct buf *b, const char *text); /* without its terminator */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drops `len` bytes at the head; at most buf_len(). */
void buf_consume(struct buf *b, size_t len);

/* Cuts the buffer back to `len` unconsumed bytes: undoes appends. */
void buf_truncate(struct buf *b, size_t len);

static inline size_t buf_len(const struct buf *b)
{
    return b->tail - b->head;
}

static inline const uint8_t *buf_data(const struct buf *b)
{
    return b->data ? b->data + b->head : NULL;
}

/* The unconsumed bytes as text; valid until the buffer changes. */
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){.data = b->data ? (const char *)b->data + b->head : "", .len = buf_len(b)};
}

static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}

#endif
