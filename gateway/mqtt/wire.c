/* wire - see wire.h. */
#include "mqtt/wire.h"

#include <string.h>

#include "core/utf8.h"

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* All eight bytes lie in 0x01-0x7f. Taking one from each byte sets the high bit of a zero. */
static bool plain_ascii(const char *eight)
{
    uint64_t v;

    memcpy(&v, eight, sizeof(v));
    return (((v - EACH_BYTE(0x01)) | v) & EACH_BYTE(0x80)) == 0;
}

bool mqtt_text_valid(struct str text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t len = 8;

        if (text.len - at < len || !plain_ascii(text.data + at)) {
            len = utf8_char_len(text.data + at, text.len - at);
            if (len == 0 || text.data[at] == '\0')
                return false;
        }
        at += len;
    }
    return true;
}

struct str mqtt_read_binary(struct reader *r)
{
    return read_str(r, read_u16(r));
}

struct str mqtt_read_text(struct reader *r)
{
    struct str text = mqtt_read_binary(r);

    if (!mqtt_text_valid(text))
        r->bad = true;
    return text;
}

struct mqtt_pair mqtt_read_pair(struct reader *r)
{
    struct mqtt_pair pair;

    pair.name = mqtt_read_text(r);
    pair.value = mqtt_read_text(r);
    return pair;
}

uint32_t mqtt_read_varint(struct reader *r)
{
    uint32_t v = 0;
    uint8_t byte = 0;

    for (unsigned shift = 0; shift <= 21; shift += 7) {
        byte = read_u8(r);
        v |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                r->bad = true;
            return v;
        }
    }
    r->bad = true;
    return 0;
}

void wire_put_bytes(struct writer *w, struct str bytes)
{
    if (w->to && bytes.len > 0)
        memcpy(w->to + w->len, bytes.data, bytes.len);
    w->len += bytes.len;
}

void wire_put_u8(struct writer *w, uint8_t v)
{
    if (w->to)
        w->to[w->len] = v;
    w->len++;
}

void wire_put_u16(struct writer *w, uint16_t v)
{
    wire_put_u8(w, (uint8_t)(v >> 8));
    wire_put_u8(w, (uint8_t)v);
}

void wire_put_u32(struct writer *w, uint32_t v)
{
    wire_put_u16(w, (uint16_t)(v >> 16));
    wire_put_u16(w, (uint16_t)v);
}

void wire_put_varint(struct writer *w, uint32_t v)
{
    while (v >= 0x80) {
        wire_put_u8(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    wire_put_u8(w, (uint8_t)v);
}

void wire_put_binary(struct writer *w, struct str bytes)
{
    if (bytes.len > UINT16_MAX)
        w->too_long = true;
    wire_put_u16(w, (uint16_t)bytes.len);
    wire_put_bytes(w, bytes);
}

size_t mqtt_varint_len(uint32_t v)
{
    return v < 1u << 7 ? 1 : v < 1u << 14 ? 2 : v < 1u << 21 ? 3 : 4;
}

void mqtt_put_varint(struct buf *out, uint32_t v)
{
    struct writer w = {.to = buf_reserve(out, 4)};

    if (!w.to)
        return;
    wire_put_varint(&w, v);
    buf_commit(out, w.len);
}
