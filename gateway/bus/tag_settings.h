/*
 * tag_settings - what a configuration says of one tag: where its value is and what it means.
 * A part of bus_settings.h, which is what others include.
 */
#ifndef WP_TAG_SETTINGS_H
#define WP_TAG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/tag_type.h"

struct tag_word {
    int64_t raw;
    const char *word;
};

/* What becomes of the registers besides scaling. Zeroed: nothing. */
struct value_form {
    uint16_t length; /* TYPE_STRING: registers */
    bool is_bit;     /* the one bit at bit_offset, as a bool */
    uint8_t bit_offset;
    uint8_t bit_count;            /* 0: the whole value */
    const struct tag_word *words; /* instead of numbers; a value that has none is refused */
    size_t word_count;
    const uint64_t *sentinels; /* raw values that mean "no data", as their bits */
    size_t sentinel_count;
    bool has_range; /* of the scaled value */
    double range_min;
    double range_max;
    bool has_precision;
    uint8_t precision; /* decimals the scaled value is rounded to */
};

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

/* Zeroed: not to be written. */
struct write_rules {
    bool allowed;
    bool verify;      /* read back and compare, unless a request says otherwise */
    uint8_t function; /* Modbus function code; 0: the usual one for the table and the width */
    double min;       /* of the scaled value; -INFINITY and INFINITY: no limit */
    double max;
    const char *failsafe; /* value that is written when nobody has written for so long; NULL: none */
    int64_t failsafe_after_ms;
};

struct tag_settings {
    const char *name;
    enum modbus_table table;
    uint16_t address; /* as in the PDU, from 0 */
    enum tag_type type;
    enum byte_order order;
    double scale; /* value = raw * scale + offset; 1 and 0 leave integers as they are */
    double offset;
    struct value_form form;
    const char *unit;         /* of the value, "" if none */
    const char *label;        /* for people, "" if none */
    const char *device_class; /* what Home Assistant calls such values: given, or by the unit; "" if none */
    const char *state_class;  /* the same: measurement, total, total_increasing, measurement_angle or "" */
    const char *expression;   /* NULL: it is read, from where this says; otherwise computed... */
    const uint32_t *inputs;   /* ...from these of the device's tags, in the expression's order; none is behind itself */
    size_t input_count;
    int64_t poll_ms;
    int64_t stale_after_ms;
    struct publish_rules rules;
    struct write_rules write;
};

/* One request of any function code that people may have a device carry out. */
enum { ACTION_PDU_MAX = 64 };

struct action_settings {
    const char *name;
    uint8_t pdu[ACTION_PDU_MAX];
    size_t len;
};

/* Registers a tag takes; for the bit tables always 1 bit. */
static inline uint16_t tag_width(const struct tag_settings *tag)
{
    return tag->type == TYPE_STRING ? tag->form.length : type_width(tag->type);
}

#endif
