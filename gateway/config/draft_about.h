/*
 * draft_about - what a value is, as it is written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_ABOUT_H
#define WP_CONFIG_DRAFT_ABOUT_H

struct loader;
struct tag_draft;

enum state_class {
    STATE_CLASS_FOLLOWS, /* from the device_class */
    STATE_CLASS_NONE,
    STATE_CLASS_MEASUREMENT,
    STATE_CLASS_ANGLE,
    STATE_CLASS_TOTAL,
    STATE_CLASS_INCREASING,
};

/* What a value is, for people and Home Assistant: "" if it is not said. */
struct about_tag {
    const char *label;
    const char *device_class;
    int state_class;         /* enum state_class */
    const char *class_found; /* what they come to; draft_about() */
    const char *state_found;
};

/* Fills class_found and state_found, and reports classes that such a value cannot have. */
void draft_about(struct loader *ld, struct tag_draft *tag);

#endif
