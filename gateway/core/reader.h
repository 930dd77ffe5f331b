/*
 * reader - reads big-endian fields straight on through borrowed bytes.
 *
 * A read past the end returns 0 and marks the reader bad; callers read a
 * whole structure and check `bad` once. Any thread.
 */
#ifndef WP_CORE_READER_H
#define WP_CORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct reader {
    const uint8_t *data;
    size_t len;
    size_t pos;
    bool bad;
};

static inline struct reader reader_of(const void *data, size_t len)
{
    return (struct reader){.data = data, .len = len};
}

static inline size_t reader_left(const struct reader *r)
{
    return r->len - r->pos;
}

static inline bool reader_has(struct reader *r, size_t len)
{
    if (r->bad || reader_left(r) < len)
        r->bad = true;
    return !r->bad;
}

static inline uint8_t read_u8(struct reader *r)
{
    return reader_has(r, 1) ? r->data[r->pos++] : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
    if (!reader_has(r, 2))
        return 0;
    r->pos += 2;
    return (uint16_t)(r->data[r->pos - 2] << 8 | r->data[r->pos - 1]);
}

static inline uint32_t read_u32(struct reader *r)
{
    uint32_t high = read_u16(r);

    return high << 16 | read_u16(r);
}

static inline uint64_t read_u64(struct reader *r)
{
    uint64_t high = read_u32(r);

    return high << 32 | read_u32(r);
}

/* Borrows from the reader's bytes. */
static inline struct str read_str(struct reader *r, size_t len)
{
    struct str s = {.data = "", .len = 0};

    if (!reader_has(r, len) || len == 0)
        return s;
    s.data = (const char *)r->data + r->pos;
    s.len = len;
    r->pos += len;
    return s;
}

#endif
