/*
 * text - what a piece of text in a configuration can mean: numbers,
 * durations, sizes, names; and how numbers are shown again. Pure, any thread.
 */
#ifndef WP_CONFIG_TEXT_H
#define WP_CONFIG_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* Milliseconds. */
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* The readers: 0, -EINVAL not such a thing, -ERANGE more than 63 bits hold, and
 * for durations and sizes -EDOM: a number without its unit. */

/* Of a hexadecimal digit, 0 to 15; 16 for any other character. */
int text_digit(char c);

/* "12", "-3", "0x1f". Not "012", which some read as octal. */
int text_read_int(struct str text, int64_t *ret_value);

/* "0.1", "-3e-2"; finite. */
int text_read_float(struct str text, double *ret_value);

/* "500ms", "1.5s", "5m", "2h", "30d", and "0": milliseconds. */
int text_read_duration(struct str text, int64_t *ret_ms);

/* "512B", "64KiB", "1.5MiB", "2GB", and "0": bytes. */
int text_read_size(struct str text, int64_t *ret_bytes);

enum { TEXT_SHOWN = 64 };

/* In quotes, cut short when it is long, '?' for what is not printable. Returns ret_text. */
const char *text_quote(struct str text, char ret_text[TEXT_SHOWN]);

/* In the largest unit that leaves a whole number. */
void text_print_duration(int64_t ms, char ret_text[TEXT_SHOWN]);
void text_print_size(int64_t bytes, char ret_text[TEXT_SHOWN]);

/* What stands in a topic between two slashes, and in $SYS: 1 to 64 bytes of
 * UTF-8 without '/', '+', '#', control characters, '$' in front or blanks at the ends. */
bool text_is_name(struct str text);

/* Well-formed UTF-8 without NUL or other control characters, U+0080 to U+009F included. */
bool text_is_printable(struct str text);

/* A host name or an IPv4 or IPv6 address. */
bool text_is_host(struct str text);

/* 4 or 6, or 0 when it is no numeric address. The bytes of the address, as in a packet. */
int text_read_address(const char *text, uint8_t ret_bytes[16]);

#endif
