/*
 * serial_settings - what a configuration says of a device that speaks a protocol of its own: how its
 * frames are told apart, what it is asked, and where in a frame the values are.
 * A part of bus_settings.h, which is what others include.
 *
 *   |<-------------------------------- frame ------------------------------->|
 *   | start | ... what `match` and `fields` see ... | mark | checksum | end  |
 *                                         or        | end  | mark | checksum |
 */
#ifndef WP_SERIAL_SETTINGS_H
#define WP_SERIAL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum checksum_type {
    CHECKSUM_NONE,
    CHECKSUM_XOR,
    CHECKSUM_SUM8,
    CHECKSUM_SUM16,
    CHECKSUM_LRC, /* two's complement of the sum */
    CHECKSUM_CRC8_MAXIM,
    CHECKSUM_CRC16_MODBUS,
    CHECKSUM_CRC16_ARC,
    CHECKSUM_CRC16_CCITT_FALSE,
    CHECKSUM_CRC16_KERMIT,
    CHECKSUM_CRC16_X25,
    CHECKSUM_CRC16_XMODEM,
    CHECKSUM_CRC32,
};

struct checksum_settings {
    enum checksum_type type;
    bool hex;        /* as digits, not as bytes */
    bool little;     /* the least significant byte first */
    bool after_end;  /* behind `end`, not before it */
    uint16_t from;   /* the first byte it is made of, counted from the frame's start */
    struct str mark; /* stands in front of it, and is no part of what it is made of */
};

/* Zeroed: not so. At least one of length, length_size, idle_ms and end says where a frame ends. */
struct frame_settings {
    struct str start;
    struct str end;
    uint16_t length;     /* of every frame */
    uint16_t length_at;  /* a field in the frame has its length: where, */
    uint8_t length_size; /* of how many bytes, */
    bool length_little;  /* in which order, */
    int32_t length_adds; /* and how much the frame is longer than it says */
    int64_t idle_ms;     /* a silence ends it */
    int64_t pause_ms;    /* longest silence within a frame */
    uint32_t max;        /* longest frame */
    struct str between;  /* bytes that may stand between frames, besides line ends */
    struct checksum_settings checksum;
};

enum { FRAME_MAX = 4096 };

/* How the text that a group of `match` found is read. */
enum text_type {
    TEXT_AUTO, /* a number if it is one */
    TEXT_NUMBER,
    TEXT_STRING,
    TEXT_HEX,
    TEXT_NMEA_ANGLE, /* 4807.038,N is 48.1173; a comma and N, S, E or W behind degrees and minutes */
};

struct text_word {
    struct str text;
    const char *word;
};

/* Of the tag of the same index: what tag_settings cannot say of text. */
struct text_form {
    enum text_type type;
    const struct text_word *words; /* instead of the text; a text that has none is refused */
    size_t word_count;
    const struct str *sentinels; /* texts that mean "no data" */
    size_t sentinel_count;
};

struct serial_field {
    uint32_t tag;
    uint16_t offset; /* bytes from the frame's start */
    uint8_t width;   /* bytes, when they are fewer than the type has; else 0 */
    uint8_t minus;   /* what the device adds to each byte */
};

/* What happens between the request and the frame. */
enum sign_on { SIGN_ON_NONE, SIGN_ON_IEC62056 };

/* One kind of frame, and the request it answers. */
struct serial_message {
    struct str begins; /* what its frames begin with; empty: anything */
    struct str contains;
    uint16_t contains_at; /* and what they have there */
    const char *match;    /* PCRE2; NULL: fields */
    const struct serial_field *fields;
    size_t field_count;
    struct str send; /* empty: it comes by itself */
    enum sign_on sign_on;
    int64_t every_ms;
};

struct serial_settings {
    struct frame_settings frame;
    const struct serial_message *messages;
    size_t message_count;
    const struct text_form *texts; /* one a tag of the device */
};

#endif
