/*
 * modbus - the driver of every device that its tags describe completely:
 * table, address, type and byte order of each. Decoding is pure.
 */
#ifndef WP_DRIVERS_MODBUS_H
#define WP_DRIVERS_MODBUS_H

#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"
#include "drivers/driver.h"

extern const struct driver modbus_driver;

/* The reading of a tag from its own tag_width() registers. A bool is true when the register is not 0.
 * A text is in ret_text, or the settings' word. */
struct reading modbus_decode(const struct tag_settings *tag, uint32_t index, const uint16_t *regs,
                             char ret_text[VALUE_TEXT_MAX]);

/* The reading of a tag of the coil or discrete table. */
struct reading modbus_decode_bit(const struct tag_settings *tag, uint32_t index, bool bit);

/* The other way: writes `value` (scaled, as a reading shows it; raw where there are words) into tag_width()
 * registers, rounded to the nearest raw value and limited to what the type holds. Bits beside a bit field are kept;
 * a string holds the number as text. */
void modbus_encode(const struct tag_settings *tag, double value, uint16_t *regs);

/* The same from the text a reading shows, or a raw number instead of a word. -EINVAL: the tag cannot show this;
 * -ERANGE: a whole number of 64 bits is longer. */
int modbus_encode_text(const struct tag_settings *tag, struct str text, uint16_t *regs);

/* Whether it shows all digits of a whole number of 64 bits, which a double does not hold. */
bool modbus_is_wide(const struct tag_settings *tag);

/* modbus_preview.c: of struct driver. */
int modbus_preview(const struct tag_settings *tag, struct str text, char ret_text[VALUE_TEXT_MAX],
                   struct value *ret_value);

/* modbus_write.c: of struct driver. The tag's table is coil or holding. */
int modbus_write(struct device *dev, const struct tag_settings *tag, struct str text);

/* The raw value of a word or number of a tag of the bit tables. -EINVAL. */
int modbus_encode_bit(const struct tag_settings *tag, struct str text, bool *ret_bit);

#endif
