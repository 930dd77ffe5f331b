/*
 * scan_order - whom a scan asks in which order, so that what is likely is known early. Pure.
 *
 *   pass  settings of the line  units    by
 *   1     as configured         likely   reading a holding register
 *   2     as configured         others   "
 *   3     all others            likely   "
 *   4     all others            others   "
 *   5     as configured         silent   reading an input register: few devices need it
 */
#ifndef WP_COMMISSION_SCAN_ORDER_H
#define WP_COMMISSION_SCAN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

enum { SCAN_UNITS = 256, SCAN_PORTS = 64 };

struct scan_target {
    uint8_t unit;
    size_t port; /* index; 0: the line as it is configured */
    enum modbus_table table;
};

struct scan_order {
    uint8_t units[SCAN_UNITS]; /* the likely ones first */
    size_t unit_count;
    size_t likely_count;
    size_t port_count;
    bool answered[SCAN_UNITS]; /* with the line as configured */
    size_t pass;
    size_t port;
    size_t at;
};

/* Puts the likely ones first. Everything else of *o zeroed. */
void scan_order_init(struct scan_order *o, const uint8_t *units, size_t unit_count, size_t port_count);

/* False when all have been asked. */
bool scan_order_next(struct scan_order *o, struct scan_target *ret_target);

/* How many questions there are, at most. */
size_t scan_order_total(const struct scan_order *o);

#endif
