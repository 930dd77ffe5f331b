/*
 * modbus_words - a raw value in its registers: what decoding and encoding share.
 *
 * `order` names the bytes as they come, A the most significant. One register, and
 * text, follow the order within a register only.
 *
 *            register n      register n+1         four registers, from the most significant
 *   ABCD      A     B          C     D             AB CD EF GH
 *   CDAB      C     D          A     B             GH EF CD AB
 *   BADC      B     A          D     C             BA DC FE HG
 *   DCBA      D     C          B     A             HG FE DC BA
 */
#ifndef WP_DRIVERS_MODBUS_WORDS_H
#define WP_DRIVERS_MODBUS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

static inline uint16_t order_bytes(uint16_t reg, enum byte_order order)
{
    bool swapped = order == ORDER_BADC || order == ORDER_DCBA;

    return (uint16_t)(swapped ? reg << 8 | reg >> 8 : reg);
}

static inline size_t word_at(size_t i, size_t count, enum byte_order order)
{
    return order == ORDER_CDAB || order == ORDER_DCBA ? count - 1 - i : i;
}

static inline uint64_t words_get(const uint16_t *regs, size_t count, enum byte_order order)
{
    uint64_t raw = 0;

    for (size_t i = 0; i < count; i++)
        raw = raw << 16 | order_bytes(regs[word_at(i, count, order)], order);
    return raw;
}

static inline void words_put(uint64_t raw, size_t count, enum byte_order order, uint16_t *ret_regs)
{
    for (size_t i = count; i-- > 0; raw >>= 16)
        ret_regs[word_at(i, count, order)] = order_bytes((uint16_t)raw, order);
}

/* The lowest `bits` of a value, 1 to 64. */
static inline uint64_t mask_of(unsigned bits)
{
    return UINT64_MAX >> (64 - bits);
}

#endif
