/*
 * settings - one whole configuration, checked. Built by config_load(), owned by
 * its arena, read-only afterwards: a reload builds a new one, and the old one stays
 * until the last stage that runs on it has gone. References are the loop thread's.
 */
#ifndef WP_CONFIG_SETTINGS_H
#define WP_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/bridge_settings.h"
#include "broker/broker_settings.h"
#include "bus/bus_settings.h"
#include "core/log.h"
#include "web/web_settings.h"

struct arena;

enum clock_trust { CLOCK_TRUST_AUTO, CLOCK_TRUST_ALWAYS };

struct gateway_settings {
    const char *id;          /* topic root is wp/<id>; NULL: a broker alone, no wp/ topics */
    const char *data_dir;    /* absolute */
    uint32_t inbox_readings; /* bound of the inbox */
    const char *home_assistant_prefix;
    enum clock_trust clock_trust;
    int64_t write_expiry_ms;   /* of requests that do not say */
    int64_t audit_rows;        /* bound of the audit */
    bool remote_commissioning; /* scans and raw writes by MQTT */
};

/* What is written under one key of a section in the main file, such as broker.limits, or in a file it names, by its
 * absolute path, as a number: another number is another text. For what has no such number of its own. */
struct settings_part {
    const char *key;
    uint64_t fingerprint;
};

struct settings {
    struct arena *arena;
    uint32_t refs;
    const char *path; /* of the main file, as it was given */
    const struct settings_part *parts;
    size_t part_count;
    struct gateway_settings gateway;
    struct broker_settings broker;
    struct web_settings web;
    const struct bus_settings *buses;
    size_t bus_count;
    const struct bridge_settings *bridges;
    size_t bridge_count;
    enum log_level log_level;
};

/* Of the same key; NULL when nothing is written under it. */
const struct settings_part *settings_find_part(const struct settings *s, const char *key);

/* One more owner. */
struct settings *settings_ref(struct settings *s);

/* Gives back one reference; the last one frees. Accepts NULL. */
void settings_free(struct settings *s);

#endif
