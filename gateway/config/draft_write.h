/*
 * draft_write - writing tags and actions of devices, as they are written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_WRITE_H
#define WP_CONFIG_DRAFT_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"

struct device_draft;
struct device_template;
struct loader;
struct node;
struct tag_draft;

struct failsafe_draft {
    const char *value;
    int64_t after_ms;
};

struct write_draft {
    int function;
    double min;
    double max;
    bool verify;
    struct failsafe_draft failsafe;
};

struct action_draft {
    const struct node *node;
    const char *name;
    const char *pdu;
    struct action_settings checked;
};

/* The tag's `write` into write_rules; reports what the tag cannot have. Type and form are known by now. */
void draft_write(struct loader *ld, struct tag_draft *tag);

/* The device's actions: those of its template, then its own. One of a template's name replaces that. */
void draft_actions(struct loader *ld, struct device_draft *device, const struct device_template *template);

#endif
