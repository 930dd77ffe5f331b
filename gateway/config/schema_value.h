/*
 * schema_value - reads the value of one option. Part of schema.
 */
#ifndef WP_CONFIG_SCHEMA_VALUE_H
#define WP_CONFIG_SCHEMA_VALUE_H

#include "config/schema.h"

/* Stores the value in `field`, or reports why it cannot be. Not for OPT_SECTION and OPT_SHARED. */
void schema_read_value(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field);

#endif
