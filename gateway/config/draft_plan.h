/*
 * draft_plan - how a device's registers may be read, as it is written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_PLAN_H
#define WP_CONFIG_DRAFT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

struct loader;
struct node;
struct device_draft;

struct block_draft {
    int table;
    int32_t from;
    int32_t to;
};

struct setup_draft {
    const char *tag;
    const char *value;
    bool verify;
    const char *action;
};

/* Template -> device: the lists of a device replace those of its template. */
struct planning {
    const struct node *block_list;
    const struct block_settings *blocks; /* what they come to */
    size_t block_count;
    const struct node *setup_list;
    const struct setup_settings *setup; /* the same */
    size_t setup_count;
};

/* Fills planning.blocks; reports blocks that overlap and tags outside of them. After the device's tags. */
void draft_blocks(struct loader *ld, struct device_draft *device);

/* draft_setup.c: fills planning.setup. After the device's tags and actions. */
void draft_setup(struct loader *ld, struct device_draft *device);

#endif
