/* units - see units.h. */
#include "core/units.h"

#include <string.h>

#include "core/str.h"

static const struct {
    const char *plain;
    const char *symbol;
} symbols[] = {
    {"degC", "°C"},   {"degF", "°F"},     {"deg", "°"},         {"m2", "m²"},       {"m3", "m³"},
    {"ft3", "ft³"},   {"m3/h", "m³/h"},   {"m3/min", "m³/min"}, {"m3/s", "m³/s"},   {"W/m2", "W/m²"},
    {"g/m3", "g/m³"}, {"mg/m3", "mg/m³"}, {"ug/m3", "μg/m³"},   {"µg/m³", "μg/m³"}, {"us", "μs"},
};

const char *unit_symbol(const char *unit)
{
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        if (strcmp(unit, symbols[i].plain) == 0)
            return symbols[i].symbol;
    return unit;
}
