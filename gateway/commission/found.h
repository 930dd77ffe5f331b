/*
 * found - what a scan knows of a unit that answered, and how it is told.
 */
#ifndef WP_COMMISSION_FOUND_H
#define WP_COMMISSION_FOUND_H

#include "commission/match.h"
#include "commission/pdu.h"

struct json;

enum found_by { FOUND_BY_VALUE, FOUND_BY_REFUSAL, FOUND_DAMAGED };

struct found {
    uint8_t unit;
    size_t port_index;
    const struct port_settings *port; /* NULL: no serial line */
    enum found_by by;
    uint8_t exception;
    int64_t latency_us;
    bool has_identity;
    struct identity identity;
    const struct device_settings *configured; /* as this device; NULL: not yet */
    struct match matches[MATCH_BEST];
    size_t match_count;
};

/* The members of one JSON object; the caller begins and ends it. */
void found_print(const struct found *f, struct json *out);

/* "none", "even", ..., and NULL at the end. */
extern const char *const found_parities[];

#endif
