/*
 * modbus_write - one tag's value to its device.
 *
 *   function  request after the function code              answer
 *    5        address  FF00 or 0000                        the same
 *    6        address  value                               the same
 *   15        address  count  bytes (1)  bits              address  count
 *   16        address  count  bytes (1)  values            address  count
 *   22        address  bits to keep  bits to set           the same
 *   23        address  count  address  count  bytes (1)    bytes (1)  values
 *             values
 *
 * Bits of a register are changed alone by 22; without it the register is read, changed and
 * written while nobody else has the line.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "drivers/link.h"
#include "drivers/modbus.h"

enum { WRITE_COIL = 5, WRITE_REGISTER = 6, WRITE_COILS = 15, WRITE_REGISTERS = 16, MASK_WRITE = 22, READ_WRITE = 23 };

/* The longest: 23 with a string of 121 registers. */
enum { MAX_WRITTEN = 123 };

struct pdu {
    uint8_t bytes[LINK_PDU_MAX];
    size_t len;
};

static void put_u8(struct pdu *p, uint8_t v)
{
    assert(p->len < sizeof(p->bytes));
    p->bytes[p->len++] = v;
}

static void put_u16(struct pdu *p, uint16_t v)
{
    put_u8(p, (uint8_t)(v >> 8));
    put_u8(p, (uint8_t)v);
}

static void put_registers(struct pdu *p, const uint16_t *regs, uint16_t count)
{
    put_u8(p, (uint8_t)(count * 2));
    for (size_t i = 0; i < count; i++)
        put_u16(p, regs[i]);
}

/* The answer repeats the first `echo` bytes of the request. */
static int send_echoed(struct device *dev, const struct pdu *p, size_t echo)
{
    uint8_t answer[LINK_PDU_MAX];
    int r = link_transact(dev->link, dev->settings->unit, p->bytes, p->len, echo, answer);

    if (r <= 0) /* 0: everybody was told, and nobody answers */
        return r;
    return memcmp(answer, p->bytes, echo) == 0 ? 0 : -EPROTO;
}

static int write_bit(struct device *dev, const struct tag_settings *tag, bool bit)
{
    struct pdu p = {.len = 0};
    bool many = tag->write.function == WRITE_COILS;

    put_u8(&p, many ? WRITE_COILS : WRITE_COIL);
    put_u16(&p, tag->address);
    if (many) {
        put_u16(&p, 1);
        put_u8(&p, 1);
        put_u8(&p, bit);
    } else {
        put_u16(&p, bit ? 0xff00 : 0);
    }
    return send_echoed(dev, &p, 5);
}

static int write_and_read(struct device *dev, const struct tag_settings *tag, const uint16_t *regs, uint16_t count)
{
    uint8_t answer[LINK_PDU_MAX];
    struct pdu p = {.len = 0};
    int r;

    put_u8(&p, READ_WRITE);
    put_u16(&p, tag->address);
    put_u16(&p, count);
    put_u16(&p, tag->address);
    put_u16(&p, count);
    put_registers(&p, regs, count);
    r = link_transact(dev->link, dev->settings->unit, p.bytes, p.len, 2u + 2u * count, answer);
    if (r <= 0)
        return r;
    return answer[1] == 2 * count ? 0 : -EPROTO;
}

static int write_registers(struct device *dev, const struct tag_settings *tag, const uint16_t *regs, uint16_t count)
{
    bool one = count == 1 && (tag->write.function == 0 || tag->write.function == WRITE_REGISTER);
    struct pdu p = {.len = 0};

    if (tag->write.function == READ_WRITE)
        return write_and_read(dev, tag, regs, count);
    put_u8(&p, one ? WRITE_REGISTER : WRITE_REGISTERS);
    put_u16(&p, tag->address);
    if (one) {
        put_u16(&p, regs[0]);
    } else {
        put_u16(&p, count);
        put_registers(&p, regs, count);
    }
    return send_echoed(dev, &p, 5);
}

static int write_masked(struct device *dev, const struct tag_settings *tag, uint16_t keep, uint16_t set)
{
    struct pdu p = {.len = 0};

    put_u8(&p, MASK_WRITE);
    put_u16(&p, tag->address);
    put_u16(&p, keep);
    put_u16(&p, set);
    return send_echoed(dev, &p, 7);
}

static int write_value(struct device *dev, const struct tag_settings *tag, struct str text)
{
    uint16_t regs[MAX_WRITTEN] = {0};
    uint16_t ones[MAX_WRITTEN];
    uint16_t count = tag_width(tag);
    int r;

    assert(count > 0 && count <= MAX_WRITTEN);
    memset(ones, 0xff, sizeof(ones));
    if (modbus_encode_text(tag, text, regs) < 0 || modbus_encode_text(tag, text, ones) < 0)
        return -EINVAL;
    if (tag->write.function == MASK_WRITE) /* what depends on what was there before is to be kept */
        return write_masked(dev, tag, regs[0] ^ ones[0], regs[0] & ones[0]);
    if (memcmp(regs, ones, count * sizeof(regs[0])) != 0) {
        r = link_read_holding(dev->link, dev->settings->unit, tag->address, regs, count);
        if (r < 0)
            return r;
        modbus_encode_text(tag, text, regs);
    }
    return write_registers(dev, tag, regs, count);
}

int modbus_write(struct device *dev, const struct tag_settings *tag, struct str text)
{
    bool bit;

    if (!table_is_bits(tag->table))
        return write_value(dev, tag, text);
    return modbus_encode_bit(tag, text, &bit) < 0 ? -EINVAL : write_bit(dev, tag, bit);
}
