/*
 * stamp - when a sample was taken, in a JSON message, also while nobody knows what time it is.
 *
 *   the clock is trusted   {"ts":1700000000000, ...
 *   it is not              {"ts":null,"clock":"uncertain","boot":"5f1c...","mono":81234, ...
 *
 * mono: milliseconds since that boot. Once the wall clock at the boot is known, whoever still holds the message can
 * put the time in its place. Pure.
 */
#ifndef WP_CORE_STAMP_H
#define WP_CORE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/str.h"

enum { STAMP_BOOT_LEN = 36 };

/* One boot of the machine, and the wall clock then. */
struct stamp_boot {
    char id[STAMP_BOOT_LEN + 1];
    int64_t began_ms;
};

struct stamp_clock {
    bool trusted; /* now.began_ms is known */
    struct stamp_boot now;
    struct stamp_boot *earlier; /* boots whose began_ms is known */
    size_t earlier_count;
};

/* Writes the first members of an object. boot_ms: of the sample, as clock_boot_ms(). */
void stamp_write(struct json *j, const struct stamp_clock *c, int64_t boot_ms);

/* Writes a value: a moment in wall time, or null while nobody knows it. */
void stamp_value(struct json *j, const struct stamp_clock *c, int64_t boot_ms);

/* Appends the payload with its time, when it is one without and its boot's beginning is known; else false. */
bool stamp_resolve(const struct stamp_clock *c, struct str payload, struct buf *out);

#endif
