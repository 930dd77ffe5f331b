/*
 * bus_settings - what a configuration says of buses, devices and tags.
 *
 * Filled by config/, owned by its arena, never changed while a stage runs on
 * it. Durations in milliseconds.
 */
#ifndef WP_BUS_SETTINGS_H
#define WP_BUS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bus_type { BUS_MODBUS_RTU, BUS_MODBUS_TCP };

enum parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD };

struct port_settings {
    const char *device; /* path, made absolute */
    int32_t baud;
    enum parity parity;
    int32_t data_bits; /* always 8 for Modbus RTU */
    int32_t stop_bits;
};

/* Modbus application protocol 1.1b3, 4.3: the four tables. */
enum modbus_table { TABLE_COIL, TABLE_DISCRETE, TABLE_INPUT, TABLE_HOLDING };

enum tag_type { TYPE_BOOL, TYPE_U16, TYPE_S16, TYPE_U32, TYPE_S32, TYPE_F32 };

/* Byte order of a value on the wire; A is the most significant byte. */
enum byte_order { ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA };

enum publish_on { PUBLISH_ON_CHANGE, PUBLISH_ALWAYS };

/* How far a value may move unpublished: in its own unit, or in percent of the one published last. */
struct deadband {
    double size;
    bool percent;
};

struct publish_rules {
    enum publish_on on;
    struct deadband deadband;
    int64_t min_interval_ms; /* between two values of a tag */
    int64_t max_interval_ms; /* 0: none */
};

/* What a device's values go out as: v/TAG, json, or both. */
enum publish_form { PUBLISH_BOTH, PUBLISH_VALUES, PUBLISH_JSON };

struct tag_settings {
    const char *name;
    enum modbus_table table;
    uint16_t address; /* as in the PDU, from 0 */
    enum tag_type type;
    enum byte_order order;
    double scale; /* value = raw * scale + offset; 1 and 0 leave integers as they are */
    double offset;
    const char *unit; /* of the value, "" if none */
    int64_t poll_ms;
    int64_t stale_after_ms;
    struct publish_rules rules;
};

struct device_settings {
    const char *name;          /* unique in the whole configuration */
    const char *template_name; /* NULL if none */
    uint8_t unit;              /* Modbus unit id 1-247 (TCP: 0-255) */
    int64_t timeout_ms;
    int32_t retries;
    uint16_t max_count;         /* registers in one request: 1-125 */
    uint16_t max_gap;           /* unwanted registers read to join two tags */
    int64_t min_request_gap_ms; /* silence this device wants between requests */
    int32_t fail_count;         /* quarantine after so many failed polls in a row... */
    int64_t fail_time_ms;       /* ...and so much time */
    enum publish_form publish;
    const struct tag_settings *tags;
    size_t tag_count;
};

struct bus_settings {
    const char *name;
    enum bus_type type;
    struct port_settings port; /* BUS_MODBUS_RTU */
    const char *host;          /* BUS_MODBUS_TCP */
    uint16_t tcp_port;
    const struct device_settings *devices;
    size_t device_count;
};

/* Registers a type takes: 1 or 2; for the bit tables always 1 bit. */
static inline uint16_t tag_width(const struct tag_settings *tag)
{
    return tag->type == TYPE_U32 || tag->type == TYPE_S32 || tag->type == TYPE_F32 ? 2 : 1;
}

static inline bool table_is_bits(enum modbus_table table)
{
    return table == TABLE_COIL || table == TABLE_DISCRETE;
}

#endif
