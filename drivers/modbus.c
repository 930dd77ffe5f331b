/*
 * modbus - see modbus.h.
 *
 * A 32-bit value is two registers; `order` names its bytes as they come, A the
 * most significant. 16-bit values follow the byte order within a register only.
 *
 *            register n      register n+1
 *   ABCD      A     B          C     D
 *   CDAB      C     D          A     B
 *   BADC      B     A          D     C
 *   DCBA      D     C          B     A
 */
#include "drivers/modbus.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "drivers/link.h"

enum { MAX_REGISTERS = 125, MAX_BITS = 2000 };

static uint16_t swap_bytes(uint16_t v)
{
    return (uint16_t)(v << 8 | v >> 8);
}

static uint16_t order_16(uint16_t reg, enum byte_order order)
{
    return order == ORDER_BADC || order == ORDER_DCBA ? swap_bytes(reg) : reg;
}

static bool low_word_first(enum byte_order order)
{
    return order == ORDER_CDAB || order == ORDER_DCBA;
}

static uint32_t get_32(const uint16_t *regs, enum byte_order order)
{
    uint32_t first = order_16(regs[0], order);
    uint32_t second = order_16(regs[1], order);

    return low_word_first(order) ? second << 16 | first : first << 16 | second;
}

static void put_32(uint32_t v, enum byte_order order, uint16_t *ret_regs)
{
    uint16_t high = order_16((uint16_t)(v >> 16), order);
    uint16_t low = order_16((uint16_t)v, order);

    ret_regs[0] = low_word_first(order) ? low : high;
    ret_regs[1] = low_word_first(order) ? high : low;
}

static bool is_scaled(const struct tag_settings *tag)
{
    return tag->scale != 1.0 || tag->offset != 0.0;
}

static struct value unsigned_value(const struct tag_settings *tag, uint32_t raw)
{
    if (is_scaled(tag))
        return (struct value){.type = VALUE_DOUBLE, .d = raw * tag->scale + tag->offset};
    return (struct value){.type = VALUE_UINT, .u = raw};
}

static struct value signed_value(const struct tag_settings *tag, int32_t raw)
{
    if (is_scaled(tag))
        return (struct value){.type = VALUE_DOUBLE, .d = raw * tag->scale + tag->offset};
    return (struct value){.type = VALUE_INT, .i = raw};
}

static struct value float_value(const struct tag_settings *tag, uint32_t raw)
{
    float f;

    memcpy(&f, &raw, sizeof(f));
    return (struct value){.type = VALUE_FLOAT, .d = (double)f * tag->scale + tag->offset};
}

struct reading modbus_decode(const struct tag_settings *tag, uint32_t index, const uint16_t *regs)
{
    struct reading r = {.tag = index};

    switch (tag->type) {
    case TYPE_BOOL:
        r.value = (struct value){.type = VALUE_BOOL, .b = regs[0] != 0};
        break;
    case TYPE_U16:
        r.value = unsigned_value(tag, order_16(regs[0], tag->order));
        break;
    case TYPE_S16:
        r.value = signed_value(tag, (int16_t)order_16(regs[0], tag->order));
        break;
    case TYPE_U32:
        r.value = unsigned_value(tag, get_32(regs, tag->order));
        break;
    case TYPE_S32:
        r.value = signed_value(tag, (int32_t)get_32(regs, tag->order));
        break;
    case TYPE_F32:
        r.value = float_value(tag, get_32(regs, tag->order));
        if (!isfinite((float)r.value.d))
            r = (struct reading){.tag = index, .reason = {.kind = REASON_NAN}};
        break;
    }
    return r;
}

static double limit(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

static uint32_t float_bits(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

void modbus_encode(const struct tag_settings *tag, double value, uint16_t *ret_regs)
{
    double raw = (value - tag->offset) / tag->scale;

    switch (tag->type) {
    case TYPE_BOOL:
        ret_regs[0] = value != 0.0;
        break;
    case TYPE_U16:
        ret_regs[0] = order_16((uint16_t)lround(limit(raw, 0, UINT16_MAX)), tag->order);
        break;
    case TYPE_S16:
        ret_regs[0] = order_16((uint16_t)lround(limit(raw, INT16_MIN, INT16_MAX)), tag->order);
        break;
    case TYPE_U32:
        put_32((uint32_t)llround(limit(raw, 0, UINT32_MAX)), tag->order, ret_regs);
        break;
    case TYPE_S32:
        put_32((uint32_t)llround(limit(raw, INT32_MIN, INT32_MAX)), tag->order, ret_regs);
        break;
    case TYPE_F32:
        put_32(float_bits((float)raw), tag->order, ret_regs);
        break;
    }
}

static int read_bits(struct device *dev, const struct request *req, struct batch *out)
{
    uint8_t bits[MAX_BITS];
    uint8_t unit = dev->settings->unit;
    int r;

    assert(req->count <= MAX_BITS);
    if (req->table == TABLE_COIL)
        r = link_read_coils(dev->link, unit, req->address, bits, req->count);
    else
        r = link_read_discrete(dev->link, unit, req->address, bits, req->count);
    if (r < 0)
        return r;

    for (size_t i = 0; i < req->tag_count; i++) {
        const struct tag_settings *tag = &dev->settings->tags[req->tags[i]];

        batch_add(out, req->tags[i], (struct value){.type = VALUE_BOOL, .b = bits[tag->address - req->address]});
    }
    return 0;
}

static int read_registers(struct device *dev, const struct request *req, struct batch *out)
{
    uint16_t regs[MAX_REGISTERS];
    uint8_t unit = dev->settings->unit;
    int r;

    assert(req->count <= MAX_REGISTERS);
    if (req->table == TABLE_INPUT)
        r = link_read_input(dev->link, unit, req->address, regs, req->count);
    else
        r = link_read_holding(dev->link, unit, req->address, regs, req->count);
    if (r < 0)
        return r;

    for (size_t i = 0; i < req->tag_count; i++) {
        const struct tag_settings *tag = &dev->settings->tags[req->tags[i]];
        struct reading reading = modbus_decode(tag, req->tags[i], regs + (tag->address - req->address));

        if (reading.reason.kind == REASON_NONE)
            batch_add(out, reading.tag, reading.value);
        else
            batch_add_bad(out, reading.tag, reading.reason);
    }
    return 0;
}

static int modbus_poll(struct device *dev, const struct request *req, struct batch *out)
{
    return table_is_bits(req->table) ? read_bits(dev, req, out) : read_registers(dev, req, out);
}

const struct driver modbus_driver = {
    .name = "modbus",
    .summary = "any Modbus device that its tags or template describe",
    .poll = modbus_poll,
};
