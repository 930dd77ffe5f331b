/* wire - see wire.h. */
#include "wire.h"

#include <string.h>

size_t wire_put_varint(uint8_t *p, uint32_t v)
{
    size_t n = 0;

    do {
        p[n] = v & 0x7f;
        v >>= 7;
        if (v)
            p[n] |= 0x80;
        n++;
    } while (v);
    return n;
}

size_t wire_put_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return 2;
}

size_t wire_put_text(uint8_t *p, const char *text)
{
    size_t len = strlen(text);

    wire_put_u16(p, (unsigned)len);
    memcpy(p + 2, text, len);
    return len + 2;
}

size_t wire_get_varint(const uint8_t *p, size_t len, uint32_t *ret_v)
{
    uint32_t v = 0;

    for (size_t i = 0; i < len && i < WIRE_VARINT_MAX; i++) {
        v |= (uint32_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80)) {
            *ret_v = v;
            return i + 1;
        }
    }
    return 0;
}
