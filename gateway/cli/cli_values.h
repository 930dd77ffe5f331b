/*
 * cli_values - registers as everything they may mean, side by side, at most 80 columns wide.
 */
#ifndef WP_CLI_VALUES_H
#define WP_CLI_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/buf.h"

struct json;

enum { VALUES_MAX = 2000 };

/* What a read brought: `count` registers or bits from `address` on. */
struct values {
    enum modbus_table table;
    uint16_t address;
    size_t count;
    uint16_t regs[VALUES_MAX];
    bool known[VALUES_MAX];               /* false: refused */
    bool changed[VALUES_MAX];             /* since the read before: highlighted */
    const struct device_settings *device; /* whose tags are named; NULL: none */
};

/* The tables: 16 bits and tags; then 32 and, if `wide`, 64 bits. Colours only if `colours`. */
void values_print(const struct values *v, bool wide, bool colours, struct buf *out);

/* Appends the tag's value, or why it has none; false when the registers are not among these. */
bool values_decode_tag(const struct values *v, const struct tag_settings *tag, struct buf *out);

/* "decoded":[{"address":0,"hex":"0x0bb8","u16":3000,"f32":{"ABCD":...},...}], "tags":{...} */
void values_print_json(const struct values *v, struct json *out);

#endif
