/*
 * cli_write_tag - `wirepost write DEVICE TAG VALUE`: through the gateway, under the tag's own rules.
 */
#ifndef WP_CLI_WRITE_TAG_H
#define WP_CLI_WRITE_TAG_H

#include <stdbool.h>

#include "cli/cli_session.h"

struct tag_write {
    const char *device;
    const char *tag;
    const char *value;
    bool verify; /* in any case; else as the tag says */
    bool json;
    bool yes;
};

/* The exit status. */
int cli_write_tag(struct session *s, const struct tag_write *w);

#endif
