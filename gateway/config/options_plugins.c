/* options_plugins - the table of the broker's plugins. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_option plugin_options[] = {
    {.name = "path",
     .type = OPT_PATH,
     .required = true,
     INTO(struct plugin_draft, path),
     .help = "The plugin's shared object."},
    {.name = "options",
     .type = OPT_MAP,
     INTO(struct plugin_draft, options),
     .help = "What the plugin is told: keys and values of its own. Lists and mappings reach it as JSON."},
    {0},
};
const struct schema_section plugin_section = {"a plugin", plugin_options};
