/* modbus - see modbus.h. What registers mean is in modbus_value.c. */
#include "drivers/modbus.h"

#include <assert.h>

#include "drivers/link.h"

enum { MAX_REGISTERS = 125, MAX_BITS = 2000 };

static void add_reading(struct batch *out, struct reading r)
{
    if (r.reason.kind == REASON_NONE)
        batch_add(out, r.tag, r.value);
    else
        batch_add_bad(out, r.tag, r.reason);
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

        add_reading(out, modbus_decode_bit(tag, req->tags[i], bits[tag->address - req->address] != 0));
    }
    return 0;
}

static int read_registers(struct device *dev, const struct request *req, struct batch *out)
{
    uint16_t regs[MAX_REGISTERS];
    char text[VALUE_TEXT_MAX];
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
        add_reading(out, modbus_decode(tag, req->tags[i], regs + (tag->address - req->address), text));
    }
    return 0;
}

static int modbus_poll(struct device *dev, const struct request *req, struct batch *out)
{
    return table_is_bits(req->table) ? read_bits(dev, req, out) : read_registers(dev, req, out);
}

static int modbus_begin(struct device *dev, const struct request *req)
{
    return link_begin_read(dev->link, dev->settings->unit, req->table, req->address, req->count);
}

const struct driver modbus_driver = {
    .name = "modbus",
    .summary = "any Modbus device that its tags or template describe",
    .poll = modbus_poll,
    .begin = modbus_begin,
    .preview = modbus_preview,
    .write = modbus_write,
};
