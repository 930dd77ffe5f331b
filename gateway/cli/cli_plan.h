/*
 * cli_plan - shows what polling will ask, and how much of each line that takes.
 */
#ifndef WP_CLI_PLAN_H
#define WP_CLI_PLAN_H

#include <stdbool.h>

#include "config/settings.h"

/* On stdout: a line for each bus and, `with_requests`, one for each request. 0 or -ENOMEM. */
int cli_plan_print(const struct settings *settings, bool with_requests);

#endif
