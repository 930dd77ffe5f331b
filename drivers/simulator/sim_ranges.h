/*
 * sim_ranges - which addresses a Modbus request touches. Pure.
 */
#ifndef WP_SIMULATOR_SIM_RANGES_H
#define WP_SIMULATOR_SIM_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct sim_range {
    enum modbus_table table;
    bool writes;
    uint32_t address;
    uint32_t count;
};

/* Function 23 reads one range and writes another. */
enum { SIM_RANGES_MAX = 2 };

/* `pdu` begins with the function; a whole request. How many ranges; 0 for functions that touch none. */
size_t sim_ranges(const uint8_t *pdu, struct sim_range ret_ranges[SIM_RANGES_MAX]);

#endif
