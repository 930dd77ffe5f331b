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

/* The reading of a tag from its own tag_width() registers. A bool is true when the register is not 0. */
struct reading modbus_decode(const struct tag_settings *tag, uint32_t index, const uint16_t *regs);

/* The other way: writes `value` (scaled, as a reading shows it) into tag_width() registers,
 * rounded to the nearest raw value and limited to what the type holds. */
void modbus_encode(const struct tag_settings *tag, double value, uint16_t *ret_regs);

#endif
