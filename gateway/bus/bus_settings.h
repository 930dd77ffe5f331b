/*
 * bus_settings - what a configuration says of buses, devices and tags.
 *
 * Filled by config/, owned by its arena, never changed while a stage runs on
 * it. Durations in milliseconds.
 */
#ifndef WP_BUS_SETTINGS_H
#define WP_BUS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/port_settings.h"
#include "bus/serial_settings.h"
#include "bus/tag_settings.h"

enum bus_type { BUS_MODBUS_RTU, BUS_MODBUS_TCP, BUS_MODBUS_RTU_TCP, BUS_MODBUS_ASCII, BUS_SERIAL };

/* What a device's values go out as: v/TAG, json, or both. */
enum publish_form { PUBLISH_BOTH, PUBLISH_VALUES, PUBLISH_JSON };

/* Writes and raw requests: bus/command.h. */
struct command_settings {
    int32_t max_queued;    /* waiting at once */
    int32_t share_percent; /* of the bus's time for raw requests while polls are due */
};

/* The read that tells whether a quarantined device is back. */
struct probe_settings {
    uint8_t function; /* 1-4; 0: none is given, the smallest of its plan is taken */
    uint16_t address;
    uint8_t count; /* registers or bits */
};

struct health_settings {
    int32_t dead_share_percent; /* of the bus's time, for all quarantined devices together */
};

/* Addresses that can be read; a request does not go beyond them. */
struct block_settings {
    enum modbus_table table;
    uint16_t from;
    uint16_t to; /* the last one */
};

/* Written whenever the device comes, or comes back: a tag's value, or one of its actions. */
struct setup_settings {
    const char *name; /* of either */
    uint32_t index;   /* into tags or actions */
    bool is_action;
    bool verify;       /* the value is read back */
    const char *value; /* as the tag shows it; NULL for an action */
};

struct device_settings {
    const char *name;          /* unique in the whole configuration */
    const char *template_name; /* NULL if none */
    const char *template_file; /* where it was found; NULL if none */
    const char *label;         /* for people; "" if none, as the next two */
    const char *manufacturer;
    const char *model;
    uint8_t unit;   /* Modbus unit id 1-247 (TCP: 0-255) */
    bool broadcast; /* everybody on a serial line, of whom nobody answers: written, never read */
    int64_t timeout_ms;
    int32_t retries;
    uint16_t max_count;                  /* registers in one request: 1-125 */
    uint16_t max_gap;                    /* unwanted registers read to join two tags */
    const struct block_settings *blocks; /* a table without one has no bounds */
    size_t block_count;
    int64_t min_request_gap_ms; /* silence this device wants between requests */
    int32_t fail_count;         /* quarantine after so many failed polls in a row... */
    int64_t fail_time_ms;       /* ...and so much time */
    struct probe_settings probe;
    enum publish_form publish;
    bool home_assistant;             /* is told of the device */
    const struct tag_settings *tags; /* first those that are read... */
    size_t tag_count;                /* ...so many */
    size_t derived_count;            /* then those that are computed from them */
    const struct action_settings *actions;
    size_t action_count;
    const struct setup_settings *setup;
    size_t setup_count;
};

static inline size_t device_all_tags(const struct device_settings *d)
{
    return d->tag_count + d->derived_count;
}

struct bus_settings {
    const char *name;
    uint64_t fingerprint; /* of all that is written about it, its devices and templates: another is another bus */
    enum bus_type type;
    struct port_settings port; /* of BUS_MODBUS_RTU_TCP: of the line behind its host, without a device */
    const char *host;          /* BUS_MODBUS_TCP, BUS_MODBUS_RTU_TCP, BUS_SERIAL at a serial server; else NULL */
    uint16_t tcp_port;
    int32_t max_outstanding; /* requests at once; more than 1 only on BUS_MODBUS_TCP */
    struct command_settings commands;
    struct health_settings health;
    const struct serial_settings *serial; /* BUS_SERIAL, which has one device */
    const struct device_settings *devices;
    size_t device_count;
};

#endif
