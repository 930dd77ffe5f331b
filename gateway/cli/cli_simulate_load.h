/* cli_simulate_load - what wirepost simulate serves: a configuration, or one device of a template. */
#ifndef WP_CLI_SIMULATE_LOAD_H
#define WP_CLI_SIMULATE_LOAD_H

#include <stdbool.h>

#include "config/config.h"

struct simulate_source {
    const char *path;
    const char *at;   /* of a template: where it is served, PATH or HOST:PORT */
    const char *unit; /* of a template: NULL for 1 */
    bool rtu_tcp;     /* HOST:PORT: RTU frames, not Modbus TCP */
};

/* Prints what is wrong with it. 0 or -errno; settings_free() what it gives. */
int simulate_load(const struct simulate_source *source, struct settings **ret_settings);

#endif
