/*
 * wire - MQTT's numbers and strings as bytes, and back. Writers return the bytes written.
 */
#ifndef MQTTLOAD_WIRE_H
#define MQTTLOAD_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_VARINT_MAX = 4 };

size_t wire_put_varint(uint8_t *p, uint32_t v);
size_t wire_put_u16(uint8_t *p, unsigned v);
size_t wire_put_text(uint8_t *p, const char *text);

static inline unsigned wire_get_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Bytes read; 0: not all there yet, or broken. */
size_t wire_get_varint(const uint8_t *p, size_t len, uint32_t *ret_v);

#endif
