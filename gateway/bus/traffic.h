/*
 * traffic - the last frames of a bus, as a technician reads them.
 *
 *   12:03:04.512 > 01 03 00 00 00 0A C5 CD
 *   12:03:04.553 < 01 83 02 C0 F1 exception 2 41 ms
 *   12:03:05.553 ! timeout 500 ms
 *
 * The bus thread adds; any thread prints. At most TRAFFIC_FRAMES of TRAFFIC_BYTES each are kept, and
 * memory is taken only for bytes that were there.
 */
#ifndef WP_BUS_TRAFFIC_H
#define WP_BUS_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "drivers/driver.h"

enum { TRAFFIC_FRAMES = 200, TRAFFIC_BYTES = 260 };

struct traffic;

/* NULL when out of memory. */
struct traffic *traffic_new(enum bus_type type);
void traffic_free(struct traffic *t); /* Accepts NULL. */

/* Copies up to TRAFFIC_BYTES. Without memory the frame is kept without its bytes. */
void traffic_add(struct traffic *t, enum link_verdict verdict, const uint8_t *bytes, size_t len, int64_t wall_ms,
                 int64_t mono_us);

/* The code in an exception answer on such a bus; 0 when there is none. */
uint8_t traffic_exception(enum bus_type type, const uint8_t *bytes, size_t len);

/* Appends the frames as lines, the oldest first; times are local. 0 or -ENOMEM. */
int traffic_print(struct traffic *t, struct buf *out);

#endif
