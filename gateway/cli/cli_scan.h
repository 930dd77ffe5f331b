/*
 * cli_scan - how `wirepost scan` shows a scan: a bar on a terminal, plain lines otherwise.
 */
#ifndef WP_CLI_SCAN_H
#define WP_CLI_SCAN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/str.h"

struct scan_view {
    const struct bus_settings *bus;
    bool json;
    bool daemon;
    int found;
    bool bar;        /* the last line of the terminal is one */
    int64_t told_ms; /* of the scan, when the last plain line was */
};

/* A session_tell_fn; arg: the view. */
void scan_view_tell(void *arg, const cJSON *object, struct str text);

/* After the last object. */
void scan_view_end(struct scan_view *v);

#endif
