/*
 * value - from a raw value to a reading, wherever it came from: registers, bytes of a frame, or text.
 *
 *   raw -> sentinel? -> number, bit or bit field -> word, or scaled -> range? -> rounded
 *
 * Pure.
 */
#ifndef WP_DRIVERS_VALUE_H
#define WP_DRIVERS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"

struct reading value_good(uint32_t index, struct value value);
struct reading value_refused(uint32_t index, enum reason_kind kind, int64_t code);

/* `raw` holds type_bits() of a tag that is no string. */
struct reading value_decode(const struct tag_settings *tag, uint32_t index, uint64_t raw);

/* A bit is a bool or one of two words. */
struct reading value_decode_bit(const struct tag_settings *tag, uint32_t index, bool bit);

/* `text` with the blanks at its end and all from the first NUL on left out; borrowed. */
struct reading value_decode_text(uint32_t index, struct str text);

/* The end of the way, for a number: scaled, held against the range, rounded. */
struct reading value_finish(const struct tag_settings *tag, uint32_t index, struct value number);

#endif
