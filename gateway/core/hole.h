/*
 * hole - addresses of a device that it refuses to have read.
 *
 *   tags   [a][b][c]......[d][e]
 *   hole         ^                   c alone is refused: it is left out
 *   seam            ~~~~~~           the two sides can be read, but not in one request
 *
 * A request over the whole of one would be refused.
 */
#ifndef WP_CORE_HOLE_H
#define WP_CORE_HOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hole {
    uint8_t table; /* enum modbus_table */
    bool is_seam;
    uint8_t code;  /* the exception the device answered with */
    uint32_t from; /* its first address... */
    uint32_t to;   /* ...and the one behind its last */
};

/* Of one device. */
struct hole_list {
    struct hole *items;
    size_t count;
};

#endif
