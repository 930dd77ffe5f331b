/*
 * tag_type - the types and byte orders of Modbus values.
 * A part of bus_settings.h, which is what others include.
 */
#ifndef WP_TAG_TYPE_H
#define WP_TAG_TYPE_H

#include <stdbool.h>
#include <stdint.h>

/* Modbus application protocol 1.1b3, 4.3: the four tables. */
enum modbus_table { TABLE_COIL, TABLE_DISCRETE, TABLE_INPUT, TABLE_HOLDING };

enum tag_type {
    TYPE_BOOL,
    TYPE_U8, /* the low byte of a register */
    TYPE_S8,
    TYPE_U16,
    TYPE_S16,
    TYPE_U32,
    TYPE_S32,
    TYPE_U64,
    TYPE_S64,
    TYPE_F32,
    TYPE_F64,
    TYPE_BCD16, /* four decimal digits */
    TYPE_BCD32,
    TYPE_STRING,
};

/* Byte order of a value on the wire; A is the most significant byte. Four registers
 * follow the same rule: CDAB has the least significant register first. */
enum byte_order { ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA };

/* Registers a type takes; 0 for a string, which has a length of its own. */
static inline uint16_t type_width(enum tag_type type)
{
    switch (type) {
    case TYPE_U32:
    case TYPE_S32:
    case TYPE_F32:
    case TYPE_BCD32:
        return 2;
    case TYPE_U64:
    case TYPE_S64:
    case TYPE_F64:
        return 4;
    case TYPE_STRING:
        return 0;
    case TYPE_BOOL:
    case TYPE_U8:
    case TYPE_S8:
    case TYPE_U16:
    case TYPE_S16:
    case TYPE_BCD16:
        break;
    }
    return 1;
}

/* Bits of a raw value; a string has none. */
static inline unsigned type_bits(enum tag_type type)
{
    return type == TYPE_U8 || type == TYPE_S8 ? 8 : type_width(type) * 16u;
}

static inline bool type_is_signed(enum tag_type type)
{
    return type == TYPE_S8 || type == TYPE_S16 || type == TYPE_S32 || type == TYPE_S64;
}

static inline bool type_is_unsigned(enum tag_type type)
{
    return type == TYPE_U8 || type == TYPE_U16 || type == TYPE_U32 || type == TYPE_U64;
}

static inline bool type_is_float(enum tag_type type)
{
    return type == TYPE_F32 || type == TYPE_F64;
}

static inline bool table_is_bits(enum modbus_table table)
{
    return table == TABLE_COIL || table == TABLE_DISCRETE;
}

#endif
