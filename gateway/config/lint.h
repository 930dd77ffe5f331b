/*
 * lint - what is suspicious in a template although nothing is wrong with it: the mistakes that are made when register
 * maps are copied. Each finding is a warning. Private to config/.
 *
 *   lint.c           what the template says of itself, and where its addresses come from
 *   lint_tag.c       each tag
 *   lint_siblings.c  tags that should differ in their address only: voltage_l1, voltage_l2, voltage_l3
 */
#ifndef WP_CONFIG_LINT_H
#define WP_CONFIG_LINT_H

#include "config/loader.h"

struct lint {
    struct loader *ld;
    const struct node *root;
    const struct device_draft *device; /* the template as a device by itself; without errors */
    struct str text;                   /* of the file, for its comments */
};

/* Whether a comment stands in the line of `place`, or above it and the lines like it: those that have `key` too. */
bool lint_is_commented(const struct lint *lint, struct place place, const char *key);

/* Where the value of a tag's key is, or the tag. */
struct place lint_place(const struct tag_draft *tag, const char *key);

void lint_tags(const struct lint *lint);
void lint_siblings(const struct lint *lint);

#endif
