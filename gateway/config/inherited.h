/*
 * inherited - the options that a bus, a template or a device says for all that is
 * below it: each level begins as a copy of the outer one. Parts of a draft.
 */
#ifndef WP_CONFIG_INHERITED_H
#define WP_CONFIG_INHERITED_H

#include <stdint.h>

#include "bus/bus_settings.h"

/* Inherited: bus -> template -> device -> tag. */
struct sampling {
    int64_t poll_ms;
    int64_t stale_after_ms; /* -1: follows from poll_ms */
    int order;
};

/* The same way. */
struct publishing {
    struct publish_rules rules;
    enum publish_form form; /* the device's: a tag has no say, here and below */
    bool home_assistant;
};

/* Inherited: bus -> template -> device. */
struct asking {
    int64_t timeout_ms;
    int32_t retries;
    uint16_t max_count;
    uint16_t max_gap;
    int64_t min_request_gap_ms;
    int32_t fail_count;
    int64_t fail_time_ms;
    struct probe_settings probe;
};

/* What a device is, for people: template -> device. "" if it is not said. */
struct about_device {
    const char *label;
    const char *manufacturer;
    const char *model;
};

#endif
