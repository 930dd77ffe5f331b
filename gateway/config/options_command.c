/* options_command - the options of a bus that bound its writes and raw requests. */
#include "config/options.h"

#include "bus/bus_settings.h"

static const struct schema_option command_options[] = {
    {.name = "max_commands",
     .type = OPT_INT,
     .min = 1,
     .max = 10000,
     INTO(struct command_settings, max_queued),
     .preset = "64",
     .help = "Writes and requests of people that may wait for the bus at once. More are refused."},
    {.name = "command_share",
     .type = OPT_INT,
     .min = 1,
     .max = 100,
     INTO(struct command_settings, share_percent),
     .preset = "30",
     .help = "Percent of the bus's time that a scan or other requests of people may take while polls are due. Writes "
             "do not count: they go first."},
    {0},
};
const struct schema_section command_section = {"a bus", command_options};
