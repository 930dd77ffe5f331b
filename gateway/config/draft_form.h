/*
 * draft_form - what becomes of a tag's raw value, as it is written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_FORM_H
#define WP_CONFIG_DRAFT_FORM_H

#include <stdint.h>

#include "bus/bus_settings.h"

struct loader;
struct node;
struct tag_draft;
struct device_draft;

struct bits_draft {
    int32_t offset;
    int32_t count;
};

/* struct value_form as it is written. */
struct form_draft {
    int32_t length;
    const struct node *sentinels;
    int32_t bit;
    struct bits_draft bits;
    const struct node *words;
    const struct node *range;
    int32_t precision;
    struct value_form checked; /* what they come to */
};

/* Fills form.checked, and reports what the tag's type cannot have. */
void draft_form(struct loader *ld, struct tag_draft *tag);

/* The same for a tag made of text. */
void draft_text_form(struct loader *ld, struct tag_draft *tag);

/* Tags that lie partly on each other, or are longer than a request. */
void draft_check_registers(struct loader *ld, const struct device_draft *device);

#endif
