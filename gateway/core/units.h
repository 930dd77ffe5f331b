/*
 * units - what units are called: in a configuration they may be plain ASCII
 * (degC, m3), for people and other programs they have their symbol (°C, m³).
 * Pure, any thread.
 */
#ifndef WP_CORE_UNITS_H
#define WP_CORE_UNITS_H

/* "degC" -> "°C"; any other unit is returned as it is. */
const char *unit_symbol(const char *unit);

#endif
