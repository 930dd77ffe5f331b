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
#include "core/reading.h"
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

    /* What a reading will show once `text` was written to a tag; a text is in ret_text. Pure, any thread. -EINVAL:
     * not a value of this tag; -ERANGE: outside of its limits. NULL if the driver cannot write. */
    int (*preview)(const struct tag_settings *tag, struct str text, char ret_text[VALUE_TEXT_MAX],
                   struct value *ret_value);

    /* Writes what preview has accepted. Errors as in link.h. NULL if the driver cannot. */
    int (*write)(struct device *dev, const struct tag_settings *tag, struct str text);
};

/* NULL when there is none of this name. */
const struct driver *driver_find(const char *name);

#endif
