/*
 * driver - what one kind of device is asked and what its answers mean.
 *
 *   bus (whom, when)  ->  driver (which registers, which values)  ->  link (bytes)
 *
 * A driver never logs, sleeps, retries, starts threads or gives up: the bus does.
 */
#ifndef WP_DRIVER_H
#define WP_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/str.h"
#include "drivers/link.h"

struct batch;

/* A device as its driver sees it. */
struct device {
    const struct device_settings *settings;
    struct link *link;
};

/* One read: neighbouring registers (or bits) and the tags that lie in them. Made by bus/plan. */
struct request {
    enum modbus_table table;
    uint16_t address;
    uint16_t count; /* registers, or bits of a bit table */
    int64_t poll_ms;
    const uint32_t *tags; /* indices into the device's tags */
    size_t tag_count;
};

struct driver {
    const char *name;
    const char *summary;

    /* Asks once and adds each tag of the request to `out`, which has room for them and is
     * untouched on failure. Errors as in link.h. */
    int (*poll)(struct device *dev, const struct request *req, struct batch *out);

    /* Sends what poll() asks, and does not wait; see link_begin_read(). The same errors. NULL: one request at a time.
     */
    int (*begin)(struct device *dev, const struct request *req);

    /* Writes one tag's value, given as a reading shows it. NULL if the driver cannot. Errors as in link.h,
     * or -EINVAL: the tag cannot show this. */
    int (*write)(struct device *dev, const struct tag_settings *tag, struct str text);
};

/* NULL when there is none of this name. */
const struct driver *driver_find(const char *name);

#endif
