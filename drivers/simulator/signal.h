/*
 * signal - what a simulated tag shows at a moment: a plausible shape for its
 * unit, slowly moving. The same seed, tag and moment always give the same value. Pure.
 */
#ifndef WP_SIMULATOR_SIGNAL_H
#define WP_SIMULATOR_SIGNAL_H

#include <stdint.h>

#include "bus/bus_settings.h"

/* t_ms: since the simulation began. Scaled, as a reading shows it. */
double signal_value(const struct tag_settings *tag, uint64_t seed, int64_t t_ms);

#endif
