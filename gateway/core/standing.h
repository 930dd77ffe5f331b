/*
 * standing - how a device does on its bus, in numbers. Counters since start.
 */
#ifndef WP_CORE_STANDING_H
#define WP_CORE_STANDING_H

#include <stdint.h>

#include "core/json.h"

enum device_state { DEVICE_STARTING, DEVICE_UP, DEVICE_SLOW, DEVICE_QUARANTINED, DEVICE_DISABLED };

const char *device_state_name(enum device_state state); /* "starting", "up", "slow", ... */

/* Whether what is to be written to a device when it comes has been. */
enum setup_state { SETUP_NONE, SETUP_PENDING, SETUP_DONE, SETUP_FAILED };

const char *setup_state_name(enum setup_state state); /* "none", "pending", "done", "failed" */

/* By code; those above the last one of the specification are counted at 0. */
enum { EXCEPTION_CODES = 12 };

/* What was on the line besides requests and their answers. */
struct line_faults {
    uint32_t timeouts;
    uint32_t damaged; /* checksum wrong, cut short */
    uint32_t wrong;   /* of the unit asked, but not what was asked */
    uint32_t foreign; /* of another unit */
    uint32_t late;
    uint32_t echoes;
    uint32_t noise; /* stretches of bytes that are no frame */
    uint32_t exceptions[EXCEPTION_CODES];
};

/* How long answers took, of the last few hundred; all 0 before the first. In tenths of a millisecond. */
struct latency {
    uint16_t p50;
    uint16_t p95;
    uint16_t max;
};

/* What went wrong last, and when. */
struct last_error {
    int64_t ts_ms; /* wall clock; 0: nothing yet */
    char text[80]; /* "timeout: holding 0 to 9" */
};

/* Each writes one value of JSON. */
void standing_write_exceptions(struct json *j, const struct line_faults *f); /* {"2": 17} */
void standing_write_latency(struct json *j, const struct latency *l);        /* {"p50": 12.3, ...} or null */

/* device: who, or NULL. {"text": ..., "ts": ...} or null. */
void standing_write_error(struct json *j, const struct last_error *e, const char *device);

#endif
